"""Which lines say the same: digests sorted into partitions that spill to disk, so memory stays bounded."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator
from typing import IO

PARTS = 64
SPILL = 24_000_000  # bytes held in memory before they go to a temporary file


class Records:
    """Triples of 64-bit numbers, to be read back in groups that share the first one's low bits."""

    def __init__(self) -> None:
        self.parts = [array("Q") for _ in range(PARTS)]
        self._files: list[IO[bytes]] = []
        self._size = 0

    def grown(self, size: int) -> None:
        """Told that up to `size` bytes were added; goes to disk when that is much."""
        self._size += size
        if self._size >= SPILL:
            self._spill()

    def _spill(self) -> None:
        if not self._files:
            self._files = [tempfile.TemporaryFile() for _ in range(PARTS)]  # noqa: SIM115 - close() does
        for part, file in zip(self.parts, self._files, strict=True):
            part.tofile(file)
            del part[:]
        self._size = 0

    def partition(self, i: int) -> Iterator[tuple[int, int, int]]:
        """All triples of partition `i`, in the order they were added."""
        whole = array("Q")
        if self._files:
            self._files[i].seek(0)
            whole.frombytes(self._files[i].read())
        whole.extend(self.parts[i])
        step = iter(whole)
        return zip(step, step, step, strict=True)

    def close(self) -> None:
        for file in self._files:
            file.close()
        self._files = []


class Digests:
    """What is remembered of every line to compare it with the others. Lines are 1-based."""

    def __init__(self) -> None:
        self.normal = Records()  # (normal form, canonical JSON, line)
        self.prompt = Records()  # (prompt, answer, line)
        self.sketch = Records()  # (sketch, normal form, line)

    def add(self, numbers: Iterable[int], lines: Iterable[int]) -> None:
        """numbers: five for each line, as answers.Digests has them."""
        step = iter(numbers)
        same, asked, alike = self.normal.parts, self.prompt.parts, self.sketch.parts
        n = 0
        for line, exact, normal, prompt, answer, sketch in zip(
            lines, step, step, step, step, step, strict=True
        ):
            same[normal % PARTS].extend((normal, exact, line))
            if prompt:
                asked[prompt % PARTS].extend((prompt, answer, line))
            if sketch:
                alike[sketch % PARTS].extend((sketch, normal, line))
            n += 24
        for records in (self.normal, self.prompt, self.sketch):
            records.grown(n)

    def close(self) -> None:
        for records in (self.normal, self.prompt, self.sketch):
            records.close()


Same = tuple[str, int, int, int, int]  # code, line, other line, count, different answers


def repeated(digests: Digests) -> Iterator[Same]:
    """Q001 and Q003: lines equal to an earlier one; Q002: prompts with different answers."""
    dropped: set[int] = set()
    for i in range(PARTS):
        exact_first: dict[int, int] = {}
        normal_first: dict[int, int] = {}
        for normal, exact, line in digests.normal.partition(i):
            if exact in exact_first:
                yield "Q001", line, exact_first[exact], 1, 0
            elif normal in normal_first:
                yield "Q003", line, normal_first[normal], 1, 1
                dropped.add(line)
            exact_first.setdefault(exact, line)
            normal_first.setdefault(normal, line)
    for i in range(PARTS):
        yield from _contradictions(digests.prompt.partition(i))
        yield from _alike(digests.sketch.partition(i), dropped)


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


def shared(train: Digests, other: Digests) -> Iterator[Same]:
    """X001-X003: lines of `other` that `train` has too: the same, the same prompt, nearly the same."""
    reported: set[int] = set()
    for i in range(PARTS):
        exact_first: dict[int, int] = {}
        normal_first: dict[int, int] = {}
        for normal, exact, line in train.normal.partition(i):
            exact_first.setdefault(exact, line)
            normal_first.setdefault(normal, line)
        for normal, exact, line in other.normal.partition(i):
            if exact in exact_first:
                yield "X001", line, exact_first[exact], 1, 0
                reported.add(line)
            elif normal in normal_first:
                yield "X003", line, normal_first[normal], 1, 0
                reported.add(line)
    for i in range(PARTS):
        prompts: dict[int, int] = {}
        for prompt, _, line in train.prompt.partition(i):
            prompts.setdefault(prompt, line)
        for prompt, _, line in other.prompt.partition(i):
            if prompt in prompts and line not in reported:
                yield "X002", line, prompts[prompt], 1, 0
