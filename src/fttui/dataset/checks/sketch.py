"""Which long answers are nearly the same: one number for each, made of its sentences, many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SKETCH_FROM = 600  # bytes; a shorter answer has no sketch
LENGTH = 4_000  # bytes that are looked at
SENTENCES = 10  # an answer with fewer has none either
DIFFERENT = 4  # of the chosen sentences at least; else the answer only repeats itself
HASHES = 8
_ODD = 0x9E37_79B9_7F4A_7C15  # 2^64 / golden ratio: spreads its multiples evenly
_WORD = 8  # bytes


def sketches(answers: list[bytes]) -> list[int]:
    """64-bit numbers, 0 for an answer that is short or has few sentences. Equal numbers mean that about nine
    tenths of the sentences agree: for each of HASHES hash functions the sentence with the smallest hash is
    chosen (min-wise hashing, Broder 1997), and all of the choices are the same."""
    import numpy as np

    result = [0] * len(answers)
    long = [i for i, answer in enumerate(answers) if len(answer) >= SKETCH_FROM]
    if not long:
        return result
    parts = [answers[i][:LENGTH] for i in long]
    joined = b"\n" * _WORD + b"\n".join(parts) + b"\n" * (_WORD + 1)
    hashes, starts = _sentences(joined)
    if not len(starts):
        return result
    begins = np.cumsum([_WORD] + [len(part) + 1 for part in parts[:-1]])
    first = np.searchsorted(starts, begins)
    many = np.diff(first, append=len(starts)) >= SENTENCES
    # reduceat wants a sentence at every place.
    first = np.minimum(first, len(starts) - 1)
    chosen = []
    for k in range(HASHES):
        factor = pow(_ODD, 2 * k + 1, 1 << 64)
        smallest = np.minimum.reduceat(hashes * np.uint64(factor), first)
        chosen.append(smallest * np.uint64(pow(factor, -1, 1 << 64)))
    ranked = np.sort(np.stack(chosen), 0)
    many &= (ranked[1:] != ranked[:-1]).sum(0) >= DIFFERENT - 1
    number = np.zeros(len(parts), np.uint64)
    for choice in chosen:
        number = (number ^ choice) * np.uint64(_ODD)
        number ^= number >> np.uint64(29)
    number[~many] = 0
    for i, found in zip(long, number.tolist(), strict=True):
        result[i] = found
    return result


def _sentences(joined: bytes) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """(hashes, places) of all lines and sentences longer than a byte: of their size and of eight bytes at
    five places, which is all of most."""
    import numpy as np

    data = np.frombuffer(joined, np.uint8)[:-_WORD]
    words: NDArray[np.uint64] = np.ndarray((len(joined) - _WORD + 1,), "<u8", joined, strides=(1,))
    end = data == ord("\n")
    end[:-1] |= (data[:-1] == ord(".")) & (data[1:] == ord(" "))
    ends = np.flatnonzero(end)
    sizes = np.diff(ends) - 1
    starts, sizes = (ends[:-1] + 1)[sizes > 1], sizes[sizes > 1]
    short = sizes < _WORD
    missing = np.where(short, _WORD - sizes, 0)
    hashes = sizes.astype(np.uint64)
    quarter = np.where(short, 0, sizes >> 2)
    last = np.where(short, 0, sizes - _WORD)
    for step in (
        0 * last,
        np.minimum(quarter, last),
        last >> 1,
        np.maximum(last - quarter, 0),
        last,
    ):
        # Of a sentence under eight bytes only its own count.
        word = words[starts + step] << (missing * 8).astype(np.uint64)
        hashes = (hashes ^ word) * np.uint64(_ODD)
        hashes ^= hashes >> np.uint64(31)
    return hashes, starts
