"""What the lines of a stretch leave to be done for all of them together: search, count, compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fttui.dataset.checks.answers import BETWEEN
from fttui.dataset.checks.context import Context


@dataclass(slots=True)
class Pending:
    """One entry an example in every list but `texts`, which has those of all in a row, and `answers`."""

    texts: list[str] = field(default_factory=list)  # of all examples
    spans: list[tuple[Sequence[bool], int, int]] = field(default_factory=list)
    kinds: list[tuple[str, int]] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)  # texts with BETWEEN before each
    said: list[tuple[Sequence[str], Sequence[bool]]] = field(default_factory=list)  # as they stand
    answers: list[bytes] = field(default_factory=list)  # of the examples that have digests

    def skip(self) -> None:
        """An example that is left alone."""
        self.take_texts([], "", -1)

    def take_texts(self, texts: list[str], kind: str, offset: int) -> None:
        """Texts that are counted and not looked into."""
        self.data.append(b"")
        self.said.append(((), ()))
        self.count(texts, [False] * len(texts), 0, 0, kind, offset)

    def take(self, context: Context, kind: str) -> None:
        said = [text for text, _ in context.order]
        self.data.append(BETWEEN.join([b"", *[text.encode("utf-8", "replace") for text in said]]))
        self.said.append((said, [trained for _, trained in context.order]))
        flags = [False] * len(context.plain) + [True] * len(context.trained)
        texts = context.plain + context.trained
        self.count(texts, flags, context.fixed, context.fixed_trained, kind, context.offset)

    def count(
        self,
        texts: list[str],
        trained: Sequence[bool],
        fixed: int,
        fixed_trained: int,
        kind: str,
        offset: int,
    ) -> None:
        """Remember what makes up the tokens of an example: texts, and tokens that are no text."""
        self.texts += texts
        self.spans.append((trained, fixed, fixed_trained))
        self.kinds.append((kind, offset))
