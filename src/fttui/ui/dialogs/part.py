"""A part of the examples into a copy: which go, which stay, what that leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from fttui.text import plural
from fttui.ui.dialogs.copy import CopyDialog, copy_name
from fttui.ui.text import SEVERITY_GLYPH, SEVERITY_STYLE, Part, fit, say
from fttui.ui.widgets.text_view import Line, TextView

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.dataset.report import Report

SHOWN = 200  # examples to look through
TYPING = 0.12  # seconds without a letter before another sample is drawn
CODES = 12  # columns of what was found


@dataclass(frozen=True)
class Tally:
    """Examples in numbers; tokens and findings are those of the check."""

    examples: int = 0
    tokens: int = 0
    errors: int = 0  # examples with one
    warnings: int = 0

    def without(self, other: Tally) -> Tally:
        return Tally(
            self.examples - other.examples,
            self.tokens - other.tokens,
            self.errors - other.errors,
            self.warnings - other.warnings,
        )


@dataclass(frozen=True)
class Shown:
    """One example to look through. line is 1-based."""

    line: int
    severity: str
    codes: str
    words: str


def tally_all(report: Report) -> Tally:
    rows = report.rows
    severity = rows.severity
    return Tally(len(rows), sum(rows.tokens), severity.count(3), severity.count(2))


def tally(report: Report, lines: Iterable[int]) -> Tally:
    """Of these lines (1-based)."""
    rows = report.rows
    found = [i for line in lines if (i := rows.at_line(line)) is not None]
    severities = bytes(rows.severity[i] for i in found)
    tokens = sum(rows.tokens[i] for i in found)
    return Tally(len(found), tokens, severities.count(3), severities.count(2))


def look(index: LineIndex, report: Report | None, lines: Iterable[int]) -> list[Shown]:
    """The first of these lines (1-based), to be looked through. Reads them: call it in a thread."""
    from itertools import islice

    from fttui.ui.widgets.example_list import glance

    first = list(islice(lines, SHOWN))
    while first and not index.complete and len(index) <= max(first):
        index.extend()
    codes: dict[int, list[str]] = {line: [] for line in first}
    for finding in report.findings if report is not None else ():
        if finding.line in codes and finding.code not in codes[finding.line]:
            codes[finding.line].append(finding.code)
    kind = report.format if report is not None else ""
    shown = []
    for line in first:
        i = report.rows.at_line(line) if report is not None else None
        severity = report.rows[i].severity if report is not None and i is not None else ""
        words = glance(index, line - 1, kind)[1]
        shown.append(Shown(line, severity, " ".join(codes[line]), words))
    return shown


def examples(shown: Sequence[Shown], total: int, width: int, sign: Part = "") -> list[Line]:
    """`- 1,204  ✗ M010  what the example says`, and how many more there are."""
    digits = max((len(f"{one.line:,}") for one in shown), default=1)
    room = min(CODES, max((len(one.codes) for one in shown), default=0))
    lines: list[Line] = []
    for one in shown:
        parts: Line = [sign] if sign else []
        glyph = SEVERITY_GLYPH.get(one.severity, " ")
        parts += [
            (f"{one.line:>{digits},}  ", "dim"),
            (f"{glyph} {fit(one.codes, room)}  ", SEVERITY_STYLE.get(one.severity, "faint")),
            fit(one.words, width - digits - room - 6 - len(sign[0] if sign else "")),
        ]
        lines.append(parts)
    if total > len(shown):
        lines.append([(f"and {total - len(shown):,} more", "faint")])
    return lines


def told(what: str, part: Tally, whole: Tally, least: int) -> list[Part]:
    """`988 examples stay, 45,120 of 46,000 tokens · 3 have errors`; least: what training needs."""
    if not part.examples:
        return [("⚠ no example would be in the copy", "warning")]
    parts: list[Part] = [(f"{plural(part.examples, 'example')} {what}", "bold")]
    parts.append((f", {part.tokens:,} of {whole.tokens:,} tokens", "dim"))
    if part.errors:
        parts += [" · ", (f"✗ {plural(part.errors, 'example')} with errors", "error")]
    if part.warnings:
        parts += [" · ", (f"⚠ {part.warnings:,} with warnings", "warning")]
    if not part.errors and not part.warnings:
        parts += [" · ", ("✓ nothing found in them", "ok")]
    if part.examples < least:
        parts.append((f"\n⚠ at least {least} are needed to train", "warning"))
    return parts


class PartDialog(CopyDialog):
    """The examples that are left out, or, `keep`, the only ones that are kept."""

    LOOK = "look through them"

    def __init__(
        self, title: str, name: Path, facts: Sequence[Part], shown: Sequence[Shown], total: int,
        *, keep: bool,
    ) -> None:  # fmt: skip
        super().__init__(title, name)
        self._facts, self._shown, self._total, self._keep = list(facts), shown, total, keep

    def counts(self) -> list[Part]:
        return self._facts

    def preview(self, width: int) -> list[Line]:
        sign: Part = ("+ ", "ok") if self._keep else ("- ", "error")
        return examples(self._shown, self._total, width, sign)


Draw = Callable[[int, int], Collection[int]]  # (n, seed) → lines
Look = Callable[[Collection[int]], tuple[list[Part], list[Shown]]]


class SampleDialog(CopyDialog):
    """Asks how many examples, and the seed; shows which ones these are. `n` and `seed` hold the answer."""

    DEFAULT_CSS = """
    SampleDialog #fields { height: 1; margin-bottom: 1; }
    SampleDialog #fields Label { width: auto; }
    SampleDialog #fields Input { width: 16; margin: 0 3 0 1; }
    """
    LOOK = "look   tab next field"

    def __init__(self, source: Path, total: int, draw: Draw, look: Look) -> None:
        super().__init__(
            f"A sample of the {plural(total, 'example')} of {source.name}",
            copy_name(source, "sample"),
        )
        self._total, self._draw, self._look = total, draw, look
        self._shown: list[Shown] = []
        self._asked: list[str] = []
        self._of = 0  # examples the shown ones are the first of
        self.n = min(100, max(1, total // 2))
        self.seed = 42

    def fields(self) -> Iterable[Widget]:
        with Horizontal(id="fields"):
            yield Label("examples")
            yield Input(str(self.n), compact=True, id="n", placeholder="100 or 10%")
            yield Label("seed")
            yield Input(str(self.seed), compact=True, id="seed")

    def on_mount(self) -> None:
        self._again(0)

    def preview(self, width: int) -> list[Line]:
        return examples(self._shown, self._of, width, ("+ ", "ok"))

    def complaint(self) -> str:
        n = amount(self.query_one("#n", Input).value, self._total)
        seed = self.query_one("#seed", Input).value.strip()
        if n is None:
            return f"examples: a number from 1 to {self._total:,}, or a share such as 10%"
        if not seed.isdecimal() or len(seed) > 18:
            return "seed: a whole number; the same one draws the same examples"
        self.n, self.seed = n, int(seed)
        return ""

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id != "name":
            self._again(TYPING)

    def _again(self, wait: float) -> None:
        asked = [field.value for field in self.query("#fields Input").results(Input)]
        if asked == self._asked:
            return
        self._asked = asked
        complaint = self.complaint()
        self.complain(complaint)
        self.run_worker(
            partial(self._sample, wait, not complaint),  # type: ignore[arg-type]
            group="sample",
            exclusive=True,
            exit_on_error=False,
        )

    async def _sample(self, wait: float, valid: bool) -> None:
        await asyncio.sleep(wait)
        n, seed = self.n if valid else 0, self.seed
        facts: list[Part] = []
        shown: list[Shown] = []
        if valid:
            facts, shown = await asyncio.to_thread(lambda: self._look(self._draw(n, seed)))
        self._shown, self._of = shown, n
        self.query_one("#counts", Static).update(say(*facts))
        self.query_one(TextView).show(self.preview)


def amount(text: str, total: int) -> int | None:
    """`100`, `1,000` or `10%` of `total`; None for anything else, or more than there are."""
    text = text.strip().replace(",", "")
    share = text.endswith("%")
    number = text[:-1].strip() if share else text
    whole, _, rest = number.partition(".")
    if not whole.isdecimal() or len(number) > 12 or (rest and not (share and rest.isdecimal())):
        return None
    n = round(total * float(number) / 100) if share else int(number)
    return n if 1 <= n <= total else None
