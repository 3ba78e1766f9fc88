"""Conversations as token ids, and which of them are learned: one rendering for training and for chat."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from fttui.local.tokenizer import Tokenizer
from fttui.problem import Problem

Message = Mapping[str, Any]

# A special token written inside a message is text, not a command: while the template runs, stand-ins
# from the private use plane 16 take its place.
_STAND_IN = 0x10F000

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content']"
    " + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


class Template:
    """A model's chat template. `.prompt()` for chat, `.example()` for training."""

    def __init__(self, source: str, tokenizer: Tokenizer, eos: int, bos: int | None = None) -> None:
        self._source = source
        self._tokenizer = tokenizer
        names = {token: text for text, token in tokenizer.special.items()}
        self.eos = eos
        self._eos_text = names.get(eos, "")
        self._bos_text = names.get(bos, "") if bos is not None else ""
        stand_ins = {text: chr(_STAND_IN + i) for i, text in enumerate(tokenizer.special)}
        self._hide = stand_ins
        self._show = str.maketrans({char: text for text, char in stand_ins.items()})

    @cached_property
    def _compiled(self) -> jinja2.Template:
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: date.today().strftime(form)
        environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
        try:
            return environment.from_string(self._source)
        except jinja2.TemplateError as error:
            raise Problem(
                "the model's chat template cannot be read", str(error), code="model_unreadable"
            ) from error

    def render(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Any] | None = None,
        generation: bool = False,
    ) -> str:
        """The conversation as the model reads it; the template's own default system text included."""
        knows_tools = "tools" in self._source
        plain = [self._plain(message) for message in messages]
        if tools and not knows_tools:
            plain = _tools_in_system(plain, tools)
        for message in plain:
            for text, stand_in in self._hide.items():
                message["content"] = message["content"].replace(text, stand_in)
        try:
            return self._compiled.render(
                messages=plain,
                tools=list(tools) if tools and knows_tools else None,
                add_generation_prompt=generation,
                bos_token=self._bos_text,
                eos_token=self._eos_text,
            )
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            raise Problem(
                "this conversation does not fit the model's chat template",
                str(error),
                "use messages with the roles system, user and assistant",
                code="invalid_messages",
            ) from error

    def _plain(self, message: Message) -> dict[str, Any]:
        role = str(message.get("role", "user"))
        role = "system" if role == "developer" else role
        content = text_of(message.get("content"))
        calls = message.get("tool_calls")
        if calls and "tool_calls" in self._source:
            return {"role": role, "content": content, "tool_calls": calls}
        if calls or message.get("function_call"):
            said = _calls_as_text(calls or [{"function": message["function_call"]}])
            content = f"{content}\n{said}" if content else said
        return {"role": role, "content": content}

    def encode(self, text: str) -> list[int]:
        """Ids of a rendered text: the template's special tokens count, stand-ins become plain text."""
        ids: list[int] = []
        for piece in self._tokenizer.pieces(text):
            special = self._tokenizer.special.get(piece)
            if special is not None:
                ids.append(special)
            else:
                ids += self._tokenizer.encode(piece.translate(self._show))
        return ids

    def prompt(self, messages: Sequence[Message], tools: Sequence[Any] | None = None) -> list[int]:
        """Ids up to where the assistant begins to speak."""
        return self.encode(self.render(messages, tools=tools, generation=True))

    def example(
        self, messages: Sequence[Message], tools: Sequence[Any] | None = None
    ) -> tuple[list[int], list[bool]]:
        """Ids of a whole conversation and, for each, whether it is learned.

        Learned: what each assistant message says and the token that ends it, unless its `weight` is 0.
        Every assistant turn is cut where generation would begin, so training sees what chat will see.
        """
        ids: list[int] = []
        learned: list[bool] = []
        done = ""

        def add(text: str, learn: bool) -> None:
            nonlocal done
            new = self.encode(text)
            ids.extend(new)
            learned.extend([learn] * len(new))
            done += text

        for i, message in enumerate(messages):
            if message.get("role") != "assistant":
                continue
            spoken = self.render(messages[: i + 1], tools=tools)
            if not spoken.startswith(done):  # a template that rewrites earlier turns
                ids, learned, done = [], [], ""
            start = self._start(messages, i, tools, spoken, len(done))
            end = spoken.rfind(self._eos_text, start) + len(self._eos_text)
            if not self._eos_text or end < start + len(self._eos_text):
                end = len(spoken)
            add(spoken[len(done) : start], False)
            add(spoken[start:end], message.get("weight", 1) != 0)
        whole = self.render(messages, tools=tools)
        if whole.startswith(done):
            add(whole[len(done) :], False)
        return ids, learned

    def _start(
        self, messages: Sequence[Message], i: int, tools: Any, spoken: str, floor: int
    ) -> int:
        """Where message `i` begins to speak in the text `spoken`."""
        if i:
            before = self.render(messages[:i], tools=tools, generation=True)
            if spoken.startswith(before):
                return len(before)
        content = self._plain(messages[i])["content"]
        for text, stand_in in self._hide.items():
            content = content.replace(text, stand_in)
        return max(floor, spoken.rfind(content.strip()))


def text_of(content: Any) -> str:
    """The text of a message's content: a string, a list of parts, or nothing."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(_part(part) for part in content)
    return json.dumps(content, ensure_ascii=False)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping):
        for key in ("text", "refusal"):
            if isinstance(part.get(key), str):
                return str(part[key])
        return f"[{part.get('type', 'attachment')}]"  # this model sees no images and hears no sound
    return ""


def _calls_as_text(calls: Sequence[Any]) -> str:
    """Tool calls for a template without a form for them: JSON, one call a line."""
    lines = []
    for call in calls:
        function = call.get("function", {}) if isinstance(call, Mapping) else {}
        arguments = function.get("arguments", "{}")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except ValueError:
                pass  # not JSON: kept as the text it is
        shown = {"name": function.get("name", ""), "arguments": arguments}
        lines.append(json.dumps(shown, ensure_ascii=False))
    return "\n".join(lines)


def _tools_in_system(messages: list[dict[str, Any]], tools: Sequence[Any]) -> list[dict[str, Any]]:
    listed = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    said = f"Functions you can call, by answering with their name and arguments as JSON:\n{listed}"
    if messages and messages[0]["role"] == "system":
        first = dict(messages[0], content=f"{messages[0]['content']}\n\n{said}")
        return [first, *messages[1:]]
    return [{"role": "system", "content": said}, *messages]


def _refuse(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
