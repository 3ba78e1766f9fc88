"""The rows of the launch form that are chosen, not typed: what there is, what stands there, what is taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.ui.dialogs import launch_ask as ask
from fttui.ui.dialogs.choose import Choice
from fttui.ui.launch import plan
from fttui.ui.launch.draft import SPLIT

if TYPE_CHECKING:
    from fttui.service.types import ModelInfo
    from fttui.ui.dialogs.launch import LaunchDialog

LATEST = 10  # jobs whose checkpoints are read when the form opens


class Picks:
    """The choices of one dialog, by the name of their row."""

    def __init__(self, dialog: LaunchDialog) -> None:
        self._dialog = dialog
        self._offered: list[ModelInfo] = []  # as the provider itself lists them

    async def look(self) -> None:
        """Ask the provider for its models, and for the checkpoints of the latest jobs: one may go on
        from what was tuned, and a server the catalogue does not know has models of its own."""
        from fttui.service import models

        feed = self._dialog.feed
        tuned = [track for track in feed.jobs() if track.job.fine_tuned_model]
        for track in tuned[:LATEST]:
            if track.checkpoints is None:
                feed.read_checkpoints(track.id)
        try:
            await feed.provider.ready()
            self._offered = await models.listing(feed.provider)
        except Problem:
            return  # the launch itself will say what is wrong

    def values(self, row: str) -> list[str]:
        """What left and right go through."""
        dialog = self._dialog
        if row == "model":
            return [model.id for model in dialog.desk.models(dialog.method)]
        if row == "method":
            report = dialog.fttui.thread.report
            return [name for name in plan.METHODS if not dialog.desk.no_method(name, report)]
        if row == "validation":
            return self._validations()
        field = next((field for field in dialog.fields if field.name == row), None)
        return list(field.choices) if field else []

    def value(self, row: str) -> str:
        """What stands in a row now."""
        dialog = self._dialog
        if row == "method":
            return dialog.method
        if row in ("model", "validation"):
            return str(getattr(dialog.draft, row))
        usual = next((field.usual for field in dialog.fields if field.name == row), "")
        return dialog.draft.text(row) or usual

    def take(self, row: str, value: str) -> None:
        """Put a choice into the draft; another method may need another model."""
        dialog = self._dialog
        if row not in ("method", "model", "validation"):
            dialog.draft.fields[row] = value
            return
        setattr(dialog.draft, row, value)
        if row == "method" and not self._fits():
            usual = dialog.desk.models(dialog.method)
            dialog.draft.model = usual[0].id if usual else ""

    def _fits(self) -> bool:
        dialog = self._dialog
        model = dialog.desk.base(dialog.draft.model)
        return bool(dialog.draft.model) if model is None else dialog.method in model.methods

    def _validations(self) -> list[str]:
        thread, draft = self._dialog.fttui.thread, self._dialog.draft
        files = [str(thread.validation)] if thread.validation else []
        if draft.validation_path and draft.validation not in files:
            files.append(draft.validation)
        return [*files, *(SPLIT + share for share in plan.SPLITS), ""]

    # -- asking

    def ask(self, row: str, taken: Callable[[str], None]) -> None:
        """Open the list, or the editor, of a row."""
        dialog, app, now = self._dialog, self._dialog.fttui, self.value(row)
        if row == "method":
            ask.method(app, dialog.desk, app.thread.report, now, taken)
        elif row == "model":
            ask.model(app, self._models(), now, taken)
        elif row == "validation":
            ask.validation(app, self._validations(), now, taken)
        else:
            field = next(field for field in dialog.fields if field.name == row)
            if field.kind == "json":
                text = dialog.draft.fields.get(row, "")
                ask.text(app, field, text, self._expected(), taken)
            else:
                ask.value(app, field, now, taken)

    def _models(self) -> list[Choice]:
        dialog, today = self._dialog, date.today()

        def takes(name: str) -> bool:
            model = dialog.desk.base(name)
            return model is None or (model.can_train(today) and dialog.method in model.methods)

        models = dialog.desk.models(dialog.method)
        found = ask.model_choices(models, dialog.feed.jobs(), takes, today)
        known = {choice.value for choice in found}
        more = [one.id for one in self._offered if one.id not in known and takes(one.id)]
        if models:  # the catalogue knows the bases; of the others only what was tuned
            more = [one.id for one in self._offered if one.tuned and one.id in more]
        return [*found, *(Choice(name, name, "listed by the provider") for name in more)]

    def _expected(self) -> str:
        """What the dataset calls what is expected: its first field beside the conversation."""
        from fttui.dataset import formats

        index = self._dialog.fttui.thread.index
        extras = formats.read(index.line(0)).extras if index is not None and len(index) else {}
        return next(iter(extras), "answer")
