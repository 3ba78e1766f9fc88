"""Copies of a dataset: fixed, a sample, without some examples or only these. Looked at first, then written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fttui.problem import Problem
from fttui.text import plural
from fttui.ui.dialogs.working import Work, working
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.dataset.report import Report
    from fttui.dataset.rewrite import Plan
    from fttui.ui.app import FttuiApp
    from fttui.ui.dialogs.copy import CopyDialog
    from fttui.ui.dialogs.part import Shown, Tally
    from fttui.ui.screens.base import AreaScreen

Told = Callable[[int], None]
Cancelled = Callable[[], bool]
BUSY = "copy"  # what it is called among the unfinished things
Result = TypeVar("Result")


@dataclass(frozen=True)
class Source:
    """The file a copy is made of. validation: it is the held-out one beside the open file."""

    path: Path
    report: Report | None
    lines: int
    validation: bool = False


def source_of(app: FttuiApp, *, validation: bool = False) -> Source | None:
    """The open file, or the one held out beside it; None when there is none."""
    thread = app.thread
    report = thread.report
    if validation:
        other = report.validation if report is not None else None
        if thread.validation is None or other is None:
            return None
        return Source(thread.validation, other, other.lines, validation=True)
    if thread.path is None or thread.index is None:
        return None
    return Source(thread.path, report, len(thread.index))


def start(screen: AreaScreen, work: Coroutine[None, None, None], source: Source) -> None:
    """Run one of the flows below; whatever goes wrong is shown."""
    screen.run_worker(
        _guarded(screen.fttui, work, source), group="copy", exclusive=True, exit_on_error=False
    )


async def _guarded(app: FttuiApp, work: Coroutine[None, None, None], source: Source) -> None:
    try:
        await work
    except Problem as problem:
        app.show_problem(problem)
    except OSError as error:
        why = error.strerror or str(error)
        app.show_problem(Problem(f"{source.path.name} cannot be read any more", why))
    finally:
        app.backend.unfinished.pop(BUSY, None)


# -- the flows


async def fix(
    app: FttuiApp,
    source: Source,
    *,
    code: str = "",
    lines: frozenset[int] | None = None,
) -> None:
    """Look what would change, show it, and write the copy when it is wanted.

    code: only this fix, done even where it needs a decision; lines: only in these lines (1-based).
    """
    from fttui.dataset import rewrite
    from fttui.ui.dialogs.fix import FixDialog

    target = app.backend.target()
    only = frozenset({code}) if code else None
    also = frozenset({code}) & rewrite.ON_REQUEST

    def work(output: Path | None) -> Work[Plan]:
        return lambda told, cancelled: rewrite.fix(
            source.path, output, target=target, also=also, only=only, lines=lines,
            on_progress=told, cancelled=cancelled,
        )  # fmt: skip

    if lines is not None:
        same_file(app, source)
    plan = await working(app, f"Looking for fixes in {source.path.name}", source.lines, work(None))
    if plan is None:
        return
    if not (plan.preview if lines is not None else any(plan.fixed.values())):
        where = "in the marked examples" if lines and len(lines) > 1 else "here" if lines else ""
        app.notify(f"no {'such' if code else 'safe'} fix is left to do {where}".rstrip(), timeout=4)
        return
    among = plural(len(lines), "example") if lines is not None else ""
    made = await written(app, source, FixDialog(source.path, plan, among), work)
    if made is not None:
        copy, done = made
        count = plural(sum(done.fixed.values()), "fix", "fixes")
        await offer(app, source, copy, f"{plural(done.lines, 'line')}, {count}")


async def part(
    app: FttuiApp, source: Source, lines: Collection[int], *, what: str, keep: bool = False
) -> None:
    """Copy without these lines (1-based), or only them. what: `12 marked examples`."""
    from fttui.dataset import subset
    from fttui.ui.dialogs.copy import copy_name
    from fttui.ui.dialogs.part import PartDialog

    same_file(app, source)
    chosen = frozenset(lines)
    title = f"Preparing a copy of {source.path.name}"
    found = await working(
        app, title, source.lines, lambda told, cancelled: facts(app, source, chosen, keep)
    )
    if found is None:
        return

    def work(output: Path | None) -> Work[Plan]:
        assert output is not None
        return lambda told, cancelled: subset.select(
            source.path, output, lambda number: (number in chosen) is keep,
            on_progress=told, cancelled=cancelled,
        )  # fmt: skip

    verb = "Only" if keep else "Leave out"
    dialog = PartDialog(
        f"{verb} {what} {'of' if keep else 'from'} {source.path.name}",
        copy_name(source.path, "picked" if keep else "dropped"),
        *found,
        len(chosen),
        keep=keep,
    )
    made = await written(app, source, dialog, work)
    if made is not None:
        await offer(app, source, made[0], plural(made[1].lines, "example"))


async def sample(app: FttuiApp, source: Source) -> None:
    """Ask how many examples, show which ones, and copy them."""
    from fttui.dataset import subset
    from fttui.ui.dialogs.draw import SampleDialog

    same_file(app, source)
    index = app.thread.index
    numbers = await working(
        app, f"Counting the examples of {source.path.name}", source.lines,
        lambda told, cancelled: subset.examples(
            source.path, on_progress=told, cancelled=cancelled
        ),
    )  # fmt: skip
    if numbers is None or index is None:
        return
    if not numbers:
        app.notify("there is no example in this file", severity="warning", timeout=4)
        return

    def work(output: Path | None) -> Work[Plan]:
        assert output is not None
        chosen = subset.choose(numbers, dialog.n, dialog.seed)
        return lambda told, cancelled: subset.select(
            source.path, output, chosen.__contains__, on_progress=told, cancelled=cancelled
        )

    def draw(n: int, seed: int) -> tuple[list[Part], Sequence[Shown], int]:
        return (*facts(app, source, subset.choose(numbers, n, seed), keep=True), n)

    dialog = SampleDialog(source.path, len(numbers), draw)
    made = await written(app, source, dialog, work)
    if made is not None:
        said = f"{plural(made[1].lines, 'example')} drawn by seed {dialog.seed}"
        await offer(app, source, made[0], said)


# -- what they share


def same_file(app: FttuiApp, source: Source) -> None:
    """Lines are named by number: raises Problem where the file is no longer the one that was read, or has
    no lines to name."""
    from fttui.dataset import subset

    index = app.thread.index
    changed = index is not None and not source.validation and index.changed()
    size = source.path.stat().st_size
    if changed or (source.report is not None and source.report.bytes != size):
        raise Problem(
            f"{source.path.name} changed on disk",
            "its lines may be others now than those on the screen",
            "r reads it again",
        )
    if code := subset.reshaped(source.path):
        raise Problem(
            f"{source.path.name} is no file of one example a line yet",
            "its examples have no line numbers to choose them by",
            "C converts it, in a copy; open that copy"
            if code == "F022"
            else "F in Check puts it right, in a copy; open that copy",
            code=code,
        )


def facts(
    app: FttuiApp, source: Source, lines: Collection[int], keep: bool
) -> tuple[list[Part], list[Shown]]:
    """What a copy would hold, and the first of the lines chosen. Blocks: called in a thread."""
    from fttui.dataset.lines import LineIndex
    from fttui.ui.dialogs import part as dialogs

    ordered = sorted(lines)
    index = app.thread.index
    if source.validation or index is None:
        with LineIndex.open(source.path) as other:
            shown = dialogs.look(other, source.report, ordered)
    else:
        shown = dialogs.look(index, source.report, ordered)
    if source.report is None:
        said = f"{plural(len(ordered), 'line')} {'are kept' if keep else 'go'}"
        return [(said, "bold"), (" · the check is still running", "dim")], shown
    whole, chosen = dialogs.tally_all(source.report), dialogs.tally(source.report, ordered)
    least = 0 if source.validation else app.backend.target().min_examples
    rest: Tally = chosen if keep else whole.without(chosen)
    return dialogs.told("in the copy" if keep else "stay", rest, whole, least), shown


async def written(
    app: FttuiApp,
    source: Source,
    dialog: CopyDialog,
    work: Callable[[Path], Work[Result]],
) -> tuple[Path, Result] | None:
    """Show the preview; write the copy under the name that was given. None when it is not wanted."""
    name = await app.push_screen_wait(dialog)
    if not name:
        return None
    copy = Path(name)
    app.backend.unfinished[BUSY] = "a copy is being written"
    done = await working(app, f"Writing {copy.name}", source.lines, work(copy))
    app.backend.unfinished.pop(BUSY, None)
    if done is None:
        app.notify(f"{copy.name} was not written", timeout=4)
        return None
    return copy, done


async def offer(
    app: FttuiApp, source: Source, copy: Path, said: str, validation: Path | None = None
) -> None:
    """Tell what was written, and offer to go on with it. validation: the file to go with it."""
    from fttui.ui.dialogs.confirm import Confirm

    app.notify(f"{copy.name}: {said}")
    body: list[Part] = [(str(copy), "bold"), f": {said}. {source.path.name} stays as it is."]
    title = f"Open {copy.name} now?"
    if source.validation:
        title = f"Validate with {copy.name} from now on?"
    ask = Confirm(title, body, yes="Open it", no="Stay", danger=False)
    if not await app.push_screen_wait(ask):
        return
    if source.validation and app.thread.path is not None:
        app.open(app.thread.path, copy)
    else:
        app.open(copy, validation or app.thread.validation)
