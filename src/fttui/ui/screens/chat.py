"""The chat area: one prompt to one to four models, their answers side by side as they come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from textual.widget import Widget
from textual.widgets import Static

from fttui.problem import Problem
from fttui.ui.actions import bindings
from fttui.ui.chat import models as chat_models
from fttui.ui.chat import view as chat_view
from fttui.ui.chat.conversation import Conversation, Reply, Turn
from fttui.ui.chat.keep_keys import KeepKeys
from fttui.ui.chat.model_keys import ModelKeys
from fttui.ui.chat.talk import system_of
from fttui.ui.chat.turn_keys import TurnKeys
from fttui.ui.chat.voices import Voice
from fttui.ui.text import say
from fttui.ui.widgets.columns import Columns
from fttui.ui.widgets.composer import Composer

KEYS = "enter send · ^j new line · ↑ ^f earlier prompts · esc leave"
KEYS_SHORT = "enter send · ^j line · esc leave"
HIDDEN = "name hidden"
_LETTERS = frozenset({"write", "copy", "rate", "add_example", "code", "export"})
_FUNCTION_KEYS = frozenset(
    {"model", "add", "system", "row", "evaluate", "saved", "blind", "editor", "new"}
)


class ChatScreen(ModelKeys, TurnKeys, KeepKeys):
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
        self._row: Turn | None = None  # a prompt taken from the dataset, not sent yet
        self._starts: dict[int, list[int | None]] = {}

    def body(self) -> Iterable[Widget]:
        yield Columns()
        yield Static(id="row")
        yield Composer(id="composer")

    def on_mount(self) -> None:
        super().on_mount()
        self.answers.begin()

    # -- in step with the thread

    def thread_changed(self, fields: frozenset[str]) -> None:
        try:
            profile = self.fttui.backend.profile
        except Problem as problem:
            self.trouble = problem
            self.show_all()
            return
        if profile.name != self.profile:
            self.answers.stop()
            self.profile = profile.name
            self.forget_models()
            self.open_conversation(Conversation.last(self.fttui.state, profile.name))
        self.list_models_if_stale()
        if fields & {"chat_models", "report", "job"}:
            self.show_all()
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

    def open_conversation(self, conversation: Conversation, place: int = -1) -> None:
        """Show another conversation, from a turn of it on."""
        self.answers.stop()
        self.conversation, self._row, self.editing = conversation, None, None
        self.selected = place if place < len(self.turns) - 1 else -1
        self.blind.reveal()
        self.show_all()
        if place >= 0:
            self.call_after_refresh(self.select, place)

    # -- drawing

    def show_all(self) -> None:
        self.blind.fit(len(self.models))
        names = [Voice.of(self.models[column]).title for column in self.blind.order]
        if self.blind.hidden:
            names = [HIDDEN] * len(names)
        self.columns.set_names(names)
        self.composer.remember([turn.prompt for turn in self.turns])
        self._show_row()
        self.call_after_refresh(self._draw_all)

    def _draw_all(self) -> None:
        if not self.models:
            waiting = self.profile if self.asking_for_models else ""
            self.columns.show(0, chat_view.nothing(waiting, self.trouble))
        for column in range(len(self.models)):
            self.draw(column)
        narrow = self.app.size.width < 100
        self.composer.border_subtitle = KEYS_SHORT if narrow else KEYS
        self.composer.border_title = "blind comparison" if self.blind.on else ""

    def draw(self, column: int) -> None:
        if self.conversation is None or column >= len(self.models):
            return
        name, place = self.models[column], self.place(column)
        shown = chat_view.blocks(self.conversation, column, name, self._look(column))
        self._starts[place] = shown.starts
        self.columns.show(place, shown.blocks or self._welcome(column, place))
        reply = self.turns[-1].replies.get(column) if self.turns else None
        self.columns.state(place, _state(reply), self.words(column))

    def starts(self) -> list[list[int | None]]:
        return [self._starts.get(place, []) for place in range(len(self.columns.transcripts))]

    def _look(self, column: int) -> chat_view.Look:
        other = None
        if self.marking and len(self.models) > 1 and not self.answers.running:
            first = self.blind.column(0)
            other = first if column != first else None
            if len(self.models) == 2 and column == first:
                other = 1 - column
        return chat_view.Look(self.raw, self.blind.hidden, other, self.selected)

    def _welcome(self, column: int, place: int) -> list[chat_view.Block]:
        voice = Voice.of(self.models[column])
        info = self._info(voice)
        ends = ""
        if info is not None and info.shutdown_date is not None:
            days = (info.shutdown_date - date.today()).days
            day = f"{info.shutdown_date:%d %B %Y}"
            ends = f"answers until {day}, {days} days" if days >= 0 else f"was retired on {day}"
        if self.blind.hidden:
            return []
        return chat_view.welcome(str(voice), place, self.thread.path is not None, ends=ends)

    def words(self, column: int) -> str:
        """A column's settings, for its lower edge."""
        if self.blind.hidden:
            return "R rates, and brings the names back" if self.place(column) == 0 else ""
        talk = self.talk(self.models[column])
        system, of_dataset = system_of(talk, self.thread)
        said = [talk.words()]
        if system:
            said.append("system: the dataset's" if of_dataset else "system prompt set")
        return " · ".join(word for word in said if word)

    # -- asking

    def on_composer_sent(self, event: Composer.Sent) -> None:
        if not self.models:
            self.app.notify("choose a model first (f2)", severity="warning")
            return
        if self.answers.running:
            self.app.notify("still answering: esc stops it", severity="warning", timeout=3)
            return
        self.composer.fill("")
        self.send(event.text, instead_of=self.editing)

    def send(self, prompt: str, *, instead_of: int | None = None) -> None:
        conversation = self.conversation
        assert conversation is not None
        if instead_of is not None and instead_of < len(self.turns):
            turn = self.turns[instead_of].again(prompt)
        else:
            turn, instead_of = self._row or Turn(""), None
            turn.prompt = prompt
        conversation.ask(turn, instead_of=instead_of)
        self._row, self.editing, self.selected = None, None, -1
        self.blind.shuffle(len(self.models))
        chat_models.used(self.fttui.state, self.profile, self.models)
        self.show_all()
        self.answers.ask(range(len(self.models)))

    # -- keys

    @property
    def elsewhere(self) -> frozenset[str]:
        """What the hint bar leaves out: letters while a prompt is written, else most other keys."""
        return _LETTERS if self.composer.has_focus else _FUNCTION_KEYS

    def on_descendant_focus(self) -> None:
        self.sync()

    def why_not(self, action_id: str) -> str:
        name = action_id.partition(".")[2]
        if name == "row":
            return "" if self.thread.index is not None else "no dataset is open (o opens one)"
        if name in ("system", "add"):
            return "" if self.models else "choose a model first (f2)"
        if name == "take_back":
            return "" if self.added else "nothing was added to a dataset"
        return self.why_not_turn(name)

    def do_stop(self) -> None:
        if self.answers.running:
            self.answers.stop()
        elif self.editing is not None or self._row is not None:
            self.editing, self._row = None, None
            self.composer.fill("")
            self._show_row()
        elif self.composer.has_focus and self.columns.current is not None:
            self.columns.current.focus()
        elif self.selected >= 0:
            self.select(len(self.turns) - 1)
        else:
            self.fttui.do_back()

    def do_evaluate(self) -> None:
        self.fttui.do_evaluate(list(self.models))

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

    def do_past(self) -> None:
        """Find a prompt that was used before, in any conversation."""
        from fttui.text import one_line
        from fttui.ui.dialogs.choose import Choice, Choose

        past = self.fttui.state.prompts()
        if not past:
            self.app.notify("nothing was asked yet", timeout=3)
            return

        def chosen(number: str | None) -> None:
            if number is not None:
                self.composer.fill(past[int(number)])
            self.composer.focus()

        rows = [Choice(str(number), one_line(text, 160)) for number, text in enumerate(past)]
        self.app.push_screen(Choose("Earlier prompts", rows), chosen)

    def take(self, turn: Turn | None) -> None:
        """Put a dataset's prompt into the composer, to be sent or edited."""
        if turn is not None:
            self._row, self.editing = turn, None
            self.composer.fill(turn.prompt)
            self._show_row()
        self.composer.focus()

    def _show_row(self) -> None:
        """What the composer's text will be, where it is more than the next prompt."""
        row, editing = self._row, self.editing
        if editing is not None and editing < len(self.turns):
            said = say((f"prompt {editing + 1} again, as a branch", "accent"),
                       (" · the old one stays · esc gives up", "dim"))  # fmt: skip
        elif row is not None:
            said = say(*chat_view.row(row))
        else:
            self.set_class(False, "-row")
            return
        self.set_class(True, "-row")
        self.query_one("#row", Static).update(said)

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
