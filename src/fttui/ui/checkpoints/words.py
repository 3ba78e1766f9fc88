"""What the checkpoints area says: which one is best and why, what the provider keeps, why there is none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fttui.ui.jobs import ranking
from fttui.ui.jobs.ranking import Kept, Metric
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.pricing.records import Provider as Home
    from fttui.service.types import Job
    from fttui.ui.jobs.track import Track


def advice(rows: Sequence[Kept], metric: Metric, rules: Sequence[str]) -> list[list[Part]]:
    """The best with the reason, a warning where there is one, how many are kept."""
    lines: list[list[Part]] = []
    why = ranking.reason(rows, metric)
    if why:
        lines.append([("★ ", "warning"), (why, "bold")])
    one = len({row.track.id for row in rows}) == 1
    warning = ranking.turned(rows) if one else ranking.comparable(rows)
    if not one and not warning and ranking.past_turning(rows):
        warning = "↑ marks those made after validation turned in their job (over-fitting)"
    if warning:
        lines.append([("⚠ ", "warning"), (warning, "warning")])
    return lines + [[(rule, "dim")] for rule in rules]


def rule(home: Home | None, job: Job | None) -> str:
    """How many checkpoints the provider keeps, where it is known."""
    if home is None or home.checkpoints_kept is None:
        return "how many checkpoints this provider keeps is not documented"
    many = home.checkpoints_kept
    if job is not None and job.method == "reinforcement":
        return f"{home.title} keeps the {many} checkpoints with the best validation reward"
    return f"{home.title} keeps the checkpoints of the last {many} epochs, one an epoch"


def nothing(job: Job | None, track: Track | None, lack: str) -> list[Part]:
    """Instead of an empty table. lack: why the provider has no checkpoints."""
    if lack:
        return [lack]
    if job is None:
        return ["no checkpoints yet\n\n", ("4", "key"), (" goes to the jobs", "dim")]
    if track is not None and track.checkpoints is None and not job.ended:
        return [(f"asking for the checkpoints of {track.name} …", "dim")]
    if job.status == "failed":
        return ["the job failed before its first checkpoint\n\n", ("4", "key"),
                (" shows why", "dim")]  # fmt: skip
    if job.ended:
        return [f"the job {job.status} and kept no checkpoint"]
    return ["no checkpoint yet: the first comes at the end of an epoch\n\n", ("4", "key"),
            (" shows how far it is", "dim")]  # fmt: skip


def title(count: int, name: str, metric: Metric, jobs: int, known: int, text: str) -> str:
    """jobs: those whose checkpoints are read, of `known`; text: the filter in force."""
    if name:
        return f"Checkpoints {count} · {name} · by {metric.title}"
    some = f"newest {jobs} of {known} jobs" if jobs < known else "all jobs"
    return " · ".join(
        [f"Checkpoints {count}", some, f"by {metric.title}", *([text] if text else [])]
    )
