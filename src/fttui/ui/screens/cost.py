"""The cost area: what training costs line by line, what its use costs, and what else could be done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from fttui.problem import Problem
from fttui.ui.actions import bindings
from fttui.ui.cost import facts as cost_facts
from fttui.ui.cost import tables as cost_tables
from fttui.ui.cost import view as cost_view
from fttui.ui.screens.base import AreaScreen
from fttui.ui.text import say
from fttui.ui.widgets.cost_chart import CostChart, Curve

if TYPE_CHECKING:
    from fttui.pricing.plan import Comparison
    from fttui.ui.planner import Planner

NAMES = {"md": "Markdown", "csv": "CSV", "json": "JSON"}


class Pane(Static):
    """A framed text that is drawn again only when it says something else."""

    class Widened(Message):
        """Its width is another: tables must be laid out again."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Pane.Widened)

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__(id=id, classes="pane")
        self.border_title = say(title)
        self._said: Content | None = None
        self._width = 0

    def say(self, words: Content) -> None:
        if self._said is None or not words.is_same(self._said):
            self._said = words
            self.update(words)

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width:
            self._width = event.size.width
            self.post_message(self.Widened())

    @property
    def room(self) -> int:
        """Columns for text; one less than there are, as two halves may differ by one."""
        return max(20, self.content_size.width - 1)


class CostScreen(AreaScreen):
    """Draws what `app.planner` computes; every key changes the plan and every line follows."""

    SCOPE = "cost"
    BINDINGS = bindings(SCOPE)
    AUTO_FOCUS = "#scroll"
    DEFAULT_CSS = """
    CostScreen #scroll { height: 1fr; scrollbar-gutter: stable; }
    CostScreen .two { height: auto; width: 1fr; }
    CostScreen .pane { height: auto; width: 1fr; padding: 0 1; min-height: 3; }
    CostScreen #left { width: 44; height: auto; }
    CostScreen CostChart.pane { height: 12; padding: 0; }
    CostScreen.-narrow #left { width: 36; }
    CostScreen.-narrow .use { layout: vertical; }
    """

    def body(self) -> Iterable[Widget]:
        with VerticalScroll(id="scroll"):
            with Horizontal(classes="two"):
                with Vertical(id="left"):
                    yield Pane("Plan", id="plan")
                    yield CostChart(classes="pane wide-only")
                yield Pane("Training", id="bill")
            with Horizontal(classes="two use"):
                yield Pane("A month of use", id="month")
                yield Pane("On other bases", id="compared")
            yield CostChart(classes="pane narrow-only")
            yield Pane("OpenAI against Azure", id="azure")

    def on_mount(self) -> None:
        super().on_mount()
        for chart in self.query(CostChart):
            chart.border_title = say("Spent by month")

    @property
    def planner(self) -> Planner:
        return self.fttui.planner

    # -- drawing

    def thread_changed(self, fields: frozenset[str]) -> None:
        if not fields or fields - {"progress", "row"}:
            self.call_after_refresh(self._draw)

    def on_pane_widened(self) -> None:
        self.call_after_refresh(self._draw)

    def _pane(self, name: str) -> Pane:
        return self.query_one(f"#{name}", Pane)

    def _draw(self) -> None:
        if "catalog" not in self.fttui.backend.__dict__:  # the planner reads it and tells us
            problem = self.planner.problem
            waiting = " · ".join(problem.lines()) if problem else "reading the prices …"
            self._pane("bill").say(say((waiting, "dim")))
            return
        planner, today = self.planner, date.today()
        plan, bill = self._pane("plan"), self._pane("bill")
        spent = cost_view.spent(self.fttui.state.journal_rows(10_000))
        plan.say(cost_view.content(cost_view.plan(planner, plan.room, spent)))
        rows = cost_view.bill(planner, bill.room, today, self._seconds())
        bill.say(cost_view.content([*rows, *cost_view.billed(planner)]))
        self._draw_compared(today)
        self._draw_use(today)
        self.call_after_refresh(self._level)

    def _level(self) -> None:
        """Both sides of the top equally high: the chart takes what the plan leaves, or the plan does."""
        plan, bill = self._pane("plan"), self._pane("bill")
        tall = bill.outer_size.height
        if self.has_class("-narrow"):
            plan.styles.min_height = tall
            return
        plan.styles.min_height = 0
        chart = self.query(CostChart).first()
        beside = max(12, tall - plan.outer_size.height)
        chart.styles.height = beside
        bill.styles.min_height = plan.outer_size.height + beside

    def _draw_compared(self, today: date) -> None:
        pane = self._pane("compared")
        found, are_kept = cost_facts.compared(self.planner, self.fttui.backend.catalog, today)
        pane.border_title = say("Plans kept" if are_kept else "On other bases")
        pane.say(cost_view.content(cost_tables.compared(found, are_kept, pane.room)))

    def _draw_use(self, today: date) -> None:
        catalog = self.fttui.backend.catalog
        month, azure = self._pane("month"), self._pane("azure")
        found = self._ways(today)
        month.say(cost_view.content(cost_tables.month(found, month.room)))
        sides = cost_facts.sides(self.planner, catalog, today)
        azure.say(cost_view.content(cost_tables.azure(sides, azure.room)))
        self._draw_chart(found)

    def _ways(self, today: date) -> Comparison | None:
        try:
            return cost_facts.ways(self.planner, self.fttui.backend.catalog, today)
        except Problem:
            return None

    def _draw_chart(self, found: Comparison | None) -> None:
        from fttui.pricing.money import SIGNS
        from fttui.pricing.plan import crossing

        rows = found.rows if found else ()
        tuned = next((row for row in rows if row.plan.kind == "tuned"), None)
        lives = tuned.life.tuned_days if tuned is not None else None
        months = 12 if lives is None else max(3, min(12, -(-lives // 30) + 1))
        curves = tuple(Curve(row.plan.label, tuple(row.cumulative(months))) for row in rows)
        cross: Decimal | None = None
        if tuned is not None and rows[0] is not tuned:
            cross = crossing(tuned, rows[0])
        currency = next((row.month.currency for row in rows if row.month), "USD")
        for chart in self.query(CostChart):
            chart.show(curves, cross, SIGNS.get(currency, f"{currency} "))

    def _seconds(self) -> float | None:
        estimate = self.thread.estimate
        if estimate is None or estimate.model.provider != "local":
            return None
        profile = self.fttui.backend.profile.name
        return cost_facts.local_seconds(
            self.fttui.state, profile, estimate.model.id, estimate.tokens
        )

    # -- keys

    def why_not(self, action_id: str) -> str:
        name = action_id.partition(".")[2]
        if name in ("more_epochs", "fewer_epochs", "auto_epochs"):
            hourly = self.planner.method == "reinforcement"
            return "billed by the hour: epochs do not change the sum" if hourly else ""
        if name in ("launch", "compare", "export", "guide", "copy"):
            if self.thread.path is None:
                return "open a dataset first (o)"
            if self.thread.problem is not None:
                return "the dataset cannot be used"
            if self.thread.model is None:
                return "choose a model first (b)"
        if name == "launch" and self.thread.report is None:
            return "the file is still being checked"
        if name == "split" and self.thread.validation is not None:
            return f"{self.thread.validation.name} is held out already"
        return ""

    def do_more_epochs(self) -> None:
        self.planner.step_epochs(1)

    def do_fewer_epochs(self) -> None:
        self.planner.step_epochs(-1)

    def do_auto_epochs(self) -> None:
        self.fttui.change(epochs=None)

    def do_split(self) -> None:
        self.planner.next_split()

    def do_model(self) -> None:
        from fttui.ui.dialogs.choose import Choice, Choose

        catalog, today = self.fttui.backend.catalog, date.today()
        mine = self.fttui.backend.profile.provider
        models = sorted(catalog.models(), key=lambda model: model.provider != mine)
        choices = []
        for model in models:
            off = cost_facts.why_not_train(model, self.planner.method, today)
            title = f"{model.title} · {catalog.provider(model.provider).title}"
            note = cost_view.price_note(model)
            choices.append(Choice(model.key, title, note, off))
        choices.sort(key=lambda choice: bool(choice.off))

        def chosen(key: str | None) -> None:
            if key:
                self.planner.choose(catalog.find(key))

        value = self.thread.model.key if self.thread.model else ""
        self.app.push_screen(Choose("Base model", choices, value=value), chosen)

    def do_traffic(self) -> None:
        from fttui.ui.dialogs.traffic import DATASET, TrafficDialog

        def chosen(answer: object) -> None:
            if answer == DATASET:
                self.planner.set_traffic(None)
            elif answer is not None:
                self.planner.set_traffic(answer)  # type: ignore[arg-type]

        of_dataset = self.thread.report is not None
        self.app.push_screen(TrafficDialog(self.planner.traffic, of_dataset=of_dataset), chosen)

    def do_compare(self) -> None:
        said = cost_facts.toggle_kept(self.fttui.state, self.planner)
        self.app.notify(said, timeout=3)
        self._draw()

    def do_export(self) -> None:
        from fttui.ui.dialogs.choose import Choice, Choose

        choices = [Choice(kind, name, f".{kind}") for kind, name in NAMES.items()]

        def chosen(kind: str | None) -> None:
            if kind:
                self._export(kind)

        self.app.push_screen(Choose(f"Save the estimate in {Path.cwd()}", choices), chosen)

    def _export(self, kind: str) -> None:
        today = date.today()
        try:
            text = cost_facts.export(self.planner, self.fttui.backend.catalog, today, kind)
            stem = f"cost-{self.thread.path.stem if self.thread.path else 'plan'}-{today}"
            path = cost_facts.write_new(Path.cwd(), stem, f".{kind}", text)
        except Problem as problem:
            self.fttui.show_problem(problem)
        else:
            self.app.notify(f"saved {path}")

    def do_copy(self) -> None:
        catalog = self.fttui.backend.catalog
        text = cost_facts.export(self.planner, catalog, date.today(), "md")
        self.fttui.copy(text, "the estimate as Markdown")

    def do_guide(self) -> None:
        from fttui.ui.screens.guide import GuideScreen

        self.app.push_screen(GuideScreen(self.planner))

    def do_launch(self) -> None:
        from fttui.ui.launch.launcher import launch

        launch(self.fttui)
