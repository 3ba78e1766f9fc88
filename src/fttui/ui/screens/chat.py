"""The chat area: one prompt to one to three models, their answers side by side as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual.widget import Widget
from textual.widgets import Static

from fttui.problem import Problem
from fttui.ui import editor
from fttui.ui.actions import bindings
from fttui.ui.chat import models as chat_models
from fttui.ui.chat import view as chat_view
from fttui.ui.chat.answers import Answers
from fttui.ui.chat.conversation import Conversation, Reply, Turn
from fttui.ui.chat.models import Talk
from fttui.ui.screens.base import AreaScreen
from fttui.ui.text import say
from fttui.ui.widgets.columns import Columns
from fttui.ui.widgets.composer import Composer

if TYPE_CHECKING:
    from fttui.service.types import ModelInfo

STALE_SECONDS = 30.0  # a list of models older than this is read again on return
REMOVE = "\0remove"
KEYS = "enter send · ^j new line · ↑ history · esc leave"
KEYS_SHORT = "enter send · ^j line · esc leave"


class ChatScreen(AreaScreen):
    """The conversation, its columns and the composer; `answers` does the asking."""

    SCOPE = "chat"
    BINDINGS = bindings(SCOPE)
    AUTO_FOCUS = "#composer"
    DEFAULT_CSS = """
    ChatScreen #row { height: auto; max-height: 4; padding: 0 2; display: none; color: $muted; }
    ChatScreen.-row #row { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.conversation: Conversation | None = None
        self.profile = ""
        self._listed: list[ModelInfo] = []
        self._listed_at = -STALE_SECONDS
        self._listing = False
        self._trouble: Problem | None = None
        self._row: Turn | None = None  # a prompt taken from the dataset, not sent yet
        self.answers = Answers(self)

    def body(self) -> Iterable[Widget]:
        yield Columns()
        yield Static(id="row")
        yield Composer(id="composer")

    def on_mount(self) -> None:
        super().on_mount()
        self.answers.begin()

    # -- parts

    @property
    def columns(self) -> Columns:
        return self.query_one(Columns)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def models(self) -> list[str]:
        return self.thread.chat_models

    # -- in step with the thread

    def thread_changed(self, fields: frozenset[str]) -> None:
        try:
            profile = self.fttui.backend.profile
        except Problem as problem:
            self._trouble = problem
            self._show_all()
            return
        if profile.name != self.profile:
            self.answers.stop()
            self.profile = profile.name
            self._listed, self._listed_at = [], -STALE_SECONDS
            self.conversation = Conversation.last(self.fttui.state, profile.name)
        if monotonic() - self._listed_at > STALE_SECONDS or not self.models:
            self._list_models()
        if fields & {"chat_models", "report", "job"}:
            self._show_all()
        if self.thread.ask_row is not None:
            self._take_asked(self.thread.ask_row)

    def _take_asked(self, row: int) -> None:
        """Data sent an example here."""
        from fttui.ui.chat import rows as chat_rows

        thread = self.thread
        thread.ask_row = None  # taken: no pane shows it
        if thread.index is not None and thread.path is not None:
            label = f"{thread.path.name} line {row + 1}"
            turn = chat_rows.turn_of(thread.index.line(row), label)
            if turn is None:
                self.app.notify(f"{label} has no prompt to ask", severity="warning")
            self.call_after_refresh(self.take, turn)

    def _show_all(self) -> None:
        """Columns and everything in them, from what is known."""
        self.columns.set_models(self.models)
        self.composer.remember([turn.prompt for turn in self._turns])
        self.call_after_refresh(self._draw_all)

    @property
    def _turns(self) -> list[Turn]:
        return self.conversation.turns if self.conversation else []

    def _draw_all(self) -> None:
        if not self.models:
            waiting = self.profile if self._listed_at < 0 else ""
            self.columns.show(0, chat_view.nothing(waiting, self._trouble))
        for column in range(len(self.models)):
            self.draw(column)
        narrow = self.app.size.width < 100
        self.composer.border_subtitle = KEYS_SHORT if narrow else KEYS

    def draw(self, column: int) -> None:
        if self.conversation is None or column >= len(self.models):
            return
        model = self.models[column]
        shown = chat_view.blocks(self.conversation, column, model)
        dataset = self.thread.path is not None
        self.columns.show(column, shown or chat_view.welcome(model, column, dataset))
        reply = self._turns[-1].replies.get(column) if self._turns else None
        self.columns.state(column, _state(reply), self.words(column))

    def talk(self, model: str) -> Talk:
        """How a model is talked to."""
        return Talk.recall(self.fttui.state, model, self.fttui.backend.profile.provider)

    def words(self, column: int) -> str:
        """A column's settings, for its lower edge."""
        talk = self.talk(self.models[column])
        system, of_dataset = chat_models.system_of(talk, self.thread)
        said = [talk.words()]
        if system:
            said.append("system: the dataset's" if of_dataset else "system prompt set")
        return " · ".join(word for word in said if word)

    # -- models

    def _list_models(self) -> None:
        if self._listing:
            return
        self._listing = True
        self.run_worker(
            self._read_models(), group="chat-models", exclusive=True, exit_on_error=False
        )

    async def _read_models(self) -> None:
        from fttui.service import models

        try:
            provider = await self.fttui.backend.provider()
            self._listed = await models.listing(provider)
            self.fttui.planner.told({info.id: info.shutdown_date for info in self._listed})
            self._trouble = None
        except Problem as problem:
            self._trouble = problem
        finally:
            self._listing = False
        self._listed_at = monotonic()
        if not self.models:
            found = chat_models.default_columns(
                self._listed, self.fttui.state, self.profile, self.thread
            )
            self._set_models(found)
        self._show_all()

    def _set_models(self, models: list[str]) -> None:
        self.fttui.state.remember(f"chat.columns.{self.profile}", models)
        self.fttui.change(chat_models=models)

    def _choose(self, title: str, taken: Callable[[str], None], extra: Iterable[Any] = ()) -> None:
        from fttui.ui.dialogs.choose import Choose
        from fttui.ui.dialogs.prompt import Prompt

        offered = chat_models.choices(
            self._listed, self.fttui.state, self.profile, self.thread, date.today()
        )

        def chosen(name: str | None) -> None:
            if name == chat_models.OTHER:
                self.app.push_screen(Prompt("Model or deployment", hint=[("its exact name", "dim")]),
                                     lambda text: taken(text.strip()) if text and text.strip() else None)  # fmt: skip
            elif name:
                taken(name)

        self.app.push_screen(Choose(title, [*extra, *offered]), chosen)

    def do_model(self) -> None:
        column = self.columns.active

        def taken(name: str) -> None:
            models = list(self.models) or [""]
            models[column] = name
            self._set_models(models)

        self._choose("Model" if len(self.models) < 2 else f"Model of column {column + 1}", taken)

    def do_add(self) -> None:
        from fttui.ui.dialogs.choose import Choice

        def taken(name: str) -> None:
            if name.startswith(REMOVE):
                self._remove(int(name.removeprefix(REMOVE)))
            else:
                self._set_models([*self.models, name])

        removals = [
            Choice(f"{REMOVE}{place}", f"remove column {place + 1}", chat_models.short(model))
            for place, model in enumerate(self.models)
        ]
        if len(self.models) >= chat_models.COLUMNS:
            from fttui.ui.dialogs.choose import Choose

            self.app.push_screen(
                Choose("Remove a column", removals), lambda name: taken(name) if name else None
            )
            return
        extra = removals[::-1] if len(self.models) > 1 else []
        self._choose("Add a column", taken, extra=extra[:1])

    def _remove(self, column: int) -> None:
        self.answers.stop()
        if self.conversation is not None:
            self.conversation.drop(column)
        self._set_models([name for place, name in enumerate(self.models) if place != column])

    # -- asking

    def on_composer_sent(self, event: Composer.Sent) -> None:
        if not self.models:
            self.app.notify("choose a model first (f2)", severity="warning")
            return
        if self.answers.running:
            self.app.notify("still answering: esc stops it", severity="warning", timeout=3)
            return
        turn = self._row or Turn("")
        turn.prompt, self._row = event.text, None
        assert self.conversation is not None
        self.conversation.ask(turn)
        self.composer.fill("")
        self.composer.remember([turn.prompt for turn in self._turns])
        self._show_row()
        chat_models.used(self.fttui.state, self.profile, self.models)
        self.answers.ask(range(len(self.models)))

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id == "chat.again":
            return "" if self._turns else "nothing was asked yet"
        if action_id == "chat.copy":
            return "" if self._last_answer() else "there is no answer yet"
        if action_id == "chat.row":
            return "" if self.thread.index is not None else "no dataset is open (o opens one)"
        if action_id in ("chat.system", "chat.add"):
            return "" if self.models else "choose a model first (f2)"
        return ""

    def do_stop(self) -> None:
        if self.answers.running:
            self.answers.stop()
        elif self.composer.has_focus and self.columns.current is not None:
            self.columns.current.focus()
        else:
            self.fttui.do_back()

    def do_write(self) -> None:
        self.composer.focus()

    def do_next(self) -> None:
        """The next column; with one column, from the composer to it and back."""
        count = len(self.models)
        if count < 2:
            target = self.columns.current if self.composer.has_focus else self.composer
            if target is not None:
                target.focus()
            return
        self.columns.activate((self.columns.active + 1) % count)
        if not self.composer.has_focus and self.columns.current is not None:
            self.columns.current.focus()

    def do_again(self) -> None:
        """Ask the last prompt again: only where it went wrong, else everywhere."""
        replies = self._turns[-1].replies
        idle = [place for place in range(len(self.models)) if place not in self.answers.running]
        wrong = [p for p in idle if p not in replies or replies[p].broken]
        if idle:
            self.answers.ask(wrong or idle)

    def do_new(self) -> None:
        self.answers.stop()
        self.conversation = Conversation(self.fttui.state, self.profile)
        self._row = None
        self._show_row()
        self._show_all()
        self.composer.focus()

    def do_system(self) -> None:
        from fttui.ui.dialogs.chat_settings import ChatSettingsDialog, Chosen

        model = self.models[self.columns.active]
        dataset, _ = chat_models.system_of(Talk(), self.thread)

        def chosen(answer: Chosen | None) -> None:
            if answer is not None:
                for name in self.models if answer.everyone else [model]:
                    answer.talk.remember(self.fttui.state, name)
                self._draw_all()

        talk = self.talk(model)
        self.app.push_screen(
            ChatSettingsDialog(
                chat_models.short(model), talk, dataset=dataset, columns=len(self.models)
            ),
            chosen,
        )

    def do_editor(self) -> None:
        try:
            self.composer.fill(editor.write(self.fttui, self.composer.text))
        except Problem as problem:
            self.fttui.show_problem(problem)
        self.composer.focus()

    def _last_answer(self) -> str:
        for turn in reversed(self._turns):
            reply = turn.replies.get(self.columns.active)
            if reply is not None and reply.text:
                return reply.text
        return ""

    def do_copy(self) -> None:
        self.fttui.copy(self._last_answer(), "the answer")

    def do_row(self) -> None:
        from fttui.ui.chat import rows as chat_rows

        async def pick() -> None:
            try:
                source = await chat_rows.source(self.thread)
            except Problem as problem:
                self.fttui.show_problem(problem)
                return
            self.app.push_screen(chat_rows.chooser(source), lambda v: self.take(source.turn(v)))

        self.run_worker(pick(), group="chat-rows", exclusive=True, exit_on_error=False)

    def take(self, turn: Turn | None) -> None:
        """Put a dataset's prompt into the composer, to be sent or edited."""
        if turn is not None:
            self._row = turn
            self.composer.fill(turn.prompt)
            self._show_row()
        self.composer.focus()

    def _show_row(self) -> None:
        row = self._row
        self.set_class(row is not None, "-row")
        if row is None:
            return
        self.query_one("#row", Static).update(say(*chat_view.row(row)))

    def on_composer_page(self, event: Composer.Page) -> None:
        if self.columns.current is not None:
            self.columns.current.action_page(event.direction)


def _state(reply: Reply | None) -> str:
    if reply is None:
        return ""
    if reply.running:
        return "answering" if reply.text else "waiting"
    if reply.problem:
        return "failed"
    return "stopped" if reply.broken else "done"
