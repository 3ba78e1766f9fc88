"""`fttui watch`: follow a job to its end; the exit code says how it ended."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from typing import TYPE_CHECKING, Any

from fttui.commands.progress import Meter
from fttui.text import one_line

if TYPE_CHECKING:
    from fttui.config import Settings
    from fttui.service.follow import Step
    from fttui.service.provider import Provider
    from fttui.service.types import Job, JobEvent, Metrics

SUCCEEDED, FAILED, CANCELLED, TIMEOUT = 0, 1, 3, 4  # 2: a Problem, as for every command
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

EXITS = """\
exit codes:
  0  the job succeeded
  1  it failed
  2  it cannot be watched: no such job, a key that is refused, nothing is running
  3  it was cancelled
  4  --timeout passed first; the job goes on
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXITS
    parser.add_argument("job", nargs="?", help="the job (default: the newest that is running)")
    parser.add_argument("--profile", metavar="NAME", help="the provider profile to ask")
    parser.add_argument(
        "--timeout", type=_seconds, metavar="TIME", help="give up after this: 90, 30m, 2h"
    )
    parser.add_argument(
        "--no-notify",
        action="store_true",
        help="no title, bell, notification or command at the end",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line: events, then the job"
    )


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError("a time as 90, 30m or 2h")
    return float(found[1]) * _UNITS[found[2]]


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from fttui import config
    from fttui.service import follow
    from fttui.service.provider import Provider

    loaded = config.load()
    provider = Provider(loaded.profile(args.profile))
    try:
        async with asyncio.timeout(args.timeout):
            job_id = args.job or (await follow.newest_running(provider)).id
            watch = _Watch(args, provider, loaded.settings)
            return await watch.to_the_end(job_id)
    except TimeoutError:
        if args.json:
            error = {"code": "timeout", "message": "--timeout passed; the job goes on"}
            print(json.dumps({"error": error}))
        else:
            print("--timeout passed; the job goes on", file=sys.stderr)
        return TIMEOUT
    finally:
        await provider.close()


class _Watch:
    """What was seen of the job so far, and how it is told."""

    def __init__(self, args: argparse.Namespace, provider: Provider, settings: Settings) -> None:
        self.json: bool = args.json
        self.provider = provider
        self.settings = settings
        self.notify = not args.no_notify
        self.metrics: dict[int, Metrics] = {}
        self.status = ""
        self.complaint = ""
        self.titled = False

    async def to_the_end(self, job_id: str) -> int:
        from fttui.service.follow import follow

        job: Job | None = None
        try:
            with Meter(job_id, quiet=self.json) as meter:
                async for step in follow(self.provider, job_id):
                    job = step.job or job
                    self._take(step, meter)
        finally:
            self._untitle()
        assert job is not None  # it came to its end
        return await self._end(job)

    # -- while it runs

    def _take(self, step: Step, meter: Meter) -> None:
        if step.problem is not None:
            self._say_fault(step, meter)
            return
        if self.complaint and not self.json:
            meter.note("read again")
        self.complaint = ""
        for event in step.events:
            self._say_event(event, meter)
        job = step.job
        if job is None:
            return
        if job.status != self.status:
            self.status = job.status
            self._say({"job": job.as_dict()}, f"{job.id}  {one_line(job.status)}", meter)
        if self.metrics:
            newest = self.metrics[max(self.metrics)]
            meter.show(newest.step, newest.total_steps or 0, _losses(newest))
            self._title(job, newest)

    def _say(self, obj: dict[str, Any], line: str, meter: Meter) -> None:
        if self.json:
            print(json.dumps(obj, ensure_ascii=False), flush=True)
        else:
            meter.note(line)

    def _say_event(self, event: JobEvent, meter: Meter) -> None:
        metrics = event.metrics
        if metrics is not None:
            self.metrics[metrics.step] = metrics
            if not self.json and event.type == "metrics":
                return  # the progress line says it
        obj = {
            "id": event.id,
            "created_at": event.created_at,
            "level": event.level,
            "type": event.type,
            "message": event.message,
            "metrics": metrics and metrics.as_dict(),
        }
        kind = "" if event.type in ("message", "metrics") else f"{one_line(event.type, 30)}: "
        self._say({"event": obj}, f"  {kind}{one_line(event.message, 160)}", meter)

    def _say_fault(self, step: Step, meter: Meter) -> None:
        """Once for each kind of fault; the job goes on without being seen."""
        problem = step.problem
        if problem is None or self.complaint == problem.code:
            return
        self.complaint = problem.code
        why = f"not read: {problem.why or problem.what} Trying again in {step.next_in:.0f} s."
        self._say({"fault": problem.as_dict(), "next_in": step.next_in}, why, meter)

    # -- outside the program

    def _title(self, job: Job, newest: Metrics) -> None:
        if not (self.notify and self.settings.notify_title and sys.stderr.isatty()):
            return
        from fttui.service import notify

        if not self.titled:
            self.titled = True
            print(notify.PUSH, end="", file=sys.stderr)
        total = newest.total_steps
        far = f"{100 * newest.step // total}%" if total else f"step {newest.step}"
        text = notify.title(f"{far} {job.suffix or job.id} · fttui")
        print(text, end="", file=sys.stderr, flush=True)

    def _untitle(self) -> None:
        if self.titled:
            from fttui.service import notify

            print(notify.POP, end="", file=sys.stderr, flush=True)

    async def _announce(self, job: Job) -> None:
        if not self.notify:
            return
        from fttui.service import notify

        losses = [row.train_loss for row in self.metrics.values() if row.train_loss is not None]
        ended = notify.Ended.of(
            job, self.provider.profile.name, loss=losses[-1] if losses else None
        )
        if sys.stderr.isatty():
            wanted = self.settings.notify_desktop
            text = await asyncio.to_thread(notify.notification, ended.text, wanted)
            bell = notify.BELL if self.settings.notify_bell else ""
            print(text + bell, end="", file=sys.stderr, flush=True)
        if self.settings.notify_command:
            complaint = await notify.run_command(self.settings.notify_command, ended)
            if complaint:
                print(complaint, file=sys.stderr)

    # -- the end

    async def _end(self, job: Job) -> int:
        await self._announce(job)
        if self.json:
            rows = [self.metrics[step].as_dict() for step in sorted(self.metrics)]
            print(json.dumps({"job": job.as_dict(), "metrics": rows}, ensure_ascii=False))
        elif job.status == "succeeded":
            print(f"made {one_line(job.fine_tuned_model) or 'no model'}")
        elif job.error is not None:
            from fttui.service.errors import job_problem

            print(*job_problem(job.error, job.id).lines(), sep="\n", file=sys.stderr)
        return {"succeeded": SUCCEEDED, "cancelled": CANCELLED}.get(job.status, FAILED)


def _losses(metrics: Metrics) -> str:
    parts = []
    if metrics.train_loss is not None:
        parts.append(f"loss {metrics.train_loss:.3f}")
    if metrics.best_valid_loss is not None:
        parts.append(f"validation {metrics.best_valid_loss:.3f}")
    return "  ".join(parts)
