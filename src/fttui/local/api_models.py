"""/v1/models: base models, aliases, tuned models and kept checkpoints."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fttui.local.bases import base_object, delete_model
from fttui.local.context import context, resource
from fttui.local.errors import ApiError, printable
from fttui.local.store import Document, public


def _find(request: Request) -> Document:
    here = context(request)
    id_ = request.path_params["model"]
    if here.bases.name(id_) is not None:
        return base_object(id_)
    doc = here.store.get("model", id_)
    if doc is None:
        raise ApiError(
            404,
            f"The model '{printable(id_)}' does not exist or you do not have access to it.",
            code="model_not_found",
            param="model",
        )
    return doc


async def listing(request: Request) -> Response:
    here = context(request)
    models = [base_object(id_) for id_ in here.bases.ids()] + here.store.all("model")
    return JSONResponse({"object": "list", "data": [public(doc) for doc in models]})


async def retrieve(request: Request) -> Response:
    return JSONResponse(public(_find(request)))


async def delete(request: Request) -> Response:
    here = context(request)
    doc = _find(request)
    if "_job" not in doc:
        raise ApiError(
            403,
            f"{doc['id']} is a base model: only models made by a fine-tuning job can be deleted.",
            code="insufficient_permissions",
            param="model",
        )
    job = here.store.get("job", doc["_job"])
    if job is not None and job["finished_at"] is None:
        raise ApiError(
            409,
            f"{doc['id']} belongs to {job['id']}, which is not finished; cancel the job first.",
            code="job_not_finished",
            param="model",
        )
    delete_model(here.store, doc)
    return JSONResponse({"id": doc["id"], "object": "model", "deleted": True})


ROUTES = [
    resource("/models", GET=listing),
    resource("/models/{model:path}", GET=retrieve, DELETE=delete),
]
