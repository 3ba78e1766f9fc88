"""Tokens and statistics of a finished report."""

from __future__ import annotations

from array import array

from fttui.dataset.checks.filewide import FORMATS, labels
from fttui.dataset.merge import Merger
from fttui.dataset.report import Report, percentiles

POINTS = (5, 50, 95, 100)


def fill(report: Report, merger: Merger) -> None:
    """Work out what the sums say; lengths in tokens."""
    rows, facts, tokens, stats = report.rows, merger.facts, report.tokens, report.stats
    tokens.per_example, tokens.trained_per_example = rows.tokens, rows.trained
    tokens.total, tokens.trained = sum(rows.tokens), sum(rows.trained)
    tokens.estimated = merger.estimated
    tokens.images = facts.n["image_tokens"]
    tokens.images_unknown = facts.n["images_unknown"]
    stats.messages = sum(rows.messages)
    stats.formats = {
        name: facts.n[f"format:{name}"]
        for name in (*FORMATS, "unknown")
        if facts.n[f"format:{name}"]
    }
    stats.images = facts.n["images"]
    if rows.messages:
        stats.turns = {
            "min": min(rows.messages),
            "mean": round(stats.messages / len(rows)),
            "max": max(rows.messages),
        }
        before = array("I", (a - b for a, b in zip(rows.tokens, rows.trained, strict=True)))
        stats.prompt = percentiles(before, POINTS)
        stats.answer = percentiles(rows.trained, POINTS)
    stats.systems = [
        (text, n, n * merger.systems.get(text, 0))
        for text, n in facts.texts.get("system", _EMPTY).most_common(20)
    ]
    stats.labels = labels(facts)
    stats.largest = [
        (rows.line[i], n, n / tokens.total) for i, n in tokens.largest(10) if tokens.total
    ]
    called = [(name[5:], n) for name, n in facts.n.items() if name.startswith("call:")]
    stats.tools = sorted(called, key=lambda item: -item[1])[:50]


from collections import Counter  # noqa: E402

_EMPTY: Counter[str] = Counter()
