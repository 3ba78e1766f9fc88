"""What can be done to the job in hand beside the list: its curves, its log, its files, the example it failed on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.ui.jobs import example as job_example
from fttui.ui.jobs.feed import SUBMITTING
from fttui.ui.jobs.track import Track
from fttui.ui.screens.base import AreaScreen

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.ui.dialogs.export import Exporting
    from fttui.ui.widgets.job_detail import JobDetail

NAMES = frozenset(
    {"log", "smooth", "view", "zoom_in", "zoom_out", "zoom_all", "overlay", "example", "facts", "results",
     "bundle"}
)  # fmt: skip
MOST = 8  # jobs in one chart beside the first
LONG_LOG = 1000  # events from which a log may have been read only in part
WAIT = 2.0  # seconds after which a finished job without a curve has its results file read


class OneJobScreen(AreaScreen):
    """A screen with a JobDetail. Subclasses have `track` (the selected one), `detail` and `show_job`."""

    def __init__(self) -> None:
        super().__init__()
        self._compared: list[Track] = []
        self._results_asked: set[str] = set()
        self._example_at: tuple[str, int] = ("", 0)
        self._exporting: Exporting | None = None

    # what the subclass has

    @property
    def track(self) -> Track | None:
        raise NotImplementedError

    @property
    def detail(self) -> JobDetail:
        raise NotImplementedError

    def show_job(self) -> None:
        """Bring the detail in step."""
        raise NotImplementedError

    def marked_jobs(self) -> Iterable[Track]:
        """The jobs that are marked in the list, if any."""
        return ()

    def all_jobs(self) -> Iterable[Track]:
        """Every job that is known, for the choice of one to compare with."""
        return ()

    def provider_of(self, track: Track) -> Provider:
        """The provider a job is at. Raises Problem where its profile is not open."""
        feed = self.fttui.backend.feed_of(track.job)
        if feed is None:
            raise Problem("The provider is not asked yet.", code="not_ready")
        return feed.provider

    @property
    def compared(self) -> frozenset[str]:
        """Ids of the jobs in the chart beside the selected one: their events are needed too."""
        return frozenset(track.id for track in self._compared)

    # -- why not

    def why_not_one(self, name: str) -> str:
        """Why one of NAMES cannot be done to the selected job; "" where it can."""
        track = self.track
        if track is None:
            return "no job is selected"
        if name == "example":
            return job_example.why_not(track.job)
        if name == "results" and not track.job.result_files:
            return "it has no results file" if track.job.ended else "they come with its end"
        return ""

    # -- the chart

    def do_log(self) -> None:
        self.detail.chart.toggle_log()

    def do_smooth(self) -> None:
        self.detail.chart.toggle_smooth()

    def do_view(self) -> None:
        if self.detail.next_view():
            self.show_job()
        else:
            self.fttui.notify("there are no other figures of this job yet", timeout=3)

    def do_zoom_in(self) -> None:
        self.detail.chart.zoom(0.5)

    def do_zoom_out(self) -> None:
        self.detail.chart.zoom(2.0)

    def do_zoom_all(self) -> None:
        self.detail.chart.zoom(0)

    def do_overlay(self) -> None:
        """The marked jobs beside this one; without marks, one chosen from a list."""
        marked = [track for track in self.marked_jobs() if track is not self.track]
        if marked and marked != self._compared:
            self._compare(marked)
            return
        from fttui.ui.dialogs.choose import Choice, Choose

        known = {track.id: track for track in self.all_jobs() if track is not self.track}
        inside = self.compared
        rows = [Choice("", "only this job", "takes the others out")] if inside else []
        rows += [
            Choice(track.id, track.name, "in the chart: takes it out" if track.id in inside else
                   f"{track.job.status} · {track.job.model}")
            for track in known.values()
        ]  # fmt: skip
        if not rows:
            self.fttui.notify("there is no other job to compare with", timeout=3)
            return

        def chosen(job_id: str | None) -> None:
            if job_id is None:
                return
            rest = [track for track in self._compared if track.id != job_id]
            add = [known[job_id]] if job_id in known and job_id not in inside else []
            self._compare([*rest, *add] if job_id else [])

        self.app.push_screen(Choose("Draw beside this job", rows), chosen)

    def _compare(self, tracks: list[Track]) -> None:
        self._compared = tracks[:MOST]
        self.detail.others = tuple(self._compared)
        self.show_job()
        if len(tracks) > MOST:
            self.fttui.notify(f"only {MOST} fit beside this one", timeout=3)

    # -- all of it into a folder

    def picked(self) -> list[Track]:
        """The jobs an action for many is for."""
        return [self.track] if self.track is not None else []

    def do_bundle(self) -> None:
        """Export the marked jobs, or this one; one that is running is shown."""
        from fttui.ui.dialogs.export import ExportDialog, Exporting
        from fttui.ui.export.collect import Chosen

        if self._exporting is None or not self._exporting.running:
            tracks = [t for t in self.picked() if not t.id.startswith(SUBMITTING)]
            chosen = [Chosen(self.provider_of(track), track.job, track) for track in tracks]
            if not chosen:
                return
            self._exporting = Exporting(self.fttui, chosen)
        self.app.push_screen(ExportDialog(self._exporting))

    # -- its files

    def do_facts(self) -> None:
        track = self.track
        if track is not None:
            from fttui.ui.dialogs.job_page import JobPage

            self.app.push_screen(JobPage(track, self.provider_of(track)))

    def do_example(self) -> None:
        track = self.track
        if track is None:
            return
        job_id, place = self._example_at
        place = place + 1 if job_id == track.id else 0
        self._example_at = (track.id, place)
        work = job_example.show(self.fttui, self.provider_of(track), track.job, place)
        self.run_worker(work, group="job-example", exclusive=True, exit_on_error=False)

    def do_results(self) -> None:
        if self.track is not None:
            self._read_results(self.track, save=True)

    def results_if_needed(self) -> None:
        """Read the results file of a finished job whose events tell no figures, or not the first ones."""
        track = self.track
        if track is None or not track.job.ended or not track.job.result_files:
            return
        if track.id in self._results_asked or not _wanting(track):
            return
        self._results_asked.add(track.id)

        def look() -> None:
            if self.track is track and _wanting(track):
                self._read_results(track, save=False)
            elif _wanting(track):
                self._results_asked.discard(track.id)  # when it is looked at again

        self.set_timer(WAIT, look)

    def _read_results(self, track: Track, *, save: bool) -> None:
        self.run_worker(
            self._results(track, save), group=f"results-{track.id}", exclusive=True, exit_on_error=False
        )  # fmt: skip

    async def _results(self, track: Track, save: bool) -> None:
        from fttui.service import results
        from fttui.ui.jobs import report

        try:
            found = await results.fetch(self.provider_of(track), track.job)
            if found is None:
                return
            for row in found.metrics:
                track.curves.add(row)
            self.show_job()
            if save:
                path = report.put(Path.cwd(), report.stem(track) + "-results", ".csv", found.text)
                self.fttui.notify(
                    f"{len(found.metrics):,} steps in the chart; saved {path}", timeout=5
                )
        except Problem as problem:
            if save:
                self.fttui.show_problem(problem)
            else:
                self.fttui.notify(
                    f"its results file: {problem.why or problem.what}", severity="warning"
                )


def _wanting(track: Track) -> bool:
    """Whether its curve is missing, or begins late: of very long logs only the newest part is read."""
    loss = track.curves.loss
    return not len(loss) or (len(track.events) >= LONG_LOG and loss.steps[0] > 1)
