"""Should I fine-tune at all? The ways compared, and the answer for the dataset that is open."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from fttui.ui.cost import tables as cost_tables
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, say

if TYPE_CHECKING:
    from fttui.pricing.advice import Advice
    from fttui.ui.planner import Planner

MARKS = {"for": ("✓ ", "ok"), "against": ("✗ ", "error"), "note": ("· ", "faint")}
ASPECTS = ("data", "changes", "cost", "control", "privacy", "time")


class GuideScreen(Dialog[None]):
    """A page to read; escape closes it."""

    DEFAULT_CSS = """
    GuideScreen > #box { width: 104; max-width: 100%; height: auto; max-height: 100%; padding: 0 2; }
    GuideScreen #page { height: auto; max-height: 1fr; background: $surface; }
    GuideScreen Static { background: $surface; }
    GuideScreen .keys { margin-top: 0; }
    """
    BINDINGS = [
        Binding("q,w,enter", "close", "Close", show=False),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, planner: Planner) -> None:
        super().__init__()
        self._planner = planner

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box") as box:
            box.border_title = say("Should I fine-tune at all?")
            box.border_subtitle = say("↑ ↓ read   esc close")
            yield Static(say(*self._page()))

    def on_mount(self) -> None:
        self.query_one("#box").focus()

    def action_scroll(self, lines: int) -> None:
        self.query_one("#box").scroll_relative(y=lines, animate=False)

    def _page(self) -> list[Part]:
        from fttui.pricing import advice

        thread = self._planner.app.thread
        workload = self._planner.workload()
        if workload is None or thread.model is None or thread.path is None:
            return [("open a dataset and choose a model first", "dim")]
        catalog, today = self._planner.app.backend.catalog, date.today()
        from fttui.ui.cost.facts import REFERENCE, larger

        big = larger(catalog, thread.model, today)
        found = advice.advise(
            workload,
            catalog,
            thread.model,
            today,
            traffic=self._planner.traffic,
            larger=big.key if big else REFERENCE,
        )
        name = f"{thread.path.name}, {thread.model.title} at {thread.model.provider}"
        return [
            ("For ", "dim"),
            (name, "accent"),
            "\n\n",
            (found.verdict, "bold"),
            "\n\n",
            *_points(found),
            *_table(found),
            *_ways(),
            *_sources(),
        ]


def _points(found: Advice) -> list[Part]:
    parts: list[Part] = []
    for point in found.points:
        parts += [
            MARKS.get(point.kind, ("· ", "faint")),
            point.text,
            (f"  [{point.source}]", "faint"),
        ]
        parts.append("\n")
    return [*parts, "\n"]


def _table(found: Advice) -> list[Part]:
    if found.comparison is None:
        return []
    parts: list[Part] = []
    for row in cost_tables.month(found.comparison, 72):
        parts += [*row, "\n"]
    return [*parts, "\n"]


def _ways() -> list[Part]:
    from fttui.pricing.advice import WAYS

    parts: list[Part] = [("The ways", "heading"), "\n"]
    for way in WAYS:
        parts += ["\n", (way.name, "bold"), (f"  [{way.source}]", "faint"), "\n"]
        for aspect in ASPECTS:
            parts += [(f"  {aspect:<9}", "dim"), getattr(way, aspect), "\n"]
    return [*parts, "\n"]


def _sources() -> list[Part]:
    from fttui.pricing.advice import SOURCES

    parts: list[Part] = [("Sources", "heading"), "\n"]
    for key, text in SOURCES.items():
        parts += [(f"  {key:<12}", "dim"), (text, "faint"), "\n"]
    return parts[:-1]
