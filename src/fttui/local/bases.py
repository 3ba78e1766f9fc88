"""The names this server answers to: base models, own weights, aliases, tuned models, checkpoints."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fttui.local.errors import ApiError, printable
from fttui.local.store import Document, Store
from fttui.problem import Problem

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Voice:
    """What has to be loaded to speak as a model: base weights by name, an adapter folder or none.

    `shown`: the name, perhaps an alias, that the base was asked for by.
    """

    base: str
    base_path: Path | None
    adapter: Path | None
    shown: str


class Bases:
    """Base models by name. `own`: name → weights on disk; `aliases`: another name → a base's name."""

    def __init__(self, own: Mapping[str, Path], aliases: Mapping[str, str]) -> None:
        from fttui.local import models

        self._own = {name: path.expanduser().resolve() for name, path in own.items()}
        for name, path in self._own.items():
            if not path.exists():
                raise Problem(
                    f"The model {name} cannot be served.",
                    f"There is nothing at {path}.",
                    "Give --model NAME=PATH the path of a GGUF file.",
                    code="model_not_found",
                )
        known = [*models.KNOWN, *self._own]
        for alias, name in aliases.items():
            if name not in known:
                raise Problem(
                    f"The alias {alias}={name} names no base model.",
                    f"The base models are {', '.join(known)}.",
                    "Use one of them after the '=' sign.",
                    code="unknown_model",
                )
        self._names = {name: name for name in known} | dict(aliases)

    def ids(self) -> list[str]:
        """Every name a job may train, aliases included."""
        return list(self._names)

    def name(self, id_: str) -> str | None:
        """The base model behind a name, or None."""
        return self._names.get(id_)

    def own_path(self, name: str) -> Path | None:
        return self._own.get(name)

    def located(self, name: str) -> Path | None:
        """The weights of a base model where they are on disk."""
        from fttui.local import models

        return self._own.get(name) or models.locate(name)

    async def fetched(
        self, name: str, on_progress: Progress, cancelled: Callable[[], bool]
    ) -> Path:
        """The weights of a base model, downloaded if need be; Problem where that fails.

        `on_progress(done, total)` is called in the event loop.
        """
        from fttui.local import models

        if path := self.located(name):
            return path
        loop = asyncio.get_running_loop()

        def report(done: int, total: int) -> None:
            loop.call_soon_threadsafe(on_progress, done, total)

        return await asyncio.to_thread(models.fetch, name, on_progress=report, cancelled=cancelled)


def find_voice(store: Store, bases: Bases, id_: str) -> Voice:
    """The model a chat asks for; ApiError 404 where there is none."""
    name = bases.name(id_)
    if name is not None:
        return Voice(name, bases.own_path(name), None, id_)
    doc = store.get("model", id_)
    if doc is None or not (store.root / doc["_adapter"]).is_dir():
        raise ApiError(
            404,
            f"The model '{printable(id_)}' does not exist or you do not have access to it.",
            code="model_not_found",
            param="model",
        )
    own = doc["_base_path"]
    return Voice(
        doc["_base"],
        Path(own) if own else None,
        store.root / doc["_adapter"],
        doc.get("_shown") or doc["_base"],  # an older data directory does not say
    )


def base_object(id_: str) -> Document:
    """A base model as the API shows it; its date is this format's, not a claim about the model."""
    return {
        "id": id_,
        "object": "model",
        "created": 1730419200,  # 2024-11-01, the release of SmolLM2
        "owned_by": "fttui",
        "shutdown_date": None,
    }


def delete_model(store: Store, doc: Document) -> None:
    """Forget a tuned model or checkpoint; its weights go when no other name needs them."""
    with store.transaction():
        store.delete("model", doc["id"])
        for row in store.all("checkpoint", parent=doc["_job"]):
            if row["fine_tuned_model_checkpoint"] == doc["id"]:
                store.delete("checkpoint", row["id"])
        for row in store.all("permission", parent=doc["id"]):
            store.delete("permission", row["id"])
        needed = any(
            row["_adapter"] == doc["_adapter"] for row in store.all("model", parent=doc["_job"])
        )
    if not needed:
        shutil.rmtree(store.root / doc["_adapter"], ignore_errors=True)
