"""The keys of the chat screen that act on one turn: select, ask again, edit, branch, go on, copy, rate."""

from __future__ import annotations

from fttui.problem import Problem
from fttui.ui import editor
from fttui.ui.chat import blind, code
from fttui.ui.chat.base import ChatBase
from fttui.ui.chat.conversation import Conversation
from fttui.ui.chat.talk import system_of
from fttui.ui.chat.voices import Voice

TIE, NONE = "tie", "none"


class TurnKeys(ChatBase):
    """They act on the selected turn and the active column."""

    def why_not_turn(self, name: str) -> str:
        """The reason one of these keys cannot do anything now."""
        if name in _OF_A_TURN and not self.turns:
            return "nothing was asked yet"
        if name in _AT_REST and self.answers.running:
            return "still answering: esc stops it"
        if name in ("copy", "code", "add_example") and not self._text():
            return "there is no answer yet"
        if name == "go_on" and not self._cut_columns():
            return "no answer was cut off"
        if name in ("older", "newer") and not any(
            len(self.conversation.branches(at)) > 1  # type: ignore[union-attr]
            for at in range(len(self.turns))
        ):
            return "there is one branch (f6 edits a prompt and makes another)"
        if name == "blind" and len(self.models) < 2:
            return "it takes two columns (f3 adds one)"
        return ""

    # -- select

    def select(self, place: int) -> None:
        """Make a turn the one that keys act on, and bring it into view."""
        self.selected = place if place < len(self.turns) - 1 else -1
        self.draw_differences()
        for row, starts in enumerate(self.starts()):
            start = starts[place] if place < len(starts) else None
            transcript = self.columns.transcripts[row]
            if self.selected < 0:
                transcript.following = True
                transcript.settle()
            elif start is not None:
                transcript.reveal(start)

    def starts(self) -> list[list[int | None]]:
        """Per place: where each turn's blocks begin."""
        raise NotImplementedError

    def _at(self) -> int:
        return self.selected if 0 <= self.selected < len(self.turns) else len(self.turns) - 1

    def do_previous(self) -> None:
        self.select(max(0, self._at() - 1))

    def do_following(self) -> None:
        self.select(min(len(self.turns) - 1, self._at() + 1))

    # -- ask again

    def do_again(self) -> None:
        """Where the last answers went wrong, those again; else all of it as a branch: the old one stays."""
        conversation = self.conversation
        assert conversation is not None
        if 0 <= self.selected < len(self.turns) - 1:
            self.send(self.turns[self.selected].prompt, instead_of=self.selected)
            return
        replies = self.turns[-1].replies
        idle = [at for at in range(len(self.models)) if at not in self.answers.running]
        wrong = [at for at in idle if at not in replies or replies[at].broken]
        if wrong:
            self.answers.ask(wrong)
        elif len(idle) == len(self.models):
            self.send(self.turns[-1].prompt, instead_of=len(self.turns) - 1)

    def send(self, prompt: str, *, instead_of: int | None = None) -> None:
        """Ask all columns; instead of a turn: as a branch beside it."""
        raise NotImplementedError

    def do_edit(self) -> None:
        self.editing = self._at()
        self.composer.fill(self.turns[self.editing].prompt)
        self.composer.focus()
        self.show_all()

    def _cut_columns(self) -> list[int]:
        if not self.turns:
            return []
        replies = self.turns[-1].replies
        return [
            at for at, reply in replies.items()
            if reply.unfinished and at < len(self.models) and at not in self.answers.running
        ]  # fmt: skip

    def do_go_on(self) -> None:
        cut = self._cut_columns()
        for column in [self.column] if self.column in cut else cut[:1]:
            self.answers.go_on(column)

    # -- branches

    def do_older(self) -> None:
        self._switch(-1)

    def do_newer(self) -> None:
        self._switch(1)

    def _switch(self, step: int) -> None:
        """The branch beside the selected turn, or beside the last turn that has any."""
        conversation = self.conversation
        assert conversation is not None
        at = self._at()
        while at > 0 and len(conversation.branches(at)) < 2:
            at -= 1
        if not conversation.switch(at, step):
            self.app.notify("there is no branch on that side", timeout=2)
            return
        self.selected = at if at < len(self.turns) - 1 else -1
        self.show_all()

    # -- see

    def do_raw(self) -> None:
        self.raw = not self.raw
        self.show_all()

    def do_differences(self) -> None:
        self.marking = not self.marking
        self.show_all()

    # -- take away

    def _text(self) -> str:
        """The selected answer; the last one that says something where none is selected."""
        turns = self.turns[: self.selected + 1] if self.selected >= 0 else self.turns
        for turn in reversed(turns):
            reply = turn.replies.get(self.column)
            if reply is not None and reply.text:
                return reply.text
        return ""

    def do_copy(self) -> None:
        self.fttui.copy(self._text(), "the answer")

    def do_code(self) -> None:
        """Copy the request of the selected turn as a program."""
        from fttui.ui.dialogs.choose import Choice, Choose

        assert self.conversation is not None
        voice = Voice.of(self.models[self.column])
        talk = self.talk(str(voice))
        messages = self.conversation.messages(
            self.column, system_of(talk, self.thread)[0], self._at()
        )
        profile = self.profile_of(voice)

        def chosen(language: str | None) -> None:
            if language:
                self.run_worker(
                    code.copy(self.fttui, language, profile, voice, messages, talk),
                    group="chat-code",
                    exclusive=True,
                    exit_on_error=False,
                )

        rows = [Choice(name, name, note) for name, note in code.LANGUAGES.items()]
        self.app.push_screen(Choose("Copy this request as", rows), chosen)

    # -- rate

    def do_blind(self) -> None:
        if self.blind.on:
            self.blind.leave()
            self.app.notify("blind mode is off", timeout=3)
        else:
            self.blind.on = True
            self.app.notify(
                "blind: with the next prompt columns are shuffled, names hidden until you rate (R)",
                timeout=6,
            )
        self.show_all()

    def do_rate(self) -> None:
        from fttui.ui.dialogs.choose import Choice, Choose

        turn = self.turns[self._at()]
        order = [column for column in self.blind.order if column in turn.replies]
        names = [turn.replies[column].model for column in order]
        hidden = self.blind.hidden
        if not names:
            self.app.notify("nobody answered this prompt", severity="warning", timeout=3)
            return
        if len(names) < 2:
            rows = [Choice(names[0], "good"), Choice(NONE, "not good")]
        else:
            rows = [
                Choice(
                    names[at],
                    f"column {self.place(column) + 1} is the best",
                    "" if hidden else Voice.of(names[at]).title,
                )
                for at, column in enumerate(order)
            ]
            rows += [Choice(TIE, "equally good"), Choice(NONE, "none is good")]

        def chosen(winner: str | None) -> None:
            if winner:
                self.fttui.state.rate(turn.id, winner, names, blind=hidden)
                self.blind.reveal()
                self.show_all()
                self.app.notify(_rated(winner, self._scores()), timeout=5)

        self.app.push_screen(Choose("Which answer is the best?", rows), chosen)

    def _scores(self) -> list[tuple[str, blind.Score]]:
        return blind.tally(self.fttui.state.ratings())

    def do_tally(self) -> None:
        from fttui.ui.chat.tally import Tally

        self.app.push_screen(Tally(self._scores(), blind.pairs(self.fttui.state.ratings())))

    # -- begin anew

    def do_new(self) -> None:
        self.answers.stop()
        self.open_conversation(Conversation(self.fttui.state, self.profile))
        self.composer.focus()

    def open_conversation(self, conversation: Conversation) -> None:
        raise NotImplementedError

    def do_editor(self) -> None:
        try:
            self.composer.fill(editor.write(self.fttui, self.composer.text))
        except Problem as problem:
            self.fttui.show_problem(problem)
        self.composer.focus()


_OF_A_TURN = frozenset({
    "again", "copy", "code", "edit", "go_on", "older", "newer", "rate", "previous", "following",
    "add_example", "export",
})  # fmt: skip
_AT_REST = frozenset({"edit", "older", "newer", "rate", "go_on", "saved", "blind"})


def _rated(winner: str, scores: list[tuple[str, blind.Score]]) -> str:
    said = {TIE: "a tie", NONE: "none is good"}.get(winner) or Voice.of(winner).title
    score = dict(scores).get(winner)
    count = f" · {score.won} of {score.total} so far" if score else ""
    return f"rated: {said}{count}"
