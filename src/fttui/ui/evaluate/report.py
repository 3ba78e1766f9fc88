"""What is running or came of it: the models with their figures, the prompts, one of them in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from fttui.text import plural
from fttui.ui.evaluate import filters, view
from fttui.ui.evaluate.filters import Filter
from fttui.ui.text import Part, say
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.text_view import Line, TextView
from fttui.ui.widgets.titled_pane import Pane

if TYPE_CHECKING:
    from fttui.evaluate.summary import Row
    from fttui.service.eval_plan import Plan, Progress
    from fttui.service.eval_result import Result

SENTENCES = 6  # lines under the table, at most


class Report(Vertical):
    """`begin` before a run, `arrived` for every row, `show` for what came of it."""

    DEFAULT_CSS = """
    Report { height: 1fr; }
    Report #figures { height: auto; }
    Report #models { height: 1; }
    Report #model-head { height: 1; }
    Report #said { height: auto; max-height: 6; padding: 0 1; }
    Report #running { height: 1; display: none; }
    Report.-running #running { display: block; }
    Report #prompts-pane { width: 2fr; }
    Report #prompt-pane { width: 3fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.done: Result | None = None
        self.filter: Filter | None = None
        self.grader = 0  # whose figures the table shows
        self._plan: Plan | None = None
        self._now: Progress | None = None
        self._rows: dict[int, list[Row]] = {}  # line → a row for each model that was asked
        self._lines: list[int] = []  # shown
        self._texts: dict[str, Content] = {}

    def compose(self) -> ComposeResult:
        with Pane(id="figures"):
            yield Static(id="model-head")
            yield LineList(self._model_row, id="models")
            yield Static(id="said")
        yield Static(id="running")
        with Horizontal(id="below"):
            with Pane(id="prompts-pane"):
                yield LineList(self._prompt_row, id="prompts")
            with Pane(id="prompt-pane"):
                yield TextView(id="prompt")

    # -- parts

    @property
    def models(self) -> LineList:
        return self.query_one("#models", LineList)

    @property
    def prompts(self) -> LineList:
        return self.query_one("#prompts", LineList)

    @property
    def text(self) -> TextView:
        return self.query_one("#prompt", TextView)

    @property
    def labels(self) -> list[str]:
        return [who.label for who in self._plan.contestants] if self._plan else []

    @property
    def graders(self) -> list[str]:
        return [grader.name for grader in self._plan.graders] if self._plan else []

    @property
    def model(self) -> str:
        """The model under the cursor."""
        at = self.models.cursor
        return self.labels[at] if at < len(self.labels) else ""

    @property
    def line(self) -> int | None:
        """The prompt under the cursor, as its line in the file."""
        at = self.prompts.cursor
        return self._lines[at] if at < len(self._lines) else None

    @property
    def rows(self) -> Sequence[Row]:
        """The rows of the prompt under the cursor."""
        line = self.line
        return self._rows.get(line, []) if line is not None else []

    # -- a run

    def begin(self, plan: Plan, title: str) -> None:
        self._plan, self.done, self.filter, self.grader = plan, None, None, 0
        self._rows, self._lines = {}, []
        self.add_class("-running")
        self.remove_class("-detail")
        self.query_one("#figures", Pane).say_title(("Running", "accent"), f" · {title}")
        self._update("said", say((f" graded by {', '.join(self.graders)}", "dim")))
        self._fit_models()
        self.prompts.set_count(0)
        self.text.show(lambda width: [])
        self._titles()

    def arrived(self, row: Row) -> None:
        """An answer came; it is drawn with the next `tick`."""
        line = row.case.line
        self._rows.setdefault(line, []).append(row)

    def tick(self, now: Progress, words: str, ascii_only: bool) -> None:
        """A few times a second while it runs."""
        before, self._now = self._now, now
        self._update("running", say(*view.progress(now, words, self.size.width, ascii_only)))
        if before is None or before.done != now.done:
            self._lines = sorted(self._rows)
            self.prompts.set_count(len(self._lines))
            self.prompts.refresh()
            self.models.refresh()
            self._titles()
            self.show_prompt()

    # -- what came of it

    def show(self, done: Result, title: str) -> None:
        """A result, whole or not."""
        self.remove_class("-running")
        self._plan, self.done, self._now = done.plan, done, None
        self.grader = min(self.grader, len(self.graders) - 1)
        self._rows = {}
        for row in done.outcome.rows:
            self._rows.setdefault(row.case.line, []).append(row)
        whole = ("Results", "bold") if done.outcome.complete else ("Not finished", "warning")
        self.query_one("#figures", Pane).say_title(whole, f" · {title}")
        said = view.said(done)
        more = len(said) - SENTENCES
        if more > 0:
            said = [*said[: SENTENCES - 1], [(f"… {more + 1} more: e saves them all", "dim")]]
        self._update("said", Content("\n").join([say(*line) for line in said]))
        self._fit_models()
        place = self.labels.index(done.lead)
        with self.models.prevent(LineList.Moved):
            self.models.set_count(len(self.labels), cursor=place)
        self.show_filter(self._first_filter(done))

    def _first_filter(self, done: Result) -> Filter:
        found = list(filters.of(done))
        kept = next((f for f in found if self.filter and f.value == self.filter.value), None)
        mine = next(f for f in found if f.value == f"fails:{done.lead}")
        return kept or (mine if mine.lines else found[-1])

    def show_filter(self, chosen: Filter) -> None:
        self.filter = chosen
        self._lines = [line for line in chosen.lines if line in self._rows]
        self.prompts.set_count(len(self._lines), cursor=0)
        self.prompts.refresh()
        self._titles()
        self.show_prompt()

    def next_grader(self) -> None:
        self.grader = (self.grader + 1) % max(1, len(self.graders))
        self.models.refresh()
        self.prompts.refresh()
        self._titles()

    # -- drawing

    def _fit_models(self) -> None:
        many = len(self.labels)
        with self.models.prevent(LineList.Moved):
            self.models.set_count(many, cursor=min(self.models.cursor, max(0, many - 1)))
        self.models.styles.height = max(1, min(many, 8))
        self._head()
        self.models.refresh()

    def _head(self) -> None:
        width = self.models.size.width or self.app.size.width - 2
        self._update("model-head", say(*view.head(width)))

    def on_resize(self) -> None:
        self.call_after_refresh(self._head)

    def _titles(self) -> None:
        pane = self.query_one("#prompts-pane", Pane)
        if self.filter is None:
            pane.say_title(("Answered", "bold"), f" · {plural(len(self._lines), 'prompt')}")
        else:
            pane.say_title((self.filter.title, "bold"), f" · {plural(len(self._lines), 'prompt')}")
        pane.say_subtitle(*((" ".join(self.labels)[:60], "faint"),) if self.labels else ())
        figures = self.query_one("#figures", Pane)
        figures.say_subtitle(*view.grader_styles(self.graders, self._grader_name()))

    def _grader_name(self) -> str:
        return self.graders[self.grader] if self.graders else ""

    def _model_row(self, at: int, width: int) -> Sequence[Part]:
        if self.done is not None:
            return view.model_row(self.done, at, self._grader_name(), width)
        if self._plan is None or at >= len(self.labels):
            return []
        each = len(self._plan.cases.rows)
        if self._now is None:
            return ["   ", self.labels[at]]
        return view.running_row(self.labels[at], self._now, each, width)

    def _prompt_row(self, at: int, width: int) -> Sequence[Part]:
        rows = self._rows.get(self._lines[at], []) if at < len(self._lines) else []
        return view.prompt_row(rows, self.labels, self._grader_name(), width) if rows else []

    def show_prompt(self) -> None:
        """The prompt under the cursor, in full."""
        pane, order = self.query_one("#prompt-pane", Pane), self.labels
        rows = sorted(self.rows, key=lambda row: order.index(row.model))
        if not rows:
            pane.say_title(("", ""))
            empty = "no prompt is here: f chooses others" if self.done else "waiting for answers …"
            self.text.show(lambda width: [[(f" {empty}", "dim")]])
            return
        from fttui.ui.evaluate import detail

        graders = self.graders
        first = graders[self.grader]
        shown = [first, *(name for name in graders if name != first)]
        pane.say_title((f"line {rows[0].case.line:,}", "bold"))
        self.text.show(lambda width: detail.lines(rows, shown, width))

    def show_lines(self, title: str, made: Sequence[Line]) -> None:
        """Something else in the place of the prompt (the confusion table)."""
        self.query_one("#prompt-pane", Pane).say_title((title, "bold"))
        self.text.show(lambda width: made)
        self.add_class("-detail")
        self.call_after_refresh(self.text.focus)

    def _update(self, name: str, content: Content) -> None:
        if name not in self._texts or self._texts[name].markup != content.markup:
            self._texts[name] = content
            self.query_one(f"#{name}", Static).update(content)
