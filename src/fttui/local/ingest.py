"""The trainer's lines become the job's events, metrics, checkpoints and end: each exactly once.

The place read up to is stored in the same transaction as what was read. A trainer that was killed
and goes on from its last checkpoint tells some steps again; those are known by their number.
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Callable
from typing import Any

import orjson

from fttui.local import api_files, jobs
from fttui.local.bases import delete_model
from fttui.local.store import Document, Store, new_id

_BATCH = 2**20  # bytes read in one go
RESULT_COLUMNS = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
_METRICS = (
    "step",
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)


def read(store: Store, job_id: str) -> bool:
    """Take in what the trainer has written since; True where there was something."""
    job = store.get("job", job_id)
    path = store.job_dir(job_id) / "events.jsonl"
    if job is None or not path.exists():
        return False
    with path.open("rb") as file:
        file.seek(job["_offset"])
        chunk = file.read(_BATCH)
    chunk = chunk[: chunk.rfind(b"\n") + 1]  # a line being written waits for its end
    if not chunk:
        return False
    with store.transaction():
        for raw in chunk.splitlines():
            _line(store, job_id, raw)
        store.update("job", job_id, _offset=job["_offset"] + len(chunk))
    return True


def _line(store: Store, job_id: str, raw: bytes) -> None:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return
    handler = _HANDLERS.get(line.get("type")) if isinstance(line, dict) else None
    job = store.get("job", job_id)
    if handler is None or job is None or job["status"] in jobs.FINAL:
        return
    handler(store, job, line)


def _data(line: Document) -> Document:
    data = line.get("data")
    return data if isinstance(data, dict) else {}


def _time(line: Document) -> int:
    value = line.get("time")
    return int(value) if isinstance(value, int | float) else int(time.time())


def _message(store: Store, job: Document, line: Document) -> None:
    level = line.get("level") if line.get("level") in ("info", "warn", "error") else "info"
    jobs.event(
        store, job["id"], str(line.get("message", "")), level=str(level), at=_time(line),
        data=_data(line),
    )  # fmt: skip


def _resolved(store: Store, job: Document, line: Document) -> None:
    data = _data(line)
    jobs.resolved(store, job, data.get("hyperparameters", data))


def _metrics(store: Store, job: Document, line: Document) -> None:
    data = {key: value for key, value in _data(line).items() if value is not None}
    step, total = data.get("step"), data.get("total_steps")
    if not isinstance(step, int) or step <= job["_step"]:
        return
    at = _time(line)
    clock = job.get("_clock") or [step, at]
    finish = job["estimated_finish"]
    if isinstance(total, int):
        pace = (at - clock[1]) / (step - clock[0]) if step > clock[0] else None
        finish = finish if pace is None else at + round(pace * (total - step))
    store.update("job", job["id"], _step=step, _clock=clock, _attempts=0, estimated_finish=finish)
    message = str(line.get("message", f"Step {step}"))
    jobs.event(store, job["id"], message, kind="metrics", data=data, at=at)


def _checkpoint(store: Store, job: Document, line: Document) -> None:
    data, at = _data(line), _time(line)
    step = data.get("step")
    if not isinstance(step, int) or step <= job.get("_checkpoint", 0):
        return
    store.update("job", job["id"], _checkpoint=step)
    jobs.event(store, job["id"], f"Checkpoint created at step {step}", at=at)
    folder = f"jobs/{job['id']}/checkpoints/step-{step}"
    if not (store.root / folder).is_dir():
        return  # read late: newer ones have taken its place
    name = f"{job['_name']}:ckpt-step-{step}"
    metrics = {key: data[key] for key in _METRICS if isinstance(data.get(key), int | float)}
    jobs.add_model(store, job, name, folder, at)
    store.add(
        "checkpoint",
        {
            "object": "fine_tuning.job.checkpoint",
            "id": new_id("ftckpt_"),
            "created_at": at,
            "fine_tuned_model_checkpoint": name,
            "fine_tuning_job_id": job["id"],
            "metrics": metrics,
            "step_number": step,
        },
        parent=job["id"],
    )
    for row in store.all("checkpoint", parent=job["id"])[: -jobs.KEPT_CHECKPOINTS]:
        doc = store.get("model", row["fine_tuned_model_checkpoint"])
        if doc is not None:
            delete_model(store, doc)


def _done(store: Store, job: Document, line: Document) -> None:
    data = _data(line)
    at = _time(line)
    kept = store.all("checkpoint", parent=job["id"])
    last = store.get("model", kept[-1]["fine_tuned_model_checkpoint"]) if kept else None
    if last is None:
        jobs.failed(store, job["id"], "server_error", "The trainer ended without a model.")
        return
    jobs.add_model(store, job, job["_name"], last["_adapter"], at)
    result = _save_results(store, job)
    tokens = data.get("trained_tokens")
    store.update(
        "job",
        job["id"],
        status="succeeded",
        finished_at=at,
        fine_tuned_model=job["_name"],
        trained_tokens=tokens if isinstance(tokens, int) else None,
        result_files=[result["id"]],
        estimated_finish=None,
    )
    jobs.event(store, job["id"], f"New fine-tuned model created: {job['_name']}", at=at)
    jobs.event(store, job["id"], "The job has successfully completed", at=at)


def _failed(store: Store, job: Document, line: Document) -> None:
    data = _data(line)
    code = data.get("code")
    jobs.failed(
        store,
        job["id"],
        code if isinstance(code, str) and code else "server_error",
        str(line.get("message") or "The training failed."),
        data.get("param") if isinstance(data.get("param"), str) else None,
    )


_HANDLERS: dict[Any, Callable[[Store, Document, Document], None]] = {
    "message": _message,
    "resolved": _resolved,
    "metrics": _metrics,
    "checkpoint": _checkpoint,
    "done": _done,
    "failed": _failed,
}


def _save_results(store: Store, job: Document) -> Document:
    """The metrics of every step as a CSV file of purpose fine-tune-results."""
    incoming = store.incoming()
    with incoming.open("x", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(RESULT_COLUMNS)
        for row in store.all("event", parent=job["id"], type="metrics"):
            data = row["data"]
            rows.writerow(
                data.get("train_mean_token_accuracy" if name == "train_accuracy" else name, "")
                for name in RESULT_COLUMNS
            )
    return api_files.save(store, incoming, filename="step_metrics.csv", purpose="fine-tune-results")


def forget(store: Store, job_id: str) -> None:
    """Remove what only the trainer needed; checkpoints stay."""
    folder = store.job_dir(job_id)
    for name in ("training.jsonl", "validation.jsonl", "control"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / jobs.START, ignore_errors=True)
