"""What a check gets to work with, and where it puts what it finds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fttui.dataset.checks.catalogue import SEVERITY
from fttui.dataset.report import KEEP, RANK
from fttui.dataset.target import OPENAI, Target

TEXTS = 5_000  # different texts counted of one kind; beyond that the rare half is forgotten
TEXT_SIZE = 4_000  # a longer text is not counted by itself


# code, severity, line, path, message, count, offset, whether the code's fix helps
Entry = tuple[str, str, int, str, str, int, int, bool]


@dataclass(slots=True)
class Facts:
    """What the file-wide checks need, summed over lines and added up over blocks in any order."""

    n: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)  # what → first line
    texts: dict[str, Counter[str]] = field(default_factory=dict)  # kind → text → times, bounded
    lossy: set[str] = field(default_factory=set)  # kinds of which rare texts were forgotten
    common: dict[str, str] = field(default_factory=dict)  # beginnings and endings all texts share
    outliers: dict[str, list[int]] = field(default_factory=dict)  # kind → lines, the first thousand

    def see(self, what: str, line: int) -> None:
        self.n[what] += 1
        if what not in self.first:
            self.first[what] = line

    def text(self, kind: str, text: str, line: int) -> None:
        counter = self.texts.get(kind)
        if counter is None:
            counter = self.texts[kind] = Counter()
        times = counter[text] = counter.get(text, 0) + 1
        if times == 1:
            self.first.setdefault(f"{kind}\0{text}", line)
            if len(counter) > TEXTS:
                self._forget(kind)

    def _forget(self, kind: str) -> None:
        self.lossy.add(kind)
        counter = self.texts[kind]
        for text, _ in counter.most_common()[TEXTS // 2 :]:
            del counter[text]
            self.first.pop(f"{kind}\0{text}", None)

    def prefix(self, kind: str, text: str) -> None:
        known = self.common.get(kind)
        if known is None:
            self.common[kind] = text[:1000]
        elif known and not text.startswith(known):
            self.common[kind] = shared_start(known, text)

    def suffix(self, kind: str, text: str) -> None:
        known = self.common.get(kind)
        if known is None:
            self.common[kind] = text[-100:]
        elif known and not text.endswith(known):
            self.common[kind] = shared_start(known[::-1], text[-100:][::-1])[::-1]

    def outlier(self, kind: str, line: int) -> None:
        lines = self.outliers.setdefault(kind, [])
        if len(lines) < KEEP:
            lines.append(line)

    def merge(self, other: Facts, base: int) -> None:
        """Add a block's facts, whose lines start after line `base`."""
        self.n.update(other.n)
        for what, line in other.first.items():
            if what not in self.first or self.first[what] > line + base:
                self.first[what] = line + base
        self.lossy |= other.lossy
        for kind, counter in other.texts.items():
            self.texts.setdefault(kind, Counter()).update(counter)
            if len(self.texts[kind]) > TEXTS:
                self._forget(kind)
        for kind, text in other.common.items():
            if "start" in kind:
                self.prefix(kind, text)
            else:
                self.suffix(kind, text)
        for kind, lines in other.outliers.items():
            kept = self.outliers.setdefault(kind, [])
            kept.extend(line + base for line in lines[: KEEP - len(kept)])


def shared_start(a: str, b: str) -> str:
    n = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        n += 1
    return a[:n]


class Context:
    """One block of lines under inspection. Lines count from 1 within the block."""

    def __init__(
        self, target: Target = OPENAI, hint: str = "chat", muted: frozenset[str] = frozenset()
    ) -> None:
        self.target = target
        self.hint = hint  # the file's format, for lines that could be either
        self.muted = muted
        self.line = 0
        self.offset = -1
        self.keys = 0  # how many `":` the line has
        self.spaced = False  # the line may have a key with a blank before its colon
        self.worst = 0
        self.counts: Counter[str] = Counter()
        self.severities: Counter[str] = Counter()
        self._room: Counter[str] = Counter()  # findings kept per code
        self.kept: list[Entry] = []
        self.added = 0  # calls of add that counted
        self.facts = Facts()
        self.plain: list[str] = []  # texts of the example that are read, not trained
        self.trained: list[str] = []  # texts that take part in the loss
        self.fixed = 0  # tokens of the example that are no text
        self.fixed_trained = 0
        self.order: list[tuple[str, bool]] = []  # (text, trained) as they stand, for long examples
        self.tools_seen: dict[bytes, Any] = {}

    def add(
        self,
        code: str,
        path: str,
        message: str,
        *,
        severity: str = "",
        count: int = 1,
        fix: bool = True,
    ) -> None:
        """Note a finding at `path` of the current line; more than a thousand of a code are counted only.

        fix False: the code's fix does not help this time."""
        if code in self.muted:
            return
        severity = severity or SEVERITY[code]
        self.added += 1
        self.counts[code] += count
        self.severities[severity] += count
        if RANK[severity] > self.worst:
            self.worst = RANK[severity]
        if self._room[code] < KEEP:
            self._room[code] += 1
            self.kept.append((code, severity, self.line, path, message, count, self.offset, fix))

    def start_example(self) -> None:
        self.plain, self.trained, self.order = [], [], []
        self.fixed = self.fixed_trained = 0
