"""`fttui run FILE`: the whole loop without a screen: check, price, upload, train, sample the result."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui.commands.progress import Meter
from fttui.problem import Problem
from fttui.text import duration, one_line, plural, size

if TYPE_CHECKING:
    from fttui.dataset.report import Report
    from fttui.pricing.records import Model
    from fttui.service.provider import Provider
    from fttui.service.types import Checkpoint, Job, LaunchSpec, Metrics

POLL_SECONDS = 1.0
PROVIDER_OF = {"custom": "openai"}  # whose prices stand in where a profile has none of its own


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        help="training file (JSONL: chat, or preference pairs, which are trained by DPO)",
    )
    parser.add_argument("--sample", choices=("extraction", "style"), help="use a shipped sample")
    held = parser.add_mutually_exclusive_group()
    held.add_argument("--validation", type=Path, metavar="FILE", help="validation file")
    held.add_argument("--split", type=float, metavar="PART", help="hold out this part, e.g. 0.2")
    parser.add_argument(
        "--profile", metavar="NAME", help="provider profile (default: as configured)"
    )
    parser.add_argument("--model", metavar="M", help="base model (default: the profile's cheapest)")
    parser.add_argument("--epochs", type=int, metavar="N", help="default: the provider chooses")
    parser.add_argument("--batch-size", type=int, metavar="N")
    parser.add_argument("--learning-rate-multiplier", type=float, metavar="X")
    parser.add_argument("--seed", type=int, metavar="S", help="the same seed gives the same run")
    parser.add_argument("--suffix", metavar="NAME", help="part of the tuned model's name")
    parser.add_argument("--sweep", action="append", metavar="NAME=V1,V2",
                        help="one job for every value, and every combination of several --sweep; "
                        "NAME is a hyperparameter (n_epochs, learning_rate_multiplier, …) or seed")  # fmt: skip
    parser.add_argument("--samples", type=int, default=12, metavar="N",
                        help="held-out prompts to ask base and tuned model (default 12)")  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="do not ask before money is spent")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")


def run(args: argparse.Namespace) -> int:
    loop = Loop(args)
    try:
        with loop.folder():
            return asyncio.run(loop.run())
    except Problem as problem:
        if not args.json:
            raise
        print(json.dumps({**loop.result, "error": problem.as_dict()}, ensure_ascii=False))
        return 1 if loop.result.get("job") else 2
    except KeyboardInterrupt:
        job = loop.result.get("job")
        if job:
            profile = f" --profile {args.profile}" if args.profile else ""
            print(
                f"\nleft; {job['id']} goes on. Follow it: fttui jobs {job['id']}{profile}"
                f"   Cancel it: fttui jobs --cancel {job['id']}{profile}",
                file=sys.stderr,
            )
        raise


class Loop:
    """One run. `result` grows as the steps end, so that a failure still tells what was done."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.result: dict[str, Any] = {}
        self.path: Path = Path()
        self.validation: Path | None = None
        self._work = Path()
        self._currency = "USD"
        self.method = "supervised"

    @contextmanager
    def folder(self) -> Iterator[None]:
        with tempfile.TemporaryDirectory(prefix="fttui-run-") as work:
            self._work = Path(work)
            yield

    def say(self, text: str = "") -> None:
        if not self.args.json:
            print(text, flush=True)

    # -- the steps

    async def run(self) -> int:
        from fttui import config
        from fttui.commands import run_method, run_sample, run_sweep
        from fttui.pricing.catalog import load_or_shipped
        from fttui.service.provider import Provider

        self._files()
        profile = config.load().profile(self.args.profile)
        catalog = load_or_shipped()
        self.method = await asyncio.to_thread(run_method.method_of, self.path)
        kind = PROVIDER_OF.get(profile.provider, profile.provider)
        model = run_method.choose_model(catalog, kind, self.args.model, self.method)
        report = await asyncio.to_thread(self._check, catalog, model)
        if report.severities.get("error"):
            return self._refused(report)
        if self.args.split:
            await asyncio.to_thread(self._split)
        rows = run_sweep.combinations(self.args.sweep or (), model, self.method)
        amounts = self._costs(model, report, rows)
        self._confirm(sum(amounts, Decimal(0)), self._currency, profile.name)
        provider = Provider(profile)
        try:
            await provider.ready()
            if self.args.sweep:
                most = catalog.providers[model.provider].suffix_max
                job = await self._train_all(provider, model, rows, amounts, most)
            else:
                job = await self._train(provider, model)
            if job.status != "succeeded":
                return self._failed(job)
            if (
                provider.capabilities.needs_deploy
            ):  # it costs by the hour, so it is not done unasked
                self._to_deploy(provider, job)
            else:
                self.result["samples"] = await run_sample.ask_held_out(
                    provider, job, self.validation or self.path, self.args, self.say
                )
        finally:
            await provider.close()
        if self.args.json:
            print(json.dumps(self.result, ensure_ascii=False))
        return 0

    def _to_deploy(self, provider: Provider, job: Job) -> None:
        """Where a tuned model answers only once deployed: say how, and what that costs."""
        from fttui.pricing import deployed
        from fttui.pricing.catalog import load_or_shipped

        kind, profile = provider.profile.provider, provider.profile.name
        book = load_or_shipped()
        sku = next((tier.sku for tier in book.provider(kind).tiers), "")
        price = deployed.hosting(book, kind, job.fine_tuned_model, sku, job.model)
        self.say(f"deploy      it answers once deployed: {price.words()}")
        self.say(
            f"            fttui deployments --create {job.fine_tuned_model} --profile {profile}"
        )
        self.result["deploy"] = {"model": job.fine_tuned_model, "hosting": price.as_dict()}

    def _files(self) -> None:
        from fttui import samples

        args = self.args
        if args.sample:
            self.path, self.validation = samples.path(args.sample), samples.heldout(args.sample)
        elif args.file:
            self.path, self.validation = args.file, args.validation
        else:
            raise Problem(
                "no training file was named", "", "fttui run FILE, or fttui run --sample extraction",
                code="usage",
            )  # fmt: skip
        if args.split is not None and not 0 < args.split < 1:
            raise Problem(f"--split {args.split}", "it is a part, between 0 and 1", "--split 0.2")
        if args.epochs is not None and args.epochs < 1:
            raise Problem(f"--epochs {args.epochs}", "at least one is needed", "--epochs 3")

    def _check(self, catalog: Any, model: Model) -> Report:
        from fttui.dataset import scan

        with Meter("checking", quiet=self.args.json) as meter:
            report = scan.scan(
                self.path,
                target=catalog.target(model, self.method),
                validation=self.validation,
                on_progress=lambda now: meter.show(now.bytes_done, now.bytes_total),
            )
        self.result["check"] = {
            "verdict": report.verdict, "summary": report.summary,
            "examples": report.examples, "tokens": report.tokens.total, "counts": report.counts,
        }  # fmt: skip
        self.say(f"data        {self.path.name}: {plural(report.examples, 'example')}, "
                 f"{plural(report.tokens.total, 'token')}, {size(report.bytes)}")  # fmt: skip
        self.say(f"check       {report.summary}")
        return report

    def _refused(self, report: Report) -> int:
        errors = [finding for finding in report.findings if finding.severity == "error"]
        if self.args.json:
            issues = [finding.as_dict() for finding in errors[:50]]
            error = {"code": errors[0].code, "message": report.summary}
            print(json.dumps({**self.result, "error": error, "issues": issues}, ensure_ascii=False))
        else:
            for finding in errors[:10]:
                place = f"{self.path}:{finding.line}" if finding.line else str(self.path)
                print(f"  ✗ {place}  {finding.code}  {finding.message}")
            print(f"nothing was uploaded. All of it: fttui check {self.path}")
        return 2 if report.verdict == "unusable" else 1

    def _split(self) -> None:
        from fttui.dataset.split import split

        train, held = self._work / self.path.name, self._work / f"{self.path.stem}-heldout.jsonl"
        seed = 42 if self.args.seed is None else self.args.seed
        done = split(self.path, train, held, fraction=self.args.split, seed=seed)
        self.path, self.validation = train, held
        self.say(
            f"split       {plural(done.train, 'example')} to train, {done.validation} held out"
        )

    def _costs(
        self, model: Model, report: Report, rows: Sequence[Mapping[str, str]]
    ) -> list[Decimal]:
        """What each job costs; told together."""
        from fttui.pricing import workload
        from fttui.pricing.money import exact

        work = workload.from_report(report, model)
        epochs = [int(row["n_epochs"]) if "n_epochs" in row else self.args.epochs for row in rows]
        made = [work.estimate(model, epochs=count, method=self.method) for count in epochs]
        first, total = made[0], sum((one.total for one in made), Decimal(0))
        self._currency = first.currency
        price = "free, on this machine" if model.free else f"{total:,.2f} {first.currency}"
        auto = " (estimated)" if any(one.epochs_auto for one in made) else ""
        if len(made) == 1:
            self.result["cost"] = first.as_dict()
            self.say(f"cost        {price}: {model.id}, {plural(first.epochs, 'epoch')}{auto}")
        else:
            self.result["cost"] = {
                "total": exact(total), "currency": first.currency,
                "jobs": [one.as_dict() for one in made],
            }  # fmt: skip
            self.say(f"cost        {price}: {model.id}, {len(made)} jobs{auto}")
        return [one.total for one in made]

    def _confirm(self, total: Decimal, currency: str, profile: str) -> None:
        """Money is spent only after a yes; without a terminal to ask on, only with --yes."""
        if self.args.yes or total == Decimal(0):
            return
        amount = f"{total:,.2f} {currency}"
        if not sys.stdin.isatty() or self.args.json:
            raise Problem(
                f"training on {profile} costs about {amount}",
                "nobody can be asked here",
                "repeat the command with --yes",
                code="not_confirmed",
            )
        if input(f"train on {profile} for about {amount}? [y/N] ").strip().lower() != "y":
            raise Problem("nothing was uploaded", "you said no", code="not_confirmed")

    async def _spec(self, provider: Provider, model: Model) -> LaunchSpec:
        """The request, with the files sent, and what this provider wants beside (trainingType)."""
        from fttui.pricing.catalog import load_or_shipped
        from fttui.service.types import LaunchSpec

        home = load_or_shipped().provider(model.provider)
        own = provider.profile.extra_body

        chosen = {
            "n_epochs": self.args.epochs,
            "batch_size": self.args.batch_size,
            "learning_rate_multiplier": self.args.learning_rate_multiplier,
        }
        return LaunchSpec(
            model=model.id,
            training_file=await self._upload(provider, self.path),
            validation_file=await self._upload(provider, self.validation)
            if self.validation
            else "",
            method=self.method,
            hyperparameters={name: value for name, value in chosen.items() if value is not None},
            suffix=self.args.suffix or "",
            seed=self.args.seed,
            extra_body={row.name: row.default for row in home.extra_body if row.name not in own},
        )

    async def _train(self, provider: Provider, model: Model) -> Job:
        from fttui.service import jobs

        job = await jobs.create(provider, await self._spec(provider, model))
        self.result["job"] = job.as_dict()
        self.say(f"job         {job.id}")
        return await self._follow(provider, job)

    async def _train_all(
        self,
        provider: Provider,
        model: Model,
        rows: Sequence[Mapping[str, str]],
        amounts: Sequence[Decimal],
        suffix_most: int,
    ) -> Job:
        """The jobs of a sweep, all followed to their end; the best of them, else the first."""
        from fttui.commands import run_sweep
        from fttui.service import sweep

        base = await self._spec(provider, model)
        made = run_sweep.specs(base, rows, self.path.stem, suffix_most)
        self.result["sweep"] = made[0].metadata[sweep.SWEEP]
        runs = await run_sweep.create(provider, rows, made, self.say)
        self.result["job"] = runs[0].job.as_dict()
        await run_sweep.follow(provider, runs, quiet=self.args.json)
        found = run_sweep.as_rows(runs, [f"{amount:.2f}" for amount in amounts], self._currency)
        self.result["jobs"] = found
        self.say()
        for line in run_sweep.table(found):
            self.say(line)
        top = run_sweep.best(runs) or runs[0]
        self.result |= {
            "job": top.job.as_dict(), "fine_tuned_model": top.job.fine_tuned_model or None,
        }  # fmt: skip
        return top.job

    async def _upload(self, provider: Provider, path: Path) -> str:
        from fttui.service import files

        known = await files.same(provider, path)
        if known is not None:
            self.say(f"upload      {path.name} is there already: {known.id}")
            return known.id
        with Meter(f"uploading {path.name}", quiet=self.args.json) as meter:
            sent = await files.upload(provider, path, on_progress=meter.show)
        self.say(f"upload      {path.name}: {sent.id}")
        return sent.id

    async def _follow(self, provider: Provider, job: Job) -> Job:
        """Events as they come until the job has ended; what it said is printed once."""
        from fttui.service import checkpoints, jobs

        metrics: dict[int, Metrics] = {}
        last = ""
        with Meter("training", quiet=self.args.json) as meter:
            while True:
                job = await jobs.retrieve(
                    provider, job.id
                )  # before the events: the last ones are read
                for event in await jobs.events_since(provider, job.id, last):
                    last = event.id
                    if event.metrics is not None and event.type == "metrics":
                        metrics[event.metrics.step] = event.metrics
                        total = event.metrics.total_steps or 0
                        meter.show(event.metrics.step, total, _losses(event.metrics))
                    else:
                        meter.note(f"            {one_line(event.message, 100)}")
                if job.ended:
                    break
                await asyncio.sleep(POLL_SECONDS)
        kept = await checkpoints.listing(provider, job.id) if job.status == "succeeded" else []
        self.result |= {
            "job": job.as_dict(),
            "fine_tuned_model": job.fine_tuned_model or None,
            "metrics": [metrics[step].as_dict() for step in sorted(metrics)],
            "checkpoints": [_checkpoint(row) for row in sorted(kept, key=lambda row: row.step)],
        }
        self._tell(job, sorted(kept, key=lambda row: row.step), metrics)
        return job

    def _tell(self, job: Job, kept: list[Checkpoint], metrics: dict[int, Metrics]) -> None:
        if job.status != "succeeded" or not metrics:
            return
        losses = [
            row.train_loss for _, row in sorted(metrics.items()) if row.train_loss is not None
        ]
        took = duration((job.finished_at or 0) - job.created_at)
        self.say(f"trained     {job.fine_tuned_model}")
        self.say(f"            loss {losses[0]:.3f} → {losses[-1]:.3f} in {took}")
        for row in kept:
            self.say(f"checkpoint  step {row.step:<5} {_losses(row.metrics)}")

    def _failed(self, job: Job) -> int:
        from fttui.service import remedies

        problem = Problem(f"the job was {job.status}", code=job.status)
        if job.error is not None:
            problem = remedies.job_problem(job.error, job.id)
        if self.args.json:
            print(json.dumps({**self.result, "error": problem.as_dict()}, ensure_ascii=False))
        else:
            print(*problem.lines(), sep="\n", file=sys.stderr)
        return 1


def _losses(metrics: Metrics) -> str:
    parts = []
    if metrics.train_loss is not None:
        parts.append(f"loss {metrics.train_loss:.3f}")
    if metrics.best_valid_loss is not None:
        parts.append(f"validation {metrics.best_valid_loss:.3f}")
    if metrics.train_accuracy is not None:
        parts.append(f"accuracy {metrics.train_accuracy:.2f}")
    return "  ".join(parts)


def _checkpoint(row: Checkpoint) -> dict[str, Any]:
    return {"id": row.id, "model": row.model, "step": row.step, "metrics": row.metrics.as_dict()}
