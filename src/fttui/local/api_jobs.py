"""/v1/fine_tuning/jobs, their events and checkpoints, and permissions on checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fttui.local import api_files, jobs
from fttui.local.bases import Bases, find_voice
from fttui.local.context import choice, context, metadata_filter, page, resource
from fttui.local.errors import ApiError, not_found, printable
from fttui.local.schema import CreateJob, CreatePermission, parse, read, read_json
from fttui.local.store import Document, Store, new_id, now, public

METHODS = ("supervised", "dpo")


async def create(request: Request) -> Response:
    here = context(request)
    raw = await read_json(request)
    _refuse_reinforcement(raw)
    body = parse(CreateJob, raw)
    origin = _trainable(here.store, here.bases, body.model)
    for param in ("training_file", "validation_file"):
        if (id_ := getattr(body, param)) is not None:
            _usable(here.store, id_, param)
    if body.integrations:
        raise ApiError(
            400,
            "This server sends nothing to Weights & Biases. Leave 'integrations' out and run "
            "`wandb sync` or log the results file yourself when the job is done.",
            code="integration_not_available",
            param="integrations",
        )
    doc = jobs.create(here.store, body, origin)
    here.supervisor.wake()
    return JSONResponse(public(doc))


def _refuse_reinforcement(raw: Any) -> None:
    method = raw.get("method") if isinstance(raw, dict) else None
    if isinstance(method, dict) and method.get("type") == "reinforcement":
        raise ApiError(
            400,
            "Reinforcement fine-tuning is not available on this server; "
            f"the methods are {' and '.join(METHODS)}.",
            code="method_not_available",
            param="method.type",
        )


def _trainable(store: Store, bases: Bases, model: str) -> jobs.Origin:
    """A base model, or a tuned model or checkpoint of this server to train further."""
    try:
        voice = find_voice(store, bases, model)
    except ApiError:
        near = ", ".join(bases.ids())
        raise ApiError(
            400,
            f"Model {printable(model)} is not available for fine-tuning or does not exist. "
            f"This server can fine-tune: {near}, and the models it tuned.",
            code="model_not_available",
            param="model",
        ) from None
    return jobs.Origin(voice.base, voice.base_path, voice.shown, voice.adapter)


def _usable(store: Store, id_: str, param: str) -> None:
    try:
        doc = api_files.find(store, id_)
    except ApiError as error:
        raise ApiError(400, error.message, code="file_not_found", param=param) from None
    if doc["purpose"] != "fine-tune":
        raise ApiError(
            400,
            f"File {doc['id']} has the purpose '{doc['purpose']}', but must have 'fine-tune'.",
            code="invalid_file_purpose",
            param=param,
        )
    if not store.file_path(doc["id"]).is_file():
        raise ApiError(400, f"The bytes of {doc['id']} are gone.", code="file_gone", param=param)


async def listing(request: Request) -> Response:
    found = page(request, "job", limit=20, **metadata_filter(request))
    return JSONResponse(found.as_list())


def _find(request: Request) -> Document:
    id_ = request.path_params["job"]
    doc = context(request).store.get("job", id_)
    if doc is None:
        raise ApiError(
            404,
            f"Could not find fine tune: {printable(id_)}",
            code="fine_tune_not_found",
            param="fine_tuning_job_id",
        )
    return doc


async def retrieve(request: Request) -> Response:
    return JSONResponse(public(_find(request)))


def _must_be(job: Document, verb: str, *statuses: str) -> None:
    if job["status"] not in statuses:
        raise ApiError(
            400,
            f"Job {job['id']} cannot be {verb}: its status is {job['status']}.",
            code="invalid_job_status",
            param="fine_tuning_job_id",
        )


async def cancel(request: Request) -> Response:
    job = _find(request)
    _must_be(job, "cancelled", "validating_files", "queued", "running", "paused")
    return JSONResponse(public(context(request).supervisor.cancel(job["id"])))


async def pause(request: Request) -> Response:
    job = _find(request)
    _must_be(job, "paused", "queued", "running")
    return JSONResponse(public(context(request).supervisor.pause(job["id"])))


async def resume(request: Request) -> Response:
    job = _find(request)
    _must_be(job, "resumed", "paused")
    return JSONResponse(public(context(request).supervisor.resume(job["id"])))


async def events(request: Request) -> Response:
    job = _find(request)
    return JSONResponse(page(request, "event", limit=20, parent=job["id"]).as_list())


async def checkpoints(request: Request) -> Response:
    job = _find(request)
    return JSONResponse(page(request, "checkpoint", limit=10, parent=job["id"]).as_list(ends=True))


async def weights(request: Request) -> Response:
    """A checkpoint's adapter as Hugging Face PEFT loads it. Not in the public API."""
    here, job = context(request), _find(request)
    name, id_ = request.path_params["file"], request.path_params["checkpoint"]
    kept = here.store.all("checkpoint", parent=job["id"])
    row = next(
        (row for row in kept if id_ in (row["id"], row["fine_tuned_model_checkpoint"])), None
    )
    if row is None:
        raise not_found("Checkpoint", id_, "checkpoint")
    if name not in ("adapter_config.json", "adapter_model.safetensors"):
        raise not_found("File", name, "file")
    doc = here.store.get("model", row["fine_tuned_model_checkpoint"]) or {}
    own = doc.get("_base_path")
    base = Path(own) if own else here.bases.located(job["_base"])
    if not doc or base is None or not base.is_file():
        raise ApiError(
            409,
            f"The base model {printable(job['_base'])} is not on this machine, and the adapter "
            "cannot be unfolded without its sizes. Chat with it once to fetch it.",
            code="model_not_available",
        )

    def make() -> bytes:
        from fttui.local import peft  # NumPy, not before it is needed

        return peft.file(name, here.store.root / doc["_adapter"], job["_base"], base)

    content = await run_in_threadpool(make)
    return Response(content, media_type="application/octet-stream")


# Permissions share a checkpoint with other projects. Here is only one user, so they are kept and
# listed for clients that ask, and change nothing.


def _checkpoint(request: Request) -> str:
    id_: str = request.path_params["checkpoint"]
    if context(request).store.get("model", id_) is None:
        raise not_found("Checkpoint", id_, "fine_tuned_model_checkpoint")
    return id_


async def add_permissions(request: Request) -> Response:
    store = context(request).store
    checkpoint = _checkpoint(request)
    body = await read(request, CreatePermission)
    made = [
        {
            "object": "checkpoint.permission",
            "id": new_id("cp_"),
            "created_at": now(),
            "project_id": project,
        }
        for project in body.project_ids
    ]
    with store.transaction():
        for doc in made:
            store.add("permission", doc, parent=checkpoint)
    return JSONResponse(
        {
            "object": "list",
            "data": made,
            "first_id": made[0]["id"] if made else None,
            "last_id": made[-1]["id"] if made else None,
            "has_more": False,
        }
    )


async def list_permissions(request: Request) -> Response:
    checkpoint = _checkpoint(request)
    order = choice(request, "order", "descending", ("ascending", "descending"))
    project = request.query_params.get("project_id")
    equal: dict[str, Any] = {"project_id": project} if project else {}
    found = page(
        request,
        "permission",
        limit=10,
        parent=checkpoint,
        oldest_first=order == "ascending",
        **equal,
    )
    return JSONResponse(found.as_list(ends=True))


async def delete_permission(request: Request) -> Response:
    store = context(request).store
    checkpoint = _checkpoint(request)
    id_ = request.path_params["permission"]
    if all(doc["id"] != id_ for doc in store.all("permission", parent=checkpoint)):
        raise not_found("Permission", id_, "permission_id")
    store.delete("permission", id_)
    return JSONResponse({"id": id_, "object": "checkpoint.permission", "deleted": True})


_JOB = "/fine_tuning/jobs/{job}"
_PERMISSIONS = "/fine_tuning/checkpoints/{checkpoint:path}/permissions"
ROUTES = [
    resource("/fine_tuning/jobs", POST=create, GET=listing),
    resource(_JOB, GET=retrieve),
    resource(f"{_JOB}/cancel", POST=cancel),
    resource(f"{_JOB}/pause", POST=pause),
    resource(f"{_JOB}/resume", POST=resume),
    resource(f"{_JOB}/events", GET=events),
    resource(f"{_JOB}/checkpoints", GET=checkpoints),
    resource(f"{_JOB}/checkpoints/{{checkpoint}}/weights/{{file}}", GET=weights),
    resource(_PERMISSIONS, POST=add_permissions, GET=list_permissions),
    resource(_PERMISSIONS + "/{permission}", DELETE=delete_permission),
]
