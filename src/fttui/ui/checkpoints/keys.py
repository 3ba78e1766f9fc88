"""What the keys do to the checkpoint in hand: talk to it, compare, judge, deploy, share, save, delete."""

from __future__ import annotations

from fttui.ui.checkpoints import acts
from fttui.ui.deploy import entry as deploying
from fttui.ui.jobs.ranking import Kept
from fttui.ui.screens.base import AreaScreen

TALKS = 3  # models that are compared side by side


class CheckpointKeys(AreaScreen):
    """A screen with a checkpoint in hand. Subclasses have `row`, `marked_rows` and `say_progress`."""

    @property
    def row(self) -> Kept | None:
        raise NotImplementedError

    def marked_rows(self) -> list[Kept]:
        raise NotImplementedError

    def say_progress(self, text: str) -> None:
        """Show how far something is, "" at its end."""
        raise NotImplementedError

    def do_refresh(self) -> None:
        raise NotImplementedError

    def do_chat(self) -> None:
        row = self.row
        if row is not None:
            self._talk(row, deploying.row_names(self.fttui, row, [row.model]))

    def do_compare(self) -> None:
        """The marked ones side by side; without marks the one in hand with its base and the final."""
        row = self.row
        if row is not None:
            self._talk(row, self._beside(row))

    def _beside(self, row: Kept) -> list[str]:
        marked = [r.model for r in self.marked_rows() if r.track.profile == row.track.profile]
        names = [name for name in marked if name]
        if len(names) < 2:
            job = row.track.job
            names = [job.model, *(names or [row.model]), job.fine_tuned_model]
        known = list(dict.fromkeys(name for name in names if name))[:TALKS]
        return deploying.row_names(self.fttui, row, known)

    def _talk(self, row: Kept, models: list[str]) -> None:
        self.fttui.backend.follow(row.track.job)
        self.fttui.change(job=row.track.job, checkpoint=row.checkpoint, chat_models=models)
        self.fttui.go("chat")

    def do_evaluate(self) -> None:
        """The held-out examples to the marked ones, or to this one and its base."""
        row = self.row
        if row is not None:
            self.fttui.backend.follow(row.track.job)
            self.fttui.do_evaluate(self._beside(row))

    def do_deploy(self) -> None:
        if self.row is not None:
            deploying.deploy_row(self.fttui, self.row)

    def do_copy(self) -> None:
        if self.row is not None:
            self.fttui.copy(self.row.model, self.row.model)

    def do_share(self) -> None:
        row = self.row
        provider = acts.provider_of(self.fttui, row) if row else None
        if row is not None and provider is not None:
            from fttui.ui.dialogs.share import Share

            self.app.push_screen(Share(provider, row.model))

    def do_download(self) -> None:
        if self.row is not None:
            acts.ask_download(self.fttui, self.row, self.say_progress)

    def do_delete(self) -> None:
        if self.row is not None:
            acts.ask_delete(self.fttui, self.row, self.do_refresh)
