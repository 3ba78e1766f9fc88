"""What can be done with a result: look through it, go on from it, save it, open one of the past."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.text import one_line, plural
from fttui.ui.evaluate import filters
from fttui.ui.evaluate.report import Report
from fttui.ui.evaluate.runner import Runner
from fttui.ui.screens.base import AreaScreen

if TYPE_CHECKING:
    from fttui.service.eval_history import Past
    from fttui.service.eval_ready import Ready
    from fttui.service.eval_result import Result
    from fttui.service.eval_setup import Setup

RUNNING = "it is running: x stops it"


class ResultKeys(AreaScreen):
    """The half of the page that needs a result; the other half makes one."""

    runner: Runner
    running: Ready | None

    def show_page(self, page: str) -> None:
        """ "setup" or "report"."""
        raise NotImplementedError

    def draw_form(self) -> None:
        raise NotImplementedError

    def count(self) -> None:
        raise NotImplementedError

    def take_past(self, setup: Setup, path: Path) -> None:
        raise NotImplementedError

    @property
    def report(self) -> Report:
        return self.query_one(Report)

    @property
    def done(self) -> Result | None:
        return self.report.done

    @staticmethod
    def title_of(of: Ready | Result, *, whole: bool = True) -> str:
        count = plural(len(of.plan.cases.rows), "prompt")
        words = [one_line(of.setup.file.name, 40), count, *(() if whole else ("s asks the rest",))]
        return " · ".join(words)

    @staticmethod
    def verdict(done: Result) -> str:
        score = done.summary.of(done.lead).scores[done.grader]
        right = (
            f"{score.right} of {score.count}" if score.right is not None else f"{score.mean:.2f}"
        )
        return f"{one_line(done.lead, 20)} {right}"

    def why_no_results(self, name: str) -> str:
        done = self.done
        if done is None:
            return RUNNING if self.running else "nothing was evaluated yet (s starts)"
        if name == "nearest":
            if done.plan.training is None:
                return "the set-up names no training file"
            return "" if self.report.line is not None else "no prompt is chosen"
        if name == "labels" and done.summary.of(self.report.model or done.lead).confusion is None:
            return "the expected answers are no labels (few short ones, again and again)"
        if name == "grader" and len(self.report.graders) < 2:
            return "there is one grader"
        return ""

    def filter_by(self, value: str) -> None:
        done = self.done
        if done is not None:
            chosen = next((f for f in filters.of(done) if f.value == value), None)
            if chosen is not None:
                self.report.show_filter(chosen)
                self.sync()

    def do_filter(self) -> None:
        from fttui.ui.dialogs.choose import Choose

        done, now = self.done, self.report.filter
        assert done is not None
        self.show_page("report")
        self.app.push_screen(
            Choose(
                "Which prompts", filters.choices(filters.of(done)), value=now.value if now else ""
            ),
            lambda value: self.filter_by(value) if value else None,
        )

    def do_nearest(self) -> None:
        from fttui.ui.evaluate import closer

        done = self.done
        assert done is not None
        closer.nearest(self.fttui, done, self.report.rows[0].case)

    def do_next(self) -> None:
        from fttui.ui.evaluate import closer

        done = self.done
        assert done is not None
        self.show_page("report")
        closer.add_next(self.fttui, done, self.report.model or done.lead, self.report.show_filter)

    def do_labels(self) -> None:
        from fttui.ui.evaluate import view

        done = self.done
        assert done is not None
        model = self.report.model or done.lead
        table = done.summary.of(model).confusion
        assert table is not None
        self.show_page("report")
        width = (
            self.app.size.width * 3 // 5 - 4 if self.has_class("-wide") else self.app.size.width - 4
        )
        lines = view.confusion(table, model, width)
        self.call_after_refresh(self.report.show_lines, f"labels of {model}", lines)

    def do_copy(self) -> None:
        from fttui.service import eval_table

        done = self.done
        assert done is not None
        rows = [eval_table.model_row(row, done.grader) for row in done.summary.models]
        lines = [
            *eval_table.aligned([eval_table.HEAD, *rows]),
            "",
            *eval_table.sentences(done.summary),
        ]
        self.fttui.copy("\n".join(lines), "the table")

    def do_export(self) -> None:
        from fttui.ui.evaluate import closer

        done = self.done
        assert done is not None
        closer.export(self.fttui, done)

    # -- the past

    def do_history(self) -> None:
        async def ask() -> None:
            from fttui.ui.evaluate import past

            rows = await past.listing()
            if not rows:
                self.app.notify("nothing was evaluated yet", severity="warning")
                return
            self.app.push_screen(past.chooser(rows), lambda name: self._reopen(rows, name))

        self.run_worker(ask(), group="evaluate-past", exclusive=True, exit_on_error=False)

    def _reopen(self, rows: Sequence[Past], name: str | None) -> None:
        chosen = next((row for row in rows if str(row.path) == name), None)
        if chosen is not None:
            self.run_worker(self._review(chosen), group="evaluate-plan", exclusive=True,
                            exit_on_error=False)  # fmt: skip

    async def _review(self, past: Past) -> None:
        try:
            ready, done = await self.runner.review(past)
        except Problem as problem:
            self.fttui.show_problem(problem)
            self.count()
            return
        self.take_past(past.setup, past.path)
        self.show_page("report")
        self.report.filter = None
        self.report.show(done, self.title_of(done, whole=done.outcome.complete))
        self.draw_form()
        self.fttui.change(evaluation=self.verdict(done))
        if past.complete and ready.left:
            clock = time.strftime("%Y-%m-%d %H:%M", time.localtime(past.at))
            self.app.notify(
                f"{past.setup.file.name} changed since {clock}: {plural(ready.left, 'question')} of "
                "it were not asked then", severity="warning",
            )  # fmt: skip
        self.sync()
