"""Evaluate: held-out prompts to several models: which is better, by how much, and what to add next."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.widget import Widget

from fttui.problem import Problem
from fttui.text import one_line
from fttui.ui.actions import bindings
from fttui.ui.evaluate import defaults as evaluate_defaults
from fttui.ui.evaluate import form
from fttui.ui.evaluate.editing import Editing
from fttui.ui.evaluate.form import Line
from fttui.ui.evaluate.report import Report
from fttui.ui.evaluate.result_keys import RUNNING, ResultKeys
from fttui.ui.evaluate.runner import Runner
from fttui.ui.text import Part
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.titled_pane import Pane

if TYPE_CHECKING:
    from fttui.service.eval_ready import Ready
    from fttui.service.eval_result import Result
    from fttui.service.eval_setup import Setup

FRAMES = 2  # a second, while it runs
OF_SETUP = frozenset({"model", "history"})
OF_RESULTS = frozenset({"filter", "nearest", "next", "export", "labels"})


class EvaluateScreen(ResultKeys):
    """Two pages: the set-up as a form, and the report of what runs or ran."""

    SCOPE = "evaluate"
    BINDINGS = bindings(SCOPE)
    DEFAULT_CSS = """
    EvaluateScreen #setup { height: 1fr; }
    EvaluateScreen #report { display: none; }
    EvaluateScreen.-report #setup { display: none; }
    EvaluateScreen.-report #report { display: block; }
    EvaluateScreen.-narrow #prompt-pane { display: none; width: 1fr; }
    EvaluateScreen.-narrow #prompts-pane { width: 1fr; }
    EvaluateScreen.-narrow .-detail #prompt-pane { display: block; }
    EvaluateScreen.-narrow .-detail #prompts-pane { display: none; }
    EvaluateScreen.-narrow .-detail #figures { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        from fttui.service.eval_setup import Setup

        self.setup = Setup(evaluate_defaults.NO_FILE, ())
        self.problem: Problem | None = None
        self.runner = Runner(self.fttui)
        self.running: Ready | None = None
        self._preparing = False
        self._held = ""  # what the held-out file is, in words
        self._asked: list[str] = []  # models another area sent here, and for which job
        self._asked_for = ""
        self._begun: tuple[object, ...] = ()  # what the untouched set-up was made of
        self._lines: list[Line] = []
        self._path: Path | None = None  # of answers that a start goes on with
        self._path_of: tuple[Path, str] | None = None
        self._stopping = False
        self._editing = Editing(self)

    def body(self) -> Iterable[Widget]:
        with Pane(id="setup"):
            yield LineList(self._form_row, id="form")
        report = Report()
        report.id = "report"
        yield report

    def on_mount(self) -> None:
        super().on_mount()
        self._ticker = self.set_interval(1 / FRAMES, self._tick, pause=True)

    async def on_unmount(self) -> None:
        await self.runner.close()

    @property
    def form(self) -> LineList:
        return self.query_one("#form", LineList)

    # -- in step with the thread

    def thread_changed(self, fields: frozenset[str]) -> None:
        thread = self.thread
        if self.running is not None:
            return
        profile = self.fttui.backend.profile_if_known
        if profile is None:
            return
        job = thread.job.id if thread.job else ""
        asked, thread.ask_models = thread.ask_models, None
        if asked is not None:
            self._asked, self._asked_for = asked, job
        elif self._asked_for != job:
            self._asked = []
        made_of = (
            thread.path, thread.validation, thread.report is not None, profile.name, job,
            tuple(self._asked),
        )  # fmt: skip
        if made_of == self._begun or (asked is None and self._touched):
            return
        self._begun = made_of
        setup = evaluate_defaults.begin(thread, profile.name, self._asked)
        if self._touched and self.setup.file != evaluate_defaults.NO_FILE:
            setup = replace(self.setup, models=setup.models, profile=profile.name)
        self._held = evaluate_defaults.files(thread)[2]
        self.show_page("setup")
        self._set(setup)

    @property
    def _touched(self) -> bool:
        """The user has changed the set-up, or it was run."""
        return self._edited or self.done is not None

    _edited = False

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.focused is None:
            self._focus_page()

    def _focus_page(self) -> None:
        report = self.report
        if not self.has_class("-report"):
            self.form.focus()
        elif report.has_class("-detail") and self.has_class("-narrow"):
            report.text.focus()
        else:
            report.prompts.focus()

    def show_page(self, page: str) -> None:
        self.set_class(page == "report", "-report")
        self.sync()
        self.report.remove_class("-detail")
        self.call_after_refresh(self._focus_page)

    # -- the set-up

    def set_up(self, setup: Setup) -> None:
        """The user's change of it."""
        self._edited = True
        if setup.file != self.setup.file:
            self._held = ""
        self.show_page("setup")
        self._set(setup)

    def _set(self, setup: Setup) -> None:
        self.setup, self.problem, self.runner.ready = setup, None, None
        if self._path_of != (setup.file, setup.profile):
            self._path = None
        self.draw_form()
        self.sync()
        self.count()

    @property
    def _whole(self) -> bool:
        return self.setup.file != evaluate_defaults.NO_FILE and bool(self.setup.models)

    def count(self) -> None:
        """Have the set-up counted and priced; one that is changed meanwhile once more."""
        self.problem, self.runner.ready = None, None
        if self._whole and not self._preparing:
            self._preparing = True
            self.run_worker(self._prepare(), group="evaluate-plan", exit_on_error=False)

    async def _prepare(self) -> None:
        counted: Setup | None = None
        try:
            while counted is not self.setup and self._whole and self.running is None:
                counted, self.problem = self.setup, None
                try:
                    await self.runner.prepare(counted, self._path)
                except Problem as problem:
                    self.problem = problem
        finally:
            self._preparing = False
        self.draw_form()
        self.sync()

    def take_past(self, setup: Setup, path: Path) -> None:
        """A set-up of the past, and the answers a start goes on with."""
        self._edited, self._held, self.setup = True, "", setup
        self._path, self._path_of = path, (setup.file, setup.profile)

    def draw_form(self) -> None:
        known = self.fttui.backend.config.profiles.get(self.setup.profile)
        host = known.host if known is not None else ""
        self._lines = form.lines(self.setup, self.runner.ready, self.problem, self._held, host)
        self.form.set_count(len(self._lines))
        self.form.refresh()
        name = self.setup.file.name or "what is to be asked"
        pane = self.query_one("#setup", Pane)
        pane.say_title(("Evaluate", "bold"), f" · {one_line(name, 40)}")
        pane.say_subtitle(("is it better, and by how much?", "dim"))

    def _form_row(self, at: int, width: int) -> Sequence[Part]:
        return form.draw(self._lines[at], width) if at < len(self._lines) else []

    @property
    def _form_line(self) -> Line:
        at = self.form.cursor
        return self._lines[at] if at < len(self._lines) else Line("", "", "")

    # -- running

    def do_start(self) -> None:
        ready = self.runner.ready
        assert ready is not None
        if ready.free:
            self._begin(ready)
            return
        from fttui.ui.evaluate import closer

        closer.confirm(self.fttui, ready, lambda: self._begin(ready))

    def _begin(self, ready: Ready) -> None:
        self.running, self._stopping = ready, False
        self._path, self._path_of = ready.path, (ready.setup.file, ready.setup.profile)
        self.fttui.backend.unfinished["evaluation"] = (
            "An evaluation is running: what is answered is kept, the rest is not asked."
        )
        self.show_page("report")
        self.report.begin(ready.plan, self.title_of(ready))
        self._ticker.resume()
        self.run_worker(self._run(ready), group="evaluate", exclusive=True, exit_on_error=False)
        self.sync()

    async def _run(self, ready: Ready) -> None:
        try:
            done = await self.runner.run(ready, self.report.arrived)
        except asyncio.CancelledError:
            if self._stopping:
                self.run_worker(self._show_partial(ready), group="evaluate-partial",
                                exit_on_error=False)  # fmt: skip
            raise
        except Problem as problem:
            self.fttui.show_problem(problem)
            await self._show_partial(ready)
        except Exception:  # said by the app; the page must not wait for ever
            self.running = None
            self._ticker.pause()
            raise
        else:
            self._ended(done)
            self.app.notify(f"evaluated: {self.verdict(done)}", timeout=6)
        finally:
            self.fttui.backend.unfinished.pop("evaluation", None)
            with contextlib.suppress(sqlite3.Error):  # the app is closing
                self.runner.journal(ready)

    async def _show_partial(self, ready: Ready) -> None:
        if self.runner.evaluation is None:
            self.running = None
            self.show_page("setup")
            return
        done = await self.runner.partial(ready)
        self._ended(done)

    def _ended(self, done: Result) -> None:
        self.running = None
        self._ticker.pause()
        self.report.show(done, self.title_of(done, whole=done.outcome.complete))
        self.call_after_refresh(self._focus_page)
        self.fttui.change(evaluation=self.verdict(done))
        self.count()

    def _tick(self) -> None:
        now = self.runner.progress()
        if self.running is None or now is None:
            return
        self.report.tick(now, self.runner.words(now), self.fttui.ascii_only)
        said = f"evaluating {100 * now.done / max(1, now.total):.0f}%"
        if said != self.thread.evaluation:
            self.fttui.change(evaluation=said)

    # -- keys

    @property
    def elsewhere(self) -> frozenset[str]:
        """Actions that the hint bar leaves out: they belong to the other page, or to no run."""
        running, nothing = self.running is not None, self.done is None
        if not self.has_class("-report"):
            return OF_RESULTS | ({"results"} if nothing and not running else frozenset())
        return OF_SETUP | (OF_RESULTS if running else {"stop"})

    def why_not(self, action_id: str) -> str:
        name, done = action_id.partition(".")[2], self.done
        if name == "stop":
            if self.running is not None or self._removable() is not None:
                return ""
            return "nothing runs" if self.has_class("-report") else "this line stays"
        if name in ("start", "model", "baseline", "history") and self.running is not None:
            return RUNNING
        if name == "start":
            return self._why_no_start()
        if name == "change":
            return RUNNING if self.running and not self.has_class("-report") else ""
        if name == "baseline":
            return "" if self.setup.models else "choose a model first (m)"
        if name == "results":
            return "" if done is not None or self.running else "nothing was evaluated yet"
        if name in ("filter", "next", "labels", "export", "grader", "copy", "nearest"):
            return self.why_no_results(name)
        return ""

    def _why_no_start(self) -> str:
        if self.setup.file == evaluate_defaults.NO_FILE:
            return "choose a held-out file first"
        if not self.setup.models:
            return "choose a model first (m)"
        if self.problem is not None:
            return self.problem.what
        return "" if self.runner.ready is not None else "it is still being counted"

    def _removable(self) -> Setup | None:
        return None if self.has_class("-report") else form.without(self.setup, self._form_line)

    def do_stop(self) -> None:
        if self.running is not None:
            self._stopping = True
            self.workers.cancel_group(self, "evaluate")
            return
        removed = self._removable()
        if removed is not None:
            self.set_up(removed)

    def do_change(self) -> None:
        report = self.report
        if not self.has_class("-report"):
            self._editing.change(self._form_line)
        elif report.models.has_focus:
            if self.done is not None:
                self.filter_by(f"fails:{report.model}")
            report.prompts.focus()
        else:
            report.add_class("-detail")
            report.show_prompt()
            self.call_after_refresh(report.text.focus)

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        self.action_do("evaluate.change")

    @on(LineList.Moved, "#prompts")
    def _prompt_moved(self) -> None:
        self.report.show_prompt()

    @on(LineList.Moved, "#form")
    def _form_moved(self) -> None:
        self.sync()

    @on(LineList.Moved, "#models")
    def _model_moved(self) -> None:
        if self.done is not None:
            self.filter_by(f"fails:{self.report.model}")
        self.sync()

    def back(self) -> bool:
        report = self.report
        if report.has_class("-detail"):
            report.remove_class("-detail")
            report.show_prompt()
            self.call_after_refresh(report.prompts.focus)
        elif self.running is not None and self.has_class("-report"):
            self.do_stop()
        elif self.has_class("-report"):
            self.show_page("setup")
        else:
            self.fttui.go(self.fttui.came_from)
        return True

    def do_model(self) -> None:
        self.show_page("setup")
        self._editing.change(Line("model:add", "", ""))

    def do_baseline(self) -> None:
        """On or off; what was answered before is not asked again."""
        self.set_up(form.with_baselines(self.setup))
        start = next((at for at, line in enumerate(self._lines) if line.field == "baseline"), 0)
        self.form.cursor = start

    def do_results(self) -> None:
        self.show_page("setup" if self.has_class("-report") else "report")

    def do_grader(self) -> None:
        self.report.next_grader()
        self.report.show_prompt()
