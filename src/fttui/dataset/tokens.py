"""Exact token counts: tiktoken's own, many texts at a time, guarded against what makes it panic.

How an example is counted (an account of OpenAI's chat template that matched its dashboard;
reference: amitness.com/notes/openai-finetuning-cost, 2025-03):

    message  = 3 special tokens + 1 role + content + name (+1) + each tool call
    example  = its messages + its tools' schema
    trained  = content, calls and 1 end mark of every assistant message with weight ≠ 0
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fttui.dataset import vocabulary

MESSAGE = 4  # <|im_start|> role <|im_sep|> … <|im_end|>
JOIN = "<|endofprompt|>"  # in both vocabularies: texts on its two sides are encoded apart
PIECE = 200_000  # characters passed on in one go
SPACES = 500_000  # a longer run of blanks makes tiktoken panic (seen at 1,000,000)
KEEP_SHORT = 400  # counts of texts up to this length are remembered: system prompts repeat
KEEP_MANY = 20_000
BLOCK = 1 << 20

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
    """The counter of an encoding; loaded once a process."""
    if encoding not in _counters:
        _counters[encoding] = TokenCounter(encoding)
    return _counters[encoding]


class TokenCounter:
    """Counts texts in one encoding. `estimated` tells how many could not be counted exactly."""

    def __init__(self, encoding: str) -> None:
        self.encoding = vocabulary.encoding(encoding)
        self.estimated = 0
        self._mark = self.encoding.encode_single_token(JOIN).to_bytes(4, "little")
        # encode_to_numpy without numpy: the same call gives the token ids as raw 32-bit numbers.
        self._buffer = getattr(self.encoding._core_bpe, "encode_to_tiktoken_buffer", None)
        self._known: dict[str, int] = {"": 0}

    def count(self, text: str) -> int:
        return self.count_all([text])[0]

    def count_all(self, texts: list[str]) -> list[int]:
        """Tokens of each text. Texts are joined by a special token and encoded together: exact, and
        about twice as fast as one by one."""
        known = self._known
        fresh = list({text for text in texts if text not in known})
        if not fresh:
            return [known[text] for text in texts]
        found: dict[str, int] = {}
        for group in _groups(fresh):
            found.update(zip(group, self._count_group(group), strict=True))
        result = [found[text] if text in found else known[text] for text in texts]
        if len(known) + len(found) > KEEP_MANY:
            known.clear()
        known.update((text, n) for text, n in found.items() if len(text) <= KEEP_SHORT)
        return result

    def _count_group(self, texts: list[str]) -> list[int]:
        joined = JOIN.join(texts)
        if len(joined) >= SPACES and len(texts) == 1 and _LONG_BLANKS.search(joined):
            return [self._count_one(joined)]  # before tiktoken can panic, which prints
        if self._buffer is None or len(joined) > 2 * BLOCK or joined.count(JOIN) != len(texts) - 1:
            return [self._count_one(text) for text in texts]
        try:
            data = bytes(self._buffer(joined, {JOIN}))
        except BaseException as failure:  # noqa: BLE001 - a Rust panic is no Exception
            _reraise_exit(failure)
            return [self._count_one(text) for text in texts]
        return list(_between(data, self._mark))

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
            if (
                self._buffer is not None
                and len(text) > KEEP_SHORT
                and SURROGATE.search(text) is None
            ):
                return memoryview(self._buffer(text, set())).nbytes // 4  # no list is built
            return len(self.encoding.encode_ordinary(text))
        except BaseException as failure:  # noqa: BLE001 - a Rust panic is no Exception
            _reraise_exit(failure)
            self.estimated += 1
            return -(-len(text.encode("utf-8", "replace")) // 4)


def _reraise_exit(failure: BaseException) -> None:
    if isinstance(failure, (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError)):
        raise failure


def _groups(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts in groups of about a million characters; a long text is alone."""
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


def _between(data: bytes, mark: bytes) -> Iterator[int]:
    """Numbers of 4-byte ids between marks."""
    start = position = 0
    while (position := data.find(mark, position)) >= 0:
        if position % 4:
            position += 1
            continue
        yield (position - start) // 4
        position += 4
        start = position
    yield (len(data) - start) // 4


SURROGATE = re.compile("[\ud800-\udfff]")
_CUT = re.compile(r"(?<=[A-Za-z0-9]) ")


def pieces(text: str, size: int = PIECE) -> Iterator[str]:
    """`text` in parts whose counts add up exactly: cut only before a blank that follows an ASCII letter
    or digit, where both vocabularies' patterns always break."""
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
