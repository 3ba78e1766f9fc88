"""What a provider tells us, as plain frozen values; every builder accepts anything and never raises."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Generic, TypeVar

from fttui.service import coerce as to

ENDED = frozenset({"succeeded", "failed", "cancelled"})
ACTIVE = frozenset({"validating_files", "queued", "running", "pausing"})
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


# Every name a metric goes by, in events, checkpoints and result files.
ALIASES: dict[str, tuple[str, ...]] = {
    "step": ("step", "step_number", "global_step"),
    "total_steps": ("total_steps",),
    "train_loss": ("train_loss", "training_loss", "loss"),
    "train_accuracy": ("train_mean_token_accuracy", "train_accuracy", "mean_token_accuracy"),
    "valid_loss": ("valid_loss", "validation_loss", "eval_loss"),
    "valid_accuracy": (
        "valid_mean_token_accuracy",
        "validation_mean_token_accuracy",
        "valid_accuracy",
    ),
    "full_valid_loss": ("full_valid_loss", "full_validation_loss"),
    "full_valid_accuracy": (
        "full_valid_mean_token_accuracy",
        "full_validation_mean_token_accuracy",
        "full_valid_accuracy",
    ),
    "train_reward": ("train_mean_reward", "train_reward_mean"),
    "valid_reward": ("full_valid_mean_reward", "valid_mean_reward", "valid_reward_mean"),
}
_IN_MESSAGE = {
    "train_loss": r"training loss=([-\d.eE+]+)",
    "valid_loss": r"(?<!full )validation loss=([-\d.eE+]+)",
    "full_valid_loss": r"full validation loss=([-\d.eE+]+)",
    "train_reward": r"train mean reward=([-\d.eE+]+)",
    "valid_reward": r"full validation mean reward=([-\d.eE+]+)",
}


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of one step. Losses in nats a token, accuracies 0–1; None: not measured there."""

    step: int = 0
    total_steps: int | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    valid_loss: float | None = None
    valid_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_accuracy: float | None = None
    train_reward: float | None = None
    valid_reward: float | None = None

    @classmethod
    def from_json(cls, obj: Any) -> Metrics:
        """From event data, checkpoint metrics or a row of a results file, whatever the names."""
        body = to.mapping(obj)
        scores = to.mapping(body.get("scores"))
        values: dict[str, Any] = {}
        for name, aliases in ALIASES.items():
            raw = (body.get(alias, scores.get(alias)) for alias in aliases)
            values[name] = next((found for v in raw if (found := to.number(v)) is not None), None)
        values["step"] = int(values["step"] or 0)
        if values["total_steps"] is not None:
            values["total_steps"] = int(values["total_steps"])
        return cls(**values)

    @property
    def empty(self) -> bool:
        return not any(
            getattr(self, name) is not None
            for name in ALIASES
            if name not in ("step", "total_steps")
        )

    @property
    def best_valid_loss(self) -> float | None:
        """The loss over the whole validation file where known, else over the batch."""
        return self.full_valid_loss if self.full_valid_loss is not None else self.valid_loss

    @property
    def best_valid_accuracy(self) -> float | None:
        full = self.full_valid_accuracy
        return full if full is not None else self.valid_accuracy

    def as_dict(self) -> dict[str, Any]:
        """Only what is known."""
        pairs = ((name, getattr(self, name)) for name in ALIASES)
        return {name: value for name, value in pairs if value is not None}


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
        """Something is going on that is worth asking about often."""
        return self.status in ACTIVE

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
        step = re.match(r"\s*Step (\d+)(?:\s*/\s*(\d+))?", self.message)
        if not step:
            return None
        values: dict[str, Any] = {"step": step[1], "total_steps": step[2]}
        for name, pattern in _IN_MESSAGE.items():
            hit = re.search(pattern, self.message)
            values[ALIASES[name][0]] = hit and hit[1].rstrip(".")
        found = Metrics.from_json(values)
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


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model a provider lists; `shutdown_date` is the day it stops answering, where it is told."""

    id: str
    created: int = 0
    owned_by: str = ""
    shutdown_date: date | None = None

    @classmethod
    def from_json(cls, obj: Any) -> ModelInfo:
        body = to.mapping(obj)
        return cls(
            to.text(body.get("id")),
            to.moment(body.get("created") or body.get("created_at")),
            to.text(body.get("owned_by")),
            to.day(body.get("shutdown_date")),
        )

    @property
    def tuned(self) -> bool:
        """Made by fine-tuning: `ft:…`, or Azure's `….ft-…`."""
        return self.id.startswith("ft:") or ".ft-" in self.id


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call: pieces with the same index belong together, arguments add up."""

    index: int = 0
    id: str = ""
    name: str = ""
    arguments: str = ""

    @classmethod
    def from_json(cls, obj: Any, position: int = 0) -> ToolCallDelta:
        body = to.mapping(obj)
        function = to.mapping(body.get("function"))
        index = to.whole(body.get("index"))
        return cls(
            position if index is None else index,
            to.text(body.get("id")),
            to.text(function.get("name")),
            to.text(function.get("arguments")),
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, as the provider counted them."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    @classmethod
    def from_json(cls, obj: Any) -> Usage | None:
        body = to.mapping(obj)
        if not body:
            return None
        details = to.mapping(body.get("prompt_tokens_details"))
        return cls(
            to.whole(body.get("prompt_tokens")) or 0,
            to.whole(body.get("completion_tokens")) or 0,
            to.whole(details.get("cached_tokens")) or 0,
        )


@dataclass(frozen=True, slots=True)
class ChatChunk:
    """What arrived: a piece of the answer, or the end of it, or the count of its tokens."""

    text: str = ""
    finish_reason: str = ""
    usage: Usage | None = None
    tool_calls: tuple[ToolCallDelta, ...] = ()
    refusal: str = ""

    @classmethod
    def from_json(cls, obj: Any) -> ChatChunk:
        """From a stream's chunk, or from a whole answer (`message` in place of `delta`)."""
        body = to.mapping(obj)
        choice = to.mapping(next(iter(to.items(body.get("choices"))), None))
        part = to.mapping(choice.get("delta") or choice.get("message"))
        calls = to.items(part.get("tool_calls"))
        return cls(
            _content(part.get("content")) or to.text(choice.get("text")),
            to.text(choice.get("finish_reason")),
            Usage.from_json(body.get("usage")),
            tuple(ToolCallDelta.from_json(call, place) for place, call in enumerate(calls)),
            to.text(part.get("refusal")),
        )


def _content(value: Any) -> str:
    """Text given as a string or as a list of parts."""
    if isinstance(value, list):
        return "".join(to.text(part.get("text")) for part in value if isinstance(part, dict))
    return to.text(value)


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """How to sample; None leaves it to the provider."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)  # further fields of the request body

    def body(self) -> dict[str, Any]:
        pairs = (
            ("temperature", self.temperature),
            ("top_p", self.top_p),
            ("max_tokens", self.max_tokens),
            ("seed", self.seed),
            ("stop", list(self.stop) or None),
        )
        return {name: value for name, value in pairs if value is not None} | dict(self.extra)


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
