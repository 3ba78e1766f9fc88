"""What a training run will cost, line by line.

Tokens × epochs × price, as OpenAI, Azure and Nebius bill supervised and preference training; by the
hour for reinforcement training. Amounts are exact; only the hourly bill is rounded, to the cent, as
the provider documents (OpenAI help article 11323177: per second, two decimals).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from fttui.pricing.bill import Bill, Line, free_line, priced_line, token_line
from fttui.pricing.catalog import Catalog, load_or_shipped
from fttui.pricing.money import cents, divide, exact, product
from fttui.pricing.records import PER_HOUR, Model, Price, Provider
from fttui.problem import Problem
from fttui.text import plural

# The cookbook's formula (Chat_finetuning_data_prep.ipynb), an estimate: no service promises it.
TARGET_EPOCHS = 3
MIN_TARGET_EXAMPLES = 100
MAX_TARGET_EXAMPLES = 25_000
MIN_EPOCHS = 1
MAX_EPOCHS = 25
# How long reinforcement training takes is published nowhere: this range is an assumption.
ASSUMED_HOURS = (Decimal(1), Decimal(8))
Hours = Decimal | int | tuple[Decimal | int, Decimal | int]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The price of one training run. total = the sum of the lines, exactly.

    low: less than `total` where a range was priced (reinforcement: total is its upper end).
    upper: what it comes to if what is unknown is billed too (validation tokens); else `total`.
    """

    model: Model
    method: str
    lines: tuple[Line, ...]
    total: Decimal
    currency: str
    epochs: int
    epochs_auto: bool
    notes: tuple[str, ...]
    low: Decimal
    upper: Decimal
    tokens: int = 0  # billed: tokens of the file × epochs
    trained_tokens: int | None = None  # of one epoch, those the loss is taken on
    not_included: tuple[str, ...] = field(default=())

    @property
    def certain(self) -> bool:
        return all(line.certain for line in self.lines) and not self.epochs_auto

    def as_dict(self) -> dict[str, Any]:
        """The object `fttui cost --json` prints; money is decimal text."""
        return {
            "model": self.model.id,
            "provider": self.model.provider,
            "method": self.method,
            "total": exact(self.total),
            "currency": self.currency,
            "lines": [line.as_dict() for line in self.lines],
            "low": exact(self.low),
            "upper": exact(self.upper),
            "epochs": self.epochs,
            "epochs_auto": self.epochs_auto,
            "billed_tokens": self.tokens,
            "certain": self.certain,
            "notes": list(self.notes),
            "not_included": list(self.not_included),
        }


def auto_epochs(examples: int) -> int:
    """The epochs `auto` stands for, by the cookbook's formula; 3 for 34 to 8,333 examples."""
    if examples <= 0:
        return TARGET_EPOCHS
    if examples * TARGET_EPOCHS < MIN_TARGET_EXAMPLES:
        return min(MAX_EPOCHS, MIN_TARGET_EXAMPLES // examples)
    if examples * TARGET_EPOCHS > MAX_TARGET_EXAMPLES:
        return max(MIN_EPOCHS, MAX_TARGET_EXAMPLES // examples)
    return TARGET_EPOCHS


def truncate(per_example: Iterable[int], limit: int | None) -> tuple[int, int, int]:
    """(tokens that are trained on, tokens cut off, examples cut) at `limit` tokens an example."""
    kept = cut = cut_examples = 0
    for tokens in per_example:
        if limit is not None and tokens > limit:
            cut += tokens - limit
            cut_examples += 1
            tokens = limit
        kept += tokens
    return kept, cut, cut_examples


def training(
    model: Model,
    *,
    tokens: int,
    trained_tokens: int | None = None,
    examples: int = 0,
    epochs: int | None = None,
    method: str = "supervised",
    validation_tokens: int = 0,
    truncated_tokens: int = 0,
    truncated_examples: int = 0,
    image_tokens: int = 0,
    images_unknown: int = 0,
    hours: Hours | None = None,
    catalog: Catalog | None = None,
) -> Estimate:
    """The training bill for a file of `tokens` (all that are billed for one epoch, after truncation).

    epochs None: `auto`, by the cookbook's formula from `examples`. hours: of reinforcement training,
    one figure or (low, high). image_tokens: of `tokens`, those of images. trained_tokens, truncated_*:
    told in the notes, never billed.
    A model without a price, a method it lacks, a negative count: a Problem.
    """
    counts = {
        "tokens": tokens,
        "examples": examples,
        "validation tokens": validation_tokens,
        "images": min(image_tokens, images_unknown),
    }
    for name, count in counts.items():
        if count < 0:
            raise negative(name, count)
    home = (catalog or load_or_shipped()).provider(model.provider)
    price = _price(model, method)
    auto = epochs is None
    count = auto_epochs(examples) if epochs is None else _checked_epochs(model, method, epochs)
    facts = Estimate(
        model, method, (), Decimal(0), price.currency, count, auto, (), Decimal(0), Decimal(0)
    )
    if price.unit == PER_HOUR:
        return _by_hour(facts, price, home, hours)
    lines = [_training_line(tokens, count, price)]
    notes: list[str] = []
    billed = tokens * count
    if image_tokens:
        notes.append(f"{image_tokens:,} of them are tokens of images, by the documented rule")
    if images_unknown:
        notes.append(f"{plural(images_unknown, 'image')} of unknown size: tokens not counted")
    upper = Decimal(0)
    if validation_tokens:
        line, upper = _validation(validation_tokens, count, price, home)
        lines.append(line)
    if truncated_tokens:
        label = f"Cut from {plural(truncated_examples, 'example')}, per epoch"
        lines.append(free_line(label, truncated_tokens, _cut_note(model), price.currency))
    lines += _minimum(lines, home, price.currency)
    bill = Bill(tuple(lines), price.currency)
    notes += _notes(facts, home, trained_tokens, tokens, billed)
    return replace(
        facts,
        lines=bill.lines,
        total=bill.total,
        low=bill.total,
        upper=bill.total + upper,
        notes=tuple(notes),
        tokens=billed,
        trained_tokens=trained_tokens,
        not_included=home.not_included,
    )


def negative(name: str, value: object) -> Problem:
    return Problem(
        f"{name} cannot be negative",
        f"got {value}",
        "give zero or more",
        code="negative_quantity",
    )


def no_price(model: Model, what: str) -> Problem:
    remedy = (
        "`fttui cost --refresh-azure` reads Microsoft's public price list; or put it into prices.toml"
        if model.provider == "azure"
        else f"put it into prices.toml under [[model]] id = {model.id!r} (docs/pricing.md)"
    )
    return Problem(
        f"no {what} price is known for {model.key}",
        model.note or "the catalogue has none",
        remedy,
        code="no_price",
    )


def _price(model: Model, method: str) -> Price:
    if method not in model.methods:
        can = ", ".join(model.methods)
        raise Problem(
            f"{model.id} cannot be trained by {method} at {model.provider}",
            f"it can by {can}" if can else model.note or "it cannot be fine-tuned at all",
            "choose another method or model",
            code="method_not_supported",
        )
    if model.training is None:
        raise no_price(model, "training")
    return model.training


def _checked_epochs(model: Model, method: str, epochs: int) -> int:
    allowed = model.hyperparameters.get(method, {}).get("n_epochs")
    wrong = "a whole number of 1 or more" if epochs < 1 else ""
    if allowed is not None and not wrong:
        wrong = allowed.refuses(epochs)
    if wrong:
        raise Problem(
            f"{epochs} epochs are not possible",
            f"{model.provider} takes {wrong}",
            "give --epochs within the range, or leave it out for auto",
            code="epochs_out_of_range",
        )
    return epochs


def _training_line(tokens: int, epochs: int, price: Price) -> Line:
    label = f"Training: {tokens:,} tokens × {plural(epochs, 'epoch')}"
    return token_line(label, tokens * epochs, price)


def _validation(tokens: int, epochs: int, price: Price, home: Provider) -> tuple[Line, Decimal]:
    """The line for validation tokens, and what it would add if it is billed after all."""
    label = f"Validation: {tokens:,} tokens"
    if home.validation_billed == "yes":
        return token_line(label + f" × {epochs}", tokens * epochs, price), Decimal(0)
    if home.validation_billed == "no":
        return free_line(label, tokens, "not billed", price.currency), Decimal(0)
    might = product(Decimal(tokens * epochs).scaleb(-6), price.amount)
    note = "not known whether billed; `upper` counts it once an epoch"
    return free_line(label, tokens, note, price.currency), might


def _cut_note(model: Model) -> str:
    return (
        f"beyond {model.example_limit:,} tokens an example: not trained on"
        if model.example_limit
        else ""
    )


def _minimum(lines: list[Line], home: Provider, currency: str) -> list[Line]:
    """What is missing to the provider's minimum charge for a job."""
    least = home.minimum_job
    if least is None or least.currency != currency:
        return []
    short = least.amount - Bill(tuple(lines), currency).total
    if short <= 0:
        return []
    note = f"a job is billed at least {least.amount}"
    return [
        Line(
            "Up to the minimum charge",
            Decimal(1),
            "job",
            short,
            short,
            currency,
            note,
            least.as_of,
            least.source,
        )
    ]


def _notes(
    facts: Estimate, home: Provider, trained: int | None, tokens: int, billed: int
) -> list[str]:
    notes = []
    if trained is not None and tokens:
        share = divide(trained * 100, tokens).quantize(Decimal(1))
        notes.append(
            f"the loss is taken on {trained:,} of {tokens:,} tokens ({share} %); all are billed"
        )
    if facts.epochs_auto:
        notes.append(
            f"auto epochs: {facts.epochs}, an estimate; the service decides, and reports it"
        )
    if not facts.model.encoding_exact:
        notes.append(
            f"tokens counted with {facts.model.encoding}; this model's own tokenizer differs"
        )
    limit = home.file_tokens_max
    if limit is not None and billed > limit:
        notes.append(f"{billed:,} tokens × epochs is more than {home.title} takes ({limit:,})")
    if home.training_note:
        notes.append(home.training_note)
    return notes


def _by_hour(facts: Estimate, price: Price, home: Provider, hours: Hours | None) -> Estimate:
    assumed = hours is None
    given = ASSUMED_HOURS if hours is None else hours
    low, high = (Decimal(h) for h in (given if isinstance(given, tuple) else (given, given)))
    if low < 0 or high < low:
        raise negative("hours", low if low < 0 else f"{high}, less than {low}")
    label = (
        f"Training: {_hours(high)}" if low == high else f"Training: {_hours(low)} to {_hours(high)}"
    )
    note = "assumed: how long it takes is published nowhere" if assumed else ""
    line = replace(priced_line(label, high, price, note), amount=cents(product(high, price.amount)))
    lines, notes = [line], []
    cap = home.reinforcement_cap
    if cap is not None:
        notes.append(f"the job pauses by itself at {exact(cap.amount)} {cap.currency}")
        if line.amount > cap.amount:
            over = cap.amount - line.amount
            lines.append(Line("Pauses at the cap", Decimal(1), "job", over, over, price.currency))
    if facts.epochs_auto:
        notes.append("billed by the hour of the training loop; epochs are not part of the sum")
    notes.append("tokens of a model that grades are billed besides, at its normal price")
    total = Bill(tuple(lines), price.currency).total
    return replace(
        facts,
        lines=tuple(lines),
        total=total,
        low=min(total, cents(product(low, price.amount))),
        upper=total,
        notes=tuple(notes),
        not_included=home.not_included,
    )


def _hours(count: Decimal) -> str:
    return f"{count.normalize():f} h"
