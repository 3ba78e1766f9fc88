"""Exact token counts: tiktoken's own, many texts at a time, guarded against what makes it panic.

How an example is counted (an account of OpenAI's chat template that matched its dashboard;
reference: amitness.com/notes/openai-finetuning-cost, 2025-03):

    message  = 3 special tokens + 1 role + content + name (+1) + each tool call
    example  = its messages + its tools' schema
    trained  = content, calls and 1 end mark of every assistant message with weight ≠ 0
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator

from fttui.dataset.encoder import encoder

MESSAGE = 4  # <|im_start|> role <|im_sep|> … <|im_end|>
PIECE = 200_000  # characters passed on in one go
SPACES = 500_000  # a longer run of blanks makes tiktoken panic (seen at 1,000,000)
KEEP_SHORT = 400  # counts of texts up to this length are remembered: system prompts repeat
KEEP_MANY = 10_000
BLOCK = 1 << 18  # characters counted together: more would only take more memory

# Everything newer than these speaks o200k_base.
CL100K = ("gpt-3.5", "gpt-35", "gpt-4-", "babbage-002", "davinci-002", "text-embedding-")


def base_model(name: str) -> str:
    """The base of any model name: `ft:gpt-4.1-…:org::id`, `gpt-4.1-….ft-hex`, `…:ckpt-step-9`."""
    name = name.strip()
    if name.startswith("ft:"):
        name = name[3:]
    return name.split(":", 1)[0].split(".ft-", 1)[0]


def encoding_for(model: str) -> str:
    """The encoding of a model by any of its names; unknown ones are new ones: o200k_base."""
    base = base_model(model)
    return "cl100k_base" if base == "gpt-4" or base.startswith(CL100K) else "o200k_base"


def count(text: str, encoding: str = "o200k_base") -> int:
    """Tokens of one text."""
    return counter(encoding).count(text)


_counters: dict[str, TokenCounter] = {}


def counter(encoding: str = "o200k_base") -> TokenCounter:
    """A counter of an encoding that all share."""
    if encoding not in _counters:
        _counters[encoding] = TokenCounter(encoding)
    return _counters[encoding]


class TokenCounter:
    """Counts texts in one encoding. `estimated` tells how many could not be counted exactly."""

    def __init__(self, encoding: str) -> None:
        self.encoder = encoder(encoding)
        self._lock = threading.Lock()  # several threads may ask the same counter
        self.estimated = 0
        self._known: dict[str, int] = {"": 0}

    def count(self, text: str) -> int:
        return self.count_all([text])[0]

    def count_all(self, texts: list[str]) -> list[int]:
        """Tokens of each text. Equal texts are counted once, short ones are remembered."""
        with self._lock:
            return self._count_all(texts)

    def _count_all(self, texts: list[str]) -> list[int]:
        known = self._known
        # In their order, which is the one they have in memory: a sixth faster than any other.
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        for group in _groups(fresh):
            known.update(zip(group, self._count_group(group), strict=True))
        result = list(map(known.__getitem__, texts))
        for text in fresh:
            if len(text) > KEEP_SHORT:
                del known[text]
        if len(known) > KEEP_MANY:
            known.clear()
            known[""] = 0
        return result

    def _count_group(self, texts: list[str]) -> list[int]:
        if len(texts) == 1 and len(texts[0]) > PIECE:
            return [self._count_one(texts[0])]
        try:
            return self.encoder.sizes(texts)
        except BaseException as failure:  # noqa: BLE001 - a Rust panic is no Exception
            _reraise_exit(failure)
            return [self._count_one(text) for text in texts]

    def _count_one(self, text: str) -> int:
        blanks = 0
        if len(text) >= SPACES:
            text, blanks = _without_long_blanks(text)
        parts = list(pieces(text))
        # Half a megabyte without a blank takes tiktoken minutes: cut anywhere, off by a token a cut.
        hard = [part[i : i + 2 * PIECE] for part in parts for i in range(0, len(part), 2 * PIECE)]
        cut = len(text) >= SPACES and len(hard) > len(parts)
        self.estimated += bool(blanks or cut)
        return sum(map(self._plain, hard if cut else parts)) + blanks

    def _plain(self, text: str) -> int:
        try:
            return self.encoder.size(text)
        except BaseException as failure:  # noqa: BLE001 - a Rust panic is no Exception
            _reraise_exit(failure)
            self.estimated += 1
            return -(-len(text.encode("utf-8", "replace")) // 4)


def _reraise_exit(failure: BaseException) -> None:
    if isinstance(failure, (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError)):
        raise failure


def _groups(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts in groups of about BLOCK characters; a long text is alone."""
    group: list[str] = []
    size = 0
    for text in texts:
        if size + len(text) > BLOCK and group:
            yield group
            group, size = [], 0
        group.append(text)
        size += len(text)
        if len(text) > PIECE:
            group.pop()
            size -= len(text)
            yield [text]
    if group:
        yield group


_CUT = re.compile(r"(?<=\S) ")


def pieces(text: str, size: int = PIECE) -> Iterator[str]:
    """`text` in parts whose counts add up exactly: cut only before a space that follows no blank,
    where both vocabularies' patterns always break: no branch holds a space that is not its first."""
    start = 0
    while len(text) - start > size:
        cut = _CUT.search(text, start + size)
        if cut is None:
            break
        yield text[start : cut.start()]
        start = cut.start()
    yield text[start:] if start else text


_LONG_BLANKS = re.compile(rf"\s{{{SPACES},}}")


def _without_long_blanks(text: str) -> tuple[str, int]:
    """`text` with runs of blanks too long for tiktoken cut out, and an estimate of their tokens."""
    blanks = 0

    def note(match: re.Match[str]) -> str:
        nonlocal blanks
        # One token holds at most 128 blanks; half that keeps to the safe side of a limit.
        blanks += -(-(match.end() - match.start()) // 64)
        return " "

    return _LONG_BLANKS.sub(note, text), blanks
