"""What the parts of the chat screen share: who is in the columns, and how they are asked and drawn."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.ui.chat.answers import Answers
from fttui.ui.chat.blind import Blind
from fttui.ui.chat.conversation import Conversation, Reply, Turn
from fttui.ui.chat.talk import Talk
from fttui.ui.chat.voices import Voice
from fttui.ui.screens.base import AreaScreen
from fttui.ui.widgets.columns import Columns
from fttui.ui.widgets.composer import Composer

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.service.provider import Provider
    from fttui.service.types import ModelInfo


class ChatBase(AreaScreen):
    """A column is numbered as the conversation numbers it; `place` says where it is shown, which is
    another number while names are hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.conversation: Conversation | None = None
        self.profile = ""  # of the columns that name none
        self.listed: list[ModelInfo] = []
        self.trouble: Problem | None = None  # why there is no list of models
        self.blind = Blind()
        self.selected = -1  # the turn that keys act on, -1: the last
        self.editing: int | None = None  # the turn the composer's text will be a branch of
        self.raw = False  # Markdown as it was written
        self.marking = True  # differences between columns
        self.answers = Answers(self)  # type: ignore[arg-type]

    @cached_property  # asked for with every token
    def columns(self) -> Columns:
        return self.query_one(Columns)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def models(self) -> list[str]:
        """The voices of the columns, see `voices`."""
        return self.thread.chat_models

    @property
    def turns(self) -> list[Turn]:
        return self.conversation.turns if self.conversation else []

    def place(self, column: int) -> int:
        return self.blind.place(column)

    @property
    def column(self) -> int:
        """The column that keys act on."""
        return self.blind.column(self.columns.active)

    @property
    def turn(self) -> Turn | None:
        """The turn that keys act on."""
        turns = self.turns
        return turns[self.selected if self.selected < len(turns) else -1] if turns else None

    @property
    def reply(self) -> Reply | None:
        """The answer that keys act on."""
        turn = self.turn
        return turn.replies.get(self.column) if turn else None

    # -- voices

    def profile_of(self, voice: Voice) -> Profile:
        backend = self.fttui.backend
        return backend.config.profile(voice.profile) if voice.profile else backend.profile

    def provider_name(self, voice: Voice) -> str:
        """The kind of provider; "" for a profile that is not there any more."""
        try:
            return self.profile_of(voice).provider
        except Problem:
            return ""

    async def provider_of(self, voice: Voice) -> Provider:
        """Ready to be asked. Raises Problem."""
        backend = self.fttui.backend
        provider = backend._provider_of(self.profile_of(voice))
        await provider.ready()
        return provider

    def talk(self, name: str) -> Talk:
        """How a voice is talked to."""
        voice = Voice.of(name)
        return Talk.recall(self.fttui.state, voice.model, self.provider_name(voice))

    def _info(self, voice: Voice) -> ModelInfo | None:
        if voice.profile and voice.profile != self.profile:
            return None
        return next((info for info in self.listed if info.id == voice.model), None)

    def underlying(self, voice: Voice) -> str:
        """The model whose price counts: of a deployment, the one it serves."""
        info = self._info(voice)
        return info.deployed if info is not None and info.deployed else voice.model

    def context_of(self, voice: Voice) -> int | None:
        """Tokens a prompt and its answer may have together, where that is known."""
        info = self._info(voice)
        if info is not None and info.context:
            return info.context
        try:
            model = self.underlying(voice)
            row = self.fttui.backend.catalog.get(model, self.provider_name(voice))
        except Problem:
            return None
        return None if row is None else row.context

    # -- drawing

    def draw(self, column: int) -> None:
        raise NotImplementedError

    def draw_differences(self) -> None:
        """All answers are there: what differs can be marked."""
        for column in range(len(self.models)):
            self.draw(column)

    def words(self, column: int) -> str:
        raise NotImplementedError

    def show_all(self) -> None:
        """Columns and everything in them, from what is known."""
        raise NotImplementedError
