"""`fttui export`: everything about jobs into a folder, because no provider keeps it for ever."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.commands.progress import Meter
from fttui.problem import Problem
from fttui.text import one_line, plural

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import Job
    from fttui.state import State
    from fttui.ui.export.run import Chosen, Outcome, Progress
    from fttui.ui.jobs.track import Track

SOME_MISSING = 1  # exit code: exported, but a part could not be saved


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="*", help="the jobs to export, by id")
    parser.add_argument("--all", action="store_true", help="every job of the profile, also those "
                        "its provider lists no longer but fttui remembers")  # fmt: skip
    parser.add_argument("--to", type=Path, metavar="DIR",
                        help="the folder (default: ./fttui-export-DATE); a former export is "
                             "completed, any other folder is left alone")  # fmt: skip
    parser.add_argument("--no-data", action="store_true",
                        help="leave out the content of training and validation files")  # fmt: skip
    parser.add_argument("--profile", metavar="NAME", help="the provider profile to ask")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")


def run(args: argparse.Namespace) -> int:
    if bool(args.job) == args.all:
        raise Problem(
            "Which jobs are to be exported?",
            "Neither a job nor --all is named."
            if not args.job
            else "Both jobs and --all are named.",
            "Write: fttui export JOB…, or: fttui export --all. `fttui jobs` lists them.",
            code="usage",
        )
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from fttui import config
    from fttui.service.provider import Provider
    from fttui.state import State
    from fttui.ui.export import folder
    from fttui.ui.export import run as exporting

    to = folder.choose((args.to or exporting.default_folder()).expanduser())
    if args.to and to != args.to.expanduser():
        print(f"{args.to} holds other things: exporting to {to}", file=sys.stderr)
    provider = Provider(config.load().profile(args.profile))
    state = State()
    try:
        chosen = await _chosen(provider, state, args)
        with Meter("exporting", quiet=args.json) as meter:

            def told(now: Progress) -> None:
                meter.show(now.done, now.total, now.note)

            outcome = await exporting.export(
                chosen, to, state=state, data=not args.no_data, on_progress=told
            )
    finally:
        await provider.close()
        state.close()
    _say(outcome, as_json=args.json)
    return SOME_MISSING if outcome.missing else 0


def _say(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"export": outcome.as_dict()}, ensure_ascii=False))
        return
    print(f"{outcome.words()}: {outcome.folder / 'README.md'}")
    for job, part, why in outcome.missing:
        print(f"  {job}, {one_line(part)}: {one_line(why)}")


async def _chosen(provider: Provider, state: State, args: argparse.Namespace) -> list[Chosen]:
    from fttui.ui.export.run import Chosen

    known = _remembered(state, provider.profile.name)
    jobs = await _every(provider, known) if args.all else await _named(provider, known, args.job)
    if not jobs:
        raise Problem(
            "There is no job to export.",
            f"Profile {provider.profile.name!r} has none.",
            "Choose another profile: --profile NAME.",
            code="no_jobs",
        )
    return [Chosen(provider, job, known.get(job.id)) for job in jobs]


def _remembered(state: State, profile: str) -> dict[str, Track]:
    from fttui.ui.jobs.track import Track

    return {
        track.id: track
        for track in (Track.remembered(body, at) for body, at in state.seen_jobs(profile))
    }


async def _every(provider: Provider, known: dict[str, Track]) -> list[Job]:
    from fttui.service import jobs

    found: dict[str, Job] = {}
    cursor = ""
    while True:
        page = await jobs.listing(provider, after=cursor, limit=100)
        before = len(found)
        found.update({job.id: job for job in page.items})
        if not page.has_more or page.cursor in ("", cursor) or len(found) == before:
            break
        cursor = page.cursor
    forgotten = [track.job for track in known.values() if track.id not in found]
    if forgotten:
        print(f"{plural(len(forgotten), 'job')} only fttui remembers", file=sys.stderr)
    return [*found.values(), *forgotten]


async def _named(provider: Provider, known: dict[str, Track], ids: list[str]) -> list[Job]:
    from fttui.service import jobs

    found = []
    for job_id in dict.fromkeys(ids):
        try:
            found.append(await jobs.retrieve(provider, job_id))
        except Problem:
            if job_id not in known:
                raise
            found.append(known[job_id].job)
    return found
