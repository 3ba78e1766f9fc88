"""The same counts from toktok (the extra `fast`): a compiled encoder, many times as fast as tiktoken.

It is trusted as far as it was compared: every code point in ten contexts equals tiktoken's count. Texts with
letters, marks or numbers younger than Unicode 14 go to tiktoken all the same, because whether they are known
as such depends on the Unicode tables either was built with; so do half characters, which toktok refuses. And
before it is used at all it has to count a few known texts.
"""

# ruff: noqa: E501 - the table of texts reads better on one line

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fttui.dataset.pretokens import young

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OFF = "FTTUI_FAST"  # environment: 0 counts with tiktoken even where toktok is installed
_FIRST = 0xD5  # the first byte of U+0540 in UTF-8; bytes as high are always first ones
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
    """toktok where it is sure to be right, `exact` for the rest."""

    def __init__(
        self, name: str, count: Callable[..., list[int]], exact: Callable[[], Any]
    ) -> None:
        self._name, self._count, self._exact = name, count, exact

    def sizes(self, texts: list[str]) -> list[int]:
        """Tokens of each text."""
        beyond = [i for i, text in enumerate(texts) if not text.isascii()]
        unsure: list[int] = []
        if beyond and _unsure(*[texts[i] for i in beyond]):
            unsure = [i for i in beyond if _unsure(texts[i])]
        dropped = set(unsure)
        sure = [text for i, text in enumerate(texts) if i not in dropped] if unsure else texts
        counts = self._count(sure, self._name, threads=1)
        if not unsure:
            return counts
        for i in unsure:  # in order: each takes the place it has in the whole
            counts.insert(i, self._exact().size(texts[i]))
        return counts

    def size(self, text: str) -> int:
        """Tokens of one text."""
        if not text.isascii() and _unsure(text):
            return self._exact().size(text)
        return self._count([text], self._name, threads=1)[0]


def _unsure(*texts: str) -> bool:
    """Whether one of the texts has a character toktok is not trusted with."""
    import numpy as np

    try:
        data = np.frombuffer(b"".join([text.encode() for text in texts]) + bytes(3), np.uint8)
    except UnicodeEncodeError:
        return True  # half a character
    at = np.flatnonzero(data >= _FIRST)  # where the characters begin that may be one
    lead = data[at]
    code = lead.astype(np.uint32)
    for step, longer in ((1, 0xC0), (2, 0xE0), (3, 0xF0)):
        more = lead >= longer
        code[more] = code[more] << 6 | data[at[more] + step] & 0x3F
    # What is left of the mark that says how many bytes there are.
    code &= np.where(lead < 0xE0, 0x7FF, np.where(lead < 0xF0, 0xFFFF, 0x1FFFFF)).astype(np.uint32)
    return bool(_not_sure()[code].any())


@functools.cache
def _not_sure() -> NDArray[np.bool_]:
    """For every code point whether it is one of YOUNG."""
    import numpy as np

    table = np.zeros(0x110000, bool)
    table[young()] = True
    return table


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
