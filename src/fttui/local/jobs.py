"""A job's record and how it changes: every change and its events are one transaction.

Statuses are the specification's six and `paused`, which the specification's own example and the
current API reference use. Event texts follow the cloud's.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fttui.local.schema import CreateJob
from fttui.local.store import Document, Store, new_id, now

FINAL = ("succeeded", "failed", "cancelled")
KEPT_CHECKPOINTS = 3
START, ADAPTER = "start", "adapter.npz"  # where a job keeps the adapter it goes on from


def event(
    store: Store,
    job_id: str,
    message: str,
    *,
    level: str = "info",
    kind: str = "message",
    data: Document | None = None,
    at: int | None = None,
) -> None:
    store.add(
        "event",
        {
            "object": "fine_tuning.job.event",
            "id": new_id("ftevent-"),
            "created_at": now() if at is None else at,
            "level": level,
            "message": message,
            "type": kind,
            "data": data or {},
        },
        parent=job_id,
    )


@dataclass(frozen=True)
class Origin:
    """What a job starts from: base weights by name, the name they were asked for by, and the
    adapter's folder where a tuned model is trained further."""

    base: str
    base_path: Path | None
    shown: str
    adapter: Path | None = None


def create(store: Store, body: CreateJob, origin: Origin) -> Document:
    """Store a checked request as a job that waits for its files to be validated.

    Files and adapter are linked (or copied) into the job's folder: deleting them harms nothing.
    """
    method = body.method.type if body.method else "supervised"
    chosen = (getattr(body.method, method, None) if body.method else None) or body
    hyper = chosen.hyperparameters or body.hyperparameters
    parameters: Document = {"n_epochs": "auto", "batch_size": "auto"}
    parameters |= {"learning_rate_multiplier": "auto"}
    if hyper is not None:
        parameters |= hyper.model_dump()
    if method == "dpo":
        parameters.setdefault("beta", "auto")
    job_id = new_id("ftjob-")
    doc: Document = {
        "object": "fine_tuning.job",
        "id": job_id,
        "model": body.model,
        "created_at": now(),
        "finished_at": None,
        "fine_tuned_model": None,
        "organization_id": "org-local",
        "result_files": [],
        "status": "validating_files",
        "training_file": body.training_file,
        "validation_file": body.validation_file,
        "hyperparameters": _shared(parameters),
        "trained_tokens": None,
        "error": None,
        "seed": random.randrange(2**31) if body.seed is None else body.seed,
        "estimated_finish": None,
        "integrations": [],
        "metadata": body.metadata,
        "method": {"type": method, method: {"hyperparameters": parameters}},
        "user_provided_suffix": body.suffix,
        "_base": origin.base,
        "_base_path": str(origin.base_path) if origin.base_path else None,
        "_shown": origin.shown,
        "_continued": origin.adapter is not None,
        "_name": f"ft:{origin.shown}:local:{_slug(body.suffix)}:{new_id('', 8)}",
        "_offset": 0,
        "_step": 0,
        "_attempts": 0,
    }
    folder = store.job_dir(job_id)
    folder.mkdir(parents=True)
    try:
        _link(store.file_path(body.training_file), folder / "training.jsonl")
        if body.validation_file:
            _link(store.file_path(body.validation_file), folder / "validation.jsonl")
        if origin.adapter:
            (folder / START).mkdir()
            _link(origin.adapter / ADAPTER, folder / START / ADAPTER)
        with store.transaction():
            store.add("job", doc)
            event(store, job_id, f"Created fine-tuning job: {job_id}")
            files = f"Validating training file: {body.training_file}"
            if body.validation_file:
                files += f" and validation file: {body.validation_file}"
            event(store, job_id, files)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return doc


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _slug(suffix: str | None) -> str:
    """A suffix as it stands in a model's name: lower case, no blanks, no colons."""
    return re.sub(r"[^a-z0-9._-]+", "-", (suffix or "").lower()).strip("-")


def _shared(parameters: Document) -> Document:
    """The three a job shows at its top level."""
    return {k: parameters[k] for k in ("n_epochs", "batch_size", "learning_rate_multiplier")}


def resolved(store: Store, job: Document, values: Document) -> None:
    """The trainer has replaced every "auto" by a number."""
    method = dict(job["method"])
    inner = dict(method[method["type"]]["hyperparameters"])
    inner |= {key: value for key, value in values.items() if key in inner}
    method[method["type"]] = {"hyperparameters": inner}
    store.update("job", job["id"], method=method, hyperparameters=_shared(inner))


def validated(store: Store, job_id: str) -> None:
    with store.transaction():
        store.update("job", job_id, status="queued")
        event(store, job_id, "Files validated, moving job to queued state")


def started(store: Store, job_id: str, *, first: bool) -> None:
    with store.transaction():
        store.update("job", job_id, status="running", _attached=True, _clock=None)
        event(store, job_id, "Fine-tuning job started" if first else "Fine-tuning job resumed")


def failed(store: Store, job_id: str, code: str, message: str, param: str | None = None) -> None:
    with store.transaction():
        store.update(
            "job",
            job_id,
            status="failed",
            error={"code": code, "message": message, "param": param},
            finished_at=now(),
            estimated_finish=None,
        )
        event(store, job_id, message, level="error")


def cancelled(store: Store, job_id: str) -> Document:
    with store.transaction():
        doc = store.update(
            "job", job_id, status="cancelled", finished_at=now(), estimated_finish=None
        )
        event(store, job_id, "Fine-tuning job cancelled")
    return doc


def paused(store: Store, job_id: str) -> Document:
    with store.transaction():
        doc = store.update("job", job_id, status="paused", estimated_finish=None)
        event(store, job_id, "Fine-tuning job paused")
    return doc


def resumed(store: Store, job_id: str) -> Document:
    with store.transaction():
        doc = store.update("job", job_id, status="queued")
        event(store, job_id, "Fine-tuning job moved to queued state")
    return doc


def add_model(store: Store, job: Document, id_: str, adapter: str, at: int) -> None:
    """Offer an adapter (a folder, relative to the data directory) under a name."""
    store.add(
        "model",
        {
            "id": id_,
            "object": "model",
            "created": at,
            "owned_by": "org-local",
            "shutdown_date": None,
            "_base": job["_base"],
            "_base_path": job["_base_path"],
            "_shown": job.get("_shown") or job["_base"],
            "_adapter": adapter,
            "_job": job["id"],
        },
        parent=job["id"],
    )


def specification(job: Document, folder: Path, base_path: Path) -> dict[str, Any]:
    """What the trainer is told (job.json)."""
    method = job["method"]["type"]
    validation = folder / "validation.jsonl"
    return {
        "job_id": job["id"],
        "base_model": str(base_path),
        "training_file": str(folder / "training.jsonl"),
        "validation_file": str(validation) if job["validation_file"] else None,
        "method": method,
        "hyperparameters": job["method"][method]["hyperparameters"],
        "seed": job["seed"],
        "checkpoint_prefix": job["_name"],
        "adapter": str(folder / START) if job.get("_continued") else None,
    }
