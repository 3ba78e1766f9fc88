"""Chats of nothing but texts, which is most lines of most files: everything that the other checks find in
them, with as little work as can be."""

from __future__ import annotations

from typing import Any, NamedTuple

from fttui.dataset.checks import answers
from fttui.dataset.checks.answers import BETWEEN, Digests, digest, folded
from fttui.dataset.checks.context import Context
from fttui.dataset.checks.line import check_hidden
from fttui.dataset.checks.messages import INVISIBLE, PLAIN, blank_end, order
from fttui.dataset.target import Target

KNOWN = 1_000  # sequences of roles that are remembered
LONG = 100  # messages; the sequence of a longer chat is not
_ODD, _LOW = 0x9E37_79B9_7F4A_7C15, 0xFFFF_FFFF_FFFF_FFFF


class Shape(NamedTuple):
    """What a sequence of roles says by itself."""

    before: bytes  # the roles before the answer
    system: bool  # whether it begins with instructions
    question: int  # which message is the last of the user; -1: none
    trained: tuple[bool, ...]  # message by message
    answers: tuple[int, ...]  # which messages are trained


class Plain:
    """Reads chats that end with an answer, hold texts only and break no rule about single messages."""

    def __init__(self, target: Target, hint: str) -> None:
        self.target, self.hint = target, hint
        self._shapes: dict[tuple[Any, ...], Shape | None] = {}

    def read(self, obj: dict[str, Any]) -> tuple[list[str], Shape] | None:
        """The texts of a chat and what its roles say; None for any other example."""
        if len(obj) != 1 or self.hint != "chat":
            return None
        try:
            chat = obj["messages"]
            roles = tuple([message["role"] for message in chat])
            texts: list[str] = [message["content"] for message in chat]
            shape = self._shapes[roles] if roles in self._shapes else self._shape(roles)
        except (KeyError, TypeError):
            return None
        if shape is None or sum(map(len, chat)) != 2 * len(texts):
            return None
        for text in texts:
            if type(text) is not str or (
                not "!" <= text[:1] <= "~" and INVISIBLE.fullmatch(text) is not None
            ):
                return None
        return texts, shape

    def _shape(self, roles: tuple[Any, ...]) -> Shape | None:
        shape = None
        if roles and PLAIN.issuperset(roles) and self._good(roles):
            trained = tuple([role == "assistant" for role in roles])
            last = len(roles) - 1 - roles[::-1].index("user") if "user" in roles else -1
            shape = Shape(
                "|".join(roles[:-1]).encode(),
                roles[0] in ("system", "developer"),
                last,
                trained,
                tuple([i for i, learnt in enumerate(trained) if learnt]),
            )
        if len(self._shapes) < KNOWN and len(roles) < LONG:
            self._shapes[roles] = shape
        return shape

    def _good(self, roles: tuple[str, ...]) -> bool:
        """Whether nothing is wrong with the sequence of roles."""
        trial = Context(self.target, self.hint)
        order([{} for _ in roles], list(roles), "", trial, "chat")
        return not trial.counts


def check(
    texts: list[str], shape: Shape, raw: bytes, obj: dict[str, Any], context: Context
) -> tuple[Digests, bytes, bytes]:
    """(digests, roles and all texts, the answer) of one example; notes what there is to say."""
    facts = context.facts
    keys = 1 + 2 * len(texts)
    if context.spaced or context.keys != keys:
        check_hidden(raw, obj, keys, context)
    facts.see("format:chat", context.line)
    facts.n["messages"] += len(texts)
    for i in shape.answers:
        text = texts[i]
        if text[0] <= " " or text[-1] <= " " or not (text[0] + text[-1]).isascii():
            blank_end(text, f"messages[{i}].content", context)
    if shape.system:
        facts.text("system", texts[0][:4_000], context.line)
    answers.note(texts[shape.question] if shape.question >= 0 else "", texts[-1], context, "chat")
    *before, said = [text.encode("utf-8", "replace") for text in texts]
    asked = BETWEEN.join([shape.before, *before, b""])
    data = asked + said
    prompt, answer = digest(asked), digest(said)
    normal = digest(folded(data).translate(answers.LOWER, answers.DROP))
    return Digests((prompt + answer * _ODD) & _LOW, normal, prompt, answer), data, said
