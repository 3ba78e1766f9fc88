"""A stretch of lines: read, checked and counted. The same code runs here and in worker processes."""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from fttui.dataset.checks import answers, bytewise, example, line, plain, suspects, text
from fttui.dataset.checks.context import Context, Entry, Facts
from fttui.dataset.checks.sketch import sketches
from fttui.dataset.pending import Pending
from fttui.dataset.report import Rows
from fttui.dataset.target import Target
from fttui.dataset.tokens import MESSAGE, TokenCounter, counter

BLOCK = 1 << 20
FURTHER = 1 << 16  # bytes: where the last line of a stretch mostly ends
MAX_LINE = 64_000_000  # bytes; a longer line is reported and not read
CLOSE = 0.9  # of the limit: K002
LEGACY_LIMIT = 16_384
SMALL = 1_000  # tokens: below, a short answer to a declared tool list is nothing odd


ASK_EVERY = 256  # lines
SHORT_LINE = 100  # bytes; what is wrong with up to KEEP_LINES such lines is remembered
KEEP_LINES = 1_000
_Useless = tuple[list[Entry], int, list[int], list[str]]  # findings, worst, digests, texts


@dataclass(slots=True)
class Task:
    """Bytes [start, stop) of a file whose text lies in [first, end): the lines that begin there."""

    start: int
    stop: int
    first: int
    end: int


@dataclass(slots=True)
class Result:
    """What a stretch held; lines count from 1 within it."""

    lines: int = 0
    examples: int = 0
    kept: list[Entry] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    facts: Facts = field(default_factory=Facts)
    rows: Rows = field(default_factory=Rows)
    digests: array[int] = field(default_factory=lambda: array("Q"))
    sketches: array[int] = field(default_factory=lambda: array("Q"))
    digest_lines: array[int] = field(default_factory=lambda: array("I"))
    blanks: list[tuple[int, int]] = field(default_factory=list)  # first and last of each run
    systems: dict[str, int] = field(default_factory=dict)  # system prompt → its tokens
    estimated: int = 0
    last_newline: bool = True


def read_lines(fd: int, task: Task) -> tuple[int, bytes, bool]:
    """(offset, bytes, whole): the lines that begin in [start, stop). whole False: the last is too long."""
    begin = task.start
    if begin > task.first:
        begin = _after_newline(fd, task.start - 1, task.stop)
    if begin < 0 or begin >= task.stop:
        return begin, b"", True
    data = os.pread(fd, task.stop - begin, begin)
    step = FURTHER
    while data and data[-1] != 10 and begin + len(data) < task.end:
        more = os.pread(fd, min(step, task.end - begin - len(data)), begin + len(data))
        step = min(2 * step, BLOCK * 4)
        if not more:
            break
        cut = more.find(b"\n")
        if cut >= 0:
            return begin, data + more[: cut + 1], True
        data += more
        if len(data) - data.rfind(b"\n") > MAX_LINE:
            return begin, data[: data.rfind(b"\n") + 1], False
    return begin, data, True


def _after_newline(fd: int, at: int, stop: int) -> int:
    while at < stop:
        block = os.pread(fd, min(FURTHER, stop - at), at)
        cut = block.find(b"\n")
        if cut >= 0:
            return at + cut + 1
        if not block:
            break
        at += len(block)
    return -1


class Cancelled(Exception):
    """The caller's `cancelled()` said so; nothing is kept."""


class Scanner:
    """Checks stretches of one file for one target; holds what is worth keeping between them.

    cancelled is asked every few hundred lines; a worker process needs none, it is ended."""

    def __init__(
        self,
        target: Target,
        hint: str,
        muted: frozenset[str],
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.cancelled = cancelled
        self.target, self.hint, self.muted = target, hint, muted
        self.counter: TokenCounter = counter(target.encoding)
        self.tools: dict[bytes, Any] = {}
        self.plain = plain.Plain(target, hint)
        self.useless: dict[bytes, _Useless] = {}

    def scan(self, fd: int, task: Task) -> Result:
        self.counter.estimated = 0
        begin, data, whole = read_lines(fd, task)
        result = Result()
        context = Context(self.target, self.hint, self.muted)
        context.tools_seen = self.tools
        pending = Pending()
        if data:
            self._lines(data, begin, task, context, result, pending)
        if not whole:
            result.lines += 1
            result.examples += 1
            context.line, context.offset = result.lines, begin + len(data)
            context.add(
                "J001", "", f"line is longer than {MAX_LINE // 1_000_000} MB; it was not read"
            )
            result.rows.line.append(result.lines)
            _row(result, 0, 3)
            pending.skip()
        result.sketches.extend(sketches(pending.answers))
        self._search(context, result, pending)
        self._count(context, result, pending)
        result.kept, result.counts = context.kept, context.counts
        result.severities, result.facts = context.severities, context.facts
        for prompt in context.facts.texts.get("system", ()):
            result.systems[prompt] = self.counter.count(prompt)
        result.estimated = self.counter.estimated
        return result

    def _lines(
        self,
        data: bytes,
        begin: int,
        task: Task,
        context: Context,
        result: Result,
        pending: Pending,
    ) -> None:
        result.last_newline = data.endswith(b"\n")
        lines = data.split(b"\n")
        if result.last_newline:
            lines.pop()
        marks = bytewise.marks(data, lines)
        for number in sorted(marks.separators):
            context.facts.see("separator", number)
        returns = b"\r" in data
        last = len(lines) if not result.last_newline and begin + len(data) >= task.end else 0
        offset = begin
        for number, (raw, keys) in enumerate(zip(lines, marks.keys, strict=True), 1):
            if number % ASK_EVERY == 0 and self.cancelled is not None and self.cancelled():
                raise Cancelled
            context.line, context.offset, context.worst = number, offset, 0
            context.keys, context.spaced = keys, number in marks.spaced
            offset += len(raw) + 1
            if returns and raw.endswith(b"\r"):
                context.facts.see("crlf", number)
                raw = raw[:-1]
            if not raw or raw.isspace():
                _blank(result.blanks, number)
                continue
            self._example(raw, context, result, pending, number == last)
        result.lines = len(lines)

    def _example(
        self, raw: bytes, context: Context, result: Result, pending: Pending, last: bool
    ) -> None:
        result.examples += 1
        result.rows.line.append(context.line)
        short = len(raw) <= SHORT_LINE and not last
        if short and (known := self.useless.get(raw)) is not None:
            self._again(known, context, result, pending)
            return
        before, added = len(context.kept), context.added
        obj = line.parse(raw, context, last=last)
        if obj is not None and (chat := self.plain.read(obj)) is not None:
            self._plain(*chat, raw, obj, context, result, pending)
            return
        kind = "invalid" if obj is None else self._object(obj, raw, context, result, pending)
        if kind == "invalid":
            _row(result, 0, context.worst)
            pending.skip()
        if short and kind in ("invalid", "unknown") and len(self.useless) < KEEP_LINES:
            entries = context.kept[before:]
            if len(entries) == context.added - added:
                digests = result.digests[-4:].tolist() if kind == "unknown" else []
                self.useless[raw] = (entries, context.worst, digests, context.plain)

    def _plain(
        self,
        texts: list[str],
        shape: plain.Shape,
        raw: bytes,
        obj: dict[str, Any],
        context: Context,
        result: Result,
        pending: Pending,
    ) -> None:
        """An example as most are."""
        digests, data, answer = plain.check(texts, shape, raw, obj, context)
        result.digests.extend(digests)
        result.digest_lines.append(context.line)
        _row(result, min(65_535, len(texts)), context.worst)
        pending.data.append(data)
        pending.answers.append(answer)
        pending.said.append((texts, shape.trained))
        pending.count(
            texts, shape.trained, MESSAGE * len(texts), len(shape.answers), "chat", context.offset
        )

    def _again(self, known: _Useless, context: Context, result: Result, pending: Pending) -> None:
        """A line that was looked at before: files of a million equal bad lines exist."""
        entries, worst, digests, texts = known
        for code, severity, _, path, message, count, _, fix in entries:
            context.add(code, path, message, severity=severity, count=count, fix=fix)
        _row(result, 0, worst)
        if not digests:
            pending.skip()
            return
        context.facts.see("format:unknown", context.line)
        result.digests.extend(digests)
        result.digest_lines.append(context.line)
        pending.answers.append(b"")
        pending.take_texts(texts, "unknown", context.offset)

    def _object(
        self,
        obj: dict[str, Any],
        raw: bytes,
        context: Context,
        result: Result,
        pending: Pending,
    ) -> str:
        kind = example.check(obj, raw, context)
        if kind == "invalid":
            return kind
        digests, answer = answers.check(obj, kind, context)
        result.digests.extend(digests)
        result.digest_lines.append(context.line)
        pending.answers.append(answer)
        _row(result, _messages(obj, kind), context.worst)
        pending.take(context, kind)
        return kind

    def _search(self, context: Context, result: Result, pending: Pending) -> None:
        """What the words give away, over all lines of the stretch at once."""
        for i, searches in sorted(suspects.suspects(pending.data).items()):
            context.line, context.worst, context.offset = (
                result.rows.line[i],
                result.rows.severity[i],
                pending.kinds[i][1],
            )
            texts, trained = pending.said[i]
            for search, numbers in searches.items():
                # What stands first in `data` is no text.
                order = [(texts[n - 1], trained[n - 1]) for n in sorted(numbers)]
                text.check_texts(order, [search], context)
            result.rows.severity[i] = context.worst

    def _count(self, context: Context, result: Result, pending: Pending) -> None:
        counts = self.counter.count_all(pending.texts)
        close = self.target.example_limit * CLOSE
        at = 0
        for i, (trained, fixed, fixed_trained) in enumerate(pending.spans):
            end = at + len(trained)
            sizes = counts[at:end]
            whole = sum(sizes) + fixed
            learnt = sum(compress(sizes, trained)) + fixed_trained
            result.rows.tokens.append(whole)
            result.rows.trained.append(learnt)
            if whole > close or learnt * 100 < whole > SMALL or pending.kinds[i][0] == "completion":
                each = dict(zip(pending.texts[at:end], sizes, strict=True))
                self._judge(i, whole, learnt, each, context, result, pending)
            at = end

    def _judge(
        self,
        i: int,
        whole: int,
        learnt: int,
        sizes: dict[str, int],
        context: Context,
        result: Result,
        pending: Pending,
    ) -> None:
        """Token rules of one example (K001-K004, L013)."""
        kind, offset = pending.kinds[i]
        limit = self.target.example_limit
        context.line, context.worst, context.offset = result.rows.line[i], 0, offset
        if kind == "completion" and whole > LEGACY_LIMIT:
            context.add("L013", "", f"{whole:,} tokens; {LEGACY_LIMIT:,} is what these models take")
        elif whole > limit:
            kept, cut = _cut(zip(*pending.said[i], strict=True), limit, sizes)
            severity = "error" if cut else ""
            lost = f"{whole - limit:,} tokens are cut from the end"
            context.add(
                "K001", "", f"{whole:,} tokens; {limit:,} is the limit, {lost}", severity=severity
            )
            if cut and not kept:
                context.add("K003", "", "everything that would be trained is cut")
        elif whole > limit * CLOSE:
            context.add("K002", "", f"{whole:,} tokens of {limit:,}")
        if kind == "chat" and learnt and learnt * 100 < whole > SMALL:
            context.add("K004", "", f"{learnt:,} of {whole:,} tokens are trained")
        if context.worst > result.rows.severity[i]:
            result.rows.severity[i] = context.worst


def _cut(order: Iterable[tuple[str, bool]], limit: int, sizes: dict[str, int]) -> tuple[int, int]:
    """Trained tokens before and beyond the limit."""
    at = kept = cut = 0
    for said, trained in order:
        n = sizes.get(said, 0)
        at += MESSAGE
        if trained:
            inside = max(0, min(n, limit - at))
            kept += inside
            cut += n - inside
        at += n
    return kept, cut


def _row(result: Result, messages: int, worst: int) -> None:
    result.rows.messages.append(messages)
    result.rows.severity.append(worst)


def _messages(obj: dict[str, Any], kind: str) -> int:
    if kind == "completion":
        return 2
    source = obj.get("input") if kind == "preference" else obj
    value = source.get("messages") if type(source) is dict else None
    return min(65_535, len(value)) if type(value) is list else 0


def _blank(runs: list[tuple[int, int]], number: int) -> None:
    if runs and runs[-1][1] == number - 1:
        runs[-1] = (runs[-1][0], number)
    else:
        runs.append((number, number))
