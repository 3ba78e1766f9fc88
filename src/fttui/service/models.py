"""The models a provider offers to this key."""

from __future__ import annotations

from fttui.service.provider import Provider, part
from fttui.service.types import ModelInfo


async def listing(provider: Provider) -> list[ModelInfo]:
    """All models, tuned ones first, then by name. `shutdown_date` is set where the provider tells it."""
    page = await provider.page("/models", ModelInfo.from_json, doing="Listing the models")
    rows = {row.id: row for row in page.items if row.id}
    return sorted(rows.values(), key=lambda row: (not row.tuned, row.id))


async def retrieve(provider: Provider, model: str) -> ModelInfo:
    answer = await provider.request("GET", f"/models/{part(model)}", doing=f"Reading model {model}")
    return ModelInfo.from_json(answer)


async def delete(provider: Provider, model: str) -> None:
    """Delete a tuned model; it never answers again."""
    provider.writing("Deleting a model")
    provider.require("delete", "Deleting a model")
    await provider.request(
        "DELETE", f"/models/{part(model)}", doing=f"Deleting {model}", repeat=True
    )
