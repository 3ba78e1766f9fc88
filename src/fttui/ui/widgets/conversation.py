"""An example as a person reads it: who says what, what is trained, and what is wrong where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fttui.text import clean, plural, size
from fttui.ui.text import SEVERITY_GLYPH, SEVERITY_STYLE, Part, fit
from fttui.ui.widgets.json_view import json_lines, raw_lines
from fttui.ui.widgets.text_view import Line, wrap

if TYPE_CHECKING:
    from fttui.dataset.formats import Example, Message
    from fttui.dataset.report import Finding

GUTTER = 14  # columns for the role
MESSAGE = 20_000  # characters of one message that are shown
TURNS = 400
PLACE = "match"  # the style of the finding that was jumped to

# role → glyph, style. The glyph and the word say it; the colour only helps.
ROLES: dict[str, tuple[str, str]] = {
    "system": ("○", "system"),
    "developer": ("○", "system"),
    "user": ("▸", "user"),
    "assistant": ("◆", "assistant"),
    "tool": ("■", "warning"),
    "function": ("■", "warning"),
}


def conversation(
    example: Example, raw: bytes, width: int, findings: Sequence[Finding], place: Finding | None
) -> list[Line]:
    """The lines of one example. raw: its bytes, for what cannot be read as an example."""
    notes = _Notes(findings, place, width)
    lines = [*notes.elsewhere(example.turns(), width)]
    if example.format == "invalid" or not example.turns():
        return [*lines, *_unread(example, raw, width, bool(findings))]
    for message in example.messages[:TURNS]:
        lines += _message(message, width, notes, _is_trained(message, example))
    left = len(example.messages) - TURNS
    if left > 0:
        lines += [[(f"… {plural(left, 'message')} more (v shows the JSON)", "dim")], []]
    for title, glyph, style, answers in (
        ("preferred", "✓", "ok", example.preferred),
        ("non-preferred", "✗", "error", example.non_preferred),
    ):
        if answers:
            rule = "─" * max(0, width - len(title) - 5)
            lines += [[(f" {glyph} {title} ", style), (rule, "faint")], []]
        for message in answers[:TURNS]:
            lines += _message(message, width, notes, title == "preferred")
    lines += _declared(example.tools, width)
    for key, value in list(example.extras.items())[:50]:
        lines += _block(("◇", "accent", str(key)), _value(value), width)
    return lines


def _is_trained(message: Message, example: Example) -> bool:
    """Whether the loss sees this message, as far as the example alone says."""
    return (
        message.role == "assistant"
        and message.weight != 0
        and example.format in ("chat", "completion")
    )


# -- one message


def _message(message: Message, width: int, notes: _Notes, trained: bool) -> list[Line]:
    glyph, style = ROLES.get(message.role, ("?", "error"))
    head = (glyph, style, message.role)
    calls = [line for call in message.tool_calls[:100] for line in _call(call, width, trained)]
    words = _words(message)
    if calls and not words:  # the first call takes the place of the words
        calls[0][:2] = _head(head, trained)
        lines = []
    else:
        lines = _block(head, words, width, trained, close=False)
    lines += calls
    marks = []
    if message.name:
        marks.append(("name", message.name))
    if message.weight is not None:
        marks.append(
            ("weight", f"{message.weight} — {'trained' if message.weight else 'not trained'}")
        )
    if message.tool_call_id:
        marks.append(("answers", message.tool_call_id))
    for key, value in marks:
        lines.append(
            [" " * GUTTER, (f"{key} ", "faint"), (fit(value, width - GUTTER - 12).rstrip(), "dim")]
        )
    lines += notes.under(message, GUTTER)
    return [*lines, []]


def _block(
    label: tuple[str, str, str],
    text: str,
    width: int,
    trained: bool = False,
    *,
    close: bool = True,
) -> list[Line]:
    """A role in the gutter, its text beside it; a bar runs along what is trained."""
    head = _head(label, trained)
    rest: list[Part] = [head[0], " " * (GUTTER - 1)]
    pieces: list[Part] = list(wrap(_cut(text), max(10, width - GUTTER)))
    if not text.strip():
        pieces = [("(empty)" if not text else "(only blanks)", "faint")]
    lines = [[*(rest if i else head), piece] for i, piece in enumerate(pieces)]
    return [*lines, []] if close else lines


def _head(label: tuple[str, str, str], trained: bool) -> list[Part]:
    glyph, style, name = label
    bar: Part = ("▎", style) if trained else " "
    return [bar, (f"{glyph} ", style), (fit(name, GUTTER - 4), style), " "]


def _cut(text: str) -> str:
    if len(text) <= MESSAGE:
        return clean(text)
    return f"{clean(text[:MESSAGE])}\n… {size(len(text) - MESSAGE)} more"


def _words(message: Message) -> str:
    if message.parts:
        return "\n".join(part_text(part) for part in message.parts[:200])
    return message.content_text


_DATA_URL = re.compile(r"data:([\w.+-]+)/([\w.+-]+)?[^,]{0,40},")


def part_text(part: Any) -> str:
    """A content part in words: its text, `[image png 34 kB]`, `[image https://…]`."""
    if not isinstance(part, dict):
        return str(part)[:MESSAGE]
    if isinstance(part.get("text"), str):
        return part["text"]
    kind = str(part.get("type", "part"))
    source = part.get("image_url")
    url = source.get("url") if isinstance(source, dict) else source
    if isinstance(url, str):
        data = _DATA_URL.match(url)
        if data:
            return f"[image {data[2] or data[1]} {size((len(url) - data.end()) * 3 // 4)}]"
        return f"[image {url[:200]}]"
    return f"[{kind}]"


def _call(call: dict[str, Any], width: int, trained: bool) -> list[Line]:
    """`→ get_weather  {"city": "Oslo"}` and the call's id."""
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    name, arguments = str(function.get("name", "?")), function.get("arguments", "")
    bar: Part = ("▎", "assistant") if trained else " "
    room = max(10, width - GUTTER - 2)
    lines: list[Line] = [
        [bar, " " * (GUTTER - 1), ("→ ", "accent"), (fit(name, min(room, 64)).rstrip(), "accent"),
         ("  " + fit(str(call.get("id", "")), 30).rstrip(), "faint")]
    ]  # fmt: skip
    for piece in wrap(_cut(_value(arguments)), room):
        lines.append([bar, " " * (GUTTER + 1), (piece, "dim")])
    return lines


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    import json

    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return "(cannot be shown)"


def _declared(tools: Sequence[Any], width: int) -> list[Line]:
    if not tools:
        return []
    names = []
    for tool in tools[:128]:
        function = tool.get("function") if isinstance(tool, dict) else None
        names.append(str(function.get("name", "?")) if isinstance(function, dict) else "?")
    return _block(("■", "dim", "tools"), f"{len(tools)} declared: {', '.join(names)}", width)


def _unread(example: Example, raw: bytes, width: int, explained: bool) -> Iterator[Line]:
    """What is no example: the reason, then the line as it is."""
    if example.obj is not None:
        what = f"the {example.foreign} shape" if example.foreign else "no known fine-tuning shape"
        reason = example.error or f"this is {what}"
    else:
        reason = example.error or "not JSON"
    if not raw.strip():
        yield [("(blank line)", "faint")]
        return
    if not explained:
        for piece in wrap(clean(reason), width - 2):
            yield [("? ", "warning"), (piece, "warning")]
        yield []
    shown = (
        json_lines(raw, len(raw), width)
        if example.obj is not None
        else raw_lines(raw, len(raw), width)
    )
    yield from shown


# -- what is wrong


def finding_lines(
    finding: Finding, width: int, indent: int, *, here: bool, where: str = ""
) -> list[Line]:
    """`◀ ✗ M010 assistant answer is empty`, then the fix."""
    style = SEVERITY_STYLE.get(finding.severity, "error")
    glyph = SEVERITY_GLYPH.get(finding.severity, "✗")
    head = f"{glyph} {finding.code} "
    room = max(10, width - indent - 2 - len(head))
    lines: list[Line] = []
    message = f"{where}: {finding.message}" if where else finding.message
    for number, piece in enumerate(wrap(clean(message), room)):
        lead: list[Part] = (
            [("◀ ", style), (head, PLACE if here else f"{style}")] if not number
            else [" " * (2 + len(head))]
        )  # fmt: skip
        lines.append([" " * indent, *lead, (piece, style)])
    if finding.fix:
        for number, piece in enumerate(wrap(clean(finding.fix), room)):
            arrow = "→ " if not number else "  "
            lines.append([" " * (indent + len(head)), (arrow, "accent"), (piece, "dim")])
    return lines


class _Notes:
    """The findings of one line, each taken once, at the message it concerns."""

    def __init__(self, findings: Sequence[Finding], place: Finding | None, width: int) -> None:
        self._left = list(findings)
        self._place = place
        self._width = width

    def under(self, message: Message, indent: int) -> list[Line]:
        mine = [finding for finding in self._left if belongs(finding.path, message.path)]
        lines: list[Line] = []
        for finding in mine:
            inner = finding.path[len(message.path) :].lstrip(".")
            where = inner if inner and inner != "content" else ""
            lines += self._lines(finding, indent, where)
        return lines

    def elsewhere(self, turns: Sequence[Message], width: int) -> list[Line]:
        """Findings of the example as a whole: they go on top."""
        paths = [message.path for message in turns[:TURNS]]
        mine = [f for f in self._left if not any(belongs(f.path, path) for path in paths)]
        lines: list[Line] = []
        for finding in mine:
            lines += self._lines(finding, 0, finding.path)
        return [*lines, []] if lines else []

    def _lines(self, finding: Finding, indent: int, where: str) -> list[Line]:
        return finding_lines(
            finding, self._width, indent, here=same(finding, self._place), where=where
        )


def same(finding: Finding, other: Finding | None) -> bool:
    return other is not None and (finding.code, finding.line, finding.path) == (
        other.code,
        other.line,
        other.path,
    )


def belongs(path: str, place: str) -> bool:
    """Whether a JSON path is at or inside a place: `messages[2].content` is in `messages[2]`."""
    return (
        bool(place)
        and path.startswith(place)
        and path[len(place) : len(place) + 1] in ("", ".", "[")
    )
