"""Export of jobs: where to, how far it is, what came of it. It goes on while the dialog is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Label, ProgressBar, Static

from fttui.problem import Problem
from fttui.text import plural
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, say

if TYPE_CHECKING:
    from fttui.ui.app import FttuiApp
    from fttui.ui.export.collect import Chosen
    from fttui.ui.export.run import Outcome, Progress

BUSY = "export"  # what it is called among the unfinished things
SHOWN = 6  # parts that could not be saved which the dialog names
FRAME = 0.2  # seconds between two looks at the progress


class Exporting:
    """One export, as long as the app runs; the dialog only looks at it."""

    def __init__(self, app: FttuiApp, chosen: Sequence[Chosen]) -> None:
        self.app = app
        self.chosen = chosen
        self.data = True
        self.progress: Progress | None = None
        self.outcome: Outcome | None = None
        self.problem: Problem | None = None
        self.stopped = False

    @property
    def running(self) -> bool:
        return BUSY in self.app.backend.unfinished

    def start(self, folder: Path) -> None:
        self.progress = self.outcome = self.problem = None
        self.stopped = False
        self.app.backend.unfinished[BUSY] = "an export is running (it can be gone on with)"
        self.app.run_worker(self._run(folder), group=BUSY, exclusive=True, exit_on_error=False)

    def stop(self) -> None:
        self.stopped = True
        self.app.workers.cancel_group(self.app, BUSY)

    async def _run(self, folder: Path) -> None:
        from fttui.ui.export import run
        from fttui.ui.export.folder import choose

        def told(now: Progress) -> None:
            self.progress = now

        try:
            self.outcome = await run.export(
                self.chosen, choose(folder), state=self.app.state, data=self.data, on_progress=told
            )
            self.app.notify(f"{self.outcome.words()}: {self.outcome.folder}", timeout=10)
        except Problem as problem:
            self.problem = problem
        except asyncio.CancelledError:
            self.stopped = True
            raise
        finally:
            self.app.backend.unfinished.pop(BUSY, None)


class ExportDialog(Dialog[None]):
    """Asks for the folder, then shows the progress, then what came of it."""

    DEFAULT_CSS = """
    ExportDialog #what { margin-bottom: 1; }
    ExportDialog ProgressBar { margin-top: 1; display: none; }
    ExportDialog.-busy ProgressBar { display: block; }
    ExportDialog.-busy Input, ExportDialog.-over Input { display: none; }
    """
    BINDINGS = [
        Binding("ctrl+d", "data", "Datasets too, or not", show=False, priority=True),
        Binding("c", "stop", "Cancel the export", show=False),
        Binding("y", "copy", "Copy the path", show=False),
        Binding("enter", "close", "Close", show=False),
    ]

    def __init__(self, work: Exporting) -> None:
        super().__init__()
        self.work = work
        self._said = ""

    def compose(self) -> ComposeResult:
        from fttui.ui.export.run import default_folder

        with Vertical(id="box"):
            yield Label(say(self._title()), classes="title")
            yield Static(id="what")
            yield Input(value=str(default_folder()))
            yield ProgressBar(total=max(1, len(self.work.chosen)), show_eta=False)
            yield Static(id="state")
            yield Label(id="keys", classes="keys")

    def _title(self) -> str:
        chosen = self.work.chosen
        if len(chosen) == 1:
            return f"Export {chosen[0].job.suffix or chosen[0].job.id}"
        return f"Export {plural(len(chosen), 'job')}"

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.set_interval(FRAME, self._look)
        self._look()

    def _look(self) -> None:
        """Bring the dialog in step; nothing is drawn where nothing is new."""
        work = self.work
        over = not work.running and (work.outcome or work.problem or work.stopped)
        self.set_class(work.running, "-busy")
        self.set_class(bool(over), "-over")
        what, state, keys = self._words()
        said = repr((what, state, keys))
        if said == self._said:
            return
        self._said = said
        self.query_one("#what", Static).update(say(*what))
        self.query_one("#state", Static).update(say(*state))
        self.query_one("#keys", Label).update(say((keys, "dim")))
        if work.running:
            self.set_focus(None)
            done = work.progress.done if work.progress else 0
            self.query_one(ProgressBar).update(progress=done)

    def _words(self) -> tuple[list[Part], list[Part], str]:
        work = self.work
        if work.running:
            now = work.progress
            many = f"{now.done} of {plural(now.total, 'job')}" if now else "beginning"
            note = f" · {now.note}" if now and now.note else ""
            return [], [many, (note, "dim")], "c cancel (what is written stays)   esc go on behind"
        if work.problem is not None:
            what, *rest = work.problem.lines()
            return [], [(f"✗ {what}\n", "error"), "\n".join(rest)], "enter close"
        if work.outcome is not None:
            return [], self._outcome(work.outcome), "y copy the path   enter close"
        if work.stopped:
            parts: list[Part] = ["Stopped. ", ("The same folder again goes on from here.", "dim")]
            return [], parts, "enter close"
        datasets = "with their content" if work.data else "only their names and hashes"
        told: list[Part] = [
            "Settings, events, metrics, checkpoints' figures, results files and chats, with a report "
            "that needs no provider. Keys are never written.\n",
            ("datasets: ", "dim"), datasets, ("  ^d changes it", "dim"),
        ]  # fmt: skip
        hint: list[Part] = [("a former export is gone on with; nothing else is touched", "dim")]
        return told, hint, "enter export   esc leave"

    def _outcome(self, outcome: Outcome) -> list[Part]:
        parts: list[Part] = [(f"{outcome.words()}\n", "ok"), str(outcome.folder / "README.md")]
        for job, part, why in outcome.missing[:SHOWN]:
            parts.append((f"\n⚠ {job}, {part}: {why}", "warning"))
        rest = len(outcome.missing) - SHOWN
        if rest > 0:
            parts.append((f"\nand {rest} more: they are in README.md", "dim"))
        return parts

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.work.start(Path(event.value.strip()).expanduser())
            self._look()

    def action_data(self) -> None:
        if not self.work.running:
            self.work.data = not self.work.data
            self._look()

    def action_stop(self) -> None:
        if self.work.running:
            self.work.stop()

    def action_copy(self) -> None:
        if self.work.outcome is not None:
            path = str(self.work.outcome.folder)
            self.app.copy(path, path)  # type: ignore[attr-defined]

    def action_close(self) -> None:
        self.dismiss(None)
