"""The two token vocabularies as package data: nothing is downloaded, ever.

`NAME.xz` holds the lengths of all tokens (one byte each), then the tokens' bytes, in rank order.
`python -m fttui.dataset.vocabulary FOLDER` makes both from the standard `NAME.tiktoken` files, which
must have the sha256 that tiktoken itself expects.
"""

from __future__ import annotations

import base64
import hashlib
import lzma
import re
import threading
from itertools import accumulate
from pathlib import Path
from typing import Any

# sha256 of the standard files: tiktoken_ext/openai_public.py, `expected_hash`.
SHA256 = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
_HERE = Path(__file__).parent
_lock = threading.Lock()
_loaded: dict[str, Any] = {}


def ranks(name: str) -> dict[bytes, int]:
    """Token bytes → rank."""
    data = lzma.decompress((_HERE / f"{name}.xz").read_bytes())
    count = int.from_bytes(data[:4], "little")
    lengths, body = data[4 : 4 + count], data[4 + count :]
    ends = list(accumulate(lengths))
    tokens = map(body.__getitem__, map(slice, [0, *ends], ends))
    return dict(zip(tokens, range(count), strict=True))


def standard_file(table: dict[bytes, int]) -> bytes:
    """The table as tiktoken publishes it: lines of base64 and rank."""
    return b"".join(
        base64.b64encode(token) + b" %d\n" % rank
        for token, rank in sorted(table.items(), key=lambda item: item[1])
    )


def encoding(name: str) -> Any:
    """tiktoken's Encoding of that name, its ranks taken from here (0.3 s the first time)."""
    with _lock:
        if name not in _loaded:
            _loaded[name] = _load(name)
        return _loaded[name]


def _load(name: str) -> Any:
    import tiktoken

    arguments = published(name)
    arguments["pat_str"] = _grouped(arguments["pat_str"])
    return tiktoken.Encoding(**arguments)


def published(name: str) -> dict[str, Any]:
    """What tiktoken makes an Encoding of, its ranks taken from here."""
    import tiktoken_ext.openai_public as public  # type: ignore[import-untyped]

    if name not in SHA256:
        raise ValueError(f"unknown encoding {name}")
    # Pattern and special tokens stay tiktoken's; only the way the ranks arrive is replaced.
    original = public.load_tiktoken_bpe
    public.load_tiktoken_bpe = lambda *_args, **_kwargs: ranks(name)
    try:
        return dict(public.ENCODING_CONSTRUCTORS[name]())
    finally:
        public.load_tiktoken_bpe = original


def _grouped(pattern: str) -> str:
    """The same pattern, a fifth faster: one branch looks ahead, which only a slow engine can do, and it
    is asked about every branch by itself. Grouped, all the others go to the fast engine at once."""
    easy, lookahead, rest = pattern.partition(r"|\s+(?!\S)")
    # Possessive marks need the slow engine too. What follows each of them here never matches what it
    # gave back, so they change nothing.
    easy = re.sub(r"(\?|\+|\*|\{\d,\d\})\+", r"\1", easy)
    return f"(?:{easy}){lookahead}{rest}" if lookahead else pattern


def make(source: Path, target: Path) -> None:
    """Write `target` (xz) from a standard .tiktoken file; ValueError when its hash is not the expected."""
    raw = source.read_bytes()
    if hashlib.sha256(raw).hexdigest() != SHA256[target.stem]:
        raise ValueError(f"{source} is not the published {target.stem}")
    tokens = [base64.b64decode(line.split()[0]) for line in raw.splitlines() if line]
    data = len(tokens).to_bytes(4, "little") + bytes(map(len, tokens)) + b"".join(tokens)
    target.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
