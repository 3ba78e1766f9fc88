"""A profile asked for, field by field: what its provider needs, where its key is, and a try before it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from fttui.problem import Problem
from fttui.profile_form import BY_PROVIDER, KINDS, SOURCES, Form
from fttui.secrets import Secret, SecretSource
from fttui.ui.dialogs.base import Dialog
from fttui.ui.dialogs.choose import Choice, Choose
from fttui.ui.text import Part, say
from fttui.ui.widgets.picker import Picker

if TYPE_CHECKING:
    from fttui.config import Config, Profile

# How a key may be given: value → (what it is called, what is asked then, an example).
GIVEN = {
    "env": ("in an environment variable", "variable", "OPENAI_API_KEY"),
    "store-keyring": ("typed here, kept in the keyring", "key", "it is not shown"),
    "store-file": ("typed here, kept in a file only you read", "key", "it is not shown"),
    "command": ("printed by a command", "command", "op read op://work/openai/key"),
    "keyring": ("in the keyring already", "entry", "service/user"),
    "file": ("in a file already (mode 600)", "file", "~/.keys/openai"),
    "entra": ("Microsoft Entra sign-in (az login)", "", ""),
    "none": ("none is needed", "", ""),
}
FIELDS = {  # of the form, beside name and key → (what it is called, an example)
    "base_url": ("address", ""),
    "organization": ("organization", "the key's own"),
    "project": ("project", "the key's own"),
    "region": ("region", "anywhere; us eu ae au in jp"),
    "api_version": ("api version", "none: the v1 API"),
}


class AddProfile(Dialog[str]):
    """Answers the name of the profile it saved. profile: one to change, in place of a new one."""

    DEFAULT_CSS = """
    AddProfile > #box { width: 84; }
    AddProfile #form { height: auto; }
    AddProfile .row { height: 1; }
    AddProfile .row Label { width: 15; color: $muted; }
    AddProfile Input, AddProfile Picker { width: 1fr; background: $background; }
    AddProfile Input:focus, AddProfile Picker:focus { background: $panel; }
    AddProfile #hint { height: auto; margin-top: 1; }
    AddProfile #buttons { height: 1; margin-top: 1; }
    AddProfile Button { margin-right: 2; min-width: 10; background: $panel; }
    AddProfile Button:focus { background: $primary; color: $background; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
        Binding("ctrl+t", "try", "Try it", show=False, priority=True),
        Binding("ctrl+s", "save", "Save", show=False, priority=True),
    ]

    def __init__(
        self,
        config: Config,
        provider: str = "",
        profile: Profile | None = None,
        at: str = "given",
    ) -> None:
        """at: the field of `profile` to begin with, where its provider has it."""
        super().__init__()
        from fttui import profile_form

        self._config, self._profile, self._at = config, profile, at
        self._form = profile_form.of(profile) if profile else profile_form.usual(
            provider or "openai", config
        )  # fmt: skip
        self._ask_first = not provider and profile is None
        self._given = self._form.key.kind
        self._read_only = self._form.read_only

    # -- the form

    def compose(self) -> ComposeResult:
        title = f"Profile {self._profile.name}" if self._profile else "A new profile"
        with Vertical(id="box"):
            yield Label(say(title), classes="title")
            yield Vertical(id="form")
            yield Static("", id="hint")
            with Horizontal(id="buttons"):
                for name, words in (("save", "Save"), ("try", "Try it"), ("close", "Close")):
                    button = Button(words, id=name, compact=True)
                    button.styles.height = 1
                    yield button
            keys = "↑ ↓ move   enter choose or save   ^t try it   esc leave"
            yield Label(say((keys, "dim")), classes="keys")

    async def on_mount(self) -> None:
        await self._rebuild()
        if self._ask_first:
            self._ask_provider()

    async def _rebuild(self) -> None:
        """The rows that this provider needs."""
        form = self.query_one("#form", Vertical)
        await form.remove_children()
        await form.mount(*self._rows())
        self.query_one("#kind", Picker).text = BY_PROVIDER[self._form.provider].title
        self._sync_key(self._form.key.value if self._form.key.kind in ("env", *SOURCES) else "")
        self.query_one("#access", Picker).text = _access(self._read_only)
        asks = BY_PROVIDER[self._form.provider].asks
        at = (
            self._at if self._at in asks else (asks[0] if asks and self._at != "given" else "given")
        )
        self.query_one(f"#{at}" if self._profile else "#name").focus()

    def _rows(self) -> Iterator[Widget]:
        made, kind = self._form, BY_PROVIDER[self._form.provider]
        yield _row("provider", Picker(id="kind"))
        name = Input(made.name, id="name", compact=True, disabled=self._profile is not None)
        yield _row("name", name)
        for field in kind.asks:
            words, example = FIELDS[field]
            value = getattr(made, field)
            yield _row(
                words, Input(value, placeholder=example or kind.example, id=field, compact=True)
            )
        yield _row("key", Picker(id="given"))
        yield _row("", Input(id="key", compact=True))
        yield _row("access", Picker(id="access"))

    def _choices(self) -> list[str]:
        """How a key of this provider may be given here."""
        found = ["env", "store-keyring", "store-file", "command", "keyring", "file"]
        if self._form.provider == "azure":
            found.insert(1, "entra")
        if self._form.provider in ("custom", "local"):
            found.append("none")
        return found

    def _sync_key(self, value: str) -> None:
        words, asked, example = GIVEN[self._given if self._given in GIVEN else "env"]
        self.query_one("#given", Picker).text = words
        field = self.query_one("#key", Input)
        field.password = self._given.startswith("store-")
        field.value = "" if field.password else value
        field.placeholder = example
        row = field.parent
        if isinstance(row, Widget):
            row.display = bool(asked)
            row.query_one(Label).update(say(asked))

    # -- what is chosen

    @on(Picker.Asked, "#kind")
    def _ask_provider(self) -> None:
        if self._profile is not None:
            return
        choices = [Choice(kind.provider, kind.title, kind.about) for kind in KINDS]

        async def chosen(provider: str | None) -> None:
            from fttui import profile_form

            if provider:
                self._form = profile_form.usual(provider, self._config)
                self._given = "env" if self._form.key.kind == "env" else "none"
                if provider == "azure":
                    self._given = "env"
                await self._rebuild()
            elif self._ask_first:
                self.dismiss(None)
            self._ask_first = False

        title = "Whose service is it?"
        self.app.push_screen(Choose(title, choices, value=self._form.provider), chosen)

    @on(Picker.Asked, "#given")
    def _ask_given(self) -> None:
        from fttui import key_store

        missing = key_store.keyring_missing()
        choices = [
            Choice(name, GIVEN[name][0], off=missing if "keyring" in name else "")
            for name in self._choices()
        ]

        def chosen(given: str | None) -> None:
            if given:
                self._given = given
                usual = BY_PROVIDER[self._form.provider].variable if given == "env" else ""
                self._sync_key(usual)
                self.query_one("#key" if GIVEN[given][1] else "#access").focus()

        self.app.push_screen(Choose("Where is the key?", choices, value=self._given), chosen)

    @on(Picker.Stepped, "#given")
    def _step_given(self, event: Picker.Stepped) -> None:
        from fttui import key_store

        names = self._choices()
        if key_store.keyring_missing():
            names = [name for name in names if "keyring" not in name]
        at = names.index(self._given) if self._given in names else 0
        self._given = names[(at + event.delta) % len(names)]
        self._sync_key(BY_PROVIDER[self._form.provider].variable if self._given == "env" else "")

    @on(Picker.Asked, "#access")
    @on(Picker.Stepped, "#access")
    def _step_access(self) -> None:
        self._read_only = not self._read_only
        self.query_one("#access", Picker).text = _access(self._read_only)

    # -- save and try

    def _read(self) -> Form:
        """The answers as they stand."""
        values = {
            field: self.query_one(f"#{field}", Input).value.strip()
            for field in BY_PROVIDER[self._form.provider].asks
        }
        typed = self.query_one("#key", Input).value.strip()
        kind, secret = self._given, None
        if kind.startswith("store-"):
            kind, secret, typed = kind.removeprefix("store-"), Secret(typed), ""
        return replace(
            self._form,
            name=self.query_one("#name", Input).value.strip(),
            key=SecretSource(kind, typed if kind not in ("none", "entra") else ""),
            secret=secret,
            read_only=self._read_only,
            **values,
        )

    def _complain(self, form: Form) -> bool:
        wrong = form.complaints(self._config, replacing=self._profile is not None)
        if wrong:
            field, words = wrong[0]
            called = FIELDS.get(field, (field, ""))[0]
            self._hint((f"✗ {called}: {words}", "error"))
            self.query_one(f"#{field}").focus()
        return bool(wrong)

    def _hint(self, *parts: Part) -> None:
        self.query_one("#hint", Static).update(say(*parts))

    def on_input_submitted(self) -> None:
        self.action_save()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        actions = {"save": self.action_save, "try": self.action_try, "close": self.action_close}
        actions[event.button.id or "close"]()

    def action_save(self) -> None:
        form = self._read()
        if not self._complain(form):
            self.run_worker(self._save(form), group="save", exclusive=True, exit_on_error=False)

    async def _save(self, form: Form) -> None:
        from fttui import profile_form

        profile = self._profile
        try:
            if profile is not None:
                await asyncio.to_thread(profile_form.change, form, profile, self._config)
            else:
                await asyncio.to_thread(profile_form.save, form, self._config)
        except Problem as problem:
            self._hint(("✗ " + " ".join(problem.lines()), "error"))
            return
        self.dismiss(form.name)

    def action_try(self) -> None:
        form = self._read()
        if not self._complain(form):
            self._hint(("asking …", "dim"))
            self.run_worker(self._try(form), group="try", exclusive=True, exit_on_error=False)

    async def _try(self, form: Form) -> None:
        from fttui import profile_form
        from fttui.service import examine

        try:
            profile = await asyncio.to_thread(profile_form.preview, form, self._config)
        except Problem as problem:
            self._hint(("✗ " + " ".join(problem.lines()), "error"))
            return
        found = await examine.examine(profile)
        parts: list[Part] = []
        room = 6 if self.app.size.height >= 32 else 3
        worst_first = sorted(found.lines, key=lambda line: line.level != "error")
        for line in worst_first[:room]:
            style = {"ok": "ok", "error": "error", "warning": "warning"}.get(line.level, "dim")
            parts += ["\n" if parts else "", (f"{line.glyph} {line.text}", style)]
            if line.remedy and line.level == "error":
                parts.append((f"\n  → {line.remedy}", "dim"))
        self._hint(*parts)


def _row(words: str, widget: Widget) -> Horizontal:
    return Horizontal(Label(say(words)), widget, classes="row")


def _access(read_only: bool) -> str:
    return "read-only: look, but spend and change nothing" if read_only else "read and change"
