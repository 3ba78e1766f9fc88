"""Should one fine-tune at all: the ways compared, and the answer for one dataset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fttui.pricing.catalog import Catalog
from fttui.pricing.lifecycle import life, where_to_retrain
from fttui.pricing.money import show
from fttui.pricing.plan import Comparison, Plan, Row, compare
from fttui.pricing.records import Model
from fttui.pricing.use import Traffic
from fttui.pricing.workload import Workload
from fttui.text import plural

SOURCES = {
    "openai": "OpenAI, supervised fine-tuning guide and best practices (copy of 2026-07-15)",
    "comparison": "a guide of 2025 that sets OpenAI fine-tuning, DSPy and LoRA side by side",
    "recipe": "a guide of 2024 on when to fine-tune, with OpenAI and Azure prices",
    "workshop": "a workshop text of 2023 on fine-tuning against prompting",
    "measured": "measured with fttui's own engine on two processor cores, 2026-11",
    "prices": "the price catalogue; every figure there has its own date and source",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make a model do the job."""

    name: str
    data: str
    changes: str
    cost: str
    control: str
    privacy: str
    time: str
    source: str  # a key of SOURCES


WAYS = (
    Way(
        "Prompt and few-shot",
        "0 to 20 examples",
        "the prompt",
        "every request carries the instructions and the examples",
        "high over wording, none over the model",
        "prompts go to the provider",
        "minutes",
        "workshop",
    ),
    Way(
        "RAG",
        "your documents, kept current",
        "what the model is shown",
        "an index to keep, longer prompts",
        "high over facts, none over style",
        "passages go to the provider, or stay with a local model",
        "days",
        "recipe",
    ),
    Way(
        "DSPy",
        "10 to 50 examples and a metric",
        "the prompt, found by search",
        "many calls once, then as prompting",
        "low: the optimiser writes",
        "examples go to the provider",
        "hours",
        "comparison",
    ),
    Way(
        "OpenAI fine-tuning",
        "10 at least, 50 to 100 to start, up to 10,000",
        "the weights, at the provider",
        "training once, dearer tokens after",
        "medium: three hyperparameters, no weights",
        "training data goes to the provider",
        "hours; days with data work",
        "openai",
    ),
    Way(
        "Azure fine-tuning",
        "10 at least, 50 to 100 to start, up to 10,000",
        "the weights, at the provider",
        "training once, an hourly fee for hosting after",
        "medium; region and tier are yours to choose",
        "can stay in a region (Standard)",
        "hours; days with data work",
        "recipe",
    ),
    Way(
        "LoRA on this machine",
        "20 show style or a format on the small model; 1,000 and more for real tasks",
        "an adapter beside the weights",
        "electricity",
        "high: everything, weights included",
        "nothing leaves the machine",
        "seconds to minutes for the small model; days for large ones",
        "measured",
    ),
)
HEAD = ("Way", "Data needed", "What changes", "Cost", "Control", "Privacy", "Time")


@dataclass(frozen=True, slots=True)
class Point:
    """One sentence about this dataset. kind: "for", "against" or "note"; source: a key of SOURCES."""

    kind: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer for one dataset. comparison: base, tuned, larger and newer model at this traffic."""

    verdict: str
    points: tuple[Point, ...]
    comparison: Comparison | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "points": [
                {"kind": p.kind, "text": p.text, "source": SOURCES[p.source]} for p in self.points
            ],
            "comparison": None if self.comparison is None else self.comparison.as_dict(),
        }


def advise(
    workload: Workload,
    catalog: Catalog,
    model: Model,
    today: date,
    *,
    traffic: Traffic | None = None,
    larger: str = "gpt-4.1-2025-04-14",
) -> Advice:
    """The points for and against tuning `model` on this dataset, and one sentence that sums them up."""
    shaped = traffic or default_traffic(workload)
    comparison = four_ways(workload, catalog, model, today, shaped, larger)
    points = [
        *_about_examples(workload),
        *_about_prompt(workload),
        *_about_money(comparison, shaped),
        *_about_life(catalog, model, today),
    ]
    return Advice(_verdict(workload, comparison, model, today), tuple(points), comparison)


def default_traffic(workload: Workload) -> Traffic:
    """10,000 requests shaped like the median example; tuned ones go without the system prompt.

    Where no dataset was counted, the plain default of `Traffic` (500 + 150 tokens).
    """
    if not workload.prompt_tokens and not workload.answer_tokens:
        return Traffic()
    return Traffic(
        10_000,
        workload.prompt_tokens,
        workload.answer_tokens,
        saved_prompt_tokens=min(workload.system_per_example, workload.prompt_tokens),
    )


def four_ways(
    workload: Workload,
    catalog: Catalog,
    model: Model,
    today: date,
    traffic: Traffic,
    larger: str = "gpt-4.1-2025-04-14",
) -> Comparison:
    """The model as it is, tuned, a larger one, and a newer one, at the same traffic.

    The larger model stands first: it is what tuning a smaller one saves.
    """
    big = catalog.get(larger, model.provider) or catalog.find(larger)
    newer = catalog.get(model.replacement or "gpt-6-luna") or model
    method = model.methods[0] if model.methods else "supervised"
    plans = [
        Plan(big, "base", traffic),
        Plan(model, "base", traffic),
        Plan(model, "tuned", traffic, workload, method=method),
    ]
    if newer.key not in (model.key, big.key):
        plans.append(Plan(newer, "base", traffic))
    return compare(plans, catalog, today)


def _about_examples(workload: Workload) -> list[Point]:
    count = workload.examples
    said = plural(count, "example")
    if count < 10:
        return [Point("against", f"{said}: a service refuses fewer than 10", "openai")]
    if count < 50:
        return [
            Point("against", f"{said}: 50 to 100 good ones are the advised start", "openai"),
            Point("note", "DSPy finds a better prompt from 10 to 50 examples", "comparison"),
            Point(
                "note", "20 were enough to teach the small local model a JSON format", "measured"
            ),
        ]
    if count < 100:
        return [Point("for", f"{said}: within the 50 to 100 advised to start with", "openai")]
    return [Point("for", f"{said}: tuning by a service works from about 100", "comparison")]


def _about_prompt(workload: Workload) -> list[Point]:
    share = (workload.system_share * 100).quantize(Decimal(1))
    if not workload.system_tokens:
        return [
            Point("note", "there is no system prompt that tuning could make unnecessary", "prices")
        ]
    text = (
        f"system prompts are {share} % of the tokens ({workload.system_per_example:,} an example): "
        + ("a tuned model may not need them" if share >= 20 else "little to save there")
    )
    return [Point("for" if share >= 20 else "note", text, "recipe")]


def _about_money(comparison: Comparison, traffic: Traffic) -> list[Point]:
    points = []
    tuned = next((row for row in comparison.rows if row.plan.kind == "tuned"), None)
    for row in comparison.rows:
        if row.month is not None:
            amount = show(row.month.total, row.month.currency)
            text = f"{row.plan.label}: {amount} for {traffic.requests:,} requests a month"
            points.append(Point("note", text, "prices"))
    if tuned is None or tuned.training is None:
        return points
    cost = show(tuned.training.total, tuned.training.currency)
    first = comparison.rows[0].plan.label
    back = tuned.payback
    if back is None:
        return points
    if back.requests is None:
        text = f"training costs {cost} and is never earned back against {first}"
        return [*points, Point("against", text, "prices")]
    text = f"training costs {cost}, earned back against {first} after {back.requests:,} requests"
    if not tuned.pays_in_time:
        text += ", which is after the tuned model's end at this traffic"
    points.append(Point("for" if tuned.pays_in_time else "against", text, "prices"))
    return points


def _about_life(catalog: Catalog, model: Model, today: date) -> list[Point]:
    left = life(model, today)
    if left.level == "ok":
        return [Point("note", left.text, "prices")]
    points = [Point("against", left.text, "prices")]
    elsewhere = where_to_retrain(catalog, model, today)
    if elsewhere:
        names = ", ".join(f"{other.title} at {other.provider}" for other in elsewhere[:3])
        points.append(Point("note", f"what lives longer: {names}", "prices"))
    return points


def _verdict(workload: Workload, comparison: Comparison, model: Model, today: date) -> str:
    """The first rule that applies; each stands on a point above it."""
    left = life(model, today)
    if workload.examples < 10:
        return "Not yet: write more examples, and prompt meanwhile."
    if not left.trainable:
        return f"Not on {model.title} at {model.provider}: {left.text}."
    cheapest = comparison.cheapest
    tuned = next((row for row in comparison.rows if row.plan.kind == "tuned"), None)
    if left.level in ("soon", "urgent"):
        return (
            f"Not here for long use ({left.text}): try a newer model with a good prompt first, "
            "and tune where the model lives longer or on this machine."
        )
    if workload.examples < 50:
        return "Try prompting or DSPy first; on this machine tuning costs nothing but minutes."
    cheaper = cheapest is not None and tuned is not None and _less(cheapest, tuned)
    if cheapest is not None and cheaper:
        return f"Only for quality: {cheapest.plan.label} is cheaper, so see first whether it is good enough."
    return "Yes: there is enough data, and it pays; hold examples back to see that it is better."


def _less(row: Row, other: Row) -> bool:
    """Whether `row` is really cheaper a month (free against free is not)."""
    if row.month is None or other.month is None:
        return False
    return row.month.total < other.month.total
