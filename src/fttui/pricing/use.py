"""What a model costs in use: a month of requests, and when training has paid for itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from fttui.pricing.bill import Bill, Line, priced_line, token_line
from fttui.pricing.estimate import negative, no_price
from fttui.pricing.money import divide, exact, product
from fttui.pricing.records import PER_HOUR, Model, Price, Rates
from fttui.problem import Problem

MONTH_HOURS = 720  # 30 days, as Microsoft's own examples count
KINDS = ("base", "tuned")


@dataclass(frozen=True, slots=True)
class Traffic:
    """A month of use. Tokens are of one request; shares are 0 to 1.

    saved_prompt_tokens: what a tuned model no longer needs of the prompt (instructions, examples).
    """

    requests: int = 10_000
    prompt_tokens: int = 500
    answer_tokens: int = 150
    cached_share: Decimal = Decimal(0)
    batch_share: Decimal = Decimal(0)
    saved_prompt_tokens: int = 0

    def checked(self) -> Traffic:
        """Itself, or a Problem for a negative number or a share outside 0 to 1."""
        for name in ("requests", "prompt_tokens", "answer_tokens", "saved_prompt_tokens"):
            if getattr(self, name) < 0:
                raise negative(name.replace("_", " "), getattr(self, name))
        for name in ("cached_share", "batch_share"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise Problem(
                    f"{name.replace('_', ' ')} must lie between 0 and 1",
                    f"got {share}",
                    "0.25 means a quarter",
                    code="share_out_of_range",
                )
        return self

    def prompt(self, kind: str) -> int:
        """Prompt tokens of one request to the base or the tuned model."""
        return max(0, self.prompt_tokens - (self.saved_prompt_tokens if kind == "tuned" else 0))


@dataclass(frozen=True, slots=True)
class Monthly:
    """A month's bill for one model. fixed: the part that is due without a single request."""

    model: Model
    kind: str  # "base" | "tuned"
    traffic: Traffic
    lines: tuple[Line, ...]
    total: Decimal
    currency: str
    fixed: Decimal
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        tuned = "tuned " if self.kind == "tuned" else ""
        return f"{tuned}{self.model.title} ({self.model.provider})"

    @property
    def per_request(self) -> Decimal | None:
        """The price of one more request, without what is fixed; None without traffic."""
        if not self.traffic.requests:
            return None
        return divide(self.total - self.fixed, self.traffic.requests)

    def as_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.id,
            "provider": self.model.provider,
            "kind": self.kind,
            "label": self.label,
            "total": exact(self.total),
            "fixed": exact(self.fixed),
            "currency": self.currency,
            "lines": [line.as_dict() for line in self.lines],
            "notes": list(self.notes),
        }


def monthly(model: Model, kind: str, traffic: Traffic) -> Monthly:
    """A month of `traffic` on the base or the tuned `model`, hosting included where there is any."""
    traffic = traffic.checked()
    rates = model.tuned if kind == "tuned" else model.base
    if rates is None:
        raise no_price(model, "tuned inference" if kind == "tuned" else "inference")
    notes: list[str] = []
    lines = list(_token_lines(rates, traffic, traffic.prompt(kind), notes))
    fixed = Decimal(0)
    if kind == "tuned" and model.hosting_hour is not None:
        host = hosting_line(model.hosting_hour)
        fixed = host.amount
        lines.append(host)
        if model.tier == "developer":
            notes.append("a Developer deployment ends after 24 hours and must be made again")
    bill = Bill(tuple(lines), rates.currency)
    return Monthly(
        model, kind, traffic, bill.lines, bill.total, rates.currency, fixed, tuple(notes)
    )


def hosting_line(price: Price, hours: int = MONTH_HOURS) -> Line:
    """The line for a deployment that stands for `hours`."""
    if price.unit != PER_HOUR:
        raise Problem("hosting is priced by the hour", f"got {price.unit}", code="price_file")
    return priced_line(f"Hosting: {hours} h", Decimal(hours), price, "due without any request")


def _token_lines(rates: Rates, traffic: Traffic, prompt: int, notes: list[str]) -> Iterable[Line]:
    """Input, cached input and output, each at the normal and at the batch price."""
    batch = traffic.batch_share
    if batch and (rates.batch_input is None or rates.batch_output is None):
        notes.append("no batch price is listed: the normal one is used")
        batch = Decimal(0)
    cached = traffic.cached_share
    if cached and rates.cached is None:
        notes.append("no cached price is listed: the full input price is used")
        cached = Decimal(0)
    if cached and batch and rates.batch_cached is None:
        notes.append(
            "no price is listed for cached tokens in a batch: the batch input price is used"
        )
    tokens_in = Decimal(traffic.requests * prompt)
    tokens_out = Decimal(traffic.requests * traffic.answer_tokens)
    parts = (
        ("Input", "input", product(tokens_in, 1 - batch, 1 - cached)),
        ("Input, cached", "cached", product(tokens_in, 1 - batch, cached)),
        ("Output", "output", product(tokens_out, 1 - batch)),
        ("Input, batch", "batch_input", product(tokens_in, batch, 1 - cached)),
        ("Input, batch cached", "batch_cached", product(tokens_in, batch, cached)),
        ("Output, batch", "batch_output", product(tokens_out, batch)),
    )
    for label, kind, tokens in parts:
        price = rates.price(kind) or rates.price("batch_input")
        if tokens and price is not None:
            yield token_line(f"{label}: {_count(tokens)} tokens", tokens, price)


def _count(tokens: Decimal) -> str:
    return f"{tokens.quantize(Decimal(1)):,}"


@dataclass(frozen=True, slots=True)
class Payback:
    """When what was paid for training is earned back. None: never at this traffic."""

    saving_month: Decimal
    months: Decimal | None
    requests: int | None
    currency: str

    def days(self) -> Decimal | None:
        return None if self.months is None else self.months * 30

    def as_dict(self) -> dict[str, Any]:
        return {
            "saving_per_month": exact(self.saving_month),
            "months": None if self.months is None else f"{self.months:.2f}",
            "requests": self.requests,
            "currency": self.currency,
        }


def payback(training: Decimal, instead: Monthly, tuned: Monthly) -> Payback:
    """How long `tuned` must be used in place of `instead` until it has earned `training`.

    The saving is the difference of the two monthly bills at the same traffic, hosting included.
    """
    if instead.currency != tuned.currency:
        raise Problem(
            "two currencies cannot be compared",
            f"{instead.currency} and {tuned.currency}",
            "put prices of one currency into prices.toml",
            code="mixed_currencies",
        )
    saving = instead.total - tuned.total
    if saving <= 0:
        never = training <= 0 and saving == 0
        return Payback(saving, Decimal(0) if never else None, 0 if never else None, tuned.currency)
    months = divide(training, saving)
    requests = divide(training * tuned.traffic.requests, saving)
    return Payback(saving, months, int(requests.to_integral_value(ROUND_CEILING)), tuned.currency)
