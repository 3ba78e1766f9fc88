"""`fttui run --sweep`: several jobs that differ in a few values, launched as one group and held against one another."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fttui.commands.progress import Meter
from fttui.problem import Problem
from fttui.service import sweep
from fttui.text import plural

if TYPE_CHECKING:
    from fttui.pricing.records import Hyperparameter, Model
    from fttui.service.provider import Provider
    from fttui.service.types import Job, LaunchSpec, Metrics

POLL_SECONDS = 1.0


@dataclass
class Run:
    """One job of the group. metrics: by step."""

    varied: Mapping[str, str]
    job: Job
    last_event: str = ""
    metrics: dict[int, Metrics] = field(default_factory=dict)

    def losses(self) -> tuple[str, list[tuple[float, int]]]:
        """(what is measured, (loss, step) of each measure in order): validation where there is any."""
        rows = [self.metrics[step] for step in sorted(self.metrics)]
        for name in ("full_valid_loss", "valid_loss", "train_loss"):
            found = [
                (getattr(row, name), row.step) for row in rows if getattr(row, name) is not None
            ]
            if found:
                return name, found
        return "", []


def combinations(
    options: Sequence[str], model: Model, method: str = "supervised"
) -> list[dict[str, str]]:
    """The values of each job, checked against the ranges of the model. Problem for what is refused."""
    knobs = model.hyperparameters.get(method, {})
    typed = sweep.parse(options, (*knobs, "seed"))
    axes = sweep.axes(typed)
    for name, text in typed.items():
        for value in sweep.values(text):
            reason = _refused(name, value, knobs)
            if reason:
                raise Problem(f"--sweep {name}={text}: {value} is refused.", reason, code="usage")
    many = sweep.too_many(axes)
    if many:
        raise Problem("The sweep is too large.", many, "Leave some values out.", code="usage")
    single = {name: text for name, text in typed.items() if len(sweep.values(text)) == 1}
    return [{**single, **row} for row in sweep.combinations(axes)]


def _refused(name: str, value: str, knobs: Mapping[str, Hyperparameter]) -> str:
    if name in knobs:
        return knobs[name].refuses(_given(value))
    return "" if value.isascii() and value.isdigit() else "a whole number"


def _given(value: str) -> Any:
    """A value as it is sent: a number where it is one."""
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(value.lower(), value)


def specs(
    base: LaunchSpec, rows: Sequence[Mapping[str, str]], word: str, most: int
) -> list[LaunchSpec]:
    """One request a job, tagged as a group. most: characters a suffix may have."""
    name = sweep.new_name(base.suffix or word, base.tag[:6])
    made = []
    for number, row in enumerate(rows, 1):
        chosen = {key: _given(value) for key, value in row.items() if key != "seed"}
        made.append(
            replace(
                base,
                hyperparameters={**base.hyperparameters, **chosen},
                seed=int(row["seed"]) if "seed" in row else base.seed,
                suffix=sweep.numbered(base.suffix, number, most),
                metadata={**base.metadata, **sweep.tags(name, row)},
                tag=f"{base.tag}-{number}",
            )
        )
    return made


async def create(
    provider: Provider, rows: Sequence[Mapping[str, str]], made: Sequence[LaunchSpec], say: Any
) -> list[Run]:
    """Make the jobs one after another. Problem: says how many there are, and which."""
    from fttui.service import jobs

    runs: list[Run] = []
    for row, spec in zip(rows, made, strict=True):
        try:
            job = await jobs.create(provider, spec)
        except Problem as problem:
            if runs:
                ids = ", ".join(run.job.id for run in runs)
                problem.what = f"{len(runs)} of {len(made)} jobs were made ({ids}). {problem.what}"
            raise
        runs.append(Run(row, job))
        say(f"job         {job.id}  {_values(row)}")
    return runs


async def follow(provider: Provider, runs: Sequence[Run], *, quiet: bool) -> None:
    """Until all have ended."""
    from fttui.service import jobs

    with Meter("training", quiet=quiet) as meter:
        while True:
            for run in runs:
                if run.job.ended:
                    continue
                run.job = await jobs.retrieve(provider, run.job.id)  # before its events
                for event in await jobs.events_since(provider, run.job.id, run.last_event):
                    run.last_event = event.id
                    if event.metrics is not None:
                        run.metrics[event.metrics.step] = event.metrics
            ended = sum(run.job.ended for run in runs)
            meter.show(ended, len(runs), plural(len(runs) - ended, "job") + " to go")
            if ended == len(runs):
                return
            await asyncio.sleep(POLL_SECONDS)


def best(runs: Sequence[Run]) -> Run | None:
    """The lowest loss of the jobs that succeeded; the first of equals."""
    known = [run for run in runs if run.job.status == "succeeded" and run.losses()[1]]
    return min(known, key=lambda run: min(run.losses()[1]), default=None)


def as_rows(
    runs: Sequence[Run], amounts: Sequence[str], currency: str = "USD"
) -> list[dict[str, Any]]:
    """The object `--json` prints for each job."""
    top = best(runs)
    rows = []
    for run, amount in zip(runs, amounts, strict=True):
        measure, losses = run.losses()
        low = min(losses, default=None)
        rows.append(
            {
                "varied": dict(run.varied),
                "job": run.job.as_dict(),
                "measure": measure or None,
                "final": losses[-1][0] if losses else None,
                "best": low[0] if low else None,
                "best_step": low[1] if low else None,
                "cost": amount,
                "currency": currency,
                "is_best": run is top,
            }
        )
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The comparison as lines, the best marked."""
    names = list(dict.fromkeys(name for row in rows for name in row["varied"]))
    head = ["", *names, "status", "final", "best", "at step", "cost", "model"]
    cells = [
        [
            "*" if row["is_best"] else "",
            *(row["varied"].get(name, "") for name in names),
            row["job"]["status"],
            *("" if row[key] is None else f"{row[key]:.3f}" for key in ("final", "best")),
            "" if row["best_step"] is None else str(row["best_step"]),
            row["cost"],
            row["job"]["fine_tuned_model"] or "",
        ]
        for row in rows
    ]
    widths = [max(len(line[at]) for line in [head, *cells]) for at in range(len(head))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *cells]
    ]


def _values(row: Mapping[str, str]) -> str:
    return "  ".join(f"{name}={value}" for name, value in row.items())
