"""Decimal helpers: exact sums, money as text. Nothing here or above ever becomes a float."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, localcontext

CENT = Decimal("0.01")
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def exact(amount: Decimal) -> str:
    """`amount` in full, never in exponent form, with at least two decimals: `0.90`, `0.00125`."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.ljust(2, '0')}"


def cents(amount: Decimal) -> Decimal:
    """`amount` to the cent, halves up, as bills do."""
    with localcontext(Context(prec=60)):
        return amount.quantize(CENT, ROUND_HALF_UP)


def show(amount: Decimal, currency: str = "USD") -> str:
    """`$1,224.00`; below a cent `$0.0034`, so that something never looks like nothing."""
    if amount < 0:
        return "-" + show(-amount, currency)
    sign = SIGNS.get(currency, currency + " ")
    if 0 < amount < CENT:
        small = amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)
        return f"{sign}{small}" if small else f"<{sign}0.0001"
    return f"{sign}{cents(amount):,}"


def show_price(amount: Decimal, currency: str = "USD") -> str:
    """A unit price, with the decimals it has and at least two: `$0.025`."""
    return SIGNS.get(currency, currency + " ") + exact(amount)


def product(*factors: Decimal | int) -> Decimal:
    """The product, exactly (a product of prices and counts always ends)."""
    with localcontext(Context(prec=200, traps=[Inexact])):
        total = Decimal(1)
        for factor in factors:
            total *= factor
        return total


def total(amounts: list[Decimal]) -> Decimal:
    """The sum, exactly."""
    with localcontext(Context(prec=200, traps=[Inexact])):
        return sum(amounts, Decimal(0))


def divide(numerator: Decimal | int, denominator: Decimal | int) -> Decimal:
    """A quotient to 28 digits."""
    with localcontext(Context(prec=28)):
        return Decimal(numerator) / Decimal(denominator)
