"""What has been said so far in one answer of a model, how fast, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fttui.problem import Problem
from fttui.service.types import ChatChunk, ToolCallDelta, Usage

SHORTEST = 0.05  # seconds; an answer that came faster arrived in one go and has no measurable speed


@dataclass(slots=True)
class ChatResult:
    """What has been said so far and how fast. Times in seconds from sending; None: not yet.

    end: the provider's finish_reason (stop, length, tool_calls, content_filter …), or
    "stopped" (by the reader), "cut" (by the network or the provider); "" while it runs.
    notes: what was left out of the request because the model does not take it.
    """

    text: str = ""
    refusal: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    usage: Usage | None = None
    end: str = ""
    first_token: float | None = None
    seconds: float = 0.0
    pieces: int = 0
    notes: list[str] = field(default_factory=list)
    problem: Problem | None = None
    _places: dict[int, int] = field(default_factory=dict, repr=False)  # a call's index → its place

    def add(self, chunk: ChatChunk, elapsed: float) -> None:
        self.text += chunk.text
        self.refusal += chunk.refusal
        self.usage = chunk.usage or self.usage
        for call in chunk.tool_calls:
            self._add_call(call)
        if chunk.text or chunk.tool_calls or chunk.refusal:
            self.pieces += 1
            self.seconds = elapsed
            if self.first_token is None:
                self.first_token = elapsed
        self.end = chunk.finish_reason or self.end

    def _add_call(self, delta: ToolCallDelta) -> None:
        place = self._places.setdefault(delta.index, len(self.tool_calls))
        if place == len(self.tool_calls):
            self.tool_calls.append({"id": "", "name": "", "arguments": ""})
        call = self.tool_calls[place]
        call["id"] = delta.id or call["id"]
        call["name"] = delta.name or call["name"]
        call["arguments"] += delta.arguments

    @property
    def tokens(self) -> int:
        """Tokens of the answer: as counted by the provider, else one a piece."""
        return self.usage.completion if self.usage and self.usage.completion else self.pieces

    @property
    def tokens_per_second(self) -> float | None:
        """After the first token; None where all came at once, so that there is nothing to measure."""
        if self.first_token is None or self.seconds - self.first_token < SHORTEST:
            return None
        return (self.tokens - 1) / (self.seconds - self.first_token)

    @property
    def message(self) -> dict[str, Any]:
        """The answer as the next turn's assistant message."""
        calls = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in self.tool_calls
        ]
        said = {"role": "assistant", "content": self.text or (None if calls else "")}
        return said | ({"tool_calls": calls} if calls else {})

    def as_dict(self) -> dict[str, Any]:
        usage = self.usage
        return {
            "text": self.text,
            "finish_reason": self.end,
            "tool_calls": self.tool_calls,
            "usage": usage and {"prompt": usage.prompt, "completion": usage.completion},
            "first_token_s": self.first_token,
            "seconds": self.seconds,
            "tokens_per_second": self.tokens_per_second,
        }
