"""A dataset in two parts, or in another shape: looked at first, written to new files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.text import one_line, plural
from fttui.ui import copies
from fttui.ui.copies import Source
from fttui.ui.dialogs.working import Work, working
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.dataset.convert import Converted
    from fttui.dataset.split import Halves
    from fttui.ui.app import FttuiApp
    from fttui.ui.dialogs.part import Shown

CLASSES = 4  # named


async def split(app: FttuiApp, source: Source) -> None:
    """Ask how much goes to validation, show what, and write both files."""
    from fttui.dataset import split as splitting
    from fttui.ui.dialogs.draw import SplitDialog, halves

    copies.same_file(app, source)
    found = await working(
        app, f"Looking for equal prompts in {source.path.name}", source.lines,
        lambda told, cancelled: splitting.groups(
            source.path, on_progress=told, cancelled=cancelled
        ),
    )  # fmt: skip
    if found is None:
        return
    if found.examples < 2:
        app.notify("two examples are needed to split a file", severity="warning", timeout=4)
        return

    def draw(n: int, seed: int) -> tuple[list[Part], Sequence[Shown], int]:
        chosen, made = splitting.choose(found, n / found.examples, seed)
        lines = [line + 1 for line in chosen]
        _, shown = copies.facts(app, source, lines, keep=True)
        return _told(made), shown, len(chosen)

    def work(stem: Path) -> Work[int]:
        def write(told: copies.Told, cancelled: copies.Cancelled) -> int:
            chosen, _ = splitting.choose(found, dialog.n / found.examples, dialog.seed)
            splitting.write(
                source.path, *halves(stem), chosen, on_progress=told, cancelled=cancelled
            )
            return len(chosen)

        return write

    dialog = SplitDialog(source.path, found.examples, draw)
    made = await copies.written(app, source, dialog, work)
    if made is None:
        return
    train, validation = halves(made[0])
    held = made[1]
    said = f"{plural(found.examples - held, 'example')}, and {held:,} in {validation.name}"
    await copies.offer(app, source, train, said, validation)


def _told(made: Halves) -> list[Part]:
    """What is on each side, and why no other examples."""
    parts: list[Part] = [
        (f"{plural(made.train, 'example')} to train on", "bold"),
        f", {made.validation:,} to validate with",
    ]
    if made.groups:
        parts.append(
            (f"\n{plural(made.groups, 'group')} of equal or same-prompt examples kept on one side",
             "dim")
        )  # fmt: skip
    ranked = sorted(made.classes.items(), key=lambda item: -item[1][1])
    shares = [f"{one_line(name, 20)} {taken:,} of {size:,}" for name, (taken, size) in ranked]
    if shares:
        more = f" and {len(shares) - CLASSES} more" if len(shares) > CLASSES else ""
        said = f"\neach class in proportion: {', '.join(shares[:CLASSES])}{more}"
        parts.append((said, "dim"))
    return parts


async def convert(app: FttuiApp, source: Source) -> None:
    """Show what the rows become, and write it."""
    from fttui.dataset import convert as converting
    from fttui.ui.dialogs.convert import ConvertDialog

    to = ""

    def work(output: Path | None) -> Work[Converted]:
        def make(told: copies.Told, cancelled: copies.Cancelled) -> Converted:
            nonlocal to
            to = to or converting.likely(source.path)
            system = dialog.system if dialog is not None else ""
            return converting.convert(
                source.path, output, to=to, system=system, on_progress=told, cancelled=cancelled
            )

        return make

    dialog: ConvertDialog | None = None
    title = f"Reading the rows of {source.path.name}"
    found = await working(app, title, source.lines, work(None))
    if found is None:
        return
    if set(found.shapes) == {"chat"} and not found.skipped:
        app.notify("these are chat examples already: F in Check mends them", timeout=5)
        return
    dialog = ConvertDialog(source.path, found, to)
    made = await copies.written(app, source, dialog, work)
    if made is not None:
        copy, done = made
        left = f", {plural(done.skipped, 'row')} left out" if done.skipped else ""
        await copies.offer(app, source, copy, f"{plural(done.written, 'example')}{left}")
