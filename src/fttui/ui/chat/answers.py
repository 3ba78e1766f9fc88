"""Asking the models of the columns: one worker each, drawn a few times a second, kept however they end."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem
from fttui.ui.chat import models as chat_models
from fttui.ui.chat.conversation import Reply
from fttui.ui.chat.models import Talk

if TYPE_CHECKING:
    from fttui.ui.screens.chat import ChatScreen

FRAMES = 8  # a second, while an answer grows


class Answers:
    """Of one chat screen. running: column → the answer that is growing there."""

    def __init__(self, screen: ChatScreen) -> None:
        self.screen = screen
        self.running: dict[int, Reply] = {}

    def begin(self) -> None:
        self._ticker = self.screen.set_interval(1 / FRAMES, self._tick, pause=True)

    def ask(self, columns: Iterable[int]) -> None:
        """Send the conversation's last prompt to these columns."""
        screen = self.screen
        assert screen.conversation is not None
        for column in columns:
            model = screen.models[column]
            talk = screen.talk(model)
            system, _ = chat_models.system_of(talk, screen.thread)
            messages = screen.conversation.messages(column, system)
            reply = self.running[column] = screen.conversation.begin(column, model)
            screen.columns.transcripts[column].following = True
            screen.draw(column)
            screen.run_worker(
                self._answer(reply, messages, talk),
                group=f"chat-{column}",
                exclusive=True,
                exit_on_error=False,
            )
        screen.fttui.backend.unfinished["chat"] = (
            "An answer is being written: the rest would be lost."
        )
        self._ticker.resume()
        screen.sync()

    def stop(self) -> None:
        """Stop them all; what came stays."""
        for column in list(self.running):
            self.screen.workers.cancel_group(self.screen, f"chat-{column}")

    async def _answer(self, reply: Reply, messages: list[dict[str, Any]], talk: Talk) -> None:
        from fttui.service import chat

        result = None
        try:
            provider = await self.screen.fttui.backend.provider()
            stream = chat.stream(provider, reply.model, messages, talk.settings())
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
        finally:
            if result is not None:
                reply.take(result)
                reply.facts["calls"] = result.tool_calls
            self._finished(reply)

    def _arrived(self, reply: Reply, text: str) -> None:
        if not text:
            return
        first = not reply.text
        reply.text += text
        columns = self.screen.columns
        columns.add(reply.column, text)
        if first:
            columns.state(reply.column, "answering", self.screen.words(reply.column))
            columns.flush()

    def _finished(self, reply: Reply) -> None:
        """However it ended: keep it, price it, show it whole."""
        reply.end = reply.end or "failed"
        self._price(reply)
        screen = self.screen
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
            screen.columns.settle(reply.column)
            screen.sync()

    def _price(self, reply: Reply) -> None:
        backend = self.screen.fttui.backend
        try:
            amount, currency = chat_models.cost(
                backend.catalog, backend.profile.provider, reply.model, reply.facts
            )
        except Problem:
            return
        reply.facts |= {"amount": amount, "currency": currency}
        if amount.strip("0."):
            with contextlib.suppress(sqlite3.Error):
                self.screen.fttui.state.journal(
                    self.screen.profile, "chat", reply.model, amount, currency
                )

    def _tick(self) -> None:
        self.screen.columns.flush()
        if self.screen.conversation is not None:
            for reply in self.running.values():
                self.screen.conversation.keep(reply)
