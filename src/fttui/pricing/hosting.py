"""OpenAI's price per token against Azure's hosting by the hour: where one becomes cheaper.

OpenAI asks more per token of a tuned model than of its base and nothing for hosting. Azure asks the
base's price per token and an hourly fee. Azure is cheaper once premium × tokens exceeds the fee.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fttui.pricing.money import divide, exact, product
from fttui.pricing.records import MILLION, Model, Rates
from fttui.pricing.use import MONTH_HOURS

# What the guide of 2024 that this tool grew from says: Azure is cheaper above this many an hour.
CLAIMED_TOKENS_HOUR = Decimal(2_500_000)


@dataclass(frozen=True, slots=True)
class Premium:
    """What 1M tokens cost more on one side than on the other."""

    input: Decimal
    output: Decimal

    def blended(self, input_share: Decimal) -> Decimal:
        """For 1M tokens of which `input_share` (0 to 1) are input."""
        return product(self.input, input_share) + product(self.output, 1 - input_share)


def premium(dear: Rates, cheap: Rates) -> Premium:
    return Premium(dear.input - cheap.input, dear.output - cheap.output)


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From how many tokens an hourly fee is worth it. None: never, the premium is not positive."""

    hosting_hour: Decimal
    fixed_month: Decimal
    input_share: Decimal
    premium: Premium
    tokens_hour: Decimal | None
    tokens_month: Decimal | None

    @property
    def input_month(self) -> Decimal | None:
        return None if self.tokens_month is None else self.tokens_month * self.input_share

    @property
    def output_month(self) -> Decimal | None:
        return None if self.tokens_month is None else self.tokens_month * (1 - self.input_share)

    def as_dict(self) -> dict[str, Any]:
        def whole(value: Decimal | None) -> str | None:
            return None if value is None else f"{value.quantize(Decimal(1)):f}"

        return {
            "hosting_hour": exact(self.hosting_hour),
            "fixed_month": exact(self.fixed_month),
            "premium_input": exact(self.premium.input),
            "premium_output": exact(self.premium.output),
            "tokens_hour": whole(self.tokens_hour),
            "tokens_month": whole(self.tokens_month),
            "input_tokens_month": whole(self.input_month),
            "output_tokens_month": whole(self.output_month),
        }


def break_even(
    over: Premium, hosting_hour: Decimal, input_share: Decimal, hours: int = MONTH_HOURS
) -> BreakEven:
    """Tokens an hour and a month at which the hourly fee equals the premium, for one mix."""
    fixed = product(hosting_hour, hours)
    blended = over.blended(input_share)
    if blended <= 0:
        return BreakEven(hosting_hour, fixed, input_share, over, None, None)
    return BreakEven(
        hosting_hour,
        fixed,
        input_share,
        over,
        divide(hosting_hour * MILLION, blended),
        divide(fixed * MILLION, blended),
    )


def needed_premium(tokens_hour: Decimal, hosting_hour: Decimal) -> Decimal:
    """The blended premium for 1M tokens that puts the break-even at `tokens_hour`."""
    return divide(hosting_hour * MILLION, tokens_hour)


def needed_share(over: Premium, tokens_hour: Decimal, hosting_hour: Decimal) -> Decimal | None:
    """The share of input tokens that puts the break-even at `tokens_hour`; None: no mix does."""
    if over.input == over.output:
        return None
    wanted = needed_premium(tokens_hour, hosting_hour)
    share = divide(over.output - wanted, over.output - over.input)
    return share if 0 <= share <= 1 else None


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim of 2.5 M tokens an hour, held against one model's prices of today."""

    model: str
    lowest: Decimal | None  # break-even when every token is output
    highest: Decimal | None  # … when every token is input
    at_mix: Decimal | None
    input_share: Decimal | None  # the mix that makes the claim true
    needed: Decimal  # the blended premium that would make it true

    def sentence(self) -> str:
        if self.lowest is None or self.highest is None:
            return f"{self.model}: OpenAI asks no premium, so hosting never pays."
        span = f"{millions(self.lowest)} (all output) to {millions(self.highest)} (all input)"
        money = self.needed.quantize(Decimal("0.01"))
        if self.input_share is None:
            claim = f"no mix gives 2.5 M an hour (it needs a premium of ${money} for 1M tokens)"
        else:
            percent = (self.input_share * 100).quantize(Decimal(1))
            claim = f"2.5 M an hour is met at {percent} % input (a premium of ${money} for 1M)"
        return f"{self.model}: {span} tokens an hour; {claim}."


def claim(name: str, over: Premium, hosting_hour: Decimal, input_share: Decimal) -> Claim:
    """Today's figure for the claim, and the mix and premium that would make it."""

    def hourly(share: Decimal) -> Decimal | None:
        return break_even(over, hosting_hour, share).tokens_hour

    return Claim(
        name,
        hourly(Decimal(0)),
        hourly(Decimal(1)),
        hourly(input_share),
        needed_share(over, CLAIMED_TOKENS_HOUR, hosting_hour),
        needed_premium(CLAIMED_TOKENS_HOUR, hosting_hour),
    )


def millions(tokens: Decimal) -> str:
    """`0.43 M`, `2.50 M`, `1,311 M`."""
    value = tokens / MILLION
    digits = Decimal("0.01") if value < 100 else Decimal(1)
    return f"{value.quantize(digits):,} M"


def hosting_of(model: Model) -> Decimal:
    return model.hosting_hour.amount if model.hosting_hour is not None else Decimal(0)
