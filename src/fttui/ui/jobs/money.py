"""What jobs cost so far: what was billed where the provider says so, else the planned price by the steps done."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.track import Track

Sum = tuple[Decimal, str]  # amount, currency


class Purse:
    """`spent` of any job, remembered until `forget`."""

    def __init__(self, app: FttuiApp) -> None:
        self.app = app
        self._known: dict[str, tuple[Sum | None, bool]] = {}
        self._planned: dict[str, dict[str, tuple[str, str]]] = {}  # profile → job id → amount

    def forget(self, job_id: str = "") -> None:
        """The job is another one than it was ("": everything)."""
        if job_id:
            self._known.pop(job_id, None)
        else:
            self._known.clear()
            self._planned.clear()

    def spent(self, track: Track) -> tuple[Sum | None, bool]:
        """((amount, currency), whether it is an estimate); None where it is free or unknown."""
        if track.id not in self._known:
            self._known[track.id] = self._work_out(track)
        return self._known[track.id]

    def _work_out(self, track: Track) -> tuple[Sum | None, bool]:
        if track.kind == "local":
            return None, False
        if track.job.trained_tokens:
            return track.cost(self.app.backend.catalog, track.kind), False
        done = track.share()
        if done is None or not (track.job.live or track.job.paused):
            return None, False
        if track.profile not in self._planned:
            self._planned[track.profile] = self.app.state.journal_amounts(track.profile, "job")
        planned = self._planned[track.profile].get(track.id)
        return ((Decimal(planned[0]) * done, planned[1]) if planned else None), True

    def amount(self, track: Track) -> float | None:
        """For filters and sorting."""
        found, _ = self.spent(track)
        return None if found is None else float(found[0])

    def text(self, track: Track) -> str:
        """`$3.42`, `~$1.20` where it is an estimate, "" where it is free or unknown."""
        found, about = self.spent(track)
        if found is None:
            return ""
        from fttui.pricing.money import show

        return ("~" if about else "") + show(*found)
