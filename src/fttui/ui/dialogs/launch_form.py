"""The form of a launch: one row a field, marked where something is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from fttui.ui.launch.draft import Draft
from fttui.ui.launch.fields import Field
from fttui.ui.text import Part, say
from fttui.ui.widgets.picker import Picker

WIDE = frozenset(
    {"suffix", "metadata", "wandb_project", "wandb_name", "wandb_entity", "wandb_tags"}
)


class Row(Horizontal):
    """A label, a control and a hint; the hint gives way to what is wrong."""

    def __init__(self, name: str, label: str, control: Widget, hint: str = "") -> None:
        self.hint = hint
        self.control = control
        self._label = label
        self._complaint = ""
        self._note = Static(say((hint, "dim")), classes="hint")
        children = [Label(say(label)), control]
        if not isinstance(control, Picker | Static):
            children.append(self._note)
        super().__init__(*children, id=f"row-{name}", classes="row")

    def mark(self, complaint: str) -> None:
        """Say what is wrong with it, "" for nothing."""
        if complaint == self._complaint:
            return
        self._complaint = complaint
        self.set_class(bool(complaint), "-wrong")
        self.query_one(Label).update(say(f"✗ {self._label}" if complaint else self._label))
        self._note.update(say((complaint, "error") if complaint else (self.hint, "dim")))


class Form(VerticalScroll, can_focus=False):
    """Told rows, picked rows and the provider's fields. `told`, `picked`: (name, label) in order."""

    DEFAULT_CSS = """
    Form { height: auto; }
    Form Picker { background: $background; }
    Form Input:focus, Form Picker:focus { background: $panel; }
    Form .row { height: auto; max-height: 2; }
    Form .row > Input { width: 22; }
    Form .row > .-wide-field { width: 38; }
    Form .row > Static { width: 1fr; }
    Form .row > Label { width: 16; color: $muted; }
    Form .row.-wrong > Label { color: $text-error; }
    Form .row > .hint { width: 1fr; height: 1; padding: 0 1; }
    Form .row.-under { display: none; }
    Form #fields { height: auto; margin-top: 1; }
    """

    def __init__(
        self,
        told: Sequence[tuple[str, str]],
        picked: Sequence[tuple[str, str]],
        fields: Sequence[Field],
        draft: Draft,
    ) -> None:
        super().__init__(id="form")
        self._told, self._picked, self.fields = tuple(told), tuple(picked), tuple(fields)
        self._draft = draft

    def compose(self) -> Iterator[Widget]:
        for name, label in self._told:
            yield Row(name, label, Static(id=f"told-{name}"))
        for name, label in self._picked:
            yield Row(name, label, Picker(id=name))
        with Vertical(id="fields"):
            yield from self._rows()

    def _rows(self) -> Iterator[Row]:
        for field in self.fields:
            row = Row(field.name, field.label, self._control(field), field.hint)
            row.set_class(bool(field.under) and not self._draft.text(field.under), "-under")
            yield row

    def _control(self, field: Field) -> Widget:
        if field.off:
            return Static(say((field.off, "faint")), id=f"field-{field.name}")
        if field.kind != "line":
            return Picker(id=f"field-{field.name}")
        return Input(
            self._draft.fields.get(field.name, ""),
            placeholder=field.placeholder,
            compact=True,
            suggester=SuggestFromList(field.choices) if field.choices else None,
            id=f"field-{field.name}",
            classes="-wide-field" if field.name in WIDE else None,
        )

    async def set_fields(self, fields: Sequence[Field], draft: Draft) -> None:
        """Other fields: another method, or a model with other hyperparameters."""
        self.fields, self._draft = tuple(fields), draft
        rows = self.query_one("#fields")
        with self.app.batch_update():
            await rows.remove_children()
            await rows.mount_all(self._rows())

    def has(self, fields: Sequence[Field]) -> bool:
        """Whether the rows are those of `fields`."""
        return [_look(field) for field in self.fields] == [_look(field) for field in fields]

    # -- in step

    def say(self, name: str, parts: Sequence[Part]) -> None:
        self.query_one(f"#told-{name}", Static).update(say(*parts))

    def show(self, name: str, text: str) -> None:
        """What a picker shows."""
        for picker in self.query(f"#{name}").results(Picker):
            picker.text = text

    def mark(self, wrong: Mapping[str, str]) -> None:
        """Mark the rows with something wrong, and only those."""
        for row in self.query(Row):
            row.mark(wrong.get((row.id or "").removeprefix("row-"), ""))

    def unfold(self, draft: Draft) -> None:
        """Show the rows that go with a field that is filled, hide those that do not."""
        for field in self.fields:
            if field.under:
                rows = self.query(f"#row-{field.name}")
                rows.set_class(not draft.text(field.under), "-under")

    def focus_on(self, name: str) -> bool:
        """Put the focus on a row; False where there is none to put it on."""
        for row in self.query(f"#row-{name}").results(Row):
            if row.control.focusable:
                row.control.focus()
                return True
        return False


def _look(field: Field) -> tuple[object, ...]:
    """What makes a row another row."""
    return field.name, field.kind, field.hint, field.off, field.choices
