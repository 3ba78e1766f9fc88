"""The keys of the chat screen that keep things: saved conversations, exports, examples for the dataset."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson

from fttui.problem import Problem
from fttui.ui.chat.base import ChatBase
from fttui.ui.chat.conversation import Conversation
from fttui.ui.chat.talk import system_of
from fttui.ui.chat.voices import Voice

if TYPE_CHECKING:
    from fttui.dataset.append import Appended
    from fttui.ui.chat.add import Addition
    from fttui.ui.chat.saved import Found

EXAMPLE, CORRECTION = "example", "correction"
OVER, UNDER = "over:", "under:"


class KeepKeys(ChatBase):
    """added: what was written into datasets, the newest last, to be taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.added: list[Appended] = []

    # -- saved conversations

    def do_saved(self) -> None:
        from fttui.ui.chat.saved import Saved

        self.app.push_screen(Saved(self.fttui.state), self._open_saved)

    def _open_saved(self, found: Found | None) -> None:
        if found is None:
            return
        conversation = Conversation.saved(self.fttui.state, found.profile, found.chat)
        place = conversation.show(found.message) if found.message else -1
        voices = [Voice.of(name) for name in conversation.voices()]
        known = found.profile in self.fttui.backend.config.profiles
        if found.profile != self.profile and known:  # asked through the profile it was begun with
            voices = [Voice(v.model, v.profile or found.profile, v.shots) for v in voices]
        if voices:
            self.fttui.change(chat_models=[str(voice) for voice in voices])
        self.open_conversation(conversation, place)

    def open_conversation(self, conversation: Conversation, place: int = -1) -> None:
        raise NotImplementedError

    # -- export

    def _systems(self) -> list[str]:
        return [system_of(self.talk(name), self.thread)[0] for name in self.models]

    def do_export(self) -> None:
        from fttui.ui.dialogs.choose import Choice, Choose

        rows = [
            Choice(".md", "Markdown", "to read: prompts, all answers, what they took"),
            Choice(".jsonl", "JSONL", "to train or evaluate with: one line a column"),
        ]
        self.app.push_screen(Choose("Save this conversation as", rows), self._export_as)

    def _export_as(self, suffix: str | None) -> None:
        from fttui.ui.chat import export
        from fttui.ui.dialogs.prompt import Prompt

        if not suffix:
            return

        def check(text: str) -> str:
            path = Path(text.strip()).expanduser()
            if path.exists():
                return f"{path.name} exists already; nothing is overwritten"
            return "" if path.parent.is_dir() else f"there is no folder {path.parent}"

        name = export.free_name(self.turns[0].prompt, suffix)
        self.app.push_screen(Prompt("Save as", value=str(name), check=check), self._export)

    def _export(self, text: str | None) -> None:
        from fttui.dataset.new_file import new_file
        from fttui.ui.chat import export

        conversation = self.conversation
        if not text or conversation is None:
            return
        path = Path(text.strip()).expanduser()
        if path.suffix == ".jsonl":
            rows = export.examples(conversation, self._systems())
            data = b"".join(orjson.dumps(row) + b"\n" for row in rows)
        else:
            data = export.markdown(conversation, self._systems()).encode("utf-8", "replace")
        try:
            with new_file(path) as file:
                file.write(data)
        except Problem as problem:
            self.fttui.show_problem(problem)
            return
        self.app.notify(f"saved {path}", timeout=5)

    # -- into a dataset

    def do_add_example(self) -> None:
        from fttui.ui.dialogs.choose import Choice, Choose

        reply, turn = self.reply, self.turn
        if reply is None or turn is None or not reply.text:
            self.app.notify("this column has no answer here", severity="warning", timeout=3)
            return
        rows = [
            Choice(EXAMPLE, "a new example with this answer", "it can be edited first"),
            Choice(CORRECTION, "my own answer is better than this one", "a preference pair"),
        ]
        for column, other in sorted(turn.replies.items()):
            if column == self.column or not other.text or other.text == reply.text:
                continue
            shown = f"column {self.place(column) + 1}'s"
            rows += [
                Choice(f"{OVER}{column}", f"this answer is better than {shown}", "a preference pair"),
                Choice(f"{UNDER}{column}", f"{shown} answer is better than this one", "a preference pair"),
            ]  # fmt: skip
        self.app.push_screen(Choose("Add to a dataset", rows), self._add_as)

    def _add_as(self, kind: str | None) -> None:
        from fttui.ui.chat.add import AddDialog

        reply, turn = self.reply, self.turn
        if not kind or reply is None or turn is None:
            return
        better, rejected = reply.text, ""
        if kind == CORRECTION:
            rejected = reply.text
        elif kind.startswith(OVER):
            rejected = turn.replies[int(kind.removeprefix(OVER))].text
        elif kind.startswith(UNDER):
            better, rejected = turn.replies[int(kind.removeprefix(UNDER))].text, reply.text
        title = "A preference pair" if rejected else "A new example"
        messages, tools = self._asked(), self.talk(reply.model).tools

        def chosen(addition: Addition | None) -> None:
            if addition is not None:
                self._add(addition, rejected, messages, tools)

        path = self._path_for("preference" if rejected else "chat")
        self.app.push_screen(AddDialog(title, better, path, rejected=rejected), chosen)

    def _asked(self) -> list[dict[str, Any]]:
        """What the selected answer answers, as it was sent."""
        assert self.conversation is not None
        at = self.selected if self.selected >= 0 else len(self.turns) - 1
        return self.conversation.messages(self.column, self._systems()[self.column], at)

    def _path_for(self, kind: str) -> Path:
        kept = self.fttui.state.recall(f"chat.add.{kind}")
        if kept and Path(kept).parent.is_dir():
            return Path(kept)
        path, report = self.thread.path, self.thread.report
        if path is not None and report is not None and report.format == kind:
            return path
        folder = path.parent if path is not None else Path.cwd()
        stem = path.name.removesuffix(".jsonl") if path is not None else "chat"
        return folder / f"{stem}.{'pairs' if kind == 'preference' else 'examples'}.jsonl"

    def _add(
        self, addition: Addition, rejected: str, messages: list[dict[str, Any]], tools: Any
    ) -> None:
        from fttui.dataset import append

        row = (
            append.pair(messages, addition.answer, rejected, tools)
            if rejected
            else append.example(messages, addition.answer, tools)
        )
        try:
            done = append.append(addition.path, row)
        except Problem as problem:
            self.fttui.show_problem(problem)
            return
        kind = "preference" if rejected else "chat"
        self.fttui.state.remember(f"chat.add.{kind}", str(addition.path.absolute()))
        self.added.append(done)
        self.run_worker(self._check_added(done), group="chat-check", exit_on_error=False)
        self.sync()

    async def _check_added(self, done: Appended) -> None:
        from fttui.ui.chat import add

        self._reload(done.path)
        try:
            said, severity = await asyncio.to_thread(add.verdict, done, self.fttui.backend.target())
        except Problem as problem:
            self.fttui.show_problem(problem)
            return
        self.app.notify(f"{said} · u takes it back", severity=cast(Any, severity), timeout=8)

    def _reload(self, path: Path) -> None:
        """The open dataset changed: show and check it again, the cursor where it was."""
        thread = self.thread
        open_ = thread.path, thread.validation
        if any(one is not None and one.absolute() == path.absolute() for one in open_):
            row = thread.row
            assert thread.path is not None
            self.fttui.backend.open(thread.path, thread.validation)
            self.fttui.change(row=row)

    def do_take_back(self) -> None:
        from fttui.dataset import append

        done = self.added[-1]
        try:
            append.take_back(done)
        except Problem as problem:
            self.fttui.show_problem(problem)
            return
        finally:
            self.added.pop()
            self.sync()
        self._reload(done.path)
        self.app.notify(f"taken back: line {done.line:,} of {done.path.name}", timeout=4)
