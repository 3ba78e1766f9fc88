"""/v1/uploads: a large file in parts, put together at the end."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fttui.local import api_files
from fttui.local.context import context, resource
from fttui.local.errors import ApiError, not_found
from fttui.local.multipart import receive
from fttui.local.schema import CompleteUpload, CreateUpload, read
from fttui.local.store import Document, Store, new_id, now, public

PART_LIMIT = 64 * 2**20  # bytes, the cloud's
LIFETIME = 3600  # seconds an upload may take, the cloud's


async def create(request: Request) -> Response:
    body = await read(request, CreateUpload)
    created = now()
    doc: Document = {
        "id": new_id("upload_"),
        "object": "upload",
        "bytes": body.bytes,
        "created_at": created,
        "filename": body.filename,
        "purpose": body.purpose,
        "status": "pending",
        "expires_at": created + LIFETIME,
        "file": None,
        "_expires_in": body.expires_after.seconds if body.expires_after else None,
    }
    context(request).store.add("upload", doc)
    return JSONResponse(public(doc))


def _find(store: Store, id_: str) -> Document:
    doc = store.get("upload", id_)
    if doc is None:
        raise not_found("Upload", id_)
    if doc["status"] == "pending" and doc["expires_at"] <= time.time():
        doc = store.update("upload", id_, status="expired")
        _drop_parts(store, id_)
    return doc


def _pending(store: Store, id_: str) -> Document:
    doc = _find(store, id_)
    if doc["status"] != "pending":
        raise ApiError(400, f"Upload {doc['id']} is {doc['status']}.", code="invalid_upload_status")
    return doc


def _drop_parts(store: Store, upload_id: str) -> None:
    for part in store.all("part", parent=upload_id):
        store.delete("part", part["id"])
        store.file_path(part["id"]).unlink(missing_ok=True)


async def add_part(request: Request) -> Response:
    store = context(request).store
    upload = _pending(store, request.path_params["upload_id"])
    incoming = store.incoming()
    form = await receive(request, file_field="data", path=incoming, limit=PART_LIMIT)
    try:
        if form.path is None:
            raise ApiError(
                400,
                "Missing required parameter: 'data'.",
                code="missing_required_parameter",
                param="data",
            )
        if form.fields:
            name = next(iter(form.fields))
            raise ApiError(
                400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name
            )
        _pending(store, upload["id"])  # it may have been cancelled meanwhile
        doc = {
            "id": new_id("part_"),
            "object": "upload.part",
            "created_at": now(),
            "upload_id": upload["id"],
            "_bytes": form.size,
        }
        incoming.replace(store.file_path(doc["id"]))
        store.add("part", doc, parent=upload["id"])
    finally:
        incoming.unlink(missing_ok=True)
    return JSONResponse(public(doc))


async def complete(request: Request) -> Response:
    store = context(request).store
    body = await read(request, CompleteUpload)
    upload = _pending(store, request.path_params["upload_id"])
    parts = {part["id"]: part for part in store.all("part", parent=upload["id"])}
    for id_ in body.part_ids:
        if id_ not in parts:
            raise not_found("UploadPart", id_, "part_ids")
    if len(set(body.part_ids)) != len(body.part_ids):
        raise ApiError(400, "A part is named twice.", code="invalid_value", param="part_ids")
    size = sum(parts[id_]["_bytes"] for id_ in body.part_ids)
    if size != upload["bytes"]:
        raise ApiError(
            400,
            f"The parts hold {size} bytes, but {upload['bytes']} were announced.",
            code="invalid_value",
            param="part_ids",
        )
    incoming = store.incoming()
    try:
        paths = [store.file_path(id_) for id_ in body.part_ids]
        md5 = await run_in_threadpool(_join, paths, incoming)
        if body.md5 and body.md5.lower() != md5:
            raise ApiError(
                400,
                f"The MD5 checksum is {md5}, not the one sent.",
                code="invalid_value",
                param="md5",
            )
        _pending(store, upload["id"])
        with store.transaction():
            file = api_files.save(
                store,
                incoming,
                filename=upload["filename"],
                purpose=upload["purpose"],
                expires_in=upload["_expires_in"],
            )
            upload = store.update("upload", upload["id"], status="completed", file=public(file))
    finally:
        incoming.unlink(missing_ok=True)
    _drop_parts(store, upload["id"])
    return JSONResponse(public(upload))


def _join(parts: list[Path], out: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with out.open("xb") as target:
        for path in parts:
            with path.open("rb") as source:
                while chunk := source.read(2**20):
                    digest.update(chunk)
                    target.write(chunk)
    return digest.hexdigest()


async def cancel(request: Request) -> Response:
    store = context(request).store
    upload = _pending(store, request.path_params["upload_id"])
    upload = store.update("upload", upload["id"], status="cancelled")
    _drop_parts(store, upload["id"])
    return JSONResponse(public(upload))


ROUTES = [
    resource("/uploads", POST=create),
    resource("/uploads/{upload_id}/parts", POST=add_part),
    resource("/uploads/{upload_id}/complete", POST=complete),
    resource("/uploads/{upload_id}/cancel", POST=cancel),
]
