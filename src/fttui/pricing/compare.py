"""OpenAI against Azure, side by side, for one model and one month of traffic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fttui.pricing import hosting
from fttui.pricing.catalog import Catalog
from fttui.pricing.lifecycle import life
from fttui.pricing.money import divide, show, show_price
from fttui.pricing.records import Model, Price, Rates
from fttui.pricing.use import Monthly, Traffic, monthly
from fttui.problem import Problem


@dataclass(frozen=True, slots=True)
class Sides:
    """Both providers for one model. rows: (what, OpenAI, Azure), as text for a table."""

    openai: Model
    azure: Model
    month_openai: Monthly
    month_azure: Monthly
    break_even: hosting.BreakEven
    claim: hosting.Claim
    rows: tuple[tuple[str, str, str], ...]

    @property
    def cheaper(self) -> str:
        """The provider with the smaller monthly bill at this traffic, "" where they are equal."""
        if self.month_openai.total == self.month_azure.total:
            return ""
        return "openai" if self.month_openai.total < self.month_azure.total else "azure"

    def as_dict(self) -> dict[str, Any]:
        return {
            "openai": self.month_openai.as_dict(),
            "azure": self.month_azure.as_dict(),
            "cheaper": self.cheaper,
            "break_even": self.break_even.as_dict(),
            "claim": self.claim.sentence(),
            "rows": [list(row) for row in self.rows],
        }


def openai_against_azure(
    catalog: Catalog, name: str, traffic: Traffic, today: date, tier: str = "global"
) -> Sides:
    """The two bills for `traffic`, the fixed part, and where they cross for this mix of tokens."""
    left = catalog.find(catalog.find(name).id, "openai")
    right = catalog.find(left.id, "azure").at(tier)
    if left.tuned is None or right.tuned is None:
        raise Problem(
            f"{left.id} cannot be compared", "a price is missing on one side", code="no_price"
        )
    share = input_share(traffic)
    over = hosting.premium(left.tuned, right.tuned)
    hour = hosting.hosting_of(right)
    return Sides(
        left,
        right,
        monthly(left, "tuned", traffic),
        monthly(right, "tuned", traffic),
        hosting.break_even(over, hour, share),
        hosting.claim(left.title, over, hour, share),
        _rows(catalog, left, right, traffic, today),
    )


def input_share(traffic: Traffic) -> Decimal:
    """The share of input among all tokens of a request; 0.75 without any."""
    prompt = traffic.prompt("tuned")
    both = prompt + traffic.answer_tokens
    return divide(prompt, both) if both else Decimal("0.75")


def _rows(
    catalog: Catalog, left: Model, right: Model, traffic: Traffic, today: date
) -> tuple[tuple[str, str, str], ...]:
    info = catalog.provider("azure").tier(right.tier)
    months = [monthly(model, "tuned", traffic) for model in (left, right)]
    ends = [life(model, today) for model in (left, right)]
    return (
        ("Training, 1M tokens", _price(left.training), _price(right.training)),
        ("Tuned input / output, 1M", _rates(left.tuned), _rates(right.tuned)),
        ("Hosting", "none", f"{_price(right.hosting_hour)} an hour"),
        ("Bill with no request", show(months[0].fixed), show(months[1].fixed)),
        (
            f"Month, {traffic.requests:,} requests",
            show(months[0].total, months[0].currency),
            show(months[1].total, months[1].currency),
        ),
        ("Tier", "–", info.title if info else right.tier),
        ("Developer tier", "–", _developer(right)),
        ("Regions", "OpenAI's own", _regions(right)),
        ("Deployed", "by itself", "by you; a Standard one unused for 15 days is deleted"),
        ("Training ends", _day(ends[0].training_ends), _day(ends[1].training_ends)),
        ("Tuned model ends", _day(ends[0].tuned_ends), _day(ends[1].tuned_ends)),
    )


def _developer(model: Model) -> str:
    return "no hosting fee, ends after 24 h" if "developer" in model.tiers else "not for this model"


def _regions(model: Model) -> str:
    return "; ".join(f"{tier}: {', '.join(names)}" for tier, names in model.regions.items())


def _day(day: date | None) -> str:
    return day.isoformat() if day else "no date known"


def _price(price: Price | None) -> str:
    if price is None:
        return "not known"
    return show_price(price.amount, price.currency) + ("" if price.certain else " ?")


def _rates(rates: Rates | None) -> str:
    if rates is None:
        return "not known"
    text = f"{show_price(rates.input, rates.currency)} / {show_price(rates.output, rates.currency)}"
    return text + ("" if rates.certain else " ?")
