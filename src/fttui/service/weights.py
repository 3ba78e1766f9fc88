"""The weights of a checkpoint as files: those the provider lists with it, or the local server's PEFT folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from fttui.problem import Problem
from fttui.service import download, files
from fttui.service.jobs import JOBS
from fttui.service.provider import Provider, part
from fttui.service.types import Checkpoint

# What the local server makes of an adapter: the layout Hugging Face PEFT loads.
PEFT = ("adapter_config.json", "adapter_model.safetensors")
OnProgress = Callable[[str, int, int], None]  # file name, bytes so far, bytes in all (0: not told)


def why_not(provider: Provider, checkpoint: Checkpoint) -> str:
    """Why a checkpoint's weights cannot be had; "" where they (perhaps) can."""
    if checkpoint.result_files:
        return ""
    if lack := provider.lacks("download"):
        return lack
    if provider.profile.provider != "local":
        return "the provider lists no files with this checkpoint"
    return "" if checkpoint.id else "the provider lists no checkpoint for this model any more"


def folder_name(checkpoint: Checkpoint) -> str:
    """A folder for a checkpoint, from its model's name."""
    return (
        re.sub(r"[^\w.-]+", "-", checkpoint.model or checkpoint.id).strip("-.")[:100] or "weights"
    )


async def save(
    provider: Provider,
    job_id: str,
    checkpoint: Checkpoint,
    folder: Path,
    on_progress: OnProgress | None = None,
) -> list[Path]:
    """Download all files of a checkpoint into `folder` (made; files that are there are kept and not
    asked for again). Raises Problem."""
    reason = why_not(provider, checkpoint)
    if reason:
        raise Problem(
            "The weights cannot be downloaded.", reason, "Use the model where it is.",
            code="not_supported",
        )  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise Problem(
            "The weights were not saved.",
            f"{folder}: {exc.strerror or exc}",
            "Choose a folder you may write to.",
            code="write",
        ) from None
    saved = []
    for name, path in await _wanted(provider, job_id, checkpoint):
        target = folder / name
        if not target.exists():

            def tell(done: int, total: int, name: str = name) -> None:
                if on_progress is not None:
                    on_progress(name, done, total)

            await download.save(provider, path, target, f"Downloading {name}", tell)
        saved.append(target)
    return saved


async def _wanted(provider: Provider, job_id: str, checkpoint: Checkpoint) -> list[tuple[str, str]]:
    """(file name, path to GET) of each file."""
    if not checkpoint.result_files:
        place = f"{JOBS}/{part(job_id)}/checkpoints/{part(checkpoint.id)}/weights"
        return [(name, f"{place}/{name}") for name in PEFT]
    found: dict[str, str] = {}
    for file_id in checkpoint.result_files:
        info = await files.retrieve(provider, file_id)
        name = info.filename.replace("\\", "/").rpartition("/")[2].lstrip(".")
        name = name or re.sub(r"[^\w-]+", "-", file_id)  # never a way out of the folder
        name = name if name not in found else f"{len(found)}-{name}"
        found[name] = f"/files/{part(file_id)}/content"
    return list(found.items())
