"""The deployments of the profile in hand: what answers, since when, for how much an hour, until when."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from fttui.problem import Problem
from fttui.ui.actions import bindings
from fttui.ui.deploy import view
from fttui.ui.screens.base import AreaScreen
from fttui.ui.text import Part, say
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.pane import entitle

if TYPE_CHECKING:
    from fttui.service.deployments import Deployment
    from fttui.service.provider import Provider

SECOND = 1.0


class DeploymentsScreen(AreaScreen):
    SCOPE = "deployments"
    BINDINGS = bindings(SCOPE)
    DEFAULT_CSS = """
    DeploymentsScreen #table { height: 1fr; }
    DeploymentsScreen #burn { height: auto; max-height: 2; padding: 0 1; display: none; }
    DeploymentsScreen.-burning #burn { display: block; }
    DeploymentsScreen #head { height: 1; color: $muted; text-style: bold; }
    DeploymentsScreen #detail { height: auto; max-height: 9; padding: 0 1; }
    DeploymentsScreen #nothing { display: none; }
    DeploymentsScreen.-none #nothing { display: block; }
    DeploymentsScreen.-none #rows, DeploymentsScreen.-none #head { display: none; }
    DeploymentsScreen.-none #one { display: none; }
    DeploymentsScreen #one { height: auto; }
    DeploymentsScreen.-short #one { display: none; }
    """
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-short"), (20, "-tall")]

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Deployment] = []
        self._drawn: list[list[Part]] = []
        self._said: dict[str, str] = {}
        self._from = "checkpoints"  # where escape leads

    def body(self) -> Iterable[Widget]:
        with Vertical(id="table", classes="pane"):
            yield Static(id="burn")
            yield Static(id="head")
            yield LineList(self._row, id="rows")
            yield Static(id="nothing", classes="empty")
        with Vertical(id="one", classes="pane"):
            yield Static(id="detail")

    def on_mount(self) -> None:
        super().on_mount()
        self.fttui.deployed.changed.subscribe(self, self._news)
        self.set_interval(SECOND, self._tick)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._from = self.fttui.came_from
        self.rows.focus()
        provider = self.provider
        if provider is not None and not self._reason():
            self.fttui.deployed.look(provider)

    # -- in step

    @property
    def rows(self) -> LineList:
        return self.query_one("#rows", LineList)

    @property
    def provider(self) -> Provider | None:
        backend = self.fttui.backend
        try:
            known = backend.profile_if_known
            return None if known is None else backend._provider_of(known)
        except Problem:
            return None

    @property
    def row(self) -> Deployment | None:
        at = self.rows.cursor
        return self._rows[at] if at < len(self._rows) else None

    def thread_changed(self, fields: frozenset[str]) -> None:
        self.show()

    def _news(self, profile: str) -> None:
        if self.is_mounted and self.is_active:
            self.show()

    def _tick(self) -> None:
        if self.is_active:
            self.show()

    def on_resize(self) -> None:
        self.call_after_refresh(self.show)

    def show(self) -> None:
        """Draw what is new: amounts move by themselves, so this runs every second."""
        provider = self.provider
        found = self.fttui.deployed.of(provider.profile.name) if provider else None
        rows = found or []
        names = [row.name for row in rows]
        if names != [row.name for row in self._rows]:
            wanted = self._wanted(names)
            self._rows = rows
            self.rows.set_count(len(rows), cursor=wanted)
        self._rows = rows
        self.set_class(not rows, "-none")
        width = max(40, self.rows.size.width)
        if provider is not None:
            drawn = [view.row(self.fttui.deployed, provider, row, width) for row in rows]
            if drawn != self._drawn:
                self._drawn = drawn
                self.rows.refresh()
            self._update("head", view.head(width))
            burning = view.burn(self.fttui.deployed.burn(provider))
            self.set_class(bool(burning), "-burning")
            self._update("burn", burning)
            used = self._used()
            self._update("detail", view.detail(self.fttui.deployed, provider, self.row, used))
        self._update("nothing", self._nothing())
        self._titles()
        self.sync()

    def _wanted(self, names: Sequence[str]) -> int:
        """Where the cursor goes when rows come or go: it stays with its name."""
        state = self.fttui.state
        asked = state.recall("deployments.row", "")
        mine = self.row.name if self.row is not None else ""
        for name in (asked, mine):
            if name in names:
                if name == asked:
                    state.forget("deployments.row")
                return names.index(name)
        return min(self.rows.cursor, max(0, len(names) - 1))

    def _used(self) -> float:
        row, provider = self.row, self.provider
        if row is None or provider is None:
            return 0.0
        return self.fttui.state.last_answer(provider.profile.name, row.name)

    def _update(self, name: str, parts: Sequence[Part]) -> None:
        content = say(*parts)
        if self._said.get(name) != content.markup:
            self._said[name] = content.markup
            self.query_one(f"#{name}", Static).update(content)

    def _titles(self) -> None:
        provider = self.provider
        account = provider.profile.azure.account if provider and provider.profile.azure else ""
        where = f" of {account}" if account else ""
        name = provider.profile.name if provider else ""
        at = self.fttui.deployed.read_at.get(name, 0.0)
        clock = time.strftime("read %H:%M:%S", time.localtime(at)) if at else ""
        problem = self.fttui.deployed.problems.get(name)
        read: list[Part] = [(clock, "dim")]
        if problem is not None and at:
            read = [(f"{clock}, not since: {problem.remedy or problem.why}", "warning")]
        entitle(self.query_one("#table"), say(f"Deployments{where}"), say(*read))
        row = self.row
        entitle(self.query_one("#one"), say(row.name if row else ""))

    def _nothing(self) -> list[Part]:
        provider = self.provider
        if provider is None:
            return [("the configuration is being read", "dim")]
        reason = self._reason()
        if reason:
            return view.closed(provider, reason)
        problem = self.fttui.deployed.problems.get(provider.profile.name)
        if problem is not None:
            return [("✗ ", "error"), (problem.what, "bold"), f"\n\n{problem.why}\n\n",
                    ("→ ", "accent"), problem.remedy, "\n\n", ("r", "key"), (" asks again", "dim")]  # fmt: skip
        if self.fttui.deployed.of(provider.profile.name) is None:
            return [("asking for the deployments …", "dim")]
        return ["nothing is deployed, so nothing costs by the hour\n\n", ("n", "key"),
                (" deploys a tuned model", "dim")]  # fmt: skip

    def _row(self, at: int, width: int) -> Sequence[Part]:
        return self._drawn[at] if at < len(self._drawn) else [""]

    # -- choosing

    @on(LineList.Moved, "#rows")
    def _moved(self) -> None:
        self.show()

    @on(LineList.Chosen, "#rows")
    def _chosen(self) -> None:
        self.action_do("deployments.chat")

    def back(self) -> bool:
        self.fttui.go(self._from)
        return True

    # -- actions

    def _reason(self) -> str:
        from fttui.service import deployments

        provider = self.provider
        if provider is None:
            return "the configuration is being read"
        return deployments.why_not(provider)

    def why_not(self, action_id: str) -> str:
        reason = self._reason()
        name = action_id.partition(".")[2]
        if reason or name == "refresh":
            return reason
        provider, row = self.provider, self.row
        assert provider is not None
        if name in ("new", "scale", "delete") and provider.profile.read_only:
            return f"profile {provider.profile.name!r} is read-only"
        if name == "new":
            return "" if self._tuned() else "no job here has made a tuned model yet"
        if row is None:
            return "there is no deployment"
        word = self.fttui.deployed.going.get((provider.profile.name, row.name))
        if word and name in ("scale", "delete") and word != "deploying":
            return f"it is {word}"
        if name == "scale" and not row.made:
            return f"it is {row.state}"
        if name == "chat" and not row.made:
            return f"it is {row.state} and does not answer yet"
        return ""

    def _tuned(self) -> list[tuple[str, str, str]]:
        """(model, base, job) of the jobs that made one, the newest first."""
        feed = self.fttui.backend.feed
        jobs = [track.job for track in feed.jobs()] if feed is not None else []
        return [(j.fine_tuned_model, j.model, j.id) for j in jobs if j.fine_tuned_model]

    def do_new(self) -> None:
        from fttui.ui.deploy import entry
        from fttui.ui.dialogs.choose import Choice, Choose

        provider = self.provider
        assert provider is not None
        models = {model: (base, job) for model, base, job in self._tuned()}
        found = {model: self.fttui.deployed.find(provider.profile.name, model) for model in models}
        choices = [
            Choice(model, model, job, f"deployed as {row.name}" if (row := found[model]) else "")
            for model, (_, job) in models.items()
        ]

        def chosen(model: str | None) -> None:
            if model:
                base, job = models[model]
                entry.deploy(self.fttui, provider, model, base=base, job=job)

        self.app.push_screen(Choose("Deploy which model?", choices), chosen)

    def do_chat(self) -> None:
        row = self.row
        if row is not None:
            self.fttui.change(chat_models=[row.name])
            self.fttui.go("chat")

    def do_scale(self) -> None:
        from fttui.ui.dialogs.prompt import Prompt

        row, provider = self.row, self.provider
        assert row is not None
        assert provider is not None

        def check(text: str) -> str:
            return "" if text.strip().isdigit() and int(text) > 0 else "a whole number from 1"

        def typed(text: str | None) -> None:
            if text and int(text) != row.capacity:
                self.fttui.deployed.scale(provider, row, int(text))

        hint = "thousand tokens a minute; the price by the hour stays the same"
        self.app.push_screen(
            Prompt(f"Capacity of {row.name}", value=str(row.capacity), hint=[(hint, "dim")], check=check),
            typed,
        )  # fmt: skip

    def do_delete(self) -> None:
        from fttui.ui.dialogs.confirm import Confirm

        row, provider = self.row, self.provider
        assert row is not None
        assert provider is not None

        def answered(yes: bool | None) -> None:
            if yes:
                self.fttui.deployed.delete(provider, row)

        body = view.farewell(self.fttui.deployed, provider, row)
        self.app.push_screen(
            Confirm(f"Delete {row.name}?", body, yes="Delete", no="Keep"), answered
        )

    def do_copy(self) -> None:
        if self.row is not None:
            self.fttui.copy(self.row.name, self.row.name)

    def do_refresh(self) -> None:
        if self.provider is not None:
            self.fttui.deployed.look(self.provider)
