"""Text to token ids and back, with the vocabulary and the merges a GGUF file carries.

The byte-pair encoding itself is tiktoken's; its ranks are the file's merge order. A file that lists
no merge for a token can never produce it, as in the original tokenizer.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from typing import Any

from fttui.local.gguf import GGUF, broken

# `tokenizer.ggml.pre` → how text is cut before the merges, as llama.cpp (src/llama-vocab.cpp) names them.
# SmolLM2 cuts every digit off first, so blanks before a digit are one piece: hence its own `\s+(?=\p{N})`.
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_SMOLLM = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?=\p{N})|\s+(?!\S)|\s+"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = {
    "smollm": _SMOLLM,
    "default": _GPT2,
    "gpt-2": _GPT2,
    "llama-bpe": _LLAMA3,
    "llama3": _LLAMA3,
}
_CONTROL, _USER_DEFINED = 3, 4  # values of tokenizer.ggml.token_type


def byte_letters() -> dict[str, int]:
    """GPT-2's printable letter for each byte, letter → byte (openai/gpt-2, encoder.py)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    pairs = [(chr(byte), byte) for byte in plain]
    return dict(pairs + [(chr(256 + i), byte) for i, byte in enumerate(others)])


class Tokenizer:
    """`.encode(text)`, `.decode(ids)`; special tokens are read in text only where asked for."""

    def __init__(
        self,
        tokens: Sequence[str],
        merges: Sequence[str],
        special: Iterable[int],
        pattern: str,
    ) -> None:
        import tiktoken  # here, so that reading a header alone stays light

        letters = byte_letters()
        self.special = {tokens[i]: i for i in special}
        specials = set(self.special.values())
        ids = {text: i for i, text in enumerate(tokens) if i not in specials}
        self._bytes = [
            text.encode() if i in specials else bytes(letters[c] for c in text if c in letters)
            for i, text in enumerate(tokens)
        ]
        # Ranks: single bytes, then every merge in its order; a byte the vocabulary lacks keeps a rank
        # (tiktoken needs all 256) and is dropped from the result, as the original does.
        ranks: dict[bytes, int] = {bytes([byte]): i for i, byte in enumerate(letters.values())}
        self._ids = {ranks[bytes([byte])]: ids.get(letter) for letter, byte in letters.items()}
        for merge in merges:
            text = merge.replace(" ", "", 1)
            piece = bytes(letters[c] for c in text)
            if text in ids and piece not in ranks:
                self._ids[len(ranks)] = ids[text]
                ranks[piece] = len(ranks)
        self._bpe = tiktoken.Encoding(
            "gguf", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
        )
        longest_first = sorted(self.special, key=len, reverse=True)
        self._split = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")
        self.size = len(tokens)

    @classmethod
    def of(cls, file: GGUF) -> Tokenizer:
        """The tokenizer of a model file; Problem where it is of a kind not supported."""
        data: dict[str, Any] = file.metadata
        model, pre = data.get("tokenizer.ggml.model"), data.get("tokenizer.ggml.pre", "default")
        if model != "gpt2" or pre not in PATTERNS:
            known = ", ".join(sorted(PATTERNS))
            raise broken(file.path, f"its tokenizer is {model}/{pre}; read are gpt2 with {known}")
        tokens, merges = data.get("tokenizer.ggml.tokens"), data.get("tokenizer.ggml.merges")
        if not tokens or merges is None:
            raise broken(file.path, "it carries no vocabulary")
        kinds = data.get("tokenizer.ggml.token_type") or []
        special = [i for i, kind in enumerate(kinds) if kind in (_CONTROL, _USER_DEFINED)]
        try:
            return cls(tokens, merges, special, PATTERNS[pre])
        except (KeyError, ValueError) as error:
            raise broken(file.path, f"its vocabulary is damaged ({error})") from error

    def encode(self, text: str) -> list[int]:
        """Ids of ordinary text: nothing in it is taken for a special token."""
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        found = (self._ids[rank] for rank in self._bpe.encode_ordinary(text))
        return [token for token in found if token is not None]

    def pieces(self, text: str) -> list[str]:
        """`text` cut so that every special token stands alone."""
        return [piece for piece in self._split.split(text) if piece] if self.special else [text]

    def token_bytes(self, token: int) -> bytes:
        return self._bytes[token]

    def decode(self, ids: Iterable[int]) -> str:
        return b"".join(self._bytes[i] for i in ids).decode("utf-8", "replace")


class StreamDecoder:
    """Turns tokens into text one at a time; a character cut between tokens waits for its rest."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        return self._decoder.decode(self._tokenizer.token_bytes(token))

    def finish(self) -> str:
        return self._decoder.decode(b"", True)
