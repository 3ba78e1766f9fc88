"""`fttui cost FILE`: what training costs, what use costs, how long it lives; the pane's own sums."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from fttui.pricing import advice, catalog, compare, export, lifecycle, plan, render
from fttui.pricing.estimate import Estimate
from fttui.pricing.plan import Plan
from fttui.pricing.records import METHODS, Model
from fttui.pricing.use import Traffic
from fttui.pricing.workload import Workload, from_report
from fttui.problem import Problem
from fttui.text import plural

PROVIDER_OF = {"custom": "openai"}  # whose prices stand in where a profile has none of its own


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, help="training file")
    parser.add_argument("--validation", type=Path, metavar="FILE", help="validation file")
    parser.add_argument("--tokens", type=int, metavar="N", help="price N tokens instead of a file")
    parser.add_argument(
        "--examples", type=int, metavar="N", help="with --tokens: how many examples"
    )
    parser.add_argument(
        "--model", metavar="M", help="base model (default: the provider's cheapest)"
    )
    parser.add_argument("--provider", metavar="P", help="openai, azure, nebius, local …")
    parser.add_argument("--tier", choices=("global", "regional", "developer"), help="Azure's tier")
    parser.add_argument("--epochs", type=int, metavar="N", help="default: auto, estimated")
    parser.add_argument("--method", choices=METHODS, help="default: the model's first")
    parser.add_argument("--hours", metavar="H[-H]", help="of reinforcement training")
    use = parser.add_argument_group("use, a month")
    use.add_argument("--requests", type=int, metavar="N")
    use.add_argument("--prompt-tokens", type=int, metavar="N", help="of one request")
    use.add_argument("--answer-tokens", type=int, metavar="N", help="of one request")
    use.add_argument(
        "--saved-tokens", type=int, metavar="N", help="prompt tokens a tuned model does without"
    )
    use.add_argument("--cached", metavar="PART", help="part of the prompt that is cached, 0 to 1")
    use.add_argument("--batch", metavar="PART", help="part sent as batches, 0 to 1")
    use.add_argument("--compare", metavar="M,M", help="other models at the same traffic")
    parser.add_argument("--azure", action="store_true", help="OpenAI against Azure, side by side")
    parser.add_argument("--advice", action="store_true", help="should this be fine-tuned at all?")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object, money as text")
    form.add_argument("--markdown", action="store_true")
    form.add_argument("--csv", action="store_true")
    parser.add_argument(
        "--refresh-azure", action="store_true", help="read Microsoft's public price list now"
    )
    parser.add_argument("--region", default="eastus2", help="for --refresh-azure")
    parser.add_argument("--currency", default="USD", help="for --refresh-azure")


def run(args: argparse.Namespace) -> int:
    if args.refresh_azure:
        from fttui.commands.azure_prices import refresh

        return refresh(args)
    today = date.today()
    prices = catalog.load()
    model = _model(args, prices, today)
    lifecycle.check_trainable(model, today)
    work, about = _workload(args, prices, model)
    asked = _Asked(args, prices, model, today, work, about)
    if args.json:
        print(json.dumps(asked.as_dict(), ensure_ascii=False))
    elif args.markdown:
        print(export.markdown(asked.comparison()), end="")
    elif args.csv:
        print(export.csv(asked.comparison()), end="")
    else:
        print("\n".join(line.rstrip() for line in asked.text()))
    return 0


def _model(args: argparse.Namespace, prices: catalog.Catalog, today: date) -> Model:
    provider = args.provider
    if args.model:
        found = prices.find(args.model, provider)
    else:
        home = provider or _usual_provider()
        method = args.method or "supervised"
        cheapest = prices.cheapest(home, today, method) if home in prices.providers else None
        if cheapest is None:
            prices.provider(home)
            raise Problem(
                f"no {method} training at {home} has a known price",
                "the catalogue cannot choose a model there",
                "name one with --model",
                code="no_price",
            )
        found = cheapest
    return _at_tier(found, args.tier)


def _at_tier(model: Model, tier: str | None) -> Model:
    if not tier or tier == model.tier:
        return model
    if tier not in model.tiers:
        raise Problem(
            f"{model.key} has no {tier} tier",
            f"it has {', '.join([model.tier, *model.tiers]).strip(', ') or 'none'}",
            "leave --tier out",
            code="unknown_tier",
        )
    return model.at(tier)


def _usual_provider() -> str:
    """The provider of the default profile; this machine where the settings cannot be read."""
    from fttui import config

    try:
        provider = config.load().profile(None).provider
    except Problem:
        return "local"
    return PROVIDER_OF.get(provider, provider)


def _workload(
    args: argparse.Namespace, prices: catalog.Catalog, model: Model
) -> tuple[Workload, dict[str, Any]]:
    """The numbers of the file (or those given), and what `--json` says about it."""
    if args.tokens is not None:
        return Workload(examples=args.examples or 0, tokens=args.tokens), {}
    if args.file is None:
        raise Problem(
            "nothing to price", "no file was named", "fttui cost FILE, or --tokens N", code="usage"
        )
    from fttui.dataset.scan import scan

    method = args.method or (model.methods[0] if model.methods else "supervised")
    report = scan(args.file, target=prices.target(model, method), validation=args.validation)
    for file in filter(None, (report, report.validation)):
        if file.verdict == "unusable":
            first = next((f for f in file.findings if f.severity == "error"), None)
            raise Problem(
                f"{file.file} cannot be priced",
                first.message if first else file.summary,
                first.fix if first else "",
                code=first.code if first else "unusable",
            )
    about: dict[str, Any] = {
        "file": str(args.file),
        "examples": report.examples,
        "tokens": report.tokens.total,
        "trained_tokens": report.tokens.trained,
        "verdict": report.verdict,
        "summary": report.summary,
    }
    return from_report(report, model), about


@dataclass(frozen=True)
class _Asked:
    """What was asked for, priced once, told in any of the forms."""

    args: argparse.Namespace
    prices: catalog.Catalog
    model: Model
    today: date
    work: Workload
    about: dict[str, Any]

    @property
    def method(self) -> str:
        return self.args.method or (self.model.methods[0] if self.model.methods else "supervised")

    def estimate(self) -> Estimate:
        hours = _hours(self.args.hours) if self.args.hours else None
        return self.work.estimate(
            self.model, epochs=self.args.epochs, method=self.method, hours=hours
        )

    def _training_dict(self) -> dict[str, Any]:
        try:
            return self.estimate().as_dict()
        except Problem as problem:
            if not self.wants_more:
                raise
            none = {"model": self.model.id, "provider": self.model.provider, "method": self.method}
            return {
                **none,
                "total": None,
                "currency": "",
                "lines": [],
                "problem": problem.as_dict(),
            }

    @property
    def wants_more(self) -> bool:
        """Something besides training was asked for: it is told even where training has no price."""
        return self.wants_use or self.args.azure or self.args.advice

    @property
    def wants_use(self) -> bool:
        names = ("requests", "prompt_tokens", "answer_tokens", "saved_tokens", "compare")
        return any(getattr(self.args, name) is not None for name in names)

    def traffic(self) -> Traffic:
        """A month: what was given, else the dataset's own median example."""
        usual = advice.default_traffic(self.work)
        args = self.args
        prompt = usual.prompt_tokens if args.prompt_tokens is None else args.prompt_tokens
        saved = 0 if args.saved_tokens is None else args.saved_tokens
        return replace(
            usual,
            requests=usual.requests if args.requests is None else args.requests,
            prompt_tokens=prompt,
            answer_tokens=(
                usual.answer_tokens if args.answer_tokens is None else args.answer_tokens
            ),
            saved_prompt_tokens=saved,
            cached_share=_share(args.cached, "--cached"),
            batch_share=_share(args.batch, "--batch"),
        ).checked()

    def comparison(self) -> plan.Comparison:
        """The model tuned and as it is, and the models of --compare, at the same traffic."""
        traffic = self.traffic()
        tuned = Plan(
            self.model,
            "tuned",
            traffic,
            self.work,
            self.args.epochs,
            self.method,
            _hours(self.args.hours) if self.args.hours else None,
        )
        others = [self._other(name, tuned) for name in _names(self.args.compare)]
        plans = [Plan(self.model, "base", traffic), tuned, *others]
        if self.model.base is None:
            plans.pop(0)
        if len(plans) > plan.MAX_PLANS:
            raise Problem(
                f"at most {plan.MAX_PLANS} plans can be compared",
                f"these are {len(plans)}, the model itself and its tuned version included",
                "name fewer models in --compare",
                code="too_many_plans",
            )
        # What training is held against comes first: the dearest alternative that needs none.
        plans.sort(key=lambda one: one.kind != "base")
        rows = plan.compare(plans, self.prices, self.today).rows
        bases = [row for row in rows if row.plan.kind == "base" and row.month]
        if not bases:
            return plan.Comparison(rows, self.today)
        dearest = max(bases, key=lambda row: row.month.total if row.month else Decimal(0)).plan
        plans.sort(key=lambda one: one is not dearest)
        return plan.compare(plans, self.prices, self.today)

    def _other(self, name: str, tuned: Plan) -> Plan:
        """A model of --compare: the same base elsewhere is compared tuned, another one as it is."""
        kind, _, rest = name.partition(":")
        if kind not in ("tuned", "base") or not rest:
            kind, rest = "", name
        model = self.prices.find(rest)
        same = model.id == self.model.id and model.key != self.model.key
        if kind == "tuned" or (not kind and same):
            return replace(tuned, model=model)
        return Plan(model, "base", tuned.traffic)

    def as_dict(self) -> dict[str, Any]:
        """The object of `--json`: the estimate's own keys first, then what else is known."""
        left = lifecycle.life(self.model, self.today)
        made: dict[str, Any] = {**self._training_dict(), **self.about, "life": left.as_dict()}
        if self.wants_use:
            made["comparison"] = self.comparison().as_dict()
        if self.args.azure:
            made["openai_against_azure"] = self._sides().as_dict()
        if self.args.advice:
            made["advice"] = self._advice().as_dict()
        return made

    def text(self) -> Iterator[str]:
        if self.about:
            counted = f"{self.about['examples']:,} examples, {self.work.tokens:,} tokens"
            yield f"{Path(self.about['file']).name}: {counted}"
            if self.about["verdict"] == "errors":
                yield f"! {self.about['summary']}"
        yield from self._training_text()
        if self.wants_use:
            yield from self._use_text()
        if self.args.azure:
            sides = self._sides()
            yield ""
            yield from render.table(sides.rows, ("", "OpenAI", "Azure"))
            yield from render.notes(["", sides.claim.sentence()])
        if self.args.advice:
            yield ""
            yield from render.advice(self._advice())

    def _training_text(self) -> Iterator[str]:
        home = self.prices.provider(self.model.provider)
        left = lifecycle.life(self.model, self.today)
        try:
            estimate = self.estimate()
        except Problem as problem:
            if not self.wants_more:
                raise
            yield from render.notes(problem.lines())
            yield from render.life(left)
            return
        yield from render.training(estimate, home.title)
        yield ""
        yield from render.life(left)
        yield from render.provenance(estimate.lines, self.prices, self.today)
        yield from render.notes(estimate.notes)
        yield from render.notes([f"not included: {', '.join(home.not_included)}"])

    def _use_text(self) -> Iterator[str]:
        shown = self.comparison()
        traffic = self.traffic()
        yield ""
        yield (
            f"A month: {plural(traffic.requests, 'request')} of {traffic.prompt_tokens:,} + "
            f"{traffic.answer_tokens:,} tokens"
        )
        yield from render.comparison(shown)
        lines = [line for row in shown.rows if row.month for line in row.month.lines]
        yield from render.provenance(lines, self.prices, self.today)

    def _sides(self) -> compare.Sides:
        tier = self.args.tier or "global"
        return compare.openai_against_azure(
            self.prices, self.model.id, self.traffic(), self.today, tier
        )

    def _advice(self) -> advice.Advice:
        traffic = self.traffic() if self.wants_use else None
        return advice.advise(self.work, self.prices, self.model, self.today, traffic=traffic)


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _decimal(text: str, name: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise Problem(f"{name} {text!r} is no number", "", "write it as 0.5", code="usage")
    return value


def _share(text: str | None, name: str) -> Decimal:
    return Decimal(0) if text is None else _decimal(text, name)


def _hours(text: str) -> Decimal | tuple[Decimal, Decimal]:
    low, dash, high = text.partition("-")
    if not dash or not low:
        return _decimal(text, "--hours")
    return _decimal(low, "--hours"), _decimal(high, "--hours")
