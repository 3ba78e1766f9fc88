"""The one line that counts: would the service take this file?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fttui.text import duration, one_line, plural, size
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.dataset.report import Report
    from fttui.dataset.scan import Progress

LOOK = {
    "ok": ("✓", "ok"),
    "warnings": ("✓", "ok"),
    "errors": ("✗", "error"),
    "unusable": ("✗", "error"),
}
BAR = 24


def verdict(report: Report | None, progress: Progress | None, width: int) -> list[Part]:
    """Two lines: the sentence, then the facts; or how far the check is."""
    if report is None:
        return _checking(progress, width)
    glyph, style = LOOK.get(report.verdict, ("?", "warning"))
    sentence = report.summary or report.verdict
    parts: list[Part] = [(f"{glyph} {sentence[:1].upper()}{sentence[1:]}", f"bold {_color(style)}")]
    facts = [plural(report.examples, "example"), size(report.bytes)]
    if report.format and report.format != "unknown":
        facts.append(report.format)
    if report.tokens.total:
        share = 100 * report.tokens.trained // report.tokens.total
        facts.append(f"{report.tokens.total:,} tokens, {share}% trained")
    other = report.validation
    if other is not None:
        facts.append(f"validation: {plural(other.examples, 'example')}")
    took = "known from before" if report.cached else f"checked in {_took(report.seconds)}"
    line = " · ".join([*facts, took])
    return [*parts, "\n", (one_line("  " + line, max(20, width)), "dim")]


def _color(style: str) -> str:
    return {"ok": "$text-success", "error": "$text-error"}.get(style, "$text-warning")


def _took(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 10 else duration(seconds)


def _checking(progress: Progress | None, width: int) -> list[Part]:
    if progress is None or not progress.bytes_total:
        return [("◌ checking", "accent"), "\n", " "]
    share = min(1.0, progress.bytes_done / progress.bytes_total)
    full = round(share * BAR)
    return [
        (f"◌ checking  {100 * share:3.0f}%  ", "accent"),
        ("█" * full, "primary"),
        ("░" * (BAR - full), "faint"),
        "\n",
        (f"  {size(progress.bytes_done)} of {size(progress.bytes_total)}", "dim"),
        (f" · {plural(progress.examples, 'example')}", "dim"),
        (f" · {plural(sum(progress.counts.values()), 'finding')} so far", "dim"),
    ]
