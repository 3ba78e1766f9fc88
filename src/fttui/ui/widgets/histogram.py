"""Tokens per example as a histogram, and the numbers that help to iterate."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fttui.text import clean, one_line, plural
from fttui.ui.text import Part, fit
from fttui.ui.widgets.text_view import Line

if TYPE_CHECKING:
    from fttui.dataset.report import Report, Stats

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def bars(counts: Sequence[int], height: int) -> list[str]:
    """Columns of blocks, top line first; the highest fills `height` lines, any count shows."""
    top = max(counts, default=0)
    if not top:
        return [" " * len(counts)] * height
    levels = [max(1, round(n / top * height * 8)) if n else 0 for n in counts]
    return [
        "".join(_EIGHTHS[max(0, min(8, level - 8 * row))] for level in levels)
        for row in reversed(range(height))
    ]


def bins(values: array[int], columns: int) -> tuple[list[int], int, int, int]:
    """(counts, low, high, over): equal steps. Where a few giants would flatten the rest, it ends at
    1.5 times the 95th percentile; `over` examples are longer and counted in the last column."""
    ordered = sorted(values)
    low, biggest = ordered[0], ordered[-1]
    usual = max(1, ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)])
    high = biggest if biggest <= 3 * usual else usual * 3 // 2
    step = max(1, -(-(high - low + 1) // columns))
    counts = [0] * min(columns, -(-(high - low + 1) // step))
    for value in values:
        counts[min((value - low) // step, len(counts) - 1)] += 1
    return counts, low, high, sum(value > high for value in values)


def token_lines(report: Report, width: int, height: int) -> list[Line]:
    """Histogram, percentiles, then statistics, as many lines as there are."""
    tokens = report.tokens
    if not tokens.per_example:
        return [[("no tokens were counted", "faint")]]
    counts, low, high, over = bins(tokens.per_example, max(10, width - 2))
    stretch = max(1, (width - 2) // max(1, len(counts)))
    wide = [n for n in counts for _ in range(stretch)]
    lines: list[Line] = [[" ", (row, "primary")] for row in bars(wide, height)]
    note = f"{high:,}" + (f" · {over:,} longer ▸" if over else "")
    left = f"{low:,}"
    gap = max(1, min(len(wide), width - 2) - len(left) - len(note))
    lines.append([" ", (left + " " * gap + note, "faint")])
    points = tokens.percentiles((50, 95, 99, 100))
    parts: list[Part] = [" "]
    for name, value in zip(("median", "p95", "p99", "max"), points.values(), strict=False):
        parts += [(f"{name} ", "dim"), (f"{value:,}", "bold"), "   "]
    lines.append(parts)
    share = f", {100 * tokens.trained // max(1, tokens.total)}% trained"
    about = f", {plural(tokens.estimated, 'text')} estimated" if tokens.estimated else ""
    lines.append(_fact("tokens", f"{tokens.total:,}{about}{share} · {tokens.encoding}", width))
    return lines + _statistics(report.stats, report.tokens.total, width)


def _statistics(stats: Stats, total: int, width: int) -> list[Line]:
    lines: list[Line] = []
    turns = stats.turns
    if turns:
        text = (
            f"{turns.get('min', 0)} to {turns.get('max', 0)} messages, mean {turns.get('mean', 0)}"
        )
        lines.append(_fact("turns", text, width))
    for name, points in (("prompts", stats.prompt), ("answers", stats.answer)):
        if points:
            middle, most = points.get(50, 0), points.get(100, 0)
            lines.append(_fact(name, f"median {middle:,} tokens, longest {most:,}", width))
    if stats.systems:
        cost = sum(tokens for _, _, tokens in stats.systems)
        text = f"{len(stats.systems)}, {100 * cost // max(1, total)}% of all tokens"
        lines.append(_fact("systems", text, width))
        for words, examples, _ in stats.systems[:3]:
            count = f"×{examples:,}"
            room = max(10, width - 13 - len(count))
            lines.append([" " * 11, (fit(words, room), "dim"), " ", (count, "faint")])
    if stats.labels:
        whole = sum(n for _, n in stats.labels)
        text = " · ".join(
            f"{one_line(k, 20)} {100 * n // max(1, whole)}%" for k, n in stats.labels[:6]
        )
        lines.append(_fact("labels", text, width))
    if stats.tools:
        text = " · ".join(f"{one_line(name, 24)} ×{n:,}" for name, n in stats.tools[:4])
        lines.append(_fact("calls", text, width))
    if stats.largest:
        line, tokens, share = stats.largest[0]
        if share >= 0.02:
            text = f"line {line:,} alone is {100 * share:.0f}% ({tokens:,} tokens)"
            lines.append(_fact("largest", text, width))
    return lines


def _fact(name: str, text: str, width: int) -> Line:
    return [(f" {name:<9} ", "faint"), (fit(clean(text), max(10, width - 12)).rstrip(), "dim")]
