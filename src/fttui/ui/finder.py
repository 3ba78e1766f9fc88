"""Finding examples: a small language of words and facts, answered over a million lines in a thread.

refund "not working" -urgent     lines with these words, without that one (upper and lower case alike)
issue:error   code:M010          lines with such a finding
role:tool                        conversations in which that role speaks
tokens>1000   messages<=3        examples by length
line:100-200
is:marked
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.dataset.report import Report, Rows

BLOCK = 2 << 20  # bytes looked through between two looks at `cancelled`
SEVERITIES = {"note": 1, "warning": 2, "error": 3}
HELP = "words  issue:error  code:M010  role:tool  tokens>1000  is:marked  -word"

_TERM = re.compile(r'-?(?:\w+:)?"[^"]*"?|\S+')
_NUMBER = re.compile(r"(tokens|trained|messages|line)(<=|>=|<|>|=|:)([\d,]+)(?:-([\d,]+))?$")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "<": int.__lt__, ">": int.__gt__, "<=": int.__le__, ">=": int.__ge__,
    "=": int.__eq__, ":": int.__eq__,
}  # fmt: skip


class QueryError(ValueError):
    """What is wrong with what was typed, for the person who typed it."""


@dataclass(frozen=True)
class Term:
    """kind: word, role, issue, code, is or a number's name; op and high only for numbers."""

    kind: str
    value: str
    negated: bool = False
    op: str = ""
    low: int = 0
    high: int = 0
    text: str = ""

    @property
    def needs_report(self) -> bool:
        return self.kind in ("issue", "code", "tokens", "trained", "messages")


def parse(text: str) -> list[Term]:
    """The terms of a query. Raises QueryError."""
    return [_term(piece) for piece in _TERM.findall(text)]


def _term(piece: str) -> Term:
    negated = piece.startswith("-") and len(piece) > 1
    body = piece[1:] if negated else piece
    number = _NUMBER.match(body)
    if number:
        low = int(number[3].replace(",", ""))
        high = int(number[4].replace(",", "")) if number[4] else low
        op = "range" if number[4] else number[2]
        return Term(number[1], "", negated, op, low, high, piece)
    kind, colon, value = body.partition(":")
    kind, value = kind.lower(), value.strip('"')
    if colon and kind == "issue":
        if value not in (*SEVERITIES, "any", "none"):
            raise QueryError(f"issue:{value}? error, warning, note, any or none")
        return Term(kind, value, negated, text=piece)
    if colon and kind in ("code", "role"):
        if not value:
            raise QueryError(
                f"{kind}: of what? for example {kind}:{'M010' if kind == 'code' else 'tool'}"
            )
        return Term(kind, value.upper() if kind == "code" else value, negated, text=piece)
    if colon and kind == "is":
        if value != "marked":
            raise QueryError(f"is:{value}? is:marked")
        return Term(kind, value, negated, text=piece)
    if re.match(r"(tokens|trained|messages|line)[<>=:]", body):
        raise QueryError("a number belongs there: tokens>1000")
    word = body.strip('"')
    if not word:
        raise QueryError("nothing between the quotes")
    return Term("word", word, negated, text=piece)


def phrase(text: str) -> list[Term]:
    """The search for exactly what was typed."""
    return [Term("word", text, text=text)] if text else []


def words(terms: list[Term]) -> re.Pattern[str] | None:
    """What to light up in the text found."""
    found = [re.escape(term.value) for term in terms if term.kind == "word" and not term.negated]
    return re.compile("|".join(found), re.IGNORECASE) if found else None


def find(
    terms: list[Term],
    index: LineIndex,
    report: Report | None,
    cancelled: Callable[[], bool],
    on_progress: Callable[[int, int], None] | None = None,
    marked: bytes = b"",
) -> array[int]:
    """Numbers (0-based, ascending) of the lines all terms hold for. Blocks: call it in a thread.

    marked: a byte a line, 1 where it is; lines beyond it are not. on_progress gets (lines looked at,
    lines). Stops early, with what it has, when `cancelled`.
    """
    while not index.complete and not cancelled():
        sleep(0.01)
    keep = _by_facts(terms, index, report, marked)
    patterns = [
        (_role(term.value) if term.kind == "role" else needle(term.value), term.negated)
        for term in terms
        if term.kind in ("word", "role")
    ]
    patterns.sort(key=lambda pair: pair[1])  # one that must be there leads
    if not patterns:
        return array("I", range(len(index)) if keep is None else _ones(keep))
    found = array("I")
    for first, last, block in _blocks(index):
        if cancelled():
            break
        found.extend(_in_block(index, first, last, block, patterns, keep))
        if on_progress is not None:
            on_progress(last, len(index))
    return found


def needle(word: str) -> re.Pattern[bytes]:
    """Matches a word in lower-cased bytes of JSON, as it is typed and as `\\u` escapes spell it."""
    forms = set()
    for variant in {word, word.lower(), word.upper()}:
        for text in (
            variant,
            json.dumps(variant, ensure_ascii=False)[1:-1],
            json.dumps(variant)[1:-1],
        ):
            forms.add(text.encode("utf-8", "surrogatepass").lower())
    return re.compile(b"|".join(re.escape(form) for form in sorted(forms)))


def _role(role: str) -> re.Pattern[bytes]:
    # A quote inside a string is escaped, so this cannot match what somebody merely says.
    return re.compile(b'"role"\\s*:\\s*"' + re.escape(role.lower().encode()) + b'"')


def _blocks(index: LineIndex) -> Iterator[tuple[int, int, bytes]]:
    """(first line, line after the last, their bytes in lower case)."""
    with open(index.path, "rb") as file:
        first, count = 0, len(index)
        while first < count:
            last = first + 1
            start = index.offset(first)
            while last < count and index.offset(last) - start < BLOCK:
                last += 1
            end = index.offset(last) if last < count else index.size
            file.seek(start)
            yield first, last, file.read(end - start).lower()
            first = last


def _in_block(
    index: LineIndex,
    first: int,
    last: int,
    block: bytes,
    patterns: list[tuple[re.Pattern[bytes], bool]],
    keep: bytearray | None,
) -> Iterator[int]:
    base = index.offset(first)
    lead, negated = patterns[0]
    ends = index.offset
    line, at = first, 0
    while line < last:
        if not negated:
            hit = lead.search(block, at)
            if hit is None:
                return
            while line + 1 < last and ends(line + 1) - base <= hit.start():
                line += 1
        start = ends(line) - base
        end = ends(line + 1) - base if line + 1 < last else len(block)
        rest = patterns if negated else patterns[1:]
        if (keep is None or keep[line]) and all(
            (pattern.search(block, start, end) is None) == unwanted for pattern, unwanted in rest
        ):
            yield line
        line, at = line + 1, end


# -- facts of the report


def _by_facts(
    terms: list[Term], index: LineIndex, report: Report | None, marked: bytes
) -> bytearray | None:
    """One byte a line, 1 where every term about facts holds; None when there is no such term."""
    keep: bytearray | None = None
    for term in terms:
        if term.kind in ("word", "role"):
            continue
        count = len(index)
        if term.kind == "is":
            mask = bytearray(marked[:count].ljust(count, b"\0"))
        else:
            mask = _mask(term, count, report)
        if term.negated:
            mask = mask.translate(bytes((1, 0)) + bytes(254))
        keep = mask if keep is None else bytearray(a & b for a, b in zip(keep, mask, strict=True))
    return keep


def _mask(term: Term, count: int, report: Report | None) -> bytearray:
    mask = bytearray(count)
    if term.kind == "line":
        top = {"range": term.high, ":": term.low, "=": term.low}.get(term.op)
        for line in range(1, count + 1) if top is None else range(term.low, min(top, count) + 1):
            if top is not None or _COMPARE[term.op](line, term.low):
                mask[line - 1] = 1
        return mask
    if report is None:
        raise QueryError(f"{term.text} needs the check, which is still running")
    lines = _facts(term, report)
    for line in lines:
        if 0 < line <= count:
            mask[line - 1] = 1
    if term.value == "none" and term.kind == "issue":
        mask = mask.translate(bytes((1, 0)) + bytes(254))
    return mask


def _facts(term: Term, report: Report) -> Iterator[int]:
    """Lines (1-based) for which a fact holds."""
    rows = report.rows
    if term.kind == "code":
        yield from (f.line for f in report.findings if f.code.startswith(term.value))
    elif term.kind == "issue":
        rank = SEVERITIES.get(term.value, 0)
        yield from issue_lines(report, {rank} if rank else {1, 2, 3})
    else:
        yield from _by_number(term, rows)


def _by_number(term: Term, rows: Rows) -> Iterator[int]:
    values = {"tokens": rows.tokens, "trained": rows.trained, "messages": rows.messages}[term.kind]
    if term.op == "range":
        yield from (
            line for line, n in zip(rows.line, values, strict=False) if term.low <= n <= term.high
        )
    else:
        holds, bound = _COMPARE[term.op], term.low
        yield from (line for line, n in zip(rows.line, values, strict=False) if holds(n, bound))


def issue_lines(report: Report, ranks: set[int]) -> list[int]:
    """Lines (1-based, ascending) with a finding of one of these ranks (1 note, 2 warning, 3 error)."""
    wanted = re.compile(b"[" + bytes(sorted(ranks)) + b"]")
    line = report.rows.line
    lines = {line[hit.start()] for hit in wanted.finditer(report.rows.severity)}
    lines |= {f.line for f in report.findings if f.line and SEVERITIES.get(f.severity) in ranks}
    return sorted(lines)


def _ones(mask: bytearray) -> Iterator[int]:
    at = mask.find(1)
    while at >= 0:
        yield at
        at = mask.find(1, at + 1)
