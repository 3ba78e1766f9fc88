"""Question and answer of an example: digests to compare lines by, and what the file-wide rules need."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from hashlib import sha1
from struct import Struct
from typing import Any, NamedTuple

import orjson

from fttui.dataset.checks import tools
from fttui.dataset.checks.context import Context
from fttui.dataset.checks.line import canonical
from fttui.dataset.checks.text import MODEL_TALK, REFUSAL

# The normal form of near duplicates: lower case, no blanks, no sentence punctuation.
LOWER = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))
DROP = b" \t\r\n.,;:!?'\"()[]{}`_\\"
LONG_ANSWER = 200
END_MARKS = frozenset(".!?…\"'”’)]}`*|>:;。！？»~_=#/")
FOLD_UP_TO = 1_000  # bytes
BETWEEN = b"\n\xff\n"  # between the texts of an example: never in UTF-8
KEY = 80  # a longer answer is no class


class Digests(NamedTuple):
    """8-byte numbers of one example, 0 where it has none."""

    exact: int  # canonical JSON
    normal: int  # the normal form
    prompt: int  # everything before the last answer
    answer: int  # the last answer


def digest(data: bytes) -> int:
    # sha1 is the fastest here (processors have it built in); nothing depends on its secrecy.
    return _FIRST(sha1(data, usedforsecurity=False).digest())[0] or 1


_FIRST = Struct("<Q12x").unpack


def normal_form(data: bytes) -> bytes:
    """NFKC, case folded, without blanks and sentence punctuation. Letters beyond ASCII are folded by the
    run and remembered, texts repeat them; in long examples, where it would cost most, they stay as they are."""
    return folded(data).replace(b"\\n", b"").translate(LOWER, DROP)


def folded(data: bytes) -> bytes:
    if len(data) > FOLD_UP_TO or data.isascii():
        return data
    parts = _BEYOND.split(data)
    parts[1::2] = map(_folded.__getitem__, parts[1::2])
    return b"".join(parts)


_BEYOND = re.compile(rb"([\x80-\xf4]+)")


class _Folded(dict[bytes, bytes]):
    """Runs of letters beyond ASCII → what they are in the normal form, found out when first asked for."""

    def __missing__(self, run: bytes) -> bytes:
        text = unicodedata.normalize("NFKC", run.decode("utf-8", "replace"))
        known = text.casefold().encode("utf-8", "replace")
        if len(run) <= 60:
            if len(self) > 20_000:
                self.clear()
            self[run] = known
        return known


_folded = _Folded()


def check(obj: dict[str, Any], kind: str, context: Context) -> tuple[Digests, bytes]:
    """Compare question and answer of one example; its digests and its answer."""
    whole = canonical(obj)
    exact = digest(whole)
    normal = exact if kind == "unknown" else digest(normal_form(whole))
    if kind not in ("chat", "completion", "preference"):
        prompt = digest(canonical(obj["messages"])) if kind == "reinforcement" else 0
        if kind == "reinforcement":
            _instructions(obj["messages"], context)
        return Digests(exact, normal, prompt, 0), b""
    question, answer, before, said = _parts(obj, kind)
    if kind != "completion":
        _instructions(_conversation(obj, kind), context)
    if said is None:
        return Digests(exact, normal, 0, 0), b""
    calls = bool(kind == "chat" and said[1])
    if calls:
        names = ", ".join(str(name)[:60] for name, _ in said[1][:5])
        context.facts.n["answers_calls"] += 1
        context.facts.text("calls", names, context.line)
    note(question, answer, context, kind)
    data = answer.encode("utf-8", "replace")
    spoken = data if kind == "chat" and not calls and type(said[0]) is str else canonical(said)
    prompt = digest(_prompt(before) or canonical(before))
    return Digests(exact, normal, prompt, digest(spoken)), data


def _prompt(messages: Any) -> bytes:
    """What is made a prompt's digest of (as `plain` does it); empty where the messages are more than texts."""
    if type(messages) is not list or not all(
        type(m) is dict
        and len(m) == 2
        and type(m.get("content")) is str
        and type(m.get("role")) is str
        for m in messages
    ):
        return b""
    texts = ["|".join([m["role"] for m in messages]), *[m["content"] for m in messages], ""]
    return BETWEEN.join([text.encode("utf-8", "replace") for text in texts])


def _conversation(obj: dict[str, Any], kind: str) -> Any:
    source = obj.get("input") if kind == "preference" else obj
    return source.get("messages") if type(source) is dict else None


def _parts(obj: dict[str, Any], kind: str) -> tuple[str, str, Any, Any]:
    """(last question, last answer, all before it, what is said: text and calls), said None: no answer."""
    if kind == "completion":
        prompt, completion = obj.get("prompt"), obj.get("completion")
        if type(prompt) is not str or type(completion) is not str:
            return "", "", None, None
        return prompt, completion.strip(), prompt, completion
    messages = _conversation(obj, kind)
    if type(messages) is not list:
        return "", "", None, None
    question = next(
        (_text(m) for m in reversed(messages) if type(m) is dict and m.get("role") == "user"), ""
    )
    if kind == "preference":
        pair = [obj.get("preferred_output"), obj.get("non_preferred_output")]
        said = (
            pair[0][0] if type(pair[0]) is list and pair[0] and type(pair[0][0]) is dict else None
        )
        return (question, _text(said), messages, pair) if said else ("", "", None, None)
    if not messages or type(messages[-1]) is not dict or messages[-1].get("role") != "assistant":
        return "", "", None, None
    last = messages[-1]
    spoken = [
        last.get("content"),
        [(f.get("name"), f.get("arguments")) for f in tools.functions(last)],
    ]
    return question, _text(last), messages[:-1], spoken


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if type(content) is str:
        return content
    if type(content) is list:
        return "\n".join(
            p["text"] for p in content if type(p) is dict and type(p.get("text")) is str
        )
    return ""


def _instructions(messages: Any, context: Context) -> None:
    if type(messages) is list and messages and type(messages[0]) is dict:
        first = messages[0]
        if first.get("role") in ("system", "developer") and type(first.get("content")) is str:
            context.facts.text("system", first["content"][:4_000], context.line)


def note(question: str, answer: str, context: Context, kind: str) -> None:
    """What one answer adds to what is said of all of them."""
    facts, line = context.facts, context.line
    facts.n["answers"] += 1
    stripped = answer.strip()
    if not stripped:
        return
    if kind != "preference":
        if len(stripped) <= KEY:
            facts.text("answer", stripped, line)
        else:
            facts.n["answers_long"] += 1
    _json(stripped, context)
    _ending(stripped, context)
    head = answer[:200]
    if "I" in head and ("I " in head or "I'm" in head or "I’m" in head) and REFUSAL.search(head):
        facts.see("refusal", line)
    if " model" in answer and MODEL_TALK.search(answer):
        facts.see("model_talk", line)
    _echo(question, stripped, context)
    _script(question, answer, context)


def _json(stripped: str, context: Context) -> None:
    if stripped[0] in "{[" and stripped[-1] in "}]":
        try:
            orjson.loads(stripped)
            context.facts.n["json"] += 1
            return
        except ValueError:
            pass
    context.facts.outlier("not_json", context.line)


def _ending(stripped: str, context: Context) -> None:
    # A single sign is found ten times as fast as three.
    if "`" in stripped and stripped.count("```") % 2:
        context.add("Q011", "", "a code block is opened and not closed")
        return
    if len(stripped) < LONG_ANSWER:
        return
    last = stripped[-1]
    context.facts.n["long"] += 1
    if last in END_MARKS or not (last.islower() or last == ","):
        context.facts.n["ended"] += 1
    else:
        context.facts.outlier("open_end", context.line)


def _echo(question: str, said: str, context: Context) -> None:
    if question[:1].isalnum() and said[0] != question[0] and said[0].lower() != question[0].lower():
        return  # most begin with another letter
    asked = question.strip()
    if len(asked) < 10 or asked[:8].casefold() != said[:8].casefold():
        return
    if said.casefold() == asked.casefold() or (len(asked) >= 40 and said.startswith(asked)):
        context.add("Q017", "", "the answer repeats the question")


def _script(question: str, answer: str, context: Context) -> None:
    here = script(answer)
    if not here:
        return
    context.facts.n[f"script:{here}"] += 1
    if here != "Latin" or not question.isascii():
        asked = script(question)
        if asked and asked != here:
            context.facts.outlier(f"script:{here}", context.line)


# First letters of the blocks that tell scripts apart; good enough to see that a language changed.
_SCRIPTS = (
    (0x0041, "Latin"), (0x0250, ""), (0x0370, "Greek"), (0x0400, "Cyrillic"), (0x0530, "Armenian"),
    (0x0590, "Hebrew"), (0x0600, "Arabic"), (0x0900, "Devanagari"), (0x0980, "Indic"),
    (0x0E00, "Thai"), (0x0E80, ""), (0x1100, "Korean"), (0x1200, ""), (0x1E00, "Latin"),
    (0x1F00, "Greek"), (0x2000, ""), (0x3040, "CJK"), (0xAC00, "Korean"), (0xD7B0, ""), (0xF900, "CJK"),
    (0xFB00, ""),
)  # fmt: skip


_STARTS = [start for start, _ in _SCRIPTS]
_FOREIGN = re.compile("[\u0370-\u1dff\u1f00-\u1fff\u3040-\ufaff]")


def script(text: str) -> str:
    """The script most letters of the first 200 characters are in; "" when there are few."""
    part = text if text.isascii() else text[:200]
    # Every foreign letter takes at least one byte more.
    beyond = 0 if part.isascii() else len(part.encode("utf-8", "replace")) - len(part)
    if beyond * 5 <= len(part) or len(_FOREIGN.findall(part)) * 5 <= len(part):
        return "Latin" if len(part) >= 25 else ""
    letters = [c for c in part[:80] if c.isalpha()]
    if len(letters) < 20:
        return ""
    counts: dict[str, int] = {}
    for char in letters:
        name = _SCRIPTS[bisect_right(_STARTS, ord(char)) - 1][1] if char >= "A" else ""
        counts[name] = counts.get(name, 0) + 1
    name, n = max(counts.items(), key=lambda item: item[1])
    return name if n * 10 >= len(letters) * 8 else ""


def label(obj: dict[str, Any], kind: str) -> str:
    """The short answer of an example that may be a class; "" where it has none."""
    if kind not in ("chat", "completion"):
        return ""
    text = _parts(obj, kind)[1].strip()
    return text if len(text) <= KEY else ""
