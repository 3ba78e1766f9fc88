"""What a request body may hold, and one sentence, with the parameter's name, where it does not.

Ranges are those of the public API specification 2.3.0 (2026-08-21). Unknown keys are refused
only where the specification says `additionalProperties: false`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)
from starlette.requests import Request

from fttui.local.errors import ApiError, printable

BODY_LIMIT = 32 * 2**20  # bytes of a JSON body


class Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ClosedBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _number(kind: type, low: float, high: float, *, open_low: bool = False) -> Callable[[Any], Any]:
    """A whole or any number in a range; True and False are not numbers, 2.0 is a whole one."""
    wanted = "an integer" if kind is int else "a number"

    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"expected {wanted}")
        if kind is int and isinstance(value, float):
            if not value.is_integer():
                raise ValueError(f"expected {wanted}")
            value = int(value)
        if value < low or value > high or (open_low and value == low):
            least = f"greater than {low:g}" if open_low else f"at least {low:g}"
            most = "" if high == float("inf") else f" and at most {high:g}"
            raise ValueError(f"{value:g} is out of range: it must be {least}{most}")
        return value

    return check


def _auto(kind: type, low: float, high: float, *, open_low: bool = False) -> BeforeValidator:
    check = _number(kind, low, high, open_low=open_low)
    return BeforeValidator(lambda value: value if value == "auto" else check(value))


_INF = float("inf")
Auto = Literal["auto"]
Epochs = Annotated[Any, _auto(int, 1, 50)]
BatchSize = Annotated[Any, _auto(int, 1, 256)]
RateMultiplier = Annotated[Any, _auto(float, 0, _INF, open_low=True)]
Beta = Annotated[Any, _auto(float, 0, 2, open_low=True)]


class Expiry(Body):
    anchor: Literal["created_at"]
    seconds: Annotated[int, BeforeValidator(_number(int, 3600, 2592000))]


class CreateUpload(ClosedBody):
    filename: StrictStr
    purpose: Literal["assistants", "batch", "fine-tune", "vision", "user_data"]
    bytes: Annotated[int, BeforeValidator(_number(int, 1, 8 * 2**30))]
    mime_type: StrictStr
    expires_after: Expiry | None = None


class CompleteUpload(ClosedBody):
    part_ids: list[StrictStr]
    md5: StrictStr | None = None


class CreatePermission(ClosedBody):
    project_ids: list[StrictStr]


class Hyperparameters(Body):
    n_epochs: Epochs = "auto"
    batch_size: BatchSize = "auto"
    learning_rate_multiplier: RateMultiplier = "auto"


class DpoHyperparameters(Hyperparameters):
    beta: Beta = "auto"


class Supervised(Body):
    hyperparameters: Hyperparameters | None = None


class Dpo(Body):
    hyperparameters: DpoHyperparameters | None = None


class Method(Body):
    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | None = None
    dpo: Dpo | None = None


class Wandb(Body):
    project: StrictStr
    name: StrictStr | None = None
    entity: StrictStr | None = None
    tags: list[StrictStr] | None = None


class Integration(Body):
    type: Literal["wandb"]
    wandb: Wandb


MetadataKey = Annotated[StrictStr, Field(max_length=64)]
MetadataValue = Annotated[StrictStr, Field(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)]


class CreateJob(Body):
    model: StrictStr
    training_file: StrictStr
    validation_file: StrictStr | None = None
    hyperparameters: Hyperparameters | None = None
    method: Method | None = None
    suffix: Annotated[StrictStr, Field(min_length=1, max_length=64)] | None = None
    seed: Annotated[int, BeforeValidator(_number(int, 0, 2**31 - 1))] | None = None
    integrations: Annotated[list[Integration], Field(max_length=5)] | None = None
    metadata: Metadata | None = None


class StreamOptions(Body):
    include_usage: StrictBool | None = None
    include_obfuscation: StrictBool | None = None


_tokens = BeforeValidator(_number(int, 1, 2**31))
_temperature = BeforeValidator(_number(float, 0, 2))
_share = BeforeValidator(_number(float, 0, 1))
_penalty = BeforeValidator(_number(float, -2, 2))


def _stops(value: Any) -> Any:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not 1 <= len(value) <= 4:
        raise ValueError("expected a string or a list of 1 to 4 strings")
    if not all(isinstance(item, str) for item in value):
        raise ValueError("expected a string or a list of 1 to 4 strings")
    return value


class Function(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: StrictStr


class Tool(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: Literal["function"]
    function: Function


class Chat(Body):
    """The part of a chat request this server acts on; messages are read by `messages.py`."""

    model: StrictStr
    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]
    stream: StrictBool | None = None
    stream_options: StreamOptions | None = None
    stop: Annotated[list[str], BeforeValidator(_stops)] | None = None
    seed: Annotated[int, BeforeValidator(_number(int, -(2**63), 2**63))] | None = None
    temperature: Annotated[float, _temperature] | None = None
    top_p: Annotated[float, _share] | None = None
    max_tokens: Annotated[int, _tokens] | None = None
    max_completion_tokens: Annotated[int, _tokens] | None = None
    n: Annotated[int, BeforeValidator(_number(int, 1, 128))] | None = None
    frequency_penalty: Annotated[float, _penalty] | None = None
    presence_penalty: Annotated[float, _penalty] | None = None
    logprobs: StrictBool | None = None
    top_logprobs: Annotated[StrictInt, Field(ge=0, le=20)] | None = None
    logit_bias: dict[StrictStr, StrictInt] | None = None
    tools: list[Tool] | None = None
    tool_choice: Any = None
    metadata: Metadata | None = None


Kind = TypeVar("Kind", bound=BaseModel)


async def read(request: Request, kind: type[Kind]) -> Kind:
    """The request's JSON body as `kind`; ApiError 400 (or 413) where it is not one."""
    return parse(kind, await read_json(request))


async def read_json(request: Request) -> Any:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise ApiError(413, f"The body is larger than {BODY_LIMIT // 2**20} MB.")
        chunks.append(chunk)
    try:
        return orjson.loads(b"".join(chunks))
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"We could not parse the JSON body of your request: {error}.") from None


def parse(kind: type[Kind], value: Any) -> Kind:
    if not isinstance(value, dict):
        raise ApiError(400, "The body must be a JSON object.")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _refusal(first["type"], first["loc"], first["msg"]) from None


def _refusal(kind: str, loc: tuple[str | int, ...], message: str) -> ApiError:
    param = printable(
        "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
    )
    if kind == "missing":
        return ApiError(
            400,
            f"Missing required parameter: '{param}'.",
            code="missing_required_parameter",
            param=param,
        )
    if kind == "extra_forbidden":
        return ApiError(
            400, f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param
        )
    code = "invalid_type" if kind.endswith("_type") or "expected" in message else "invalid_value"
    reason = message.removeprefix("Value error, ").rstrip(".")
    return ApiError(400, f"Invalid value for '{param}': {reason}.", code=code, param=param)
