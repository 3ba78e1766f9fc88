"""An itemised sum: lines with a quantity, a unit and a price, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from fttui.pricing.money import exact, product, total
from fttui.pricing.records import PER_MILLION, Price
from fttui.problem import Problem


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: amount = quantity × price, to the last digit.

    quantity counts `unit`s: tokens are counted in millions, so 300,000 tokens are 0.3 × "1M tokens".
    """

    label: str
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal
    currency: str = "USD"
    note: str = ""
    as_of: date | None = None
    source: str = ""
    certain: bool = True

    @property
    def tokens(self) -> int | None:
        """The count of tokens where the unit is tokens."""
        return int(self.quantity * 1_000_000) if self.unit == PER_MILLION else None

    def as_dict(self) -> dict[str, Any]:
        """The line of `cost --json`: money and quantity as decimal text."""
        made: dict[str, Any] = {
            "label": self.label,
            "quantity": f"{self.quantity.normalize():f}",
            "unit": self.unit,
            "price": exact(self.price),
            "amount": exact(self.amount),
        }
        if self.tokens is not None:
            made["tokens"] = self.tokens
        if self.note:
            made["note"] = self.note
        if self.as_of is not None:
            made |= {
                "as_of": self.as_of.isoformat(),
                "source": self.source,
                "certain": self.certain,
            }
        return made


def token_line(label: str, tokens: int | Decimal, price: Price, note: str = "") -> Line:
    """A line of `tokens` at a price for 1M of them."""
    quantity = Decimal(tokens).scaleb(-6)
    return priced_line(label, quantity, price, note)


def priced_line(label: str, quantity: Decimal, price: Price, note: str = "") -> Line:
    """A line of `quantity` units at `price`, with the price's date and source."""
    return Line(
        label,
        quantity,
        price.unit,
        price.amount,
        product(quantity, price.amount),
        price.currency,
        "; ".join(part for part in (note, price.note) if part),
        price.as_of,
        price.source,
        price.certain,
    )


def free_line(label: str, tokens: int, note: str, currency: str = "USD") -> Line:
    """Tokens that are counted but not billed."""
    zero = Decimal(0)
    return Line(label, Decimal(tokens).scaleb(-6), PER_MILLION, zero, zero, currency, note)


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines of one currency and their exact sum."""

    lines: tuple[Line, ...]
    currency: str
    total: Decimal = field(init=False)

    def __post_init__(self) -> None:
        mixed = {line.currency for line in self.lines if line.amount} - {self.currency}
        if mixed:
            raise Problem(
                "prices in different currencies cannot be added",
                f"{self.currency} and {', '.join(sorted(mixed))}",
                "put prices of one currency into prices.toml, or run `fttui cost --refresh-azure`",
                code="mixed_currencies",
            )
        object.__setattr__(self, "total", total([line.amount for line in self.lines]))
