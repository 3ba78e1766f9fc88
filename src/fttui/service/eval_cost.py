"""What an evaluation will cost, and what its answers came to. Decimal; None where no price is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fttui.config import Profile
from fttui.dataset import tokens
from fttui.evaluate.graders import Grader
from fttui.evaluate.records import Answer, Case
from fttui.pricing.catalog import Catalog
from fttui.pricing.money import exact, product, show, total
from fttui.pricing.records import Rates
from fttui.service.eval_plan import Contestant, Plan, is_tuned

PROVIDER_OF = {"custom": "openai"}  # whose prices stand in where a profile has none of its own
Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Price:
    """What asking one model comes to. least: answers as long as expected; most: as long as allowed."""

    model: str
    asks: int
    prompt_tokens: int
    answer_tokens: int
    most_tokens: int | None
    least: Decimal | None
    most: Decimal | None
    currency: str

    @property
    def free(self) -> bool:
        return not self.asks or (self.least == 0 and self.most == 0)

    def as_dict(self) -> dict[str, Any]:
        return {
            "model": self.model, "asks": self.asks, "prompt_tokens": self.prompt_tokens,
            "answer_tokens": self.answer_tokens,
            "expected": None if self.least is None else exact(self.least),
            "most": None if self.most is None else exact(self.most),
            "currency": self.currency,
        }  # fmt: skip


def rates(catalog: Catalog, profile: Profile, model: str) -> Rates | None:
    """The prices of a base or a tuned model at a profile; None where none is listed."""
    found = catalog.get(model, PROVIDER_OF.get(profile.provider, profile.provider))
    if found is None:
        return None
    return found.tuned if is_tuned(model) else found.base


def price(
    catalog: Catalog,
    profile: Profile,
    model: str,
    asked: Iterable[tuple[Messages, Sequence[Any], str]],
    longest: int | None,
) -> Price:
    """Of (messages, tools, an answer as long as expected). longest: tokens an answer may have."""
    known = rates(catalog, profile, model)
    local = profile.provider == "local"
    rows = list(asked)
    prompt = answer = 0
    if not local:
        count = tokens.counter(tokens.encoding_for(model)).count_all
        prompt = sum(sum(count(_texts(messages, tools))) for messages, tools, _ in rows)
        prompt += tokens.MESSAGE * sum(len(messages) for messages, _, _ in rows)
        answer = sum(count([said for _, _, said in rows]))
    most = None if longest is None else longest * len(rows)
    return Price(
        model,
        len(rows),
        prompt,
        answer,
        most,
        Decimal(0) if local else _amount(known, prompt, answer),
        Decimal(0) if local else None if most is None else _amount(known, prompt, most),
        known.currency if known else "USD",
    )


def _texts(messages: Messages, tools: Sequence[Any]) -> list[str]:
    texts = []
    for row in messages:
        content = row.get("content")
        texts.append(content if isinstance(content, str) else json.dumps(content or ""))
        if row.get("tool_calls"):
            texts.append(json.dumps(row["tool_calls"]))
    return [*texts, json.dumps(list(tools))] if tools else texts


def _amount(known: Rates | None, prompt: int, answer: int) -> Decimal | None:
    if known is None:
        return None
    return total([
        product(Decimal(prompt).scaleb(-6), known.input),
        product(Decimal(answer).scaleb(-6), known.output),
    ])  # fmt: skip


def spent(
    catalog: Catalog, profile: Profile, model: str, answers: Iterable[Answer]
) -> tuple[Decimal | None, str]:
    """What these answers cost by the counts the provider gave, cached prompt tokens at their price."""
    if profile.provider == "local":
        return Decimal(0), "USD"
    known = rates(catalog, profile, model)
    if known is None:
        return None, ""
    amounts = []
    for answer in answers:
        cached = answer.cached_tokens if known.cached is not None else 0
        fresh = max(0, answer.prompt_tokens - cached)
        amounts.append(_amount(known, fresh, answer.completion_tokens) or Decimal(0))
        amounts.append(product(Decimal(cached).scaleb(-6), known.cached or Decimal(0)))
    return total(amounts), known.currency


# ---- a whole plan

VERDICT = "x " * 40  # about as long as what a judge says
VERDICT_MOST = 400  # tokens


def prices(plan: Plan, left: Sequence[tuple[Contestant, Case]], catalog: Catalog) -> list[Price]:
    """What is still to be asked (`Evaluation.outstanding()`), by model, then the judges'."""
    made = []
    for who in plan.contestants:
        asked = [
            (plan.messages(who, case), case.tools, case.expected)
            for other, case in left
            if other is who
        ]
        limit = plan.settings.max_tokens
        made.append(price(catalog, who.provider.profile, who.model, asked, limit))
    return [*made, *_judges(plan, left, catalog)]


def _judges(
    plan: Plan, left: Sequence[tuple[Contestant, Case]], catalog: Catalog
) -> Iterator[Price]:
    provider = plan.judge or plan.contestants[0].provider
    asks = [(model, [case for _, case in left]) for model in _judged_by(plan.graders)]
    if plan.pairwise is not None:
        first = plan.contestants[0]
        pairs = [case for who, case in left if who is not first]
        asks.append((plan.pairwise.model, pairs * 2))
    for model, rows in asks:
        asked = [
            ([{"content": f"{case.prompt} {case.expected * 3} {VERDICT}"}], (), VERDICT)
            for case in rows
        ]
        yield price(catalog, provider.profile, model, asked, VERDICT_MOST)


def _judged_by(graders: Iterable[Grader]) -> Iterator[str]:
    """The model of every grader that asks one."""
    for grader in graders:
        inner = getattr(grader, "graders", None)
        if inner:
            yield from _judged_by(inner.values())
        elif getattr(grader, "model", ""):
            yield str(getattr(grader, "model", ""))


def cost_text(rows: Sequence[Price]) -> str:
    """`about $0.12 (at most $0.40)`; "" where nothing is to be paid."""
    paid = [row for row in rows if not row.free]
    known = [row for row in paid if row.least is not None]
    parts = []
    for currency in sorted({row.currency for row in known}):
        same = [row for row in known if row.currency == currency]
        text = f"about {show(total([row.least or Decimal(0) for row in same]), currency)}"
        if all(row.most is not None for row in same):
            most = total([row.most or Decimal(0) for row in same])
            text += f" (at most {show(most, currency)})"
        parts.append(text)
    unknown = dict.fromkeys(row.model for row in paid if row.least is None)
    if unknown:
        parts.append(f"an unknown amount for {', '.join(unknown)}: no price is listed")
    return " and ".join(parts)
