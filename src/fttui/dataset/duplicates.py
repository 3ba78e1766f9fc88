"""Which lines say the same: digests that spill to disk in partitions, so memory stays bounded."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fttui.dataset.block import Result

    Rows = NDArray[np.uint64]  # (n, 3)

PARTS = 64
SPILL = 1_000_000  # bytes held in memory, three times, before they go to temporary files
ROW = 24  # bytes


class Records:
    """Triples of 64-bit numbers, to be read back in groups that share the first one's low bits."""

    def __init__(self) -> None:
        self._waiting: list[Rows] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self._spills: list[
            list[int]
        ] = []  # of each: where its parts begin in the file, and its end

    def add(self, *columns: Any) -> None:
        """Three columns of numbers; rows whose first is 0 are left out."""
        import numpy as np

        rows = np.stack(columns, 1)
        self._waiting.append(rows[rows[:, 0] != 0])
        self._size += self._waiting[-1].nbytes
        if self._size >= SPILL:
            self._spill()

    def _spill(self) -> None:
        """Part after part into one file: a file for each would be more than may be open at a time."""
        import numpy as np

        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - close() does
        rows = self._rows()
        part = (rows[:, 0] % PARTS).astype(np.int64)
        begin = self._file.tell()
        self._file.write(rows[np.argsort(part, kind="stable")].tobytes())
        self._file.flush()
        ends = begin + ROW * np.bincount(part, minlength=PARTS).cumsum()
        self._spills.append([begin, *ends.tolist()])
        self._waiting, self._size = [], 0

    def _rows(self) -> Rows:
        import numpy as np

        return np.concatenate(self._waiting or [np.zeros((0, 3), np.uint64)])

    def parts(self) -> int:
        return PARTS if self._file else 1

    def part(self, i: int, of: int) -> Rows:
        """All rows of part `i` of `of` (PARTS, or 1: all there are), in the order they were added."""
        import numpy as np

        rows = self._rows()
        if of == 1:
            return rows
        rows = rows[rows[:, 0] % of == i]
        if self._file is None:
            return rows
        file = self._file.fileno()
        read = [os.pread(file, at[i + 1] - at[i], at[i]) for at in self._spills]
        return np.concatenate([np.frombuffer(b"".join(read), np.uint64).reshape(-1, 3), rows])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._spills = None, []


class Digests:
    """What is remembered of every line to compare it with the others. Lines are 1-based."""

    def __init__(self) -> None:
        self.normal = Records()  # (normal form, canonical JSON, line)
        self.prompt = Records()  # (prompt, answer, line)
        self.sketch = Records()  # (sketch, normal form, line)

    def add(self, result: Result, base: int) -> None:
        """The digests of a stretch, whose lines start after line `base`."""
        import numpy as np

        exact, normal, prompt, answer = np.array(result.digests).reshape(-1, 4).T
        line = np.array(result.digest_lines).astype(np.uint64) + np.uint64(base)
        self.normal.add(normal, exact, line)
        self.prompt.add(prompt, answer, line)
        self.sketch.add(np.array(result.sketches), normal, line)

    def close(self) -> None:
        for records in (self.normal, self.prompt, self.sketch):
            records.close()


Same = tuple[str, int, int, int, int]  # code, line, other line, count, different answers


def repeated(digests: Digests) -> Iterator[Same]:
    """Q001 and Q003: lines equal to an earlier one; Q002: prompts with different answers."""
    dropped: set[int] = set()
    for rows in _twice(digests.normal):
        exact_first: dict[int, int] = {}
        normal_first: dict[int, int] = {}
        for normal, exact, line in rows:
            if exact in exact_first:
                yield "Q001", line, exact_first[exact], 1, 0
            elif normal in normal_first:
                yield "Q003", line, normal_first[normal], 1, 1
                dropped.add(line)
            exact_first.setdefault(exact, line)
            normal_first.setdefault(normal, line)
    for rows in _twice(digests.prompt):
        yield from _contradictions(rows)
    for rows in _twice(digests.sketch):
        yield from _alike(rows, dropped)


def _twice(records: Records) -> Iterator[Iterable[tuple[int, int, int]]]:
    """Part by part the rows whose first number is not theirs alone, in their order."""
    import numpy as np

    of = records.parts()
    for i in range(of):
        rows = records.part(i, of)
        order = np.argsort(rows[:, 0], kind="stable")
        ranked = rows[order, 0]
        same = ranked[1:] == ranked[:-1]
        twice = np.zeros(len(rows), bool)
        twice[order[1:]] |= same
        twice[order[:-1]] |= same
        yield rows[twice].tolist()


def _contradictions(triples: Iterable[tuple[int, int, int]]) -> Iterator[Same]:
    first: dict[int, tuple[int, int]] = {}  # prompt → (answer, line) of its first line
    groups: dict[int, tuple[int, int, set[int]]] = {}  # prompt → (first other line, lines, answers)
    count: dict[int, int] = {}
    for prompt, answer, line in triples:
        known = first.setdefault(prompt, (answer, line))
        if known[1] == line:
            continue
        count[prompt] = count.get(prompt, 0) + 1
        if prompt in groups:
            groups[prompt][2].add(answer)
        elif answer != known[0]:
            groups[prompt] = (line, known[1], {known[0], answer})
    for prompt, (line, earlier, answers) in groups.items():
        yield "Q002", line, earlier, count[prompt], len(answers)


def _alike(triples: Iterable[tuple[int, int, int]], dropped: set[int]) -> Iterator[Same]:
    first: dict[int, tuple[int, int]] = {}
    for sketch, normal, line in triples:
        known = first.setdefault(sketch, (normal, line))
        if known[0] != normal and line not in dropped:
            yield "Q003", line, known[1], 1, 0


def same_answer(digests: Digests, share: float) -> tuple[int, int]:
    """(times, first line) of the answer given most often, if on more than `share` of the lines; (0, 0)."""
    import numpy as np

    records = digests.prompt
    of = records.parts()
    likely: set[int] = (
        set()
    )  # what is on that many of all lines is on as many of those of some part
    for i in range(of):
        answers, times = np.unique(records.part(i, of)[:, 1], return_counts=True)
        likely.update(answers[times > share * times.sum()].tolist())
    total = 0
    counts = dict.fromkeys(likely, 0)
    first = dict.fromkeys(likely, 0)
    for i in range(of):
        rows = records.part(i, of)
        total += len(rows)
        for answer in likely:
            lines = rows[rows[:, 1] == answer, 2]
            counts[answer] += len(lines)
            if len(lines):
                first[answer] = min(first[answer] or int(lines[0]), int(lines[0]))
    top = max(counts, key=lambda answer: counts[answer], default=0)
    return (counts[top], first[top]) if top and counts[top] > share * total else (0, 0)


def shared(train: Digests, other: Digests) -> Iterator[Same]:
    """X001-X003: lines of `other` that `train` has too: the same, the same prompt, nearly the same."""
    reported: set[int] = set()
    for known, found in _in_both(train.normal, other.normal):
        exact_first: dict[int, int] = {}
        normal_first: dict[int, int] = {}
        for normal, exact, line in known:
            exact_first.setdefault(exact, line)
            normal_first.setdefault(normal, line)
        for normal, exact, line in found:
            if exact in exact_first:
                yield "X001", line, exact_first[exact], 1, 0
            else:
                yield "X003", line, normal_first[normal], 1, 0
            reported.add(line)
    for known, found in _in_both(train.prompt, other.prompt):
        prompts: dict[int, int] = {}
        for prompt, _, line in known:
            prompts.setdefault(prompt, line)
        for prompt, _, line in found:
            if line not in reported:
                yield "X002", line, prompts[prompt], 1, 0


def _in_both(a: Records, b: Records) -> Iterator[tuple[list[list[int]], list[list[int]]]]:
    """Part by part the rows of each whose first number the other has too."""
    import numpy as np

    of = max(a.parts(), b.parts())
    for i in range(of):
        one, two = a.part(i, of), b.part(i, of)
        yield (
            one[np.isin(one[:, 0], two[:, 0])].tolist(),
            two[np.isin(two[:, 0], one[:, 0])].tolist(),
        )
