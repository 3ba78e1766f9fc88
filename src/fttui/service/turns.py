"""What goes into one turn of a chat, and what comes out of it piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fttui.service import coerce as to


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
