"""The keys of the chat screen that choose who is in the columns, and how they are talked to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from time import monotonic
from typing import Any

from fttui.problem import Problem
from fttui.ui.chat import models as chat_models
from fttui.ui.chat.base import ChatBase
from fttui.ui.chat.talk import Talk, system_of
from fttui.ui.chat.voices import Voice, short

STALE_SECONDS = 30.0  # a list of models older than this is read again on return
REMOVE = "\0remove"


class ModelKeys(ChatBase):
    """`listed` are the active profile's models; another profile's are read when somebody asks for them."""

    def __init__(self) -> None:
        super().__init__()
        self._listed_at = -STALE_SECONDS
        self._listing = False
        self._guess: list[str] = []  # columns shown before the list was read

    def forget_models(self) -> None:
        """Another profile is in hand."""
        self.listed, self._listed_at, self._listing = [], -STALE_SECONDS, False

    def list_models_if_stale(self) -> None:
        if not self.models and self._listed_at < 0:  # the columns of last time, until it is read
            known = chat_models.default_columns([], self.fttui.state, self.profile, self.thread)
            if known:
                self._guess = known
                self.set_models(known)
        if monotonic() - self._listed_at > STALE_SECONDS or not self.models:
            self._list_models()

    @property
    def asking_for_models(self) -> bool:
        return self._listed_at < 0

    def _list_models(self) -> None:
        if self._listing:
            return
        self._listing = True
        self.run_worker(
            self._read_models(), group="chat-models", exclusive=True, exit_on_error=False
        )

    async def _read_models(self) -> None:
        from fttui.service import deployments

        profile = self.profile
        try:
            listed = await deployments.models_to_chat(await self.provider_of(Voice("")))
            if profile != self.profile:
                return
            self.listed, self.trouble = listed, None
            self.fttui.planner.told({info.id: info.shutdown_date for info in listed})
            chat_models.remember_listing(self.fttui.state, profile, listed)
        except Problem as problem:
            self.trouble = problem
        finally:
            self._listing = False
        self._listed_at = monotonic()
        if not self.models or self.models == self._guess:  # some may be gone since
            found = chat_models.default_columns(
                self.listed, self.fttui.state, self.profile, self.thread
            )
            if found != self.models and not self.answers.running:
                self.set_models(found)
        self._guess = []
        self.show_all()

    def set_models(self, models: list[str]) -> None:
        self.fttui.state.remember(f"chat.columns.{self.profile}", models)
        self.fttui.change(chat_models=models)

    # -- choosing

    def _others(self) -> list[str]:
        return [name for name in self.fttui.backend.config.profiles if name != self.profile]

    def _choose(self, head: str, taken: Callable[[str], None], extra: Iterable[Any] = ()) -> None:
        from fttui.ui.dialogs.choose import Choose
        from fttui.ui.dialogs.prompt import Prompt

        offered = chat_models.choices(
            self.listed,
            self.fttui.state,
            self.profile,
            self.thread,
            date.today(),
            self._others(),
        )
        extra = list(extra)

        def named(text: str | None) -> None:
            if text and text.strip():
                taken(text.strip())

        def chosen(name: str | None) -> None:
            if name == chat_models.OTHER:
                hint = [("its exact name", "dim")]
                self.app.push_screen(Prompt("Model or deployment", hint=hint), named)
            elif name and name.startswith(chat_models.LIST):
                profile = name.removeprefix(chat_models.LIST)
                self.run_worker(
                    self._choose_of(profile, head, taken),
                    group="chat-other-models",
                    exclusive=True,
                    exit_on_error=False,
                )
            elif name:
                taken(name)

        self.app.push_screen(Choose(head, [*extra, *offered]), chosen)

    async def _choose_of(self, profile: str, head: str, taken: Callable[[str], None]) -> None:
        """Ask another profile which models it has, and choose among them."""
        from fttui.service import deployments
        from fttui.ui.dialogs.choose import Choice, Choose

        self.app.notify(f"asking {profile} which models it has …", timeout=3)
        try:
            listed = await deployments.models_to_chat(await self.provider_of(Voice("", profile)))
        except Problem as problem:
            self.fttui.show_problem(problem)
            return
        chat_models.remember_listing(self.fttui.state, profile, listed)
        rows = [
            Choice(str(Voice(info.id, profile)), info.id, chat_models.kind(info.id))
            for info in sorted(listed, key=lambda info: (not chat_models.talks(info.id), info.id))
        ]

        def chosen(name: str | None) -> None:
            if name:
                taken(name)

        self.app.push_screen(Choose(f"{head}: models of {profile}", rows), chosen)

    def do_model(self) -> None:
        column = self.column

        def taken(name: str) -> None:
            models = list(self.models) or [""]
            models[column] = name
            self.set_models(models)

        extra = self._shown_first()
        one = "Model" if len(self.models) < 2 else f"Model of column {self.columns.active + 1}"
        self._choose(one, taken, extra=extra)

    def _shown_first(self) -> list[Any]:
        if self.thread.path is None or self.thread.index is None:
            return []
        return chat_models.shown_first(self.thread, self.models, self.thread.path.name)

    def do_add(self) -> None:
        from fttui.ui.dialogs.choose import Choice, Choose

        def taken(name: str) -> None:
            if name.startswith(REMOVE):
                self._remove(int(name.removeprefix(REMOVE)))
            else:
                self.set_models([*self.models, name])

        removals = [
            Choice(f"{REMOVE}{place}", f"remove column {place + 1}", Voice.of(model).title)
            for place, model in enumerate(self.models)
        ]
        if len(self.models) >= chat_models.COLUMNS:
            self.app.push_screen(
                Choose("Remove a column", removals), lambda name: taken(name) if name else None
            )
            return
        last = removals[::-1][:1] if len(self.models) > 1 else []
        self._choose("Add a column", taken, extra=[*last, *self._shown_first()])

    def _remove(self, column: int) -> None:
        self.answers.stop()
        if self.conversation is not None:
            self.conversation.drop(column)
        self.set_models([name for at, name in enumerate(self.models) if at != column])

    def do_system(self) -> None:
        from fttui.ui.dialogs.chat_settings import ChatSettingsDialog, Chosen

        voice = Voice.of(self.models[self.column])
        dataset, _ = system_of(Talk(), self.thread)

        def chosen(answer: Chosen | None) -> None:
            if answer is not None:
                for name in self.models if answer.everyone else [str(voice)]:
                    answer.talk.remember(self.fttui.state, Voice.of(name).model)
                self.show_all()

        talk = self.talk(str(voice))
        shown = "this column" if self.blind.hidden else short(voice.model)
        self.app.push_screen(
            ChatSettingsDialog(shown, talk, dataset=dataset, columns=len(self.models)), chosen
        )
