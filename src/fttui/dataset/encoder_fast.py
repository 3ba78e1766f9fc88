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

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OFF = "FTTUI_FAST"  # environment: 0 counts with tiktoken even where toktok is installed
# Halves of characters, and the letters, marks and numbers that came with Unicode 15 and later. (What else
# came, emoji for instance, is for the patterns what an unknown character is.)
_NOT_SURE = """
d800-dfff 558 58b-58c 5c8-5c9 88f 897 b53-b54 c5c cdc cf3 ece 1acf-1af0 1c89-1c8a 208f 209d-209f
a7cb-a7cf a7d2 a7d4 a7da-a7dd a7e2 a7f1 ab6c-ab6d 105c0-105f3 107bb-107bf 10940-10959
10d40-10d65 10d69-10d6d 10d6f-10d85 10ec2-10ec7 10ecb-10ecf 10ed9-10eee 10ef0-10eff 1123f-11241
11380-11389 1138b 1138e 11390-113b5 113b7-113c0 113c2 113c5 113c7-113ca 113cc-113d3 113e1-113e2
116d0-116e3 11b0a 11b60-11b67 11bc0-11be0 11bf0-11bf9 11db0-11ddb 11de0-11de9 11df0-11df1
11f00-11f10 11f12-11f3a 11f3e-11f42 11f50-11f5a 1246f 12475-1247f 12550-12686 1342f 13440-13455
13460-143fa 16100-16139 16d40-16d6c 16d70-16d79 16ea0-16eb8 16ebb-16ed3 16ff2-16ff6 187f8-187ff
18cd6-18cda 18cff 18d09-18d20 18d80-18df2 18e00-19191 191a0-191d2 1b123-1b128 1b132 1b155 1b168
1ccf0-1ccf9 1d127-1d128 1d250-1d252 1d25b-1d25c 1d25f 1d280-1d281 1d2c0-1d2d3 1d6a6 1df1f-1df81
1df90-1df96 1dfcd-1dfff 1e030-1e06d 1e08f 1e4d0-1e4f9 1e5d0-1e5fa 1e6c0-1e6de 1e6e0-1e6f5
1e6fe-1e6ff 2b739-2b73f 2b81e 2cea2-2cead 2ebf0-2ee5d 31350-33479 3d000-3fc3f
"""
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
    """For every code point whether it is one of _NOT_SURE."""
    import numpy as np

    table = np.zeros(0x110000, bool)
    for item in _NOT_SURE.split():
        first, _, last = item.partition("-")
        table[int(first, 16) : int(last or first, 16) + 1] = True
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
