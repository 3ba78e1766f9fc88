"""The same counts from toktok (the extra `fast`): a compiled encoder, ten times as fast as tiktoken.

It is trusted as far as it was compared: every code point in ten contexts equals tiktoken's count. Texts with
letters, marks or numbers younger than Unicode 14 go to tiktoken all the same, as far as the words around them,
because whether they are known as such depends on the Unicode tables either was built with. And before it is
used at all it has to count a few known texts.
"""

# ruff: noqa: E501 - the table of texts reads better on one line

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fttui.dataset import vocabulary
from fttui.dataset.pretokens import young

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OFF = "FTTUI_FAST"  # environment: 0 counts with tiktoken even where toktok is installed
FEW = 1_000  # characters; for more of them all of tiktoken's tokens are worth loading
OFTEN = 10  # times; after that too
KEEP = 10_000  # words whose counts are remembered
# Where both patterns break whatever stands around: before a space that follows no blank, and after the last
# line end of a run of blanks, but for `/`, which may belong to it.
_CUT = re.compile(r"(?<=\S)(?= )|(?<=\n)(?= *[^\s/])")
# Texts with their tokens in o200k_base and cl100k_base, as tiktoken counts them.
PROBES: tuple[tuple[str, int, int], ...] = (
    ("Hello there, it's 12,345.67 o'clock isn't it?", 15, 17),
    ("WE'LL   see\n\n  what\tTABS\t\tdo \r\n ok  ", 15, 15),
    ("<|endoftext|> <|im_start|>user<|endofprompt|>", 21, 20),
    ("Gr\xf6\xdfe na\xefve \u017f\u02bcn \u01c4\u01c5\u01c6 \u0132\u0133\u03a3\u03c2", 21, 23),
    (
        "\u4eca\u5929\u5929\u6c14\u600e\u4e48\u6837\uff1f\u3053\u308c\u306f\u65e5\u672c\u8a9e\u3067\u3059\u3002 \ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8",
        15,
        25,
    ),
    (
        "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e \u0e44\u0e17\u0e22\u0e44\u0e21\u0e48\u0e21\u0e35\u0e0a\u0e48\u0e2d\u0e07\u0e27\u0e48\u0e32\u0e07 \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
        18,
        44,
    ),
    (
        "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f3f3\ufe0f\u200d\U0001f308 e\u0301 \u200d \xa0\u3000\u2028x",
        24,
        36,
    ),
    ("def f(x):\n        return {'a': [1, 2], \"b\": x**2}  # done\n", 26, 26),
    ("aAAbBBcCC" * 20 + " " * 200 + "x" + "\n" * 50 + "1" * 40 + "-" * 90, 143, 142),
)


class FastEncoder:
    """toktok where it is sure to be right; words with other characters are tiktoken's to count."""

    def __init__(
        self, name: str, count: Callable[..., list[int]], exact: Callable[[], Any]
    ) -> None:
        self._name, self._count, self._exact = name, count, exact
        self._tiktoken: Any = None  # loaded when it is needed, which is rare
        self._asked = 0
        self._known: dict[str, int] = {}

    def sizes(self, texts: list[str]) -> list[int]:
        """Tokens of each text."""
        try:
            found = _young_in("".join([text for text in texts if not text.isascii()]))
        except UnicodeEncodeError:  # half characters: as tiktoken does
            return self.sizes([_mended(text) for text in texts])
        if not found:
            return self._count(texts, self._name, threads=1)
        sure, unsure = _by_trust(texts, found)
        counts = self._count([part for _, part in sure], self._name, threads=1)
        counts += self._by_tiktoken([part for _, part in unsure])
        sizes = [0] * len(texts)
        for (i, _), count in zip(sure + unsure, counts, strict=True):
            sizes[i] += count
        return sizes

    def size(self, text: str) -> int:
        """Tokens of one text."""
        return self.sizes([text])[0]

    def _by_tiktoken(self, parts: list[str]) -> list[int]:
        known = self._known
        new = [part for part in dict.fromkeys(parts) if part not in known]
        if new:
            if len(known) > KEEP:
                known = self._known = {}
                new = list(dict.fromkeys(parts))
            known.update(zip(new, self._new(new), strict=True))
        return [known[part] for part in parts]

    def _new(self, parts: list[str]) -> list[int]:
        self._asked += 1
        if sum(map(len, parts)) > FEW or self._asked > OFTEN:
            self._tiktoken = self._exact()
        if self._tiktoken is None:
            return few_sizes(self._name, parts)
        sizes: list[int] = self._tiktoken.sizes(parts)
        return sizes


_Parts = list[tuple[int, str]]  # (number of the text, a part of it)


def _by_trust(texts: list[str], young: set[str]) -> tuple[_Parts, _Parts]:
    """(what is without the characters in `young`, the words that have them)."""
    sure: _Parts = []
    unsure: _Parts = []
    for i, text in enumerate(texts):
        if text.isascii() or young.isdisjoint(text):
            sure.append((i, text))
            continue
        for trusted, words in groupby(_CUT.split(text), young.isdisjoint):
            (sure if trusted else unsure).append((i, "".join(words)))
    return sure, unsure


def few_sizes(name: str, texts: list[str]) -> list[int]:
    """Tokens of each text, by tiktoken with no other tokens than those that occur in the texts, which are all
    it could use: it counts the same, and is ready in a third of the time with next to no memory."""
    import tiktoken._tiktoken as rust  # type: ignore[import-not-found]

    joined = "".join(texts).encode()  # more tokens than needed do no harm
    published = vocabulary.published(name, lambda name: vocabulary.some_ranks(name, joined))
    core = rust.CoreBPE(published["mergeable_ranks"], {}, published["pat_str"])
    return [len(core.encode_ordinary(text)) for text in texts]


def _mended(text: str) -> str:
    """Halves of characters put together, or replaced where the other half is missing."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _young_in(text: str) -> set[str]:
    """The characters of YOUNG in a text. UnicodeEncodeError: it holds half a character."""
    import numpy as np

    data = text.encode()
    first, second = _beginnings()
    at = np.flatnonzero(np.frombuffer(data.translate(first), np.bool_))
    raw = np.frombuffer(data, np.uint8)
    at = at[second[raw[at], raw[at + 1]]]  # most are gone after this look at two bytes
    found = {data[i : i + 4].decode("utf-8", "ignore")[0] for i in at.tolist()}
    return {char for char in found if ord(char) in _young()}


@functools.cache
def _young() -> frozenset[int]:
    return frozenset(young())


@functools.cache
def _beginnings() -> tuple[bytes, NDArray[np.bool_]]:
    """(for each byte whether one of YOUNG begins with it in UTF-8, the same for each two bytes)."""
    import numpy as np

    raw = np.frombuffer("".join(map(chr, young())).encode(), np.uint8)
    at = np.flatnonzero(raw >= 0xC0)
    two = np.zeros((256, 256), np.bool_)
    two[raw[at], raw[at + 1]] = True
    return two.any(1).tobytes(), two


def load(name: str, exact: Callable[[], Any]) -> FastEncoder | None:
    """The fast encoder of a vocabulary; None where there is none, it is turned off or it counts wrong.

    exact: gives the encoder for what it is not trusted with, asked for only when needed."""
    if os.environ.get(OFF) == "0":
        return None
    try:
        from toktok import batch_count  # type: ignore[import-not-found,import-untyped,unused-ignore]

        expected = [counts[name == "cl100k_base"] for _, *counts in PROBES]
        if batch_count([text for text, *_ in PROBES], name, threads=1) != expected:
            return None
    except Exception:  # noqa: BLE001 - whatever is wrong with it, tiktoken counts as well
        return None
    return FastEncoder(name, batch_count, exact)
