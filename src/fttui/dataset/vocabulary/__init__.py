"""The two token vocabularies as package data: nothing is downloaded, ever.

`NAME.z` (zlib) holds how many tokens have 0, 1, … 255 bytes, then the ranks of all tokens in that order,
both as 32-bit numbers, little end first, then the tokens' bytes: a layout that is read in 0.1 s.
`python -m fttui.dataset.vocabulary FOLDER` makes both from the standard `NAME.tiktoken` files, which
must have the sha256 that tiktoken itself expects.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

# sha256 of the standard files: tiktoken_ext/openai_public.py, `expected_hash`.
SHA256 = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
_HERE = Path(__file__).parent
_lock = threading.Lock()
HEAD = 4 * 256  # bytes before the ranks


def ranks(name: str) -> dict[bytes, int]:
    """Token bytes → rank."""
    data, counts = _read(name)
    numbers = struct.unpack_from(f"<{sum(counts)}I", data, HEAD)
    at = HEAD + 4 * len(numbers)
    tokens: list[bytes] = []
    for length, count in enumerate(counts):
        if count:
            tokens += struct.unpack_from(f"{length}s" * count, data, at)
            at += length * count
    return dict(zip(tokens, numbers, strict=True))


def some_ranks(name: str, text: bytes) -> dict[bytes, int]:
    """The same for the tokens that occur in a text, without memory for the others."""
    import numpy as np

    data, counts = _read(name)
    numbers = np.frombuffer(data, "<u4", sum(counts), HEAD)
    at, number = HEAD + 4 * len(numbers), 0
    found: dict[bytes, int] = {}
    for length, count in enumerate(counts):
        if count and length <= len(text):
            kind = f"S{length}"  # all are as long, so the NULs this type leaves out change nothing
            parts: Any = np.ndarray(len(text) - length + 1, kind, text, strides=1)
            same = np.isin(np.frombuffer(data, kind, count, at), parts)
            for i in np.flatnonzero(same).tolist():
                found[data[at + i * length : at + (i + 1) * length]] = int(numbers[number + i])
        at, number = at + length * count, number + count
    return found


def _read(name: str) -> tuple[bytes, tuple[int, ...]]:
    """(the file's content, how many tokens there are of each length)."""
    data = zlib.decompress((_HERE / f"{name}.z").read_bytes())
    return data, struct.unpack_from("<256I", data)


def standard_file(table: dict[bytes, int]) -> bytes:
    """The table as tiktoken publishes it: lines of base64 and rank."""
    return b"".join(
        base64.b64encode(token) + b" %d\n" % rank
        for token, rank in sorted(table.items(), key=lambda item: item[1])
    )


def published(name: str, table: Callable[[str], dict[bytes, int]] = ranks) -> dict[str, Any]:
    """What tiktoken makes an Encoding of, its ranks taken from here, or from `table`."""
    import tiktoken_ext.openai_public as public  # type: ignore[import-untyped]

    if name not in SHA256:
        raise ValueError(f"unknown encoding {name}")
    # Pattern and special tokens stay tiktoken's; only the way the ranks arrive is replaced.
    with _lock:
        original = public.load_tiktoken_bpe
        public.load_tiktoken_bpe = lambda *_args, **_kwargs: table(name)
        try:
            return dict(public.ENCODING_CONSTRUCTORS[name]())
        finally:
            public.load_tiktoken_bpe = original


def make(source: Path, target: Path) -> None:
    """Write `target` from a standard .tiktoken file; ValueError when its hash is not the expected."""
    raw = source.read_bytes()
    if hashlib.sha256(raw).hexdigest() != SHA256[target.stem]:
        raise ValueError(f"{source} is not the published {target.stem}")
    tokens = [base64.b64decode(line.split()[0]) for line in raw.splitlines() if line]
    order = sorted(range(len(tokens)), key=lambda rank: len(tokens[rank]))
    counts = [0] * 256
    for token in tokens:
        counts[len(token)] += 1
    data = struct.pack(f"<256I{len(order)}I", *counts, *order)
    target.write_bytes(zlib.compress(data + b"".join(tokens[rank] for rank in order), 9))
