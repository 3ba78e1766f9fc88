"""`fttui eval FILE --models A,B`: held-out prompts to several models, graded: which is better, and how sure."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui.commands.progress import Meter
from fttui.problem import Problem
from fttui.text import one_line, plural

if TYPE_CHECKING:
    from fttui.config import Config
    from fttui.pricing.catalog import Catalog
    from fttui.service.eval_cost import Price
    from fttui.service.eval_plan import Plan, Progress
    from fttui.service.eval_result import Result
    from fttui.service.eval_setup import Setup
    from fttui.service.eval_store import Store
    from fttui.service.evaluation import Evaluation
    from fttui.service.provider import Provider

SKIPPED = 50  # lines that are left out, in the JSON


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="held-out examples: chat, preference or RFT JSONL")
    parser.add_argument("--models", required=True, metavar="A,B",
                        help="models to ask, the candidate last; NAME=MODEL names one, "
                        "MODEL@PROFILE asks another profile")  # fmt: skip
    parser.add_argument("--grader", action="append", default=[], metavar="G",
                        help="a name (exact, json, number:1%%, rouge_l …), a JSON object or its file; "
                        "again for more, the first decides (default: what fits the file)")  # fmt: skip
    parser.add_argument(
        "--judge", metavar="MODEL", help="the model for rubric graders and --pairwise"
    )
    parser.add_argument("--pairwise", metavar="RUBRIC", nargs="?", const="",
                        help="the judge compares each model's answers with the first one's")  # fmt: skip
    parser.add_argument("--baseline", action="append", default=[], metavar="zero-shot|few-shot:K",
                        help="also ask the base model, with K training examples in the prompt")  # fmt: skip
    parser.add_argument(
        "--base", metavar="MODEL", help="of the baselines (default: the tuned one's)"
    )
    parser.add_argument(
        "--train", type=Path, metavar="FILE", help="where few-shot examples come from"
    )
    parser.add_argument(
        "--sample", type=int, metavar="N", help="ask N of the examples, chosen by seed"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--temperature", type=float, default=0.0, metavar="T")
    parser.add_argument("--max-tokens", type=int, metavar="N",
                        help="of an answer (default: twice the longest expected one, 128 at least)")  # fmt: skip
    parser.add_argument("--concurrency", type=int, default=4, metavar="N", help="questions at once")
    parser.add_argument("--profile", metavar="NAME", help="the provider profile to ask")
    parser.add_argument("--fail-under", type=float, metavar="X",
                        help="exit 1 where the last of --models is below X (0 to 1)")  # fmt: skip
    parser.add_argument("--output", type=Path, metavar="FILE", help="keep the answers here (JSONL)")
    parser.add_argument(
        "--resume", action="store_true", help="go on: ask only what is not answered yet"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every grade as CSV")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write a report: .md, .csv or .json by its name"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before money is spent")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")


def run(args: argparse.Namespace) -> int:
    _check(args)
    job = _Job(args)
    try:
        return asyncio.run(job.run())
    except Problem as problem:
        if not args.json:
            job.how_to_go_on()
            raise
        print(json.dumps({**job.facts, "error": problem.as_dict()}, ensure_ascii=False))
        return 2
    except KeyboardInterrupt:
        job.how_to_go_on()
        raise


def _check(args: argparse.Namespace) -> None:
    """What is wrong with the command line is told before anything is read or asked."""
    for name, good, wanted in (
        ("sample", lambda n: n > 0, "at least 1"),
        ("concurrency", lambda n: 1 <= n <= 256, "1 to 256"),
        ("fail_under", lambda x: 0 <= x <= 1, "0 to 1"),
        ("max_tokens", lambda n: n > 0, "at least 1"),
    ):
        value = getattr(args, name)
        if value is not None and not good(value):
            raise Problem(
                f"--{name.replace('_', '-')} {value:g}", f"it must be {wanted}", code="usage"
            )
    for path in (args.csv, args.report):
        if path is not None and path.exists():
            raise Problem(f"{path} is there already.", "Nothing is overwritten.",
                          "Name another file.", code="exists")  # fmt: skip
    if args.report is not None:
        from fttui.service import eval_export

        eval_export.kind_of(args.report)
    if args.pairwise is not None and not args.judge:
        raise Problem("--pairwise needs a judge", "", "add --judge MODEL", code="usage")


def _setup(args: argparse.Namespace) -> Setup:
    from fttui.service.eval_setup import Setup

    return Setup(
        args.file, tuple(args.models.split(",")), tuple(args.grader) or ("auto",),
        args.judge or "", args.pairwise, tuple(args.baseline), args.base or "", args.train,
        args.sample, args.seed, args.temperature, args.max_tokens, args.concurrency,
        args.profile or "",
    )  # fmt: skip


class _Job:
    """One evaluation. `facts` grows, so that a failure still tells what was done."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.setup = _setup(args)
        self.facts: dict[str, Any] = {}
        self._store: Store | None = None
        self._providers: dict[str, Provider] = {}

    def say(self, text: str = "") -> None:
        if not self.args.json:
            print(text, flush=True)

    def how_to_go_on(self) -> None:
        if self._store is None or not self._store.answers:
            return
        count = plural(len(self._store.answers), "answer")
        again = [word for word in sys.argv[1:] if word not in ("--resume", "--yes")]
        words = again if again[:1] == ["eval"] else ["eval", str(self.args.file), "…"]
        print(f"{count} kept in {self._store.path}\n  go on with: fttui {shlex.join(words)} --resume",
              file=sys.stderr)  # fmt: skip

    async def run(self) -> int:
        from fttui import config
        from fttui.pricing.catalog import load_or_shipped

        plan = await asyncio.to_thread(self._plan, config.load())
        catalog = await asyncio.to_thread(load_or_shipped)
        with self._opened(plan) as store:
            try:
                return await self._evaluate(plan, store, catalog)
            finally:
                for provider in self._providers.values():
                    await provider.close()

    # ---- what to do

    def _plan(self, loaded: Config) -> Plan:
        from fttui.service.eval_planner import Planner

        def provider_of(name: str) -> Provider:
            from fttui.service.provider import Provider

            found = loaded.profile(name or None)
            if found.name not in self._providers:
                self._providers[found.name] = Provider(found)
            return self._providers[found.name]

        # Named, so that what is kept of it is found again whatever the default is then.
        self.setup = replace(self.setup, profile=loaded.profile(self.setup.profile or None).name)
        return Planner(provider_of, loaded.profiles).plan(self.setup)

    @contextmanager
    def _opened(self, plan: Plan) -> Iterator[Store]:
        from fttui.service import eval_store

        place = plan.contestants[0].provider.profile.identity
        path = self.args.output or eval_store.path_for(
            self.args.file, place, resume=self.args.resume
        )
        self._store = eval_store.Store(path, resume=self.args.resume)
        try:
            yield self._store
        finally:
            self._store.close()

    # ---- doing it

    async def _evaluate(self, plan: Plan, store: Store, catalog: Catalog) -> int:
        from fttui.service import eval_cost, eval_history, eval_result
        from fttui.service.evaluation import Evaluation

        with Meter("asking", quiet=self.args.json) as meter:
            evaluation = Evaluation(plan, store, on_progress=lambda now: _show(meter, now))
            self._announce(plan, store, evaluation)
            left = evaluation.outstanding()
            prices = await asyncio.to_thread(eval_cost.prices, plan, left, catalog)
            self._confirm(prices, plan)
            eval_history.begun(store, self.setup, plan)
            try:
                outcome = await evaluation.run()
            finally:
                self._journal(evaluation, catalog)
        done = await asyncio.to_thread(eval_result.result, self.setup, plan, outcome, catalog)
        eval_history.ended(store, done.note())
        return self._report(done)

    def _announce(self, plan: Plan, store: Store, evaluation: Evaluation) -> None:
        cases, settings = plan.cases, plan.settings
        left = len(evaluation.outstanding())
        self.facts |= {
            "file": str(self.args.file), "prompts": len(cases.rows), "output": str(store.path),
            "models": [who.label for who in plan.contestants],
            "graders": [grader.name for grader in plan.graders],
            "settings": settings.body(), "known_answers": plan.total - left,
            "skipped": [{"line": line, "why": why} for line, why in cases.skipped[:SKIPPED]],
        }  # fmt: skip
        self.say(f"prompts     {len(cases.rows):,} of {self.args.file.name}"
                 + (f", {plural(len(cases.skipped), 'line')} skipped "
                    f"(line {cases.skipped[0][0]}: {one_line(cases.skipped[0][1], 60)})"
                    if cases.skipped else ""))  # fmt: skip
        self.say(f"models      {', '.join(who.label for who in plan.contestants)}")
        self.say(f"grader      {', '.join(grader.name for grader in plan.graders)}")
        self.say(f"settings    temperature {settings.temperature:g}, seed {settings.seed}, "
                 f"at most {settings.max_tokens} tokens, {plan.concurrency} at once")  # fmt: skip
        if left < plan.total:
            self.say(f"known       {plan.total - left:,} of {plan.total:,} answers from before")
        self.say(f"answers     {store.path}")

    def _confirm(self, prices: list[Price], plan: Plan) -> None:
        """Money is spent only after a yes; without a terminal to ask on, only with --yes."""
        from fttui.service import eval_result
        from fttui.service.eval_cost import cost_text

        self.facts["estimate"] = [price.as_dict() for price in prices]
        paid = [price for price in prices if not price.free]
        text = cost_text(paid)
        self.say(f"cost        {text or 'free'}")
        if not paid or self.args.yes:
            return
        host = ", ".join(eval_result.paid_hosts(plan))
        if not sys.stdin.isatty() or self.args.json:
            raise Problem(
                f"this evaluation costs {text}", "nobody can be asked here",
                "repeat the command with --yes", code="not_confirmed",
            )  # fmt: skip
        if input(f"ask {host}, for {text}? [y/N] ").strip().lower() != "y":
            raise Problem("nothing was asked", "you said no", code="not_confirmed")

    def _journal(self, evaluation: Evaluation, catalog: Catalog) -> None:
        from fttui.service import eval_result
        from fttui.state import State

        rows = eval_result.paid(evaluation, catalog)
        if rows:
            state = State()
            try:
                eval_result.journal(state, self.setup, rows)
            finally:
                state.close()

    # ---- telling

    def _report(self, done: Result) -> int:
        from fttui.commands import eval_report
        from fttui.service import eval_export

        if self.args.csv is not None:
            eval_export.write_new(self.args.csv, eval_export.as_csv(done.outcome.rows))
        if self.args.report is not None:
            eval_export.write(self.args.report, done)
        met = self.args.fail_under is None or done.value >= self.args.fail_under
        code = 2 if not done.outcome.complete else 0 if met else 1
        if self.args.json:
            made = {**self.facts, **done.as_dict(), "fail_under": self.args.fail_under, "met": met}
            print(json.dumps(made, ensure_ascii=False))
            return code
        self.say()
        for line in eval_report.lines(done):
            self.say(line)
        if self.args.fail_under is not None:
            sign = "at least" if met else "below"
            self.say(f"\n{done.lead}: {done.value:.3f}, {sign} {self.args.fail_under:g}")
        if not done.outcome.complete:
            problem = done.outcome.problem
            why = f" ({'; '.join(problem.lines()[:2])})" if problem else ""
            self.say(f"\nnot every prompt was answered{one_line(why, 160)}")
            self.how_to_go_on()
        return code


def _show(meter: Meter, now: Progress) -> None:
    parts = [f"{label} {total / count:.2f}" for label, (total, count) in now.scores.items()]
    waiting = f"the provider asks to wait {now.waiting:.0f} s" if now.waiting >= 1 else ""
    meter.show(now.done, now.total, waiting or one_line("  ".join(parts), 60))
