"""What a provider tells us, as plain frozen values; every builder accepts anything and never raises."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Generic, TypeVar

from fttui.service import coerce as to
from fttui.service.metrics import ALIASES, Metrics
from fttui.service.turns import ChatChunk, ChatSettings, ToolCallDelta, Usage

__all__ = [
    "ACTIVE",
    "ALIASES",
    "ENDED",
    "TAG",
    "ChatChunk",
    "ChatSettings",
    "Checkpoint",
    "FileInfo",
    "Job",
    "JobError",
    "JobEvent",
    "LaunchSpec",
    "Metrics",
    "ModelInfo",
    "Page",
    "ToolCallDelta",
    "Usage",
]

ENDED = frozenset({"succeeded", "failed", "cancelled"})
ACTIVE = frozenset({"validating_files", "queued", "running", "pausing"})
RESTING = frozenset({"paused", "submitting"})  # neither ended nor moving
TAG = "fttui_launch"  # the metadata key that makes a launch findable before it is repeated

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `cursor` is what to pass as `after` for the next one."""

    items: tuple[T, ...] = ()
    has_more: bool = False
    cursor: str = ""

    @classmethod
    def from_json(cls, obj: Any, build: Callable[[Any], T]) -> Page[T]:
        """From `{"data": [...], "has_more": …}`, or from a bare list."""
        body = to.mapping(obj)
        rows = [row for row in to.items(body.get("data") if body else obj) if isinstance(row, dict)]
        last = to.text(body.get("last_id")) or (to.text(rows[-1].get("id")) if rows else "")
        return cls(tuple(build(row) for row in rows), body.get("has_more") is True, last)


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed, as the provider says it; `errors.job_problem` adds the remedy."""

    code: str = ""
    message: str = ""
    param: str = ""

    @classmethod
    def from_json(cls, obj: Any) -> JobError | None:
        """From an object, an object of nulls, a string, or nothing."""
        if isinstance(obj, str):
            return cls(message=obj) if obj.strip() else None
        body = to.mapping(obj)
        inner = body.get("error")
        body = {**body, **inner} if isinstance(inner, Mapping) else body
        found = cls(
            to.text(body.get("code")),
            to.text(body.get("message") or body.get("detail")),
            to.text(body.get("param")),
        )
        return found if found.code or found.message else None


@dataclass(frozen=True, slots=True)
class Job:
    """A fine-tuning job. Times are Unix seconds, 0 or None where unknown."""

    id: str
    model: str = ""
    status: str = "unknown"
    created_at: int = 0
    finished_at: int | None = None
    estimated_finish: int | None = None
    fine_tuned_model: str = ""
    training_file: str = ""
    validation_file: str = ""
    result_files: tuple[str, ...] = ()
    method: str = "supervised"
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    suffix: str = ""
    trained_tokens: int | None = None
    total_steps: int | None = None
    trained_steps: int | None = None
    error: JobError | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    organization: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, obj: Any) -> Job:
        body = to.mapping(obj)
        method, hyperparameters = _method(body)
        return cls(
            id=to.text(body.get("id")),
            model=to.text(body.get("model")),
            status=to.text(body.get("status")).lower() or "unknown",
            created_at=to.moment(body.get("created_at")),
            finished_at=to.moment(body.get("finished_at")) or None,
            estimated_finish=to.moment(body.get("estimated_finish")) or None,
            fine_tuned_model=to.text(body.get("fine_tuned_model")),
            training_file=to.text(body.get("training_file")),
            validation_file=to.text(body.get("validation_file")),
            result_files=_ids(body.get("result_files")),
            method=method,
            hyperparameters=hyperparameters,
            seed=to.whole(body.get("seed")),
            suffix=to.text(body.get("user_provided_suffix") or body.get("suffix")),
            trained_tokens=to.whole(body.get("trained_tokens")),
            total_steps=to.whole(body.get("total_steps")),
            trained_steps=to.whole(body.get("trained_steps")),
            error=JobError.from_json(body.get("error")),
            metadata=to.strings(body.get("metadata")),
            organization=to.text(body.get("organization_id")),
            raw=body,
        )

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def live(self) -> bool:
        """Something is going on that is worth asking about often. A status nobody knows counts, unless
        the job has an end."""
        if self.status in ACTIVE:
            return True
        return self.status not in (*ENDED, *RESTING) and not self.finished_at

    @property
    def paused(self) -> bool:
        return self.status == "paused"

    def as_dict(self) -> dict[str, Any]:
        """The shape `--json` prints: the API's names."""
        error = self.error
        return {
            "id": self.id,
            "model": self.model,
            "status": self.status,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
            "fine_tuned_model": self.fine_tuned_model or None,
            "training_file": self.training_file or None,
            "validation_file": self.validation_file or None,
            "result_files": list(self.result_files),
            "method": self.method,
            "hyperparameters": dict(self.hyperparameters),
            "seed": self.seed,
            "trained_tokens": self.trained_tokens,
            "metadata": dict(self.metadata),
            "error": error and {"code": error.code, "message": error.message, "param": error.param},
        }


def _method(body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The method's name and the hyperparameters, wherever they are: under it, on top, or nowhere."""
    given = body.get("method")
    top = to.mapping(body.get("hyperparameters"))
    if not isinstance(given, Mapping):
        return to.text(given) or "supervised", top
    name = to.text(given.get("type")) or next((key for key in given if key != "type"), "supervised")
    return name, {**to.mapping(to.mapping(given.get(name)).get("hyperparameters")), **top}


def _ids(value: Any) -> tuple[str, ...]:
    """Ids of files, given as ids or as objects."""
    rows = (
        to.text(row.get("id")) if isinstance(row, dict) else to.text(row) for row in to.items(value)
    )
    return tuple(row for row in rows if row)


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One line of a job's log. `type` is shown as it came; known: message, metrics, moderation_checks."""

    id: str
    created_at: int = 0
    level: str = "info"
    message: str = ""
    type: str = "message"
    data: Any = None

    @classmethod
    def from_json(cls, obj: Any) -> JobEvent:
        body = to.mapping(obj)
        return cls(
            to.text(body.get("id")),
            to.moment(body.get("created_at")),
            to.text(body.get("level")) or "info",
            to.text(body.get("message")),
            to.text(body.get("type")) or "message",
            body.get("data"),
        )

    @property
    def metrics(self) -> Metrics | None:
        """The figures in this event: from its data, else read from its message."""
        found = Metrics.from_json(self.data)
        if not found.empty:
            return found
        found = Metrics.from_message(self.message)
        return None if found.empty else found


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model kept from the middle of a job; `model` is the name to chat with."""

    id: str
    model: str = ""
    job: str = ""
    step: int = 0
    created_at: int = 0
    metrics: Metrics = field(default_factory=Metrics)
    result_files: tuple[str, ...] = ()  # downloadable weights, where the provider has them

    @classmethod
    def from_json(cls, obj: Any) -> Checkpoint:
        body = to.mapping(obj)
        metrics = Metrics.from_json(body.get("metrics"))
        step = to.whole(body.get("step_number"))
        step = metrics.step if step is None else step
        return cls(
            to.text(body.get("id")),
            to.text(body.get("fine_tuned_model_checkpoint")),
            to.text(body.get("fine_tuning_job_id")),
            step,
            to.moment(body.get("created_at")),
            replace(metrics, step=step),
            _ids(body.get("result_files")),
        )


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file a provider keeps. `status` is empty where it does not say."""

    id: str
    filename: str = ""
    bytes: int = 0
    created_at: int = 0
    purpose: str = ""
    status: str = ""
    details: str = ""
    expires_at: int | None = None

    @classmethod
    def from_json(cls, obj: Any) -> FileInfo:
        body = to.mapping(obj)
        return cls(
            to.text(body.get("id")),
            to.text(body.get("filename")),
            to.whole(body.get("bytes")) or 0,
            to.moment(body.get("created_at")),
            to.text(body.get("purpose")),
            to.text(body.get("status")).lower(),
            to.text(body.get("status_details")),
            to.moment(body.get("expires_at")) or None,
        )


_CONTEXT_KEYS = ("context_length", "max_model_len", "context_window", "max_context_length")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model a provider lists; `shutdown_date` is the day it stops answering, where it is told.

    context: tokens a prompt and its answer may have together, where it is told (servers of open
    models do, under several names). deployed: the model a deployment serves, where `id` is one's name.
    """

    id: str
    created: int = 0
    owned_by: str = ""
    shutdown_date: date | None = None
    context: int | None = None
    deployed: str = ""

    @classmethod
    def from_json(cls, obj: Any) -> ModelInfo:
        body = to.mapping(obj)
        return cls(
            to.text(body.get("id")),
            to.moment(body.get("created") or body.get("created_at")),
            to.text(body.get("owned_by")),
            to.day(body.get("shutdown_date")),
            next((n for key in _CONTEXT_KEYS if (n := to.whole(body.get(key)))), None),
        )

    @property
    def tuned(self) -> bool:
        """Made by fine-tuning: `ft:…`, or Azure's `….ft-…`."""
        return self.id.startswith("ft:") or ".ft-" in self.id


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """A job to be made. Keep the spec (its `tag` above all) to repeat a launch safely.

    hyperparameters: only what was chosen; what is left out, or "auto", is the provider's choice.
    method_fields: what else belongs under the method (a grader, a response format).
    extra_body: fields of this provider (trainingType …), beside the profile's own.
    """

    model: str
    training_file: str
    validation_file: str = ""
    method: str = "supervised"
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    method_fields: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
    seed: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    integrations: tuple[Mapping[str, Any], ...] = ()
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    tag: str = field(default_factory=lambda: uuid.uuid4().hex)
