"""The keys of the list of jobs: what they do, to the marked jobs or to the one under the cursor, and why not."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from fttui.ui.deploy import entry as deploying
from fttui.ui.jobs import actions as job_actions
from fttui.ui.jobs.money import Purse
from fttui.ui.jobs.one_job import NAMES as OF_ONE
from fttui.ui.jobs.one_job import OneJobScreen

if TYPE_CHECKING:
    from fttui.ui.jobs.feed import Feed
    from fttui.ui.jobs.feeds import Feeds
    from fttui.ui.jobs.track import Track

# What acts on the marked jobs, where some are marked; everything else on the one under the cursor.
FOR_MANY = ("cancel", "pause", "export", "watch", "forget", "chat")


class JobKeysScreen(OneJobScreen):
    """A screen with a list of jobs. Subclasses say which are `picked`, and bring the thread along."""

    def picked(self) -> list[Track]:
        """What an action for many is for."""
        raise NotImplementedError

    def to_thread(self) -> None:
        """The job under the cursor becomes the job of the thread."""
        raise NotImplementedError

    @cached_property
    def purse(self) -> Purse:
        return Purse(self.fttui)

    @property
    def feeds(self) -> Feeds:
        return self.fttui.backend.feeds

    @property
    def feed(self) -> Feed | None:
        """The feed of the job under the cursor, else of the profile in hand."""
        track = self.track
        return self.fttui.backend.feed_of(track.job if track else None)

    def why_not(self, action_id: str) -> str:
        name = action_id.partition(".")[2]
        if name == "new":
            return job_actions.why_not_new(self.fttui, self.fttui.backend.feed)
        if name in ("filter", "sort", "refresh", "group", "profiles"):
            return "" if len(self.feeds) else "the configuration is still being read"
        if name in OF_ONE:
            return self.why_not_one(name)
        if self.track is None:
            return "no job is selected"
        if name == "sweep":
            from fttui.ui.dialogs import launch_sweep

            return launch_sweep.why_not(self.picked(), self.track)
        if name == "compare":
            return "" if len(self.picked()) > 1 else "mark the jobs to compare first (space)"
        picked = self.picked() if name in FOR_MANY else [self.track]
        reasons = [job_actions.why_not(self.fttui, name, track) for track in picked]
        return "" if "" in reasons else next(iter(reasons), "no job is selected")

    def do_detail(self) -> None:
        self.add_class("-detail")
        self.call_after_refresh(self.detail.take_focus)

    def do_new(self) -> None:
        from fttui.ui.launch.launcher import launch

        launch(self.fttui)

    def do_cancel(self) -> None:
        job_actions.cancel(self.fttui, self.picked())

    def do_pause(self) -> None:
        job_actions.pause_or_resume(self.fttui, self.picked())

    def do_checkpoints(self) -> None:
        self.to_thread()
        self.fttui.go("checkpoints")

    def do_chat(self) -> None:
        job_actions.chat(self.fttui, self.picked())

    def do_deploy(self) -> None:
        if self.track is not None:
            deploying.deploy_job(self.fttui, self.track.job)

    def do_copy(self) -> None:
        if self.track is not None:
            self.fttui.copy(self.track.id, self.track.id)

    def do_export(self) -> None:
        track = self.track
        chart = self.detail.chart.text() if track is not None and len(track.loss) else ""
        job_actions.export(self.fttui, self.picked(), chart)

    def do_compare(self) -> None:
        job_actions.compare(self.fttui, self.picked(), self.purse)

    def do_sweep(self) -> None:
        from fttui.ui.dialogs import launch_sweep

        if self.track is not None:
            launch_sweep.show(self.fttui, self.picked(), self.track)

    def do_watch(self) -> None:
        job_actions.watch(self.fttui, self.picked())

    def do_forget(self) -> None:
        job_actions.forget(self.fttui, self.picked())

    def do_profiles(self) -> None:
        from fttui.ui.dialogs.open_profiles import OpenProfiles

        self.app.push_screen(OpenProfiles(self.fttui.backend))

    def do_refresh(self) -> None:
        for feed in self.feeds:
            feed.refresh()
        if self.feed is not None and self.track is not None:
            self.feed.read_checkpoints(self.track.id)
        self.fttui.notify("asking again", timeout=2)
