"""`fttui jobs`: list fine-tuning jobs; show, cancel, pause or resume one."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem
from fttui.text import clean, duration, one_line, width

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import Checkpoint, Job, JobEvent

EVENTS_SHOWN = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="?", help="show this job, its checkpoints and its events")
    parser.add_argument("--profile", metavar="NAME", help="the provider profile to ask")
    parser.add_argument("--limit", type=_count, default=20, metavar="N", help="jobs listed (20)")
    acts = parser.add_mutually_exclusive_group()
    for verb in ("cancel", "pause", "resume"):
        acts.add_argument(f"--{verb}", metavar="JOB", help=f"{verb} this job")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 10_000:
        raise argparse.ArgumentTypeError("between 1 and 10000")
    return value


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from fttui import config
    from fttui.service.provider import Provider

    provider = Provider(config.load().profile(args.profile))
    try:
        return await _chosen(args)(provider, args)
    finally:
        await provider.close()


def _chosen(args: argparse.Namespace) -> Callable[[Provider, argparse.Namespace], Awaitable[int]]:
    if args.cancel or args.pause or args.resume:
        return _act
    return _show if args.job else _list


def _print(obj: dict[str, Any]) -> None:
    print(json.dumps(obj, ensure_ascii=False))


# ---- acting ----


async def _act(provider: Provider, args: argparse.Namespace) -> int:
    from fttui.service import jobs

    verb = next(verb for verb in ("cancel", "pause", "resume") if getattr(args, verb))
    job_id = getattr(args, verb)
    before = await jobs.retrieve(provider, job_id)
    reason = jobs.why_not(provider, before, verb)
    if reason:
        raise Problem(f"{job_id} cannot be {_DONE[verb]}.", reason, code="not_possible")
    job = await getattr(jobs, verb)(provider, job_id)
    if args.json:
        _print({"job": job.as_dict()})
    else:
        print(f"{job.id}  {job.status}")
    return 0


_DONE = {"cancel": "cancelled", "pause": "paused", "resume": "resumed"}

# ---- the list ----


async def _list(provider: Provider, args: argparse.Namespace) -> int:
    found = await _newest(provider, args.limit)
    if args.json:
        profile = provider.profile
        rows = [job.as_dict() for job in found]
        _print({"profile": profile.name, "provider": profile.provider, "jobs": rows})
    elif not found:
        print(f"{provider.profile.name}: no jobs yet. Start one: fttui run FILE")
    else:
        for line in table([_row(job) for job in found]):
            print(line)
    return 0


async def _newest(provider: Provider, limit: int) -> list[Job]:
    from fttui.service import jobs

    found: dict[str, Job] = {}
    cursor = ""
    while len(found) < limit:
        page = await jobs.listing(provider, after=cursor, limit=min(100, limit - len(found)))
        before = len(found)
        found.update({job.id: job for job in page.items})
        if not page.has_more or len(found) == before:
            break
        cursor = page.cursor
    return list(found.values())[:limit]


def _row(job: Job) -> tuple[str, ...]:
    age = duration(time.time() - job.created_at) if job.created_at else ""
    name = job.fine_tuned_model or job.model
    reason = f" ({one_line(job.error.message, 60)})" if job.error and job.error.message else ""
    return (clean(job.id), job.status + reason, age, one_line(name, 60))


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Columns under their heads, as wide as their contents."""
    rows = [("JOB", "STATUS", "AGE", "MODEL"), *rows]
    widths = [max(width(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


# ---- one job ----


async def _show(provider: Provider, args: argparse.Namespace) -> int:
    from fttui.service import jobs

    job = await jobs.retrieve(provider, args.job)
    checkpoints = await _checkpoints(provider, job)
    events: list[JobEvent] = []
    if not provider.lacks("events"):
        events = await jobs.events_since(provider, job.id)
    if args.json:
        _print(_as_dict(job, checkpoints, events))
        return 0
    for line in _details(job):
        print(line)
    for checkpoint in checkpoints:
        print(
            f"  checkpoint step {checkpoint.step}: {one_line(checkpoint.model)}{_figures(checkpoint)}"
        )
    if len(events) > EVENTS_SHOWN:
        print(f"  … {len(events) - EVENTS_SHOWN} earlier events")
    for event in events[-EVENTS_SHOWN:]:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.created_at))
        print(f"  {at}  {event.level:<5} {one_line(event.message)}")
    return 0


async def _checkpoints(provider: Provider, job: Job) -> list[Checkpoint]:
    from fttui.service import checkpoints

    if provider.lacks("checkpoints"):
        return []
    try:
        return await checkpoints.listing(provider, job.id)
    except Problem as problem:
        if problem.detail.get("status") in (404, 405, 501):
            return []  # a provider without checkpoints still has jobs
        raise


def _details(job: Job) -> list[str]:
    from fttui.service.errors import job_problem

    hyperparameters = ", ".join(f"{name} {value}" for name, value in job.hyperparameters.items())
    facts = (
        ("status", job.status),
        ("base model", job.model),
        ("tuned model", job.fine_tuned_model),
        ("method", job.method),
        ("hyperparameters", hyperparameters),
        ("seed", "" if job.seed is None else str(job.seed)),
        ("training file", job.training_file),
        ("validation file", job.validation_file),
        ("trained tokens", f"{job.trained_tokens:,}" if job.trained_tokens else ""),
        ("took", duration(job.finished_at - job.created_at) if job.finished_at else ""),
    )
    lines = [clean(job.id), *(f"  {name}: {one_line(value)}" for name, value in facts if value)]
    if job.error:
        found = job_problem(job.error, job.id)
        lines += [f"  why: {one_line(found.why)}", f"  what to do: {found.remedy}"]
    return lines


def _figures(checkpoint: Checkpoint) -> str:
    figures = checkpoint.metrics
    pairs = (("loss", figures.train_loss), ("validation loss", figures.best_valid_loss))
    return "".join(f", {name} {value:.4g}" for name, value in pairs if value is not None)


def _as_dict(job: Job, checkpoints: list[Checkpoint], events: list[JobEvent]) -> dict[str, Any]:
    return {
        "job": job.as_dict(),
        "checkpoints": [
            {"id": row.id, "step": row.step, "model": row.model, "metrics": row.metrics.as_dict()}
            for row in checkpoints
        ],
        "metrics": [found.as_dict() for event in events if (found := event.metrics)],
        "events": [
            {
                "created_at": row.created_at,
                "level": row.level,
                "type": row.type,
                "message": row.message,
            }
            for row in events
        ],
    }
