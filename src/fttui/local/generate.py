"""Answers, one token at a time: the key/value cache, the choice of a token, where to stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fttui.local import layers as math
from fttui.local.lora import Adapter
from fttui.local.tokenizer import StreamDecoder

if TYPE_CHECKING:
    from fttui.local.engine import Model

Array = NDArray[Any]
PROMPT_CHUNK = (
    256  # prompt tokens read in one go: bounds memory, and the wait until a stop is obeyed
)


@dataclass(frozen=True)
class Piece:
    """A bit of an answer. The last one carries `finish_reason`: "stop" or "length".

    `token_id` is None where the piece is no token of its own (held-back text, the end, a long prompt
    still being read).
    """

    text: str
    token_id: int | None = None
    finish_reason: str | None = None


@dataclass(frozen=True)
class Choice:
    """How the next token is chosen, as in the chat API. Temperature 0: the likeliest."""

    temperature: float = 1.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0


class Cache:
    """Keys and values of what was read so far; grows by doubling."""

    def __init__(self, model: Model, room: int) -> None:
        config = model.config
        self.length = 0
        shape = (config.layers, 2, config.kv_heads, max(room, 16), config.head)
        self._store = np.empty(shape, model.dtype)

    def reserve(self, count: int) -> None:
        room = self._store.shape[3]
        if self.length + count <= room:
            return
        shape = list(self._store.shape)
        shape[3] = max(2 * room, self.length + count)
        grown = np.empty(shape, self._store.dtype)
        grown[:, :, :, : self.length] = self._store[:, :, :, : self.length]
        self._store = grown

    def put(self, layer: int, keys: Array, values: Array) -> tuple[Array, Array]:
        """Add [T, kv heads, head] behind what is there; returns all, [kv heads, S, head]."""
        end = self.length + len(keys)
        store = self._store[layer]
        store[0, :, self.length : end] = keys.transpose(1, 0, 2)
        store[1, :, self.length : end] = values.transpose(1, 0, 2)
        return store[0, :, :end], store[1, :, :end]


@math.arithmetic()
def read(model: Model, ids: Sequence[int], cache: Cache, adapter: Adapter | None) -> Array:
    """Read tokens after those in the cache; returns the logits behind the last one [vocabulary]."""
    config, weights = model.config, model.weights
    heads, kv_heads, head = config.heads, config.kv_heads, config.head
    count = len(ids)
    cache.reserve(count)
    cos, sin = math.angles(weights.frequencies, cache.length, count, model.dtype)
    mask = math.causal(count, cache.length + count, model.dtype) if count > 1 else None
    x = weights.embedding[np.asarray(ids)]
    for i, layer in enumerate(weights.layers):
        pairs = adapter.pairs[i] if adapter else {}
        h, _ = math.norm(x, layer.attention_norm, config.epsilon)
        qkv, _ = math.linear(h, layer.qkv, adapter, pairs.get("qkv"))
        qkv = qkv.reshape(count, -1, head)
        math.rotate(qkv[:, : heads + kv_heads], cos, sin)
        keys, values = cache.put(i, qkv[:, heads : heads + kv_heads], qkv[:, heads + kv_heads :])
        q = qkv[:, :heads].reshape(count, kv_heads, heads // kv_heads, head).transpose(1, 2, 0, 3)
        out, _ = math.attend(np.ascontiguousarray(q), keys, values, mask)
        out = out.transpose(2, 0, 1, 3).reshape(count, heads * head)
        out, _ = math.linear(out, layer.o, adapter, pairs.get("o"))
        x = x + out
        h, _ = math.norm(x, layer.mlp_norm, config.epsilon)
        h, _ = math.linear(h, layer.gate_up, adapter, pairs.get("gate_up"))
        h, _ = math.silu_gate(h)
        h, _ = math.linear(h, layer.down, adapter, pairs.get("down"))
        x += h
    cache.length += count
    last, _ = math.norm(x[-1:], weights.norm, config.epsilon)
    logits: Array = (last @ weights.head.T)[0]
    return logits


def choose(logits: Array, choice: Choice, said: Counter[int], random: np.random.Generator) -> int:
    """The next token's id; `said` counts what was said so far, for the penalties."""
    if said and (choice.presence_penalty or choice.frequency_penalty):
        ids = np.fromiter(said, np.int64)
        counts = np.fromiter(said.values(), np.float64)
        logits = logits.copy()
        logits[ids] -= choice.presence_penalty + choice.frequency_penalty * counts
    if choice.temperature <= 0 or choice.top_p <= 0:
        return int(logits.argmax())
    shares = logits.astype(np.float64)
    shares = np.exp((shares - shares.max()) / max(choice.temperature, 1e-3))
    shares /= shares.sum()
    if choice.top_p >= 1:
        return int(random.choice(len(shares), p=shares))
    order = np.argsort(-shares, kind="stable")
    kept = order[: int(np.searchsorted(np.cumsum(shares[order]), choice.top_p)) + 1]
    few = shares[kept] / shares[kept].sum()
    return int(kept[random.choice(len(kept), p=few)])


class Stops:
    """Watches a stream for stop texts; text that may be the beginning of one is held back."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""

    def push(self, text: str) -> tuple[str, bool]:
        """What may be shown now, and whether a stop text came."""
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            return self._held[: min(found)], True
        keep = max((self._overlap(stop) for stop in self._stops), default=0)
        shown = self._held[: len(self._held) - keep]
        self._held = self._held[len(shown) :]
        return shown, False

    def _overlap(self, stop: str) -> int:
        longest = min(len(stop) - 1, len(self._held))
        return next((n for n in range(longest, 0, -1) if self._held.endswith(stop[:n])), 0)

    def rest(self) -> str:
        held, self._held = self._held, ""
        return held


def generate(
    model: Model,
    prompt: Sequence[int],
    *,
    adapter: Adapter | None,
    max_tokens: int,
    choice: Choice,
    seed: int | None,
    stop: Sequence[str],
) -> Iterator[Piece]:
    """Continue `prompt`; see `Model.generate`."""
    random = np.random.default_rng(seed)
    cache = Cache(model, len(prompt) + min(max_tokens, 256))
    for low in range(0, len(prompt), PROMPT_CHUNK):
        if low:
            yield Piece("")
        logits = read(model, prompt[low : low + PROMPT_CHUNK], cache, adapter)
    decoder, stops, said = StreamDecoder(model.tokenizer), Stops(stop), Counter[int]()
    reason = "length"
    for _ in range(min(max_tokens, model.context - len(prompt))):
        token = choose(logits, choice, said, random)
        if token in model.ends:
            reason = "stop"
            break
        said[token] += 1
        text, hit = stops.push(decoder.push(token))
        yield Piece(text, token)
        if hit:
            yield Piece("", None, "stop")
            return
        if said.total() < max_tokens:
            logits = read(model, [token], cache, adapter)
    tail, hit = stops.push(decoder.finish())
    tail += "" if hit else stops.rest()
    yield Piece(tail, None, "stop" if hit else reason)
