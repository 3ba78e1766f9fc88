"""How a model is talked to: its system prompt and settings, kept per model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fttui.service.types import ChatSettings
    from fttui.state import State
    from fttui.ui.thread import Thread


@dataclass(frozen=True)
class Talk:
    """system None: the dataset's, where one is open. Every other None is the provider's choice.

    response_format and tools are kept as the request body has them.
    """

    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    response_format: dict[str, Any] | None = None
    tools: tuple[dict[str, Any], ...] = ()

    @classmethod
    def recall(cls, state: State, model: str, provider: str = "") -> Talk:
        """What was kept for a model, else what suits its provider."""
        kept = state.recall(f"chat.settings.{model}")
        if not isinstance(kept, dict):
            return USUAL.get(provider, cls())
        known = {name: kept[name] for name in cls.__dataclass_fields__ if name in kept}
        known |= {name: tuple(known[name]) for name in ("stop", "tools") if name in known}
        return cls(**known)

    def remember(self, state: State, model: str) -> None:
        state.remember(f"chat.settings.{model}", asdict(self))

    def settings(self) -> ChatSettings:
        from fttui.service.types import ChatSettings

        extra: dict[str, Any] = {}
        if self.response_format:
            extra["response_format"] = self.response_format
        if self.tools:
            extra["tools"] = list(self.tools)
        return ChatSettings(
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            seed=self.seed,
            stop=self.stop,
            extra=extra,
        )

    def words(self) -> str:
        """`temp 0.2 · max 400 · seed 1`, or "" where everything is the provider's choice."""
        said = (
            ("temp", self.temperature),
            ("top-p", self.top_p),
            ("max", self.max_tokens),
            ("seed", self.seed),
            ("stop", len(self.stop) or None),
            ("tools", len(self.tools) or None),
        )
        found = [
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in said
            if value is not None
        ]
        if self.response_format:
            found.append("JSON" if self.response_format.get("type") == "json_object" else "schema")
        return " · ".join(found)


# A small model rambles: the likeliest words, and an end. Everywhere else the provider decides.
USUAL = {"local": Talk(temperature=0.0, max_tokens=512)}


def system_of(talk: Talk, thread: Thread) -> tuple[str, bool]:
    """(the system prompt in force, whether it is the dataset's)."""
    if talk.system is not None:
        return talk.system, False
    report = thread.report
    if report is not None and report.stats.systems:
        text, examples, _ = report.stats.systems[0]
        if examples * 2 > report.examples:
            return text, True
    return "", False


# ---- what is typed into the settings, read and written. ValueError says what is wrong. ----

STOPS = 4  # as many as the API takes


def stops_of(text: str) -> tuple[str, ...]:
    r"""Texts separated by `|`; `\n` and `\t` stand for a new line and a tab."""
    found = [part.replace("\\n", "\n").replace("\\t", "\t") for part in text.split("|")]
    made = tuple(part for part in found if part)
    if len(made) > STOPS:
        raise ValueError(f"stop: at most {STOPS} texts")
    return made


def stops_text(stops: Sequence[str]) -> str:
    return "|".join(stop.replace("\n", "\\n").replace("\t", "\\t") for stop in stops)


def format_of(text: str) -> dict[str, Any] | None:
    """Nothing or `text`; `json`; or a JSON schema, bare or as the API's response_format."""
    if text in ("", "text"):
        return None
    if text in ("json", "json_object"):
        return {"type": "json_object"}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"response format: json, or a JSON schema ({error})") from None
    if not isinstance(found, dict):
        raise ValueError("response format: json, or a JSON schema in { }")
    if found.get("type") in ("json_schema", "json_object", "text"):
        return None if found["type"] == "text" else found
    if "schema" in found:
        return {"type": "json_schema", "json_schema": {"name": "answer", **found}}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": found}}


def format_text(value: dict[str, Any] | None) -> str:
    if not value:
        return ""
    if value.get("type") == "json_object":
        return "json"
    return json.dumps(value, ensure_ascii=False)


def tools_of(text: str) -> tuple[dict[str, Any], ...]:
    """A JSON list of tools, or one; a bare function is wrapped as a tool."""
    if not text:
        return ()
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"tools: a JSON list of tools ({error})") from None
    listed = found if isinstance(found, list) else [found]
    made = []
    for one in listed:
        if not isinstance(one, dict):
            raise ValueError("tools: every tool is an object in { }")
        tool = one if "function" in one else {"type": "function", "function": one}
        function = tool["function"]
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise ValueError('tools: every function needs a "name"')
        made.append({"type": "function", **tool})
    return tuple(made)


def tools_text(tools: Sequence[dict[str, Any]]) -> str:
    return json.dumps(list(tools), ensure_ascii=False) if tools else ""
