"""What an evaluation starts with: the held-out part of the work at hand, and its models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fttui import paths
from fttui.ui.chat.voices import Voice, kind, short

if TYPE_CHECKING:
    from fttui.service.eval_setup import Setup
    from fttui.ui.thread import Thread

NO_FILE = Path()
SHOTS = 3  # examples of the few-shot baseline


def begin(thread: Thread, profile: str, models: Iterable[str] = ()) -> Setup:
    """A set-up for this thread. models: as the thread keeps them; else those of the job."""
    from fttui.service.eval_setup import Setup

    file, train, _ = files(thread)
    voices = [Voice.of(text) for text in models or of_thread(thread)]
    shots = dict.fromkeys(f"few-shot:{voice.shots}" for voice in voices if voice.shots)
    plain = [replace(voice, shots=0) for voice in voices if not voice.shots] or [
        replace(voice, shots=0) for voice in voices
    ]
    return Setup(
        file or NO_FILE, labelled(plain), train=train, profile=profile,
        baselines=tuple(shots) if train else (),
    )  # fmt: skip


def files(thread: Thread) -> tuple[Path | None, Path | None, str]:
    """(held-out file, training file, what the first is, in words)."""
    from fttui import samples

    if thread.validation is not None:
        return thread.validation, thread.path, "the validation file"
    if thread.path is None:
        return None, None, ""
    halves = _held_out(thread)
    if halves is not None:
        return *halves, "the part held out when it was launched"
    for name in samples.NAMES:
        if thread.path == samples.path(name):
            return samples.heldout(name), thread.path, "the sample's held-out part"
    return None, thread.path, ""


def _held_out(thread: Thread) -> tuple[Path, Path] | None:
    """(validation, training) of the newest split a launch made of this very file."""
    if thread.report is None or thread.path is None or not thread.report.sha256:
        return None
    stem = thread.path.stem
    found = [
        folder
        for folder in (paths.cache_dir() / "splits").glob(f"{thread.report.sha256[:16]}-*")
        if (folder / f"{stem}.validation.jsonl").is_file()
    ]
    if not found:
        return None
    newest = max(found, key=lambda folder: folder.stat().st_mtime)
    return newest / f"{stem}.validation.jsonl", newest / f"{stem}.train.jsonl"


def of_thread(thread: Thread) -> list[str]:
    """The base first, the candidate last."""
    job, found = thread.job, []
    if job is not None:
        found = [job.model, job.fine_tuned_model]
        if thread.checkpoint is not None:
            found.append(thread.checkpoint.model)
    names = list(dict.fromkeys(name for name in found if name))
    return names or list(thread.chat_models)


def labelled(voices: Iterable[Voice]) -> tuple[str, ...]:
    """`base=…`, `tuned=…`, `step 12=…` where that tells them apart, else by their own names."""
    rows = list(dict.fromkeys(voices))
    kinds = [kind(voice.model) for voice in rows]
    made: tuple[str, ...] = ()
    for voice, sort in zip(rows, kinds, strict=True):
        model = f"{voice.model}@{voice.profile}" if voice.profile else voice.model
        made = with_model(made, model, sort if kinds.count(sort) == 1 else "")
    return made


def with_model(models: tuple[str, ...], model: str, label: str | None = None) -> tuple[str, ...]:
    """One more, under a name that none has yet. label: to be tried first; None: the kind of model."""
    taken = {text.rpartition("=")[0] for text in models}
    name = model.partition("@")[0]
    sort = kind(name)
    if sort == "checkpoint":
        label = f"step {name.rpartition('-')[2]}"
    wanted = sort if label is None else label
    if not wanted or wanted in taken:
        wanted = short(name).partition(" ← ")[0].replace("=", " ").replace(",", " ")
    return (*models, f"{_free(wanted, taken)}={model}")


def _free(label: str, taken: Iterable[str]) -> str:
    number, wanted = 2, label
    while wanted in taken:
        wanted, number = f"{label} ({number})", number + 1
    return wanted
