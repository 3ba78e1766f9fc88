"""The local model: loaded once, shared by every adapter, in pure NumPy.

model = load_model("SmolLM2-135M-Instruct.Q4_1.gguf")
for piece in model.generate([{"role": "user", "content": "Hello"}]):
    print(piece.text, end="")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fttui.local import lora
from fttui.local.generate import Choice, Piece, generate
from fttui.local.gguf import GGUF, broken
from fttui.local.template import CHATML, Template
from fttui.local.tokenizer import Tokenizer
from fttui.local.weights import Config, Weights, read_config, read_weights
from fttui.problem import Problem

__all__ = ["Model", "Piece", "load_adapter", "load_model"]

Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Model:
    """Weights, tokenizer and chat template of one base model. Safe to use from several threads."""

    path: Path
    config: Config
    weights: Weights
    tokenizer: Tokenizer
    template: Template
    ends: frozenset[int]
    dtype: Any

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        return self.config.context

    def count_tokens(self, messages: Messages, tools: Sequence[Any] | None = None) -> int:
        """Tokens of the prompt `generate` reads for these messages."""
        return len(self.template.prompt(messages, tools))

    def load_adapter(self, folder: str | Path) -> lora.Adapter:
        """A checkpoint's adapter, to be passed to `generate`; the base stays as it is."""
        return lora.load(Path(folder), self.config, self.dtype)

    def generate(
        self,
        messages: Messages,
        *,
        adapter: lora.Adapter | None = None,
        max_tokens: int = 256,
        temperature: float = 1.0,
        top_p: float = 1.0,
        seed: int | None = None,
        stop: Sequence[str] | str | None = None,
        presence_penalty: float = 0.0,
        frequency_penalty: float = 0.0,
        tools: Sequence[Any] | None = None,
    ) -> Iterator[Piece]:
        """The assistant's next message, piece by piece; the last piece has the finish reason.

        The same seed and settings give the same answer. Problem (context_length_exceeded) where the
        prompt leaves no room.
        """
        prompt = self.template.prompt(messages, tools)
        if len(prompt) >= self.context:
            raise Problem(
                "the conversation is too long for this model",
                f"it has {len(prompt):,} tokens; the model reads {self.context:,}",
                "shorten the messages",
                code="context_length_exceeded",
            )
        stops = [stop] if isinstance(stop, str) else list(stop or [])
        return generate(
            self,
            prompt,
            adapter=adapter,
            max_tokens=max_tokens,
            choice=Choice(temperature, top_p, presence_penalty, frequency_penalty),
            seed=seed,
            stop=stops,
        )


def load_model(path: str | Path, dtype: Any = np.float32) -> Model:
    """Load a GGUF file; about a second and 0.6 GB for 135M parameters. Problem where it is unusable."""
    file = GGUF(path)
    config = read_config(file)
    tokenizer = Tokenizer.of(file)
    eos = file.metadata.get("tokenizer.ggml.eos_token_id")
    if not isinstance(eos, int) or not 0 <= eos < config.vocabulary:
        raise broken(file.path, "it does not say which token ends an answer")
    source = file.metadata.get("tokenizer.chat_template") or CHATML
    bos = file.metadata.get("tokenizer.ggml.bos_token_id")
    marks = {"<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end_of_text|>"}
    ends = {eos} | {tokenizer.special[mark] for mark in marks & set(tokenizer.special)}
    return Model(
        path=file.path,
        config=config,
        weights=read_weights(file, config, dtype),
        tokenizer=tokenizer,
        template=Template(source, tokenizer, eos, bos),
        ends=frozenset(ends),
        dtype=dtype,
    )


def load_adapter(folder: str | Path, model: Model) -> lora.Adapter:
    """Same as `model.load_adapter(folder)`."""
    return model.load_adapter(folder)
