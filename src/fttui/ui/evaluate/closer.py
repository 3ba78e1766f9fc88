"""From a result onwards: the nearest training examples, what to add next, a file of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.text import one_line, plural
from fttui.ui.evaluate import filters
from fttui.ui.evaluate.filters import Filter
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.evaluate.records import Case
    from fttui.service.eval_ready import Ready
    from fttui.service.eval_result import Result
    from fttui.ui.app import FttuiApp

NEAREST = 12


def confirm(app: FttuiApp, ready: Ready, then: Callable[[], None]) -> None:
    """Money is spent only after a yes."""
    from fttui.service.eval_result import paid_hosts
    from fttui.ui.dialogs.confirm import Confirm

    hosts = ", ".join(paid_hosts(ready.plan))
    body: list[Part] = [f"{plural(ready.left, 'question')} to {hosts}\n"]
    for price in ready.prices:
        count = plural(price.asks, "question")
        body.append(
            f"  {one_line(price.model, 40)}: {count}, {price.prompt_tokens:,} prompt tokens\n"
        )
    body += ["\nIt costs ", (ready.cost, "bold")]
    app.push_screen(
        Confirm("Ask them now?", body, yes="Ask", no="Not now", danger=False),
        lambda yes: then() if yes else None,
    )


def nearest(app: FttuiApp, done: Result, case: Case) -> None:
    """Offer the training examples most like a prompt; the chosen one is opened in Data."""
    training, train = done.plan.training, done.setup.train
    assert training is not None
    assert train is not None

    async def find() -> None:
        from fttui.evaluate.nearest import Nearest
        from fttui.ui.dialogs.choose import Choice, Choose

        def search() -> list[tuple[int, float]]:
            return Nearest([row.prompt for row in training.rows]).find(case.prompt, NEAREST)

        found = await asyncio.to_thread(search)
        if not found:
            app.notify(
                f"no training example shares a word with line {case.line}", severity="warning"
            )
            return
        rows = [
            Choice(str(training.rows[at].line), one_line(training.rows[at].prompt, 160),
                   one_line(training.rows[at].wanted, 24), key=f"{cosine:.2f} {training.rows[at].line:>5}")
            for at, cosine in found
        ]  # fmt: skip
        title = f"Training examples like line {case.line}\nlikeness of rare words, 0 to 1, and their line"
        app.push_screen(Choose(title, rows), lambda line: go(app, train, line))

    app.run_worker(find(), group="evaluate-nearest", exclusive=True, exit_on_error=False)


def go(app: FttuiApp, train: Path, line: str | None) -> None:
    """Data, at a line of the training file."""
    if line is None:
        return
    if app.thread.path is None or app.thread.path.absolute() != train.absolute():
        app.open(train)
    app.go("data")
    app.change(row=int(line) - 1, place=None)


def add_next(app: FttuiApp, done: Result, model: str, show: Callable[[Filter], None]) -> None:
    """The page of what to add; the group that is chosen there becomes the filter."""

    async def think() -> None:
        from fttui.ui.evaluate.advice import AdviceDialog

        advice = await asyncio.to_thread(done.advice, model)
        if not advice.groups:
            asked = done.summary.of(model).answered
            app.notify(
                f"{model} fails none of these prompts"
                if asked
                else f"there is no answer of {model}",
                timeout=4,
            )
            return

        def chosen(at: int | None) -> None:
            if at is not None:
                show(filters.of_group(advice.groups[at], model))

        app.push_screen(AdviceDialog(model, advice), chosen)

    app.run_worker(think(), group="evaluate-next", exclusive=True, exit_on_error=False)


def export(app: FttuiApp, done: Result) -> None:
    """Ask where to, and write Markdown, CSV or JSON by the name's end."""
    from fttui.ui.dialogs.prompt import Prompt

    stem = f"evaluation-{done.setup.file.stem}-{time.strftime('%Y%m%d-%H%M')}"

    def check(text: str) -> str:
        from fttui.service.eval_export import KINDS

        path = Path(text.strip()).expanduser()
        if path.suffix.removeprefix(".").lower() not in KINDS:
            return "end it in .md, .csv or .json"
        if path.exists():
            return f"{path.name} is there already; nothing is overwritten"
        return "" if path.parent.is_dir() else f"there is no folder {path.parent}"

    async def write(path: Path) -> None:
        from fttui.service import eval_export

        try:
            await asyncio.to_thread(eval_export.write, path, done)
        except Problem as problem:
            app.show_problem(problem)
        else:
            app.notify(f"saved {path}", timeout=5)

    def taken(text: str | None) -> None:
        if text:
            path = Path(text.strip()).expanduser()
            app.run_worker(write(path), group="evaluate-export", exit_on_error=False)

    hint = [(".md for reading, .csv with every grade, .json with all of it", "dim")]
    app.push_screen(
        Prompt(
            "Save the evaluation as", value=str(Path.cwd() / f"{stem}.md"), hint=hint, check=check
        ),
        taken,
    )
