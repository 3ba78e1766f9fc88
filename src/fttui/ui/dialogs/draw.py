"""Examples drawn by seed: a sample, or those held out for validation. Shown as they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from fttui.text import plural
from fttui.ui.dialogs.copy import CopyDialog, copy_name
from fttui.ui.dialogs.part import Shown, examples
from fttui.ui.text import Part, say
from fttui.ui.widgets.text_view import Line, TextView

TYPING = 0.12  # seconds without a letter before others are drawn
SHARE = 0.2  # held out, unless another share is asked for

# (how many, seed) → what that gives in words, the first examples of it, and how many there are.
Draw = Callable[[int, int], tuple[list[Part], Sequence[Shown], int]]


class DrawDialog(CopyDialog):
    """Asks how many examples, and the seed; shows which ones these are. `n` and `seed` hold the answer."""

    DEFAULT_CSS = """
    DrawDialog #fields { height: 1; margin-bottom: 1; }
    DrawDialog.-tiny #fields { margin: 0; }
    DrawDialog #fields Label { width: auto; }
    DrawDialog #fields Input { width: 16; margin: 0 3 0 1; }
    """
    LOOK = "look   tab next field"
    FIELD = "examples"

    def __init__(self, title: str, name: Path, most: int, n: int, draw: Draw) -> None:
        """most: the largest number that can be asked for; n: the one that is suggested."""
        super().__init__(title, name)
        self._most, self._draw = most, draw
        self._shown: Sequence[Shown] = ()
        self._asked: list[str] = []
        self._of = 0  # examples the shown ones are the first of
        self.n, self.seed = n, 42
        self.drawn = (0, 0)  # how many and the seed of those that are shown

    def fields(self) -> Iterable[Widget]:
        with Horizontal(id="fields"):
            yield Label(self.FIELD)
            yield Input(f"{self.n}", compact=True, id="n", placeholder="100 or 10%")
            yield Label("seed")
            yield Input(f"{self.seed}", compact=True, id="seed")

    def on_mount(self) -> None:
        self._again(0)

    def preview(self, width: int) -> list[Line]:
        return examples(self._shown, self._of, width, ("+ ", "ok"))

    def complaint(self) -> str:
        n = amount(self.query_one("#n", Input).value, self._most)
        seed = self.query_one("#seed", Input).value.strip()
        if n is None:
            return f"{self.FIELD}: a number from 1 to {self._most:,}, or a share such as 10%"
        if not seed.isdecimal() or len(seed) > 18:
            return "seed: a whole number; the same one draws the same examples"
        self.n, self.seed = n, int(seed)
        return ""

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id != "name":
            self._again(TYPING)

    def _again(self, wait: float) -> None:
        asked = [field.value for field in self.query("#fields Input").results(Input)]
        if asked == self._asked:
            return
        self._asked = asked
        complaint = self.complaint()
        self.complain(complaint)
        self.run_worker(
            partial(self._show, wait, not complaint),  # type: ignore[arg-type]
            group="draw",
            exclusive=True,
            exit_on_error=False,
        )

    async def _show(self, wait: float, valid: bool) -> None:
        await asyncio.sleep(wait)
        n, seed = (self.n, self.seed) if valid else (0, 0)
        facts: list[Part] = []
        shown: Sequence[Shown] = ()
        of = 0
        if valid:
            facts, shown, of = await asyncio.to_thread(self._draw, n, seed)
        self._shown, self._of, self.drawn = shown, of, (n, seed)
        self.query_one("#counts", Static).update(say(*facts))
        self.query_one(TextView).show(self.preview)


class SampleDialog(DrawDialog):
    """Answers the path to write the sample to."""

    def __init__(self, source: Path, total: int, draw: Draw) -> None:
        title = f"A sample of the {plural(total, 'example')} of {source.name}"
        name = copy_name(source, "sample")
        super().__init__(title, name, total, min(100, max(1, total // 2)), draw)


class SplitDialog(DrawDialog):
    """Answers what the names of the two files begin with."""

    NOTE = "The file stays; NAME.train.jsonl and NAME.validation.jsonl are new"
    FIELD = "for validation"

    def __init__(self, source: Path, total: int, draw: Draw) -> None:
        title = f"Split the {plural(total, 'example')} of {source.name}"
        super().__init__(title, free_stem(source), total - 1, max(1, round(total * SHARE)), draw)

    def written(self, name: Path) -> tuple[Path, ...]:
        return halves(name)


def halves(stem: Path) -> tuple[Path, Path]:
    """The two files of a split."""
    return stem.with_name(f"{stem.name}.train.jsonl"), stem.with_name(
        f"{stem.name}.validation.jsonl"
    )


def free_stem(source: Path) -> Path:
    """`shop` for shop.jsonl; `shop-2` where there is such a split already."""
    stem = source.name.removesuffix(".jsonl")
    names = (source.with_name(stem if n == 1 else f"{stem}-{n}") for n in range(1, 10_000))
    return next(name for name in names if not any(path.exists() for path in halves(name)))


def amount(text: str, total: int) -> int | None:
    """`100`, `1,000` or `10%` of `total`; None for anything else, or more than there are."""
    text = text.strip().replace(",", "")
    share = text.endswith("%")
    number = text[:-1].strip() if share else text
    whole, _, rest = number.partition(".")
    if not whole.isdecimal() or len(number) > 12 or (rest and not (share and rest.isdecimal())):
        return None
    n = round(total * float(number) / 100) if share else int(number)
    return n if 1 <= n <= total else None
