"""Microsoft's retail meters → the user's price file. Pure: the HTTP call is in `commands/cost.py`.

Names seen in the public list (October 2026): `gpt-4.1-nano FT Training global`, `gpt 4.1 nano dev ft
training glbl`, `gpt-4.1-nano-ft cached input regional`, `gpt-4o-mini-0718-FT-Hstng-glbl`, `gpt 4.1 nano
Inp glbl`. Token meters are for 1K or 1M tokens, hosting for 1 Hour. What is not understood is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

API = "https://prices.azure.com/api/retail/prices"
SOURCE = "Azure Retail Prices API"

# A meter's leading words → the model; the longest match wins.
_MODELS = {
    "gpt 4.1 nano": "gpt-4.1-nano-2025-04-14",
    "gpt 4.1 mini": "gpt-4.1-mini-2025-04-14",
    "gpt 4.1": "gpt-4.1-2025-04-14",
    "gpt 4o mini 0718": "gpt-4o-mini-2024-07-18",
    "gpt 4o mini": "gpt-4o-mini-2024-07-18",
    "gpt 4o 0806": "gpt-4o-2024-08-06",
    "gpt 4o": "gpt-4o-2024-08-06",
    "o4 mini": "o4-mini-2025-04-16",
}
_WORDS = {
    "training": "training trng training-tokens",
    "hosting": "hosting hstng",
    "cached": "cached cchd cd",
    "input": "input inp inpt",
    "output": "output outp opt outpt",
    "dev": "dev developer",
    "ft": "ft",
    "global": "global glbl gl",
    "regional": "regional regnl rgnl",
    "datazone": "dz datazone dzone",
    "batch": "batch",
}
_KNOWN = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_IGNORED = {"tokens", "token", "tkn", "unit", "1m", "1k", "std", "hour"}


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter that was understood. kind: training, hosting, input, cached or output; per 1M or hour."""

    model: str
    tier: str  # global, regional or developer
    tuned: bool
    kind: str
    amount: Decimal
    unit: str
    currency: str


def read(item: Mapping[str, Any]) -> Meter | None:
    """One item of the list, or None where it is no fine-tuning (or base) price of a known model."""
    name, unit, amount = item.get("meterName"), item.get("unitOfMeasure"), item.get("retailPrice")
    if not isinstance(name, str) or not isinstance(unit, str) or amount is None:
        return None
    if item.get("type", "Consumption") != "Consumption":
        return None
    words = re.sub(r"[-_ ]+", " ", name.lower()).split()
    model, rest = _model(words)
    if not model or any(word not in _KNOWN and word not in _IGNORED for word in rest):
        return None
    kinds = {_KNOWN[word] for word in rest if word in _KNOWN}
    if kinds & {"batch", "datazone"}:
        return None
    kind = _kind(kinds)
    price = _per(Decimal(str(amount)), unit)
    if kind is None or price is None or (kind == "hosting") != (price[1] == "hour"):
        return None
    tier = "developer" if "dev" in kinds else "regional" if "regional" in kinds else "global"
    if tier == "global" and "global" not in kinds:
        tier = "regional"  # a name without a word for it is regional
    currency = str(item.get("currencyCode", "USD"))
    return Meter(model, tier, "ft" in kinds, kind, price[0], price[1], currency)


def _model(words: list[str]) -> tuple[str, list[str]]:
    for length in (4, 3, 2):
        found = _MODELS.get(" ".join(words[:length]))
        if found:
            return found, words[length:]
    return "", []


def _kind(kinds: set[str]) -> str | None:
    for kind in ("training", "hosting", "cached", "output", "input"):
        if kind in kinds and (kind != "cached" or "output" not in kinds):
            return kind
    return None


def _per(amount: Decimal, unit: str) -> tuple[Decimal, str] | None:
    """The amount for 1M tokens or for an hour."""
    words = unit.replace(" ", "").lower()
    if words in ("1hour", "hour", "1/hour"):
        return amount, "hour"
    factor = {"1k": 1000, "1m": 1, "1": 1_000_000}.get(words.removesuffix("tokens"))
    return None if factor is None else (amount * factor, "1M tokens")


def meters(items: Iterable[Mapping[str, Any]]) -> list[Meter]:
    """All items that were understood."""
    return [meter for item in items if (meter := read(item)) is not None]


def to_toml(found: Iterable[Meter], region: str, today: date) -> str:
    """A price file (`prices-azure.toml`) for what was found; "" where nothing was.

    A table of token prices is written only where input and output are both known.
    """
    rows: dict[str, dict[str, dict[str, Decimal]]] = {}
    currency = ""
    for meter in found:
        if not meter.tuned and meter.tier != "global":
            continue
        part = meter.kind if meter.kind in ("training", "hosting") else _rates_of(meter)
        tiers = rows.setdefault(meter.model, {})
        tiers.setdefault(meter.tier, {})[part] = meter.amount
        currency = meter.currency
    blocks = [block for model, tiers in rows.items() if (block := _block(model, tiers))]
    if not blocks:
        return ""
    head = (
        f"# Written by `fttui cost --refresh-azure` on {today}: {SOURCE}, {region}, {currency}.\n"
    )
    sign = (
        f'source = "{SOURCE}, {region}, {currency}, {today}"\n'
        f'as_of = {today}\ncurrency = "{currency}"\n'
    )
    return head + "".join(block.replace("@sign\n", sign) for block in blocks)


def _rates_of(meter: Meter) -> str:
    return f"{'tuned' if meter.tuned else 'base'}.{meter.kind}"


def _block(model: str, tiers: Mapping[str, Mapping[str, Decimal]]) -> str:
    lines = _prices(tiers.get("global", {}))
    out = [f'\n[[model]]\nprovider = "azure"\nid = "{model}"\n@sign\n', *lines]
    some = bool(lines)
    for tier in ("regional", "developer"):
        prices = {k: v for k, v in tiers.get(tier, {}).items() if not k.startswith("base.")}
        if tier == "developer" and prices:
            prices.setdefault("hosting", Decimal(0))  # Developer deployments have no hosting fee
        lines = _prices(prices)
        if lines:
            some = True
            out += [f"[model.tier.{tier}]\n", *lines]
    return "".join(out) if some else ""


def _prices(prices: Mapping[str, Decimal]) -> list[str]:
    out = [f"{key} = {prices[key]:f}\n" for key in ("training", "hosting") if key in prices]
    for table in ("tuned", "base"):
        given = {k.split(".")[1]: v for k, v in prices.items() if k.startswith(table + ".")}
        if {"input", "output"} <= given.keys():
            body = ", ".join(
                f"{k} = {given[k]:f}" for k in ("input", "cached", "output") if k in given
            )
            out.append(f"{table} = {{ {body} }}\n")
    return out
