"""What the launch form asks in lists: which model, method, validation, value; and texts in an editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.ui.dialogs.choose import Choice, Choose
from fttui.ui.dialogs.prompt import Prompt
from fttui.ui.launch import plan, price
from fttui.ui.launch.draft import SPLIT
from fttui.ui.launch.fields import Field
from fttui.ui.text import say

if TYPE_CHECKING:
    from fttui.dataset.report import Report
    from fttui.pricing.catalog import Model
    from fttui.service.types import Checkpoint
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.track import Track

OTHER, NONE = "\0other", "\0none"
NOTE = 48  # columns of a note beside a choice
Taken = Callable[[str], None]


def model(app: FttuiApp, choices: list[Choice], value: str, taken: Taken) -> None:
    """Ask for a base, a tuned model or a checkpoint; or any other name."""

    def chosen(name: str | None) -> None:
        if name == OTHER:
            hint = [("a name this provider knows: a base, ft:…, a checkpoint", "dim")]
            app.push_screen(Prompt("Train which model", value=value, hint=hint), named)
        elif name:
            taken(name)

    def named(text: str | None) -> None:
        if text and text.strip():
            taken(text.strip())

    app.push_screen(
        Choose("Train which model", [*choices, Choice(OTHER, "another name …")], value=value),
        chosen,
    )


def model_choices(
    models: Sequence[Model], tracks: Sequence[Track], takes: Callable[[str], bool], today: date
) -> list[Choice]:
    """The base models with their price and lifetime, then what was tuned from those that can be."""
    found = [Choice(one.id, one.id, _note(one, today)) for one in models]
    for track in tracks:
        job = track.job
        if not takes(job.model):
            continue
        if job.fine_tuned_model:
            made = job.fine_tuned_model
            found.append(Choice(made, f"go on from {track.name}", made))
        found += [_kept(track, row) for row in track.checkpoints or () if _another(track, row)]
    return found


def _another(track: Track, row: Checkpoint) -> bool:
    return bool(row.model) and row.model != track.job.fine_tuned_model


def _kept(track: Track, row: Checkpoint) -> Choice:
    return Choice(row.model, f"go on from {track.name}, step {row.step:,}", row.model)


def _note(one: Model, today: date) -> str:
    cost = one.training
    note = f"{cost.amount:g} {cost.currency}/{cost.unit}" if cost else "price unknown"
    life = say(*price.lifetime(one, today)).plain
    return f"{'free' if one.free else note} · {life}"[:NOTE]


def method(app: FttuiApp, desk: plan.Desk, report: Report | None, value: str, taken: Taken) -> None:
    """Ask for the method; what this provider or this file cannot do says why."""
    choices = [
        Choice(name, title, off=desk.no_method(name, report))
        for name, title in plan.METHODS.items()
    ]
    app.push_screen(Choose("Method", choices, value=value), _then(taken))


def validation(app: FttuiApp, values: Sequence[str], value: str, taken: Taken) -> None:
    """Ask what to validate on: as in Draft.validation, or another file."""

    def chosen(name: str | None) -> None:
        if name == OTHER:
            app.push_screen(Prompt("Validation file", check=_no_file), file)
        elif name is not None:
            taken("" if name == NONE else name)

    def file(text: str | None) -> None:
        if text:
            taken(str(Path(text.strip()).expanduser()))

    choices = [*(_validation_choice(one) for one in values), Choice(OTHER, "another file …")]
    app.push_screen(Choose("Validation", choices, value=value or NONE), chosen)


def _validation_choice(value: str) -> Choice:
    if value.startswith(SPLIT):
        share = float(value.removeprefix(SPLIT))
        return Choice(value, f"hold out {share:.0%} of the examples", "a copy is split")
    if value:
        return Choice(value, value, "a file of its own")
    return Choice(NONE, "none", "over-fitting will not show")


def _no_file(text: str) -> str:
    path = Path(text.strip()).expanduser()
    return "" if path.is_file() else f"no such file: {path}"


def value(app: FttuiApp, field: Field, now: str, taken: Taken) -> None:
    """Ask for one of a field's values."""
    choices = [Choice(one, one) for one in field.choices]
    app.push_screen(Choose(field.label, choices, value=now), _then(taken))


def text(app: FttuiApp, field: Field, now: str, usual: str, taken: Taken) -> None:
    """Let a field's JSON be written. usual: what the dataset calls what is expected."""
    from fttui.ui.dialogs.launch_json import JsonEditor
    from fttui.ui.launch import grader

    if field.name == "grader":
        starts = {
            kind: (note, grader.start(kind, usual)) for kind, (note, _) in grader.STARTS.items()
        }
        editor = JsonEditor("Grader", now, grader.fault, starts)
    else:
        import json

        begin = {"json_schema": ("an object", json.dumps(grader.FORMAT_START, indent=2))}
        editor = JsonEditor("Answer format", now, grader.format_fault, begin, optional=True)
    app.push_screen(editor, lambda found: taken(found) if found is not None else None)


def _then(taken: Taken) -> Callable[[str | None], None]:
    def chosen(name: str | None) -> None:
        if name:
            taken(name)

    return chosen
