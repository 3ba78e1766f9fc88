"""The app: six areas on one thread of work, services handed in, one place where errors end."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.signal import Signal
from textual.worker import Worker, WorkerState

from fttui.problem import Problem
from fttui.state import State
from fttui.ui import clipboard, crumbs
from fttui.ui.actions import (
    ACTIONS,
    AREAS,
    BY_ID,
    PAGES,
    SPENDS,
    Action,
    bindings,
    clashes,
    keys_of,
    label,
)
from fttui.ui.backend import Backend
from fttui.ui.palette import Commands
from fttui.ui.planner import Planner
from fttui.ui.terminal_app import TerminalApp
from fttui.ui.text import Part
from fttui.ui.theme import THEMES
from fttui.ui.thread import Thread

if TYPE_CHECKING:
    from fttui.ui.deploy.known import Deployed
    from fttui.ui.dialogs.notices import Notice

QUIT_SECONDS = 2.0  # a second ^c within this quits


def _screen(area: str) -> Any:
    """A factory that imports an area's screen when it is first shown."""

    def make() -> Screen[None]:
        from importlib import import_module

        module = import_module(f"fttui.ui.screens.{area}")
        return cast("Screen[None]", getattr(module, f"{area.title()}Screen")())

    return make


class FttuiApp(TerminalApp):
    """Screens read `thread`, change it through `change`, and reach services through `backend`."""

    TITLE = "fttui"
    CSS_PATH = "app.tcss"
    MODES = {area: _screen(area) for area, _, _ in (*AREAS, *PAGES)}
    DEFAULT_MODE = "data"  # not an empty screen first: that costs a tenth of the first frame
    COMMANDS = {Commands}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("app"),
        Binding("tab", "app.focus_next", "Next pane", show=False),
    ]

    def __init__(
        self,
        path: Path | None = None,
        validation: Path | None = None,
        profile: str | None = None,
        *,
        ascii_only: bool = False,
        theme: str = "",
        state: State | None = None,
        first_start: bool = False,
    ) -> None:
        """first_start: ask where to train where nothing says it yet."""
        super().__init__(ascii_only=ascii_only)
        self.state = state or State()
        self.begin_theme(self.state.recall("theme", theme))
        self.thread = Thread()
        self.thread_changed: Signal[frozenset[str]] = Signal(self, "thread_changed")
        self.backend = Backend(self, profile)
        self.planner = Planner(self)
        self.notices: list[Notice] = []
        self.refusal: Problem | None = None  # the last closed door that was met
        self._first_start = first_start
        self.keymap_in_force: dict[str, str] = {}
        self.came_from = "jobs"  # the area before one that has no digit
        self._asked = (path, validation)
        self._interrupted = 0.0

    # -- life

    def on_mount(self) -> None:
        self.obey_signals()
        self.planner.begin()
        path, validation = self._asked
        if path is not None:
            self.backend.open(path, validation)
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """After the first frame: the slow things."""
        self.run_worker(self._begin(), group="configure", exclusive=True, exit_on_error=False)

    async def _begin(self) -> None:
        """The configuration, the plan, then the scan: so that a file is checked once, for that plan."""
        try:
            self._configure()
            await self.planner.prepared.wait()
        except Problem as problem:
            self.show_problem(problem)
        finally:
            self.backend.begin_scans()
        if self._first_start:
            from fttui.ui import profiles

            profiles.first_start(self)

    def _configure(self) -> None:
        config = self.backend.config
        self.keymap_in_force = dict(config.settings.keys)
        self.set_keymap(self.keymap_in_force)
        for sentence in clashes(self.keymap_in_force):
            self.notify(sentence, severity="warning")
        self.backend.begin()
        self.call_later(self._learn)
        self.deployed.begin()
        self.change()

    def _learn(self) -> None:
        from fttui.ui import profiles

        profiles.learn_what_they_can(self)

    async def on_unmount(self) -> None:
        await self.backend.close()
        self.state.close()

    # -- the thread of work

    def change(self, **fields: Any) -> None:
        """Change the thread and tell the panes which fields are new."""
        for name, value in fields.items():
            setattr(self.thread, name, value)
        if self.is_running:
            self.thread_changed.publish(frozenset(fields))

    def open(self, path: Path, validation: Path | None = None) -> None:
        self.backend.open(path.expanduser(), validation)
        self.go("data")

    def go(self, area: str) -> None:
        """Show an area."""
        if self.current_mode != area:
            if any(self.current_mode == numbered for numbered, _, _ in AREAS):
                self.came_from = self.current_mode
            self.switch_mode(area)

    def crumbs(self) -> list[list[Part]]:
        return crumbs.crumbs(self.thread)

    def whose(self) -> list[Part]:
        return crumbs.whose(self.backend)

    def banner(self, room: int = 80) -> list[Part]:
        """What runs up a bill comes first; then what will stop when, where there is room for both."""
        bill = self.deployed.banner(room) if "deployed" in self.__dict__ else []
        rest = room - sum(len(part[0]) + 3 for part in bill)
        end = crumbs.banner(self.thread, rest)
        fits = sum(len(part if isinstance(part, str) else part[0]) for part in end) <= rest
        return [*bill, "   ", *end] if bill and end and fits else bill or end

    @cached_property
    def deployed(self) -> Deployed:
        """The deployments of the profiles, and what they cost."""
        from fttui.ui.deploy.known import Deployed

        return Deployed(self)

    # -- saying things

    def notify(self, message: str, **options: Any) -> None:
        """A toast, kept in the notices as well. Text is never read as markup."""
        options["markup"] = False
        self._note(options.get("severity", "information"), message)
        super().notify(message, **options)

    def _note(self, severity: str, message: str) -> None:
        from fttui.ui.dialogs.notices import Notice

        self.notices.append(Notice(time.strftime("%H:%M:%S"), severity, message))
        del self.notices[:-500]

    def say_no(self, action: Action, reason: str) -> None:
        """An action cannot run: say why."""
        self.notify(f"{action.title}: {reason}", severity="warning", timeout=4)

    def show_problem(self, problem: Problem) -> None:
        from fttui.ui import doors

        self._note("error", str(problem))
        doors.show(self, problem)

    def refused(self, problem: Problem) -> None:
        """A pane shows a failure in its own place: where it is a closed door, `app.why` opens it."""
        from fttui.ui import doors

        if doors.is_door(problem):
            self.refusal = problem
            key = label(keys_of(BY_ID["app.why"], self.keymap_in_force)[0])
            self.notify(f"{key} tells why, and shows the ways out", severity="warning", timeout=6)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        self.worker_failed(event)

    def worker_failed(self, event: Worker.StateChanged) -> None:
        """A fault in background work is said and written down; the app goes on."""
        error = event.worker.error
        if event.state is not WorkerState.ERROR or error is None:
            return
        if isinstance(error, Problem):
            self.show_problem(error)
            return
        from fttui.secrets import redact
        from fttui.ui.crash import write_report

        path = write_report(error)
        self.show_problem(
            Problem(
                f"fttui hit a fault of its own while doing “{event.worker.group}”",
                redact(f"{type(error).__name__}: {error}"),
                f"the app goes on; the report is in {path}" if path else "the app goes on",
                code="fault",
            )
        )

    def copy(self, text: str, what: str) -> None:
        """Copy, and say what was copied and which way."""
        way = clipboard.copy_native(text)
        sequence = clipboard.osc52(text)
        if sequence and self._driver is not None:
            self._driver.write(sequence)
        if way:
            self.notify(f"copied {what} (via {way})", timeout=3)
        elif sequence:
            self.notify(f"copied {what} (asked the terminal, OSC 52)", timeout=3)
        else:
            self.notify(
                f"{what} is too long for this terminal's clipboard", severity="warning", timeout=5
            )

    # -- actions

    def action_do(self, action_id: str) -> None:
        try:
            getattr(self, f"do_{BY_ID[action_id].name}")()
        except Problem as problem:
            self.show_problem(problem)

    def run_by_id(self, action_id: str) -> None:
        """Run any action, wherever it lives (palette, help)."""
        if BY_ID[action_id].scope == "app":
            self.action_do(action_id)
        else:
            cast(Any, self.screen).action_do(action_id)

    def do_go_data(self) -> None:
        self.go("data")

    def do_go_check(self) -> None:
        self.go("check")

    def do_go_cost(self) -> None:
        self.go("cost")

    def do_go_jobs(self) -> None:
        self.go("jobs")

    def do_go_checkpoints(self) -> None:
        self.go("checkpoints")

    def do_go_chat(self) -> None:
        self.go("chat")

    def _step(self, delta: int) -> None:
        areas = [area for area, _, _ in AREAS]
        here = areas.index(self.current_mode if self.current_mode in areas else self.came_from)
        self.go(areas[max(0, min(here + delta, len(areas) - 1))])

    def do_right(self) -> None:
        self._step(1)

    def do_left(self) -> None:
        self._step(-1)

    def do_back(self) -> None:
        if not cast(Any, self.screen).back():
            self._step(-1)

    def do_palette(self) -> None:
        self.action_command_palette()

    def do_help(self) -> None:
        from fttui.ui.dialogs.help import Help

        scope = getattr(self.screen, "SCOPE", "")
        why_not = getattr(self.screen, "reason", lambda _: "")
        reasons = {a.id: why_not(a.id) for a in ACTIONS if a.scope == scope}

        def chosen(action_id: str | None) -> None:
            if action_id:
                self.run_by_id(action_id)

        self.push_screen(Help(scope, self.keymap_in_force, reasons), chosen)

    def do_open(self) -> None:
        from fttui.ui.dialogs.prompt import Prompt

        recent = [path for path, _ in self.state.recent(3)]

        def check(text: str) -> str:
            path = Path(text.strip()).expanduser()
            return "" if path.is_file() else f"no such file: {path}"

        def opened(text: str | None) -> None:
            if text:
                self.open(Path(text.strip()))

        here = self.thread.path or (recent[0] if recent else Path.cwd() / "train.jsonl")
        self.push_screen(
            Prompt("Open a dataset", value=str(here), hint=[("a .jsonl file", "dim")], check=check),
            opened,
        )

    def do_deployments(self) -> None:
        self.go("deployments")

    def do_evaluate(self, models: list[str] | None = None) -> None:
        """The page that asks several models the held-out examples; escape leads back to here."""
        self.thread.ask_models = models
        self.go("evaluate")

    def do_demo(self) -> None:
        from fttui import samples

        self.backend.use("local")
        self.open(samples.path("extraction"), samples.heldout("extraction"))

    def do_profile(self) -> None:
        from fttui.ui import profiles

        profiles.choose(self)

    def do_next_profile(self) -> None:
        from fttui.ui import profiles

        profiles.next_open(self)

    def do_add_profile(self) -> None:
        from fttui.ui import profiles

        profiles.add(self)

    def do_change_profile(self) -> None:
        from fttui.ui import profiles

        profiles.change(self, self.backend.profile)

    def do_read_only(self) -> None:
        from fttui.ui import profiles

        profiles.toggle_read_only(self)

    def do_probe(self) -> None:
        from fttui.ui import profiles

        profiles.ask_again_what_it_can(self)

    def do_why(self) -> None:
        from fttui.ui import doors

        doors.why(self)

    def guard(self, action_id: str) -> str:
        """Why an action that spends or changes something cannot run on the profile in hand, "" when it
        can."""
        if action_id not in SPENDS or self.backend.profile_if_known is None:
            return ""
        from fttui.ui import profiles

        return profiles.why_not_spend(self, action_id)

    def do_notices(self) -> None:
        from fttui.ui.dialogs.notices import Notices

        self.push_screen(Notices(self.notices))

    def do_redraw(self) -> None:
        self.refresh(repaint=True, layout=True)
        self.screen.refresh(repaint=True, layout=True)

    def do_interrupt(self) -> None:
        selected = self.screen.get_selected_text()
        if selected:
            self.copy(selected, "the selection")
            self.screen.clear_selection()
        elif time.monotonic() - self._interrupted < QUIT_SECONDS:
            self.exit()
        else:
            self._interrupted = time.monotonic()
            key = label("ctrl+c")
            self.notify(f"{key} again quits; running jobs go on", timeout=QUIT_SECONDS)

    def do_quit(self) -> None:
        busy = self.backend.busy()
        if not busy:
            self.exit()
            return
        from fttui.ui.dialogs.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit()

        self.push_screen(Confirm("Quit now?", [busy], yes="Quit", no="Stay"), answered)

    def do_theme(self) -> None:
        names = [theme.name for theme in THEMES]
        self.theme = names[1 - names.index(self.theme)] if self.theme in names else names[0]
        self.state.remember("theme", self.theme)

    def do_screenshot(self) -> None:
        path = self.save_screenshot(path=str(Path.cwd()))
        self.notify(f"saved {path}")
