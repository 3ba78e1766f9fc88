"""Jobs of one sweep held against one another: what each varied, what came of it, which is best and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from fttui.service import sweep
from fttui.ui import plotting
from fttui.ui.jobs.curves import Series
from fttui.ui.jobs.track import Track
from fttui.ui.launch.fields import NAMES
from fttui.ui.launch.price import money

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog

NEVER_VARIED = ("model",)


@dataclass(frozen=True)
class Judge:
    """What jobs are ranked by: validation where every job that has figures has it, else training.
    curve: the name of the curve in Curves.series."""

    curve: str
    title: str
    valid: bool


JUDGES = (
    Judge("full_valid", "validation loss over the whole file", True),
    Judge("valid", "validation loss", True),
    Judge("train", "training loss", False),
)


@dataclass(frozen=True)
class Result:
    """One job. place: from 0, in the order of launching. varied: field → value. final, best: of the
    judge's curve; best_step: where the best was. None: not known."""

    track: Track
    place: int
    varied: Mapping[str, str]
    final: float | None = None
    best: float | None = None
    best_step: float | None = None
    train: float | None = None
    cost: tuple[Decimal, str] | None = None

    @property
    def label(self) -> str:
        """`lr multiplier 2 · seed 1`."""
        return " · ".join(f"{NAMES.get(name, name)} {text}" for name, text in self.varied.items())

    @property
    def short(self) -> str:
        """`2 · 1`: the values alone, beside a table that names them."""
        return " · ".join(self.varied.values())


def judge_of(tracks: Sequence[Track]) -> Judge:
    """The finest measure that all jobs with any figures share."""
    told = [track for track in tracks if len(track.curves.loss)]
    for judge in JUDGES:
        if told and all(len(track.curves.series[judge.curve]) for track in told):
            return judge
    return JUDGES[-1]


def results(tracks: Iterable[Track], catalog: Catalog | None) -> list[Result]:
    """The jobs in the order they were launched."""
    ordered = sorted(tracks, key=lambda track: (track.job.created_at, _number(track), track.id))
    judge, varied = judge_of(ordered), _varied(ordered)
    return [
        _result(track, place, varied[place], judge, catalog) for place, track in enumerate(ordered)
    ]


def _number(track: Track) -> int:
    """A job's number in its sweep: jobs of one second are told apart by it."""
    _, _, tail = track.job.metadata.get("fttui_launch", "").rpartition("-")
    return int(tail) if tail.isdigit() else 0


def _result(
    track: Track, place: int, varied: Mapping[str, str], judge: Judge, catalog: Catalog | None
) -> Result:
    series = track.curves.series[judge.curve]
    low = _lowest(series)
    return Result(
        track,
        place,
        varied,
        series.last,
        low[1] if low else None,
        low[0] if low else None,
        track.curves.series["train"].last,
        _cost(track, catalog),
    )


def _lowest(series: Series) -> tuple[float, float] | None:
    """(step, value) of the lowest value, the earliest of equals."""
    return min(series, key=lambda pair: (pair[1], pair[0])) if len(series) else None


def _cost(track: Track, catalog: Catalog | None) -> tuple[Decimal, str] | None:
    if catalog is None:
        return None
    model = catalog.get(track.job.model, track.kind or None)
    if model is not None and model.free:
        return Decimal(0), "USD"
    return track.cost(catalog, track.kind)


def _varied(tracks: Sequence[Track]) -> list[dict[str, str]]:
    """What tells the jobs apart: as their sweep says, else the settings in which they differ."""
    told = [sweep.varied_of(track.job) for track in tracks]
    if all(told) and len({track.sweep for track in tracks}) == 1:
        return told
    settings = [_settings(track) for track in tracks]
    names = dict.fromkeys(name for row in settings for name in row)
    differ = [name for name in names if len({row.get(name, "") for row in settings}) > 1]
    return [{name: row.get(name, "") for name in differ} for row in settings]


def _settings(track: Track) -> dict[str, str]:
    job = track.job
    chosen = {name: str(value) for name, value in (track.asked or job.hyperparameters).items()}
    found = {"model": job.model, "method": job.method, "data": job.training_file, **chosen}
    return {**found, "seed": str(job.seed)} if job.seed is not None else found


# ---- the best ----


def best(rows: Sequence[Result]) -> Result | None:
    """The lowest figure; of equals the cheaper, then the shorter, then the first."""
    return min((row for row in rows if _counts(row)), key=_rank, default=None)


def _counts(row: Result) -> bool:
    """Whether a job can be the best: it has figures, and a model can come of it."""
    return row.best is not None and row.track.job.status != "failed"


def _rank(row: Result) -> tuple[float, Decimal, float, int]:
    cost = row.cost[0] if row.cost else Decimal(0)
    return row.best or 0.0, cost, row.best_step or 0.0, row.place


def ranked(rows: Sequence[Result]) -> list[Result]:
    """The best first; those that cannot be the best last."""
    return sorted(rows, key=lambda row: (not _counts(row), *_rank(row)))


def reason(rows: Sequence[Result], judge: Judge) -> str:
    """Why the best is the best: `lowest validation loss, 0.410 at step 60; next: seed 2, 0.450`."""
    top = best(rows)
    if top is None or top.best is None:
        return ""
    so_far = " so far" if any(not row.track.job.ended for row in rows) else ""
    text = f"lowest {judge.title}{so_far}, {plotting.number(top.best)} at step {top.best_step:,.0f}"
    second = best([row for row in rows if row is not top])
    if second is not None and second.best is not None:
        text += f"; next: {second.label or second.track.name}, {plotting.number(second.best)}"
    if not judge.valid:
        text += "; without validation: training loss favours the longest training"
    return text


def total(rows: Sequence[Result]) -> str:
    """What all of them cost so far, "" where that is unknown or in several currencies."""
    known = [row.cost for row in rows if row.cost is not None]
    if len(known) < len(rows) or len({currency for _, currency in known}) != 1:
        return ""
    amount = sum((one for one, _ in known), Decimal(0))
    return "free" if not amount else money(amount, known[0][1])


def members(tracks: Iterable[Track], track: Track) -> list[Track]:
    """The jobs of the same sweep."""
    name = track.sweep
    return [one for one in tracks if name and one.sweep == name]


# ---- as a table ----


@dataclass(frozen=True)
class Column:
    """right: figures, which stand at their right edge. rank: smaller survives longer when it is narrow."""

    name: str
    right: bool = True
    rank: int = 0


def table(
    rows: Sequence[Result], judge: Judge, status: Mapping[str, str]
) -> tuple[list[Column], list[list[str]]]:
    """Columns and cells; status: job id → what it is doing, in a few words."""
    names = list(dict.fromkeys(name for row in rows for name in row.varied))
    word = "valid" if judge.valid else "train"
    columns = [
        *(Column(NAMES.get(name, name)) for name in names),
        Column("status", right=False),
        Column(f"final {word}", rank=2),
        Column(f"best {word}"),
        Column("at step", rank=3),
        *([Column("train", rank=5)] if judge.valid else []),
        Column("took", rank=6),
        Column("cost", rank=1),
        Column("job", right=False, rank=4),
    ]
    return columns, [_cells(row, names, judge, status) for row in rows]


def _cells(row: Result, names: Sequence[str], judge: Judge, status: Mapping[str, str]) -> list[str]:
    from fttui.text import duration

    taken = row.track.seconds_taken()
    cost = "" if row.cost is None else ("free" if not row.cost[0] else money(*row.cost))
    return [
        *(row.varied.get(name, "") for name in names),
        status.get(row.track.id, row.track.job.status),
        _figure(row.final),
        _figure(row.best),
        "" if row.best_step is None else f"{row.best_step:,.0f}",
        *([_figure(row.train)] if judge.valid else []),
        "" if taken is None else duration(taken),
        cost,
        row.track.name,
    ]


def _figure(value: float | None) -> str:
    return "" if value is None else plotting.number(value)


def fitting(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """The places of the columns that have room, what matters less left out first."""
    widths = [
        max([len(column.name), *(len(row[at]) for row in cells)]) + 2
        for at, column in enumerate(columns)
    ]
    shown = list(range(len(columns)))
    while len(shown) > 1 and sum(widths[at] for at in shown) > room:
        least = max(shown, key=lambda at: (columns[at].rank, at))
        if not columns[least].rank:
            break
        shown.remove(least)
    return shown
