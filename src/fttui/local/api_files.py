"""/v1/files: bytes on disk, one row each."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from fttui.local.context import choice, context, page, resource
from fttui.local.errors import ApiError, not_found
from fttui.local.multipart import Form, receive
from fttui.local.schema import Expiry, parse
from fttui.local.store import Document, Store, new_id, now, public

SIZE_LIMIT = 512 * 2**20  # bytes; the cloud's, larger files go through /v1/uploads
_EXPIRES = re.compile(r"^expires_after\[(\w+)\]$")
# The cloud takes `evals` too; there are none here, and the file object's own list lacks it.
PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data")


def save(
    store: Store,
    incoming: Path,
    *,
    filename: str,
    purpose: str,
    expires_in: int | None = None,
) -> Document:
    """Make a file object of bytes already in the data directory; they are moved, not copied."""
    doc: Document = {
        "id": new_id("file-"),
        "object": "file",
        "bytes": incoming.stat().st_size,
        "created_at": now(),
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
    }
    if expires_in is not None:
        doc["expires_at"] = doc["created_at"] + expires_in
    incoming.replace(store.file_path(doc["id"]))
    try:
        return store.add("file", doc)
    except BaseException:
        store.file_path(doc["id"]).unlink(missing_ok=True)
        raise


def remove(store: Store, id_: str) -> None:
    """The row first: a file without a row is swept at the next start."""
    store.delete("file", id_)
    store.file_path(id_).unlink(missing_ok=True)


def find(store: Store, id_: str) -> Document:
    doc = store.get("file", id_)
    if doc is not None and doc.get("expires_at", time.time() + 1) <= time.time():
        remove(store, id_)
        doc = None
    if doc is None:
        raise not_found("File", id_)
    return doc


def sweep_expired(store: Store) -> None:
    for doc in store.all("file"):
        if doc.get("expires_at", time.time() + 1) <= time.time():
            remove(store, doc["id"])


async def create(request: Request) -> Response:
    store = context(request).store
    incoming = store.incoming()
    form = await receive(request, file_field="file", path=incoming, limit=SIZE_LIMIT)
    try:
        expiry = _check(form)
        doc = save(
            store,
            incoming,
            filename=Path(form.filename.replace("\\", "/")).name or "upload",
            purpose=form.fields["purpose"],
            expires_in=expiry,
        )
    finally:
        incoming.unlink(missing_ok=True)
    return JSONResponse(public(doc))


def _check(form: Form) -> int | None:
    """The seconds a file lives, or None; ApiError where a field is wrong."""
    if form.path is None:
        raise ApiError(
            400,
            "Missing required parameter: 'file'.",
            code="missing_required_parameter",
            param="file",
        )
    if "purpose" not in form.fields:
        raise ApiError(
            400,
            "Missing required parameter: 'purpose'.",
            code="missing_required_parameter",
            param="purpose",
        )
    if form.fields["purpose"] not in PURPOSES:
        raise ApiError(
            400,
            f"Invalid value for 'purpose': expected one of {', '.join(PURPOSES)}.",
            code="invalid_value",
            param="purpose",
        )
    if form.size == 0:
        raise ApiError(400, "File is empty.", code="empty_file", param="file")
    expiry: Any = {}
    for name, value in form.fields.items():
        if name == "expires_after":  # as one JSON part
            expiry = _json(value, name)
        elif match := _EXPIRES.match(name):  # as the stock clients send it
            expiry[match[1]] = int(value) if value.isascii() and value.isdigit() else value
        elif name != "purpose":
            raise ApiError(
                400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name
            )
    return parse(Expiry, expiry).seconds if expiry else None


def _json(text: str, param: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ApiError(
            400, f"Invalid value for '{param}': it is not JSON.", code="invalid_value", param=param
        ) from None


async def listing(request: Request) -> Response:
    sweep_expired(context(request).store)
    order = choice(request, "order", "desc", ("asc", "desc"))
    purpose = request.query_params.get("purpose")
    equal: dict[str, Any] = {"purpose": purpose} if purpose else {}
    found = page(
        request,
        "file",
        limit=10_000,
        maximum=10_000,
        oldest_first=order == "asc",
        **equal,
    )
    return JSONResponse(found.as_list(ends=True))


async def retrieve(request: Request) -> Response:
    return JSONResponse(public(find(context(request).store, request.path_params["file_id"])))


async def content(request: Request) -> Response:
    store = context(request).store
    doc = find(store, request.path_params["file_id"])
    path = store.file_path(doc["id"])
    if not path.is_file():
        raise ApiError(
            500,
            f"The bytes of {doc['id']} are gone from the data directory; delete the file object.",
            code="storage_error",
        )
    return FileResponse(path, media_type="application/octet-stream", filename=doc["filename"])


async def delete(request: Request) -> Response:
    store = context(request).store
    doc = find(store, request.path_params["file_id"])
    remove(store, doc["id"])
    return JSONResponse({"id": doc["id"], "object": "file", "deleted": True})


ROUTES = [
    resource("/files", POST=create, GET=listing),
    resource("/files/{file_id}", GET=retrieve, DELETE=delete),
    resource("/files/{file_id}/content", GET=content),
]
