"""What the Cost area shows, computed: the ways compared, kept plans, OpenAI against Azure. No widgets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog, Model
    from fttui.pricing.compare import Sides
    from fttui.pricing.plan import Comparison, Plan
    from fttui.pricing.use import Traffic
    from fttui.state import State
    from fttui.ui.planner import Planner

KEPT = "cost.plans"
MAX_KEPT = 4
REFERENCE = (
    "gpt-4.1-mini-2025-04-14"  # compared at OpenAI and Azure when the plan's model is not there
)


def larger(catalog: Catalog, model: Model, today: date) -> Model | None:
    """The next larger base of the provider: dearer, still answering, named most like this one."""
    if model.base is None:
        return None
    mine = model.base.input
    dearer = [
        other
        for other in catalog.models(model.provider)
        if other.base is not None
        and other.base.input > mine
        and not (other.base_ends and other.base_ends <= today)
    ]

    def alike(other: Model) -> int:
        same = takewhile(lambda pair: pair[0] == pair[1], zip(other.id, model.id, strict=False))
        return len(list(same))

    return min(
        dearer,
        key=lambda other: (-alike(other), other.base.input if other.base else mine),
        default=None,
    )


def ways(planner: Planner, catalog: Catalog, today: date) -> Comparison | None:
    """A larger base first, then the model as it is, tuned, and a newer one; None without a plan."""
    from fttui.pricing import advice

    model, workload = planner.app.thread.model, planner.workload()
    if model is None or workload is None:
        return None
    big = larger(catalog, model, today)
    name = big.key if big else REFERENCE
    found = advice.four_ways(workload, catalog, model, today, planner.traffic, name)
    epochs = planner.app.thread.epochs
    if epochs is None:
        return found
    from fttui.pricing.plan import compare

    plans = [
        replace(row.plan, epochs=epochs) if row.plan.kind == "tuned" else row.plan
        for row in found.rows
    ]
    return compare(plans, catalog, today)


def bases(planner: Planner, catalog: Catalog, today: date, limit: int) -> list[Plan]:
    """This dataset on other bases that can be trained: the plan's own first, then its provider's, then
    the cheapest of every other provider."""
    from fttui.pricing.plan import Plan

    chosen = planner.app.thread.model
    if chosen is None:
        return []
    fit = [
        model
        for model in catalog.models()
        if model.can_train(today) and planner.method in model.methods and model.training is not None
    ]
    same = [model for model in fit if model.provider == chosen.provider]
    rest = sorted(fit, key=lambda m: m.training.amount if m.training else Decimal(0))
    by_provider = {model.provider: model for model in reversed(rest)}  # the cheapest of each
    elsewhere = [model for name, model in by_provider.items() if name != chosen.provider]
    order = list(dict.fromkeys(m.key for m in [chosen, *same[:4], *elsewhere]))[:limit]
    made = []
    for key in order:
        model = catalog.find(key)
        workload = planner.workload(model)
        if workload is not None:
            made.append(
                Plan(
                    model,
                    "tuned",
                    planner.traffic,
                    workload,
                    planner.app.thread.epochs,
                    planner.method,
                )
            )
    return made


def sides(planner: Planner, catalog: Catalog, today: date) -> Sides | None:
    """OpenAI against Azure for the plan's model, or for the reference where it is not at both."""
    from fttui.pricing.compare import openai_against_azure

    model = planner.app.thread.model
    for name in (model.id if model else "", REFERENCE):
        if name and catalog.get(name, "openai") and catalog.get(name, "azure"):
            try:
                return openai_against_azure(catalog, name, planner.traffic, today)
            except Problem:
                continue
    return None


# -- plans kept to compare


@dataclass(frozen=True)
class Kept:
    """A plan in what can be written down; the dataset is the one that is open."""

    model: str  # provider/id
    epochs: int | None
    split: float
    traffic: dict[str, Any]

    def plan(self, planner: Planner, catalog: Catalog) -> Plan | None:
        from fttui.pricing.plan import Plan
        from fttui.pricing.use import Traffic
        from fttui.ui.planner import held_out

        model = catalog.get(self.model)
        whole = planner.whole(model) if model else None
        if model is None or whole is None:
            return None
        shares = {k: Decimal(v) for k, v in self.traffic.items() if k.endswith("_share")}
        workload = held_out(whole, self.split)
        epochs = f"{self.epochs} epochs" if self.epochs else "auto"
        split = f", {self.split:.0%} held out" if self.split else ""
        return Plan(
            model,
            "tuned",
            Traffic(**{**self.traffic, **shares}),
            workload,
            self.epochs,
            planner.method,
            name=f"{model.title} · {epochs}{split}",
        )


def kept(state: State) -> list[Kept]:
    try:
        return [Kept(**row) for row in state.recall(KEPT, [])]
    except TypeError:  # written by another version
        return []


def toggle_kept(state: State, planner: Planner) -> str:
    """Keep the present plan, or let go of it if it is kept already. Says what was done."""
    thread = planner.app.thread
    assert thread.model is not None
    now = Kept(thread.model.key, thread.epochs, thread.split, traffic_dict(planner.traffic))
    rows = kept(state)
    if now in rows:
        rows.remove(now)
        said = "this plan is no longer kept"
    elif len(rows) >= MAX_KEPT:
        rows = [*rows[1:], now]
        said = f"kept; the oldest of {MAX_KEPT} plans gave way"
    else:
        rows.append(now)
        said = f"kept to compare: {len(rows)} of {MAX_KEPT} plans"
    state.remember(KEPT, [asdict(row) for row in rows])
    return said


def traffic_dict(traffic: Traffic) -> dict[str, Any]:
    """JSON values; shares as decimal text."""
    return {k: str(v) if isinstance(v, Decimal) else v for k, v in asdict(traffic).items()}


def compared(planner: Planner, catalog: Catalog, today: date) -> tuple[Comparison | None, bool]:
    """(the kept plans side by side, True), or (this dataset on other bases, False)."""
    from fttui.pricing.plan import compare

    plans = [plan for row in kept(planner.app.state) if (plan := row.plan(planner, catalog))]
    if plans:
        return compare(plans[:MAX_KEPT], catalog, today), True
    found = bases(planner, catalog, today, 4)
    return (compare(found, catalog, today), False) if found else (None, False)


# -- what this machine has shown


def local_seconds(state: State, profile: str, model: str, tokens: int) -> float | None:
    """How long `tokens` would train here, by the newest finished job of this model; None: none has."""
    for body, _ in state.seen_jobs(profile):
        start, end = body.get("created_at"), body.get("finished_at")
        done = body.get("trained_tokens")
        if body.get("model") == model and start and end and done and end > start:
            return tokens * (end - start) / done
    return None


# -- export


def write_new(folder: Path, stem: str, suffix: str, text: str) -> Path:
    """Write a file that does not exist yet: `stem.md`, else `stem-2.md` …"""
    for number in range(1, 1000):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
        try:
            with path.open("x", encoding="utf-8") as out:
                out.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            raise Problem(
                f"{path} cannot be written",
                error.strerror or str(error),
                "start fttui in a folder that can be written to",
                code="export",
            ) from error
        return path
    raise Problem(f"{folder} holds a thousand of these already", "", "tidy it", code="export")


def export(planner: Planner, catalog: Catalog, today: date, kind: str) -> str:
    """The plan beside the plans kept (or the usual ways), as "md", "csv" or "json"."""
    from fttui.pricing import export as forms

    found, are_kept = compared(planner, catalog, today)
    if not are_kept:
        found = ways(planner, catalog, today)
    if found is None:
        raise Problem("there is nothing to save", "no dataset is open", "open one (o)")
    made = {"md": forms.markdown, "csv": forms.csv, "json": forms.json}[kind]
    return made(found)


def why_not_train(model: Model, method: str, today: date) -> str:
    """Why a model cannot be the base of this plan, "" where it can."""
    from fttui.pricing import lifecycle

    left = lifecycle.life(model, today)
    if not left.trainable or not left.answers:
        return left.text
    return "" if method in model.methods else f"not by {method}"
