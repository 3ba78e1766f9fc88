"""A table from pieces of text to numbers that is asked for a hundred thousand of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]

_ODD = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F  # any odd numbers with bits all over


class PieceTable:
    """Pieces of up to 8 or up to 16 bytes without NUL, as one or two 64-bit words, and a number (1 … 255) each.

    A piece is looked for at the place its hash says and at those after it, until a free one (open
    addressing, linear probing: Knuth, The Art of Computer Programming, 6.4)."""

    def __init__(self, bits: int, words: int) -> None:
        import numpy as np

        self._shift = np.uint64(64 - bits)
        self._last = (1 << bits) - 1
        self._words = [np.zeros(1 << bits, np.uint64) for _ in range(words)]
        self._numbers = np.zeros(1 << bits, np.uint8)
        self.room = 1 << (bits - 1)  # more would make it slow

    def get(self, *words: Words) -> NDArray[np.uint8]:
        """The number of each piece; 0 for those that are not here."""
        import numpy as np

        place = self._place(*words)
        taken, same = self._look(place, words)
        found = self._numbers[place] * same
        left = np.flatnonzero(taken & ~same)
        while len(left):
            at = place[left] = place[left] + 1 & self._last
            taken, same = self._look(at, [word[left] for word in words])
            found[left] = self._numbers[at] * same
            left = left[taken & ~same]
        return found

    def put(self, numbers: NDArray[np.uint8], *words: Words) -> None:
        """Take in pieces, each new and different from the others."""
        import numpy as np

        self.room -= len(numbers)
        place = self._place(*words)
        left = np.arange(len(numbers))
        while len(left):
            at = place[left]
            free = left[self._words[0][at] == 0][
                ::-1
            ]  # of several for one place, the first gets it
            for mine, given in zip(self._words, words, strict=True):
                mine[place[free]] = given[free]
            self._numbers[place[free]] = numbers[free]
            _, same = self._look(at, [word[left] for word in words])
            left = left[~same]
            place[left] = place[left] + 1 & self._last

    def _place(self, *words: Words) -> NDArray[np.int64]:
        import numpy as np

        mixed = words[0] * np.uint64(_ODD[0])
        for word in words[1:]:
            mixed ^= mixed >> np.uint64(29)
            mixed = (mixed + word) * np.uint64(_ODD[1])
        return (mixed >> self._shift).view(np.int64)

    def _look(
        self, place: NDArray[np.int64], words: Sequence[Words]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(whether there is a piece at each place, whether it is the one that is looked for)."""
        first = self._words[0][place]
        same = first == words[0]
        for mine, given in zip(self._words[1:], words[1:], strict=True):
            same &= mine[place] == given
        return first != 0, same
