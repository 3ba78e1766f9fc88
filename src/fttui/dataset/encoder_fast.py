"""The same counts from toktok (the extra `fast`): a compiled encoder, many times as fast as tiktoken.

It is trusted as far as it was compared: every code point in ten contexts equals tiktoken's count. Texts with
characters younger than Unicode 14 go to tiktoken all the same, because which class they are in depends on
the Unicode tables either was built with; so do half characters, which toktok refuses. And before it is used
at all it has to count a few known texts.
"""

# ruff: noqa: E501 - the table of texts reads better on one line

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

OFF = "FTTUI_FAST"  # environment: 0 counts with tiktoken even where toktok is installed
# Halves of characters, and what came with Unicode 15, 15.1, 16 and 17.
_NOT_SURE = re.compile(
    "[\ud800-\udfff"
    "\u0558\u058b-\u058c\u05c8-\u05c9\u088f\u0897\u0b53-\u0b54\u0c5c\u0cdc\u0cf3\u0ece"
    "\u1acf-\u1af0\u1b4e-\u1b4f\u1b7f\u1c89-\u1c8a\u208f\u209d-\u209f\u20c1-\u20c4\u2427-\u2429"
    "\u2b96\u2e60-\u2e63\u2ffc-\u2fff\u31e4-\u31ef\ua7cb-\ua7cf\ua7d2\ua7d4\ua7da-\ua7f1"
    "\uab6c-\uab6d\ufbc3-\ufbd2\ufd90-\ufd91\ufdc8-\ufdce\U000105c0-\U000105f3"
    "\U000107bb-\U000107bf\U00010940-\U00010959\U00010d40-\U00010d8f\U00010ec2-\U00010eff"
    "\U0001123f-\U00011241\U00011380-\U000113e2\U000116d0-\U000116e3\U00011b00-\U00011bf9"
    "\U00011db0-\U00011df1\U00011f00-\U00011f5a\U0001246f\U00012475-\U0001247f"
    "\U00012550-\U00012686\U0001342f\U00013439-\U000143fa\U00016100-\U00016139"
    "\U00016d40-\U00016d79\U00016ea0-\U00016ed3\U00016ff2-\U00016ff6\U000187f8-\U000187ff"
    "\U00018cd6-\U00018cff\U00018d09-\U000191d2\U0001b123-\U0001b132\U0001b155\U0001b168"
    "\U0001cc00-\U0001cefd\U0001d127-\U0001d128\U0001d1eb-\U0001d1ff\U0001d250-\U0001d2d3"
    "\U0001d6a6\U0001db00-\U0001db1c\U0001df1f-\U0001dfff\U0001e030-\U0001e08f"
    "\U0001e4d0-\U0001e6ff\U0001f1ae\U0001f6d8-\U0001f6dc\U0001f774-\U0001f77f"
    "\U0001f7d9-\U0001f7db\U0001f7f1-\U0001f7ff\U0001f8b2-\U0001f8d8\U0001fa54-\U0001fa57"
    "\U0001fa75-\U0001fa77\U0001fa87-\U0001fa8f\U0001faad-\U0001faaf\U0001fabb-\U0001fabf"
    "\U0001fac6-\U0001facf\U0001fada-\U0001fadf\U0001fae8-\U0001faef\U0001faf7-\U0001fafa"
    "\U0001fbcb-\U0001fbef\U0001fbfa\U0002b739-\U0002b73f\U0002b81e\U0002cea2-\U0002cead"
    "\U0002ebf0-\U0002ee5d\U00031350-\U0003fc3f"
    "]"
)
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
        unsure = [i for i, text in enumerate(texts) if _unsure(text)]
        if not unsure:
            return self._count(texts, self._name, threads=1)
        sure = [text for i, text in enumerate(texts) if i not in set(unsure)]
        counts = iter(self._count(sure, self._name, threads=1))
        exact = dict(
            zip(unsure, self._exact().sizes_apart([texts[i] for i in unsure]), strict=True)
        )
        return [exact[i] if i in exact else next(counts) for i in range(len(texts))]

    def size(self, text: str) -> int:
        """Tokens of one text."""
        if _unsure(text):
            return self._exact().size(text)
        return self._count([text], self._name, threads=1)[0]


def _unsure(text: str) -> bool:
    """Whether a text has a character toktok is not trusted with. Looks at each different one only once:
    the pattern is slow, texts repeat their characters."""
    if text.isascii():
        return False
    try:
        beyond = set(text.encode().translate(None, _ASCII).decode())
    except UnicodeEncodeError:
        return True
    for char in beyond - _sure:
        if _NOT_SURE.match(char):
            return True
        _sure.add(char)
    return False


_ASCII = bytes(range(128))
_sure: set[str] = set()


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
