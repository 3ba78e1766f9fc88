"""JSON laid out and coloured from its own characters, so that what is broken or doubled is seen too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fttui.text import clean, size
from fttui.ui.text import Part
from fttui.ui.widgets.text_view import Line, wrap

LIMIT = 256 * 1024  # bytes of a line that are laid out
STRING = 4_000  # characters of one string that are shown
DEPTH = 24  # levels that are indented
LINES = 6_000

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]++|\\.)*+"?)|(?P<number>-?\d[\d.eE+-]*+)|(?P<word>[A-Za-z_]\w*+)'
    r"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<mark>[,:])|(?P<blank>\s++)|(?P<other>.)",
    re.DOTALL,
)
_STYLE = {"number": "warning", "word": "accent", "string": "ok", "other": "error"}


def json_lines(
    raw: bytes, total: int, width: int, notes: Mapping[str, Sequence[Line]] | None = None
) -> list[Line]:
    """One line of a dataset as indented JSON.

    raw: its bytes, at most LIMIT of them; total: its real length. notes: lines to put under the
    value at a path (`messages[2].content`).
    """
    text = raw[:LIMIT].decode("utf-8", "backslashreplace").lstrip("\ufeff")
    out = _Layout(width, notes or {})
    for found in _TOKEN.finditer(text):
        if len(out.lines) > LINES:
            break
        out.take(found.lastgroup or "other", found.group())
    out.end_line()
    if total > LIMIT or len(out.lines) > LINES:
        out.lines.append([(f"… {size(max(0, total - LIMIT))} more (E opens it)", "dim")])
    return out.lines


@dataclass
class _Layout:
    """Takes tokens one by one and knows where in the value they are."""

    width: int
    notes: Mapping[str, Sequence[Line]]
    lines: list[Line] = field(default_factory=list)
    current: Line = field(default_factory=list)
    depth: int = 0
    path: list[str] = field(default_factory=list)  # one entry a level: ".key" or "[3]"
    counts: list[int] = field(default_factory=list)  # -1 for an object, else the index in a list
    awaiting: list[Line] = field(default_factory=list)  # notes for the line being made

    def take(self, kind: str, text: str) -> None:
        if kind == "blank":
            return
        if kind == "open":
            self._place()
            self.current.append((text, "dim"))
            self.counts.append(0 if text == "[" else -1)
            self.path.append("[0]" if text == "[" else "")
            self.end_line()
            self.depth += 1
        elif kind == "close":
            self.end_line()
            self.depth = max(0, self.depth - 1)
            if self.counts:
                self.counts.pop()
                self.path.pop()
            self.current.append((text, "dim"))
        elif text == ",":
            self.current.append((text, "dim"))
            self.end_line()
            if self.counts and self.counts[-1] >= 0:
                self.counts[-1] += 1
                self.path[-1] = f"[{self.counts[-1]}]"
        elif text == ":":
            self.current.append((": ", "dim"))
        else:
            self._value(kind, text)

    def _value(self, kind: str, text: str) -> None:
        is_key = kind == "string" and self.counts[-1:] == [-1] and not self.current
        if is_key:
            self.path[-1] = "." + text.strip('"')
        self._place()
        if len(text) > STRING:
            text = f"{text[:STRING]}… {size(len(text) - STRING)} more"
        self.current.append((clean(text).replace("\n", "␊"), "key" if is_key else _STYLE[kind]))

    def _place(self) -> None:
        """Take the notes of the place that begins here, once."""
        if self.notes:
            here = "".join(self.path).lstrip(".")
            for note in self.notes.get(here, ()):
                if note not in self.awaiting:
                    self.awaiting.append(note)

    def end_line(self) -> None:
        if not self.current:
            return
        indent = "  " * min(self.depth, DEPTH, self.width // 6)
        self.lines.extend(flow(self.current, self.width, indent))
        self.lines.extend([indent, *note] for note in self.awaiting)
        self.current, self.awaiting = [], []


def flow(parts: Sequence[Part], width: int, indent: str = "") -> Iterator[Line]:
    """Parts in lines of at most `width` columns, each begun by `indent`."""
    room = max(8, width - len(indent))
    line: Line = [indent]
    used = 0
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        first = True
        for piece in wrap(text, room) if len(text) > room - used else [text]:
            if not first or (used + len(piece) > room and used > room // 2):
                yield line
                line, used = [indent], 0
            line.append((piece, style))
            used += len(piece)
            first = False
    yield line


_ODD = re.compile(r"[␀-␡]|<[0-9A-F]{4,5}>|\\x[0-9a-f]{2}")


def raw_lines(raw: bytes, total: int, width: int) -> list[Line]:
    """The bytes as they are: controls, invalid bytes and hidden marks are made visible and coloured."""
    text = raw[:LIMIT].decode("utf-8", "backslashreplace")
    text = clean(text.replace("\t", "␉").replace("\r", "␍"))
    lines: list[Line] = []
    for piece in wrap(text, width):
        lines.append(_odd_parts(piece))
        if len(lines) > LINES:
            break
    if total > LIMIT:
        lines.append([(f"… {size(total - LIMIT)} more (E opens it)", "dim")])
    return lines


def _odd_parts(text: str) -> Line:
    line: Line = []
    at = 0
    for found in _ODD.finditer(text):
        line += [text[at : found.start()], (found.group(), "error")]
        at = found.end()
    return [*line, text[at:]]
