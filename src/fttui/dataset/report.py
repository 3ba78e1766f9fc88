"""What a scan found: findings, counts, tokens and statistics, bounded in memory, exact in number."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fttui.text import plural

SEVERITIES = ("note", "warning", "error")
RANK = {"": 0, "note": 1, "warning": 2, "error": 3}
KEEP = 1_000  # findings kept per code; the rest is counted


@dataclass(slots=True)
class Finding:
    """One thing wrong. line is 1-based, 0 the whole file; offset is the line's first byte (-1: none);
    count is how many occurrences this one entry stands for."""

    code: str
    severity: str
    line: int
    path: str
    message: str
    fix: str = ""
    count: int = 1
    offset: int = -1

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "line": self.line,
            "path": self.path,
            "message": self.message,
            "fix": self.fix,
            "count": self.count,
        }


class Row(NamedTuple):
    """One example in numbers. line is 1-based; severity is the worst found: "", note, warning, error."""

    line: int
    tokens: int
    trained: int
    messages: int
    severity: str


class Rows:
    """Facts of every example, 15 bytes each, in file order (a million rows: 15 MB)."""

    def __init__(self) -> None:
        self.line = array("I")
        self.tokens = array("I")
        self.trained = array("I")
        self.messages = array("H")
        self.severity = bytearray()

    def __len__(self) -> int:
        return len(self.line)

    def __getitem__(self, i: int) -> Row:
        return Row(
            self.line[i],
            self.tokens[i],
            self.trained[i],
            self.messages[i],
            _SEVERITY[self.severity[i]],
        )

    def __iter__(self) -> Iterator[Row]:
        return (self[i] for i in range(len(self)))

    def at_line(self, line: int) -> int | None:
        """Index of the example on physical line `line` (1-based), None where there is none."""
        i = bisect_right(self.line, line) - 1
        return i if i >= 0 and self.line[i] == line else None

    def mark(self, line: int, severity: str) -> None:
        """Raise the severity of the example on `line`."""
        i = self.at_line(line)
        if i is not None and RANK[severity] > self.severity[i]:
            self.severity[i] = RANK[severity]


_SEVERITY = ("", "note", "warning", "error")


@dataclass(slots=True)
class TokenStats:
    """Counts in the target's encoding, exact but for `estimated` texts. trained: tokens that take part in the loss."""

    total: int = 0
    trained: int = 0
    images: int = 0  # tokens of images, by the documented rule, already in total
    images_unknown: int = 0  # images whose size is not known here (http links)
    per_example: array[int] = field(default_factory=lambda: array("I"))
    trained_per_example: array[int] = field(default_factory=lambda: array("I"))
    encoding: str = "o200k_base"
    estimated: int = 0  # texts counted with an estimate: half a megabyte of blanks, or without any

    def percentiles(self, points: tuple[int, ...] = (5, 50, 95, 99, 100)) -> dict[int, int]:
        """Tokens per example at each percentile (nearest rank); empty where there are no examples."""
        return percentiles(self.per_example, points)

    def histogram(self, bins: int = 20) -> list[tuple[int, int, int]]:
        """(from, to, examples) for equal steps from the smallest to the largest example."""
        return histogram(self.per_example, bins)

    def largest(self, n: int = 10) -> list[tuple[int, int]]:
        """(index of example, tokens) of the `n` longest examples."""
        import heapq

        values = self.per_example
        top = heapq.nlargest(n, range(len(values)), key=values.__getitem__)
        return [(i, values[i]) for i in top]

    def as_dict(self) -> dict[str, Any]:
        return {
            "total": self.total,
            "trained": self.trained,
            "encoding": self.encoding,
            "images": self.images,
            "images_unknown": self.images_unknown,
            "estimated": self.estimated,
            "percentiles": {str(k): v for k, v in self.percentiles().items()},
        }


def percentiles(values: array[int], points: tuple[int, ...]) -> dict[int, int]:
    if not values:
        return {}
    ordered = sorted(values)
    last = len(ordered) - 1
    return {p: ordered[min(last, -(-p * len(ordered) // 100) - 1 if p else 0)] for p in points}


def histogram(values: array[int], bins: int) -> list[tuple[int, int, int]]:
    if not values or bins < 1:
        return []
    low, high = min(values), max(values)
    step = max(1, -(-(high - low + 1) // bins))
    counts = Counter((value - low) // step for value in values)
    return [(low + i * step, low + (i + 1) * step - 1, counts[i]) for i in range(max(counts) + 1)]


@dataclass(slots=True)
class Stats:
    """What helps to iterate. Lengths are in tokens of the target's encoding."""

    messages: int = 0
    formats: dict[str, int] = field(default_factory=dict)  # examples per format
    roles: dict[str, int] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)  # "min", "mean", "max" messages an example
    prompt: dict[int, int] = field(default_factory=dict)  # percentile → tokens before the answers
    answer: dict[int, int] = field(default_factory=dict)  # percentile → trained tokens
    # system prompt → (examples, tokens it costs in one epoch); the most used first
    systems: list[tuple[str, int, int]] = field(default_factory=list)
    labels: list[tuple[str, int]] = field(default_factory=list)  # when it is a classification
    largest: list[tuple[int, int, float]] = field(
        default_factory=list
    )  # line, tokens, share of all
    tools: list[tuple[str, int]] = field(default_factory=list)  # function → times called
    images: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "messages": self.messages,
            "formats": self.formats,
            "roles": self.roles,
            "turns": self.turns,
            "prompt_tokens": {str(k): v for k, v in self.prompt.items()},
            "answer_tokens": {str(k): v for k, v in self.answer.items()},
            "systems": [
                {"text": text[:200], "examples": n, "tokens": tokens}
                for text, n, tokens in self.systems
            ],
            "labels": [{"label": label, "examples": n} for label, n in self.labels],
            "largest": [
                {"line": line, "tokens": tokens, "share": round(share, 4)}
                for line, tokens, share in self.largest
            ],
            "tools": [{"name": name, "calls": n} for name, n in self.tools],
            "images": self.images,
        }


@dataclass(slots=True)
class Report:
    """Everything a scan of one file found. verdict: ok, warnings, errors or unusable."""

    file: str
    format: str = "unknown"
    examples: int = 0
    lines: int = 0
    bytes: int = 0
    sha256: str = ""
    verdict: str = "ok"
    summary: str = ""
    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # code → exact number
    severities: dict[str, int] = field(default_factory=dict)  # severity → exact number
    tokens: TokenStats = field(default_factory=TokenStats)
    rows: Rows = field(default_factory=Rows)
    stats: Stats = field(default_factory=Stats)
    validation: Report | None = None
    seconds: float = 0.0
    cached: bool = False

    def of(self, code: str) -> list[Finding]:
        """The findings of one code, in file order."""
        return [finding for finding in self.findings if finding.code == code]

    def as_dict(self) -> dict[str, Any]:
        """The object `fttui check --json` prints."""
        issues = [finding.as_dict() for finding in self.findings]
        whole: dict[str, Any] = {
            "file": self.file,
            "format": self.format,
            "examples": self.examples,
            "tokens": self.tokens.total,
            "verdict": self.verdict,
            "summary": self.summary,
            "issues": issues,
            "counts": dict(self.counts),
            "token_stats": self.tokens.as_dict(),
            "stats": self.stats.as_dict(),
            "bytes": self.bytes,
            "lines": self.lines,
            "sha256": self.sha256,
        }
        if self.validation is not None:
            other = self.validation.as_dict()
            issues += [{**issue, "file": self.validation.file} for issue in other["issues"]]
            whole["validation"] = {k: v for k, v in other.items() if k != "issues"}
        return whole


def verdict(severities: dict[str, int], service: str, unusable: bool) -> tuple[str, str]:
    """(machine word, one sentence) for counts by severity."""
    errors, warnings = severities.get("error", 0), severities.get("warning", 0)
    tail = f", {plural(warnings, 'warning')}" if warnings else ""
    if unusable:
        return "unusable", f"cannot be used: {plural(errors, 'error')}"
    if errors:
        return "errors", f"{service} would refuse this file: {plural(errors, 'error')}{tail}"
    if warnings:
        return "warnings", f"ready for {service}: no errors{tail}"
    return "ok", f"ready for {service}: no errors, no warnings"
