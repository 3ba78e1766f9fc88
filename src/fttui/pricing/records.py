"""What the catalogue holds, as types. Money is Decimal; token prices are for 1,000,000 tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

MILLION = Decimal(1_000_000)
PER_MILLION = "1M tokens"
PER_HOUR = "hour"
METHODS = ("supervised", "dpo", "reinforcement")


@dataclass(frozen=True, slots=True)
class Price:
    """One amount of money for one `unit`, with where and when it was read.

    certain is False where sources disagree or none is first-hand; `note` then says why.
    """

    amount: Decimal
    unit: str
    currency: str
    as_of: date
    source: str
    certain: bool = True
    note: str = ""

    def age(self, today: date) -> int:
        """Days since the figure was read."""
        return (today - self.as_of).days


@dataclass(frozen=True, slots=True)
class Rates:
    """Inference prices for 1M tokens. None: no such price is listed."""

    input: Decimal
    output: Decimal
    cached: Decimal | None
    batch_input: Decimal | None
    batch_cached: Decimal | None
    batch_output: Decimal | None
    currency: str
    as_of: date
    source: str
    certain: bool = True
    note: str = ""

    def price(self, kind: str) -> Price | None:
        """The price of one kind of token ("input", "cached", "batch_output" …), dated and sourced."""
        amount: Decimal | None = getattr(self, kind)
        if amount is None:
            return None
        return Price(
            amount, PER_MILLION, self.currency, self.as_of, self.source, self.certain, self.note
        )


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """What a provider accepts for one hyperparameter."""

    name: str
    kind: str  # "int" | "number" | "choice" | "bool"
    auto: bool = False
    min: Decimal | None = None
    max: Decimal | None = None
    above: Decimal | None = None  # greater than this, itself excluded
    choices: tuple[str, ...] = ()

    def range_text(self) -> str:
        """`auto or 1 to 50`, for a form's hint."""
        if self.kind == "choice":
            return ", ".join(self.choices)
        if self.kind == "bool":
            return "true or false"
        low = f"{self.min}" if self.min is not None else f"above {self.above}"
        known = self.min is not None or self.above is not None
        if self.max is not None:
            text = f"{low} to {self.max}" if known else f"up to {self.max}"
        else:
            text = (f"{low} or more" if self.min is not None else low) if known else "a number"
        return f"auto or {text}" if self.auto else text

    def refuses(self, value: object) -> str:
        """Why `value` would be refused, or "" where it is fine. Floats are read as written."""
        if value == "auto" and self.auto:
            return ""
        if self.kind == "choice":
            return "" if value in self.choices else f"one of {self.range_text()}"
        if self.kind == "bool":
            return "" if isinstance(value, bool) else "true or false"
        number = _number(value)
        if number is None or (self.kind == "int" and number != number.to_integral_value()):
            kind = "a whole number" if self.kind == "int" else "a number"
            return f"{kind}: {self.range_text()}"
        inside = (
            (self.min is None or number >= self.min)
            and (self.max is None or number <= self.max)
            and (self.above is None or number > self.above)
        )
        return "" if inside else self.range_text()


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


@dataclass(frozen=True, slots=True)
class ExtraField:
    """A field a provider wants in the create body beside the API's own (`trainingType`)."""

    name: str
    choices: tuple[str, ...]
    default: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class TierInfo:
    """A deployment or training type of a provider: what it is called where, and when a deployment
    of it ends by itself: after `idle_days` without a request, or `lifetime_hours` old."""

    id: str
    title: str
    training_type: str
    sku: str
    note: str = ""
    idle_days: int | None = None
    lifetime_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider can do and how it wants to be asked. Sizes are bytes."""

    id: str
    title: str
    base_url: str
    key_env: str
    placement: str  # where hyperparameters go: "method" or "top-level"
    methods: tuple[str, ...]
    supports: frozenset[str]
    unverified: frozenset[str]  # in `supports`, but never seen to work
    hyperparameters: Mapping[str, Mapping[str, Hyperparameter]]  # method → name → range
    validation_billed: str  # "no" | "yes" | "unknown"
    source: str
    as_of: date
    console: str = ""
    billing: str = ""
    needs_deploy: bool = False
    extra_body: tuple[ExtraField, ...] = ()
    tiers: tuple[TierInfo, ...] = ()
    default_tier: str = ""
    bom: bool = False
    file_max: int | None = None
    upload_max: int | None = None
    portal_file_max: int | None = None
    file_tokens_max: int | None = None  # tokens × epochs
    image_max: int | None = None
    image_bytes_max: int | None = None
    image_low_tokens: int | None = None  # an image sent with detail: low
    min_examples: int = 1
    suffix_max: int = 64
    checkpoints_kept: int | None = None
    jobs_max: int | None = None
    jobs_at_once: int | None = None
    deployments_max: int | None = None
    deploy_minutes: int | None = None  # until a new deployment answers, once it is said to be made
    deploy_capacity: int | None = None  # a usable one; its unit is the provider's
    deploy_note: str = ""  # how a tuned model is made to answer, where that is not done from here
    minimum_job: Price | None = None  # the least a job is billed
    reinforcement_cap: Price | None = None  # a job pauses when it has cost this much
    status_map: Mapping[str, str] = field(default_factory=dict)  # its word → the API's word
    training_note: str = ""
    not_included: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def can(self, feature: str) -> bool:
        """True where the provider documents `feature` ("events", "pause", "deploy" …)."""
        return feature in self.supports

    def tier(self, name: str) -> TierInfo | None:
        return next((tier for tier in self.tiers if tier.id == name), None)

    def tier_of_sku(self, sku: str) -> TierInfo | None:
        """The tier a deployment's SKU belongs to; the services spell it with capitals or without."""
        return next((tier for tier in self.tiers if tier.sku.lower() == sku.lower()), None)


@dataclass(frozen=True, slots=True)
class TierPrices:
    """What differs for a model on one tier."""

    training: Price | None = None
    tuned: Rates | None = None
    hosting_hour: Price | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A price read elsewhere: another currency or another region."""

    kind: str
    tier: str
    price: Price


@dataclass(frozen=True, slots=True)
class Model:
    """One base model at one provider. Contexts and limits are tokens.

    training_ends: the last day a job can be created; tuned_ends: the first day a tuned model no
    longer answers; base_ends: the same for the base. None: no date is known.
    """

    id: str
    provider: str
    title: str
    methods: tuple[str, ...]
    encoding: str
    source: str
    as_of: date
    aliases: tuple[str, ...] = ()
    vision: bool = False
    training: Price | None = None
    tuned: Rates | None = None
    tuned_shared: Rates | None = None
    base: Rates | None = None
    hosting_hour: Price | None = None
    tier: str = ""
    tiers: Mapping[str, TierPrices] = field(default_factory=dict)
    context: int | None = None
    tuned_context: int | None = None
    max_output: int | None = None
    example_limit: int | None = None
    image_max: int | None = None
    encoding_exact: bool = True
    training_ends: date | None = None
    tuned_ends: date | None = None
    base_ends: date | None = None
    dates_source: str = ""
    dates_note: str = ""
    replacement: str = ""
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seen: tuple[Seen, ...] = ()
    hyperparameters: Mapping[str, Mapping[str, Hyperparameter]] = field(default_factory=dict)
    placement: str = "method"
    note: str = ""

    @property
    def key(self) -> str:
        """`azure/gpt-4.1-…`: the name that is unique over all providers."""
        return f"{self.provider}/{self.id}"

    @property
    def certain(self) -> bool:
        """True where no price of this model is in doubt."""
        prices = (self.training, self.tuned, self.base, self.hosting_hour)
        return all(price.certain for price in prices if price is not None)

    @property
    def free(self) -> bool:
        return self.training is not None and self.training.amount == 0

    def can_train(self, today: date) -> bool:
        """Some method exists and its last day has not passed."""
        return bool(self.methods) and not (self.training_ends and today > self.training_ends)

    def at(self, tier: str) -> Model:
        """This model with another tier's prices; the same model where it has no such tier."""
        prices = self.tiers.get(tier)
        if prices is None:
            return self
        return replace(
            self,
            tier=tier,
            training=prices.training,
            tuned=prices.tuned or self.tuned,
            hosting_hour=prices.hosting_hour or self.hosting_hour,
        )

    def with_shutdown(self, shutdown: date | None) -> Model:
        """This model with the provider's own `shutdown_date` (GET /v1/models), which always wins."""
        if shutdown is None:
            return self
        last = self.training_ends
        return replace(
            self,
            training_ends=min(last, shutdown) if last else shutdown,
            tuned_ends=shutdown,
            base_ends=shutdown,
            dates_source="shutdown_date, from the provider itself",
            dates_note="",
        )


Raw = Mapping[str, Any]
