"""The words and columns of the deployments pane."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fttui.text import duration, plural
from fttui.ui.text import Part, fit

if TYPE_CHECKING:
    from fttui.pricing.records import TierInfo
    from fttui.service.deployments import Deployment
    from fttui.service.provider import Provider
    from fttui.ui.deploy.known import Burn, Deployed

# The service's word → glyph, word, style. An unknown state is shown as it is.
STATES: dict[str, tuple[str, str, str]] = {
    "succeeded": ("●", "ready", "ok"),
    "failed": ("✗", "failed", "error"),
    "canceled": ("⊘", "cancelled", "dim"),
    "deleting": ("◌", "deleting", "accent"),
    **dict.fromkeys(("accepted", "creating", "updating", "moving", "scaling"),
                    ("◌", "making", "accent")),
}  # fmt: skip
WIDE = 96  # columns from which the model has one of its own


def head(width: int) -> list[Part]:
    """The heading over the rows."""
    model, name = _columns(width)
    text = f"   {'name':<{name}} "
    if model:
        text += f"{'model':<{model}} "
    tier = f"{'tier':<12}" if model else ""
    return [text + f"{'state':<14}{tier}{'age':>8}{'an hour':>10}{'so far':>12}"]


def _columns(width: int) -> tuple[int, int]:
    """(columns of the model's name, 0 for none; of the deployment's)."""
    rest = max(10, width - 3 - 1 - 14 - 8 - 10 - 12)
    if width < WIDE:
        return 0, rest
    rest -= 12  # the tier
    name = max(16, rest * 2 // 5)
    return rest - name - 1, name


def row(deployed: Deployed, provider: Provider, one: Deployment, width: int) -> list[Part]:
    """One line of the list."""
    from fttui.pricing.money import show, show_price

    model, name = _columns(width)
    price = deployed.hosting(provider, one)
    glyph, word, style = state(deployed, provider, one)
    age = deployed.clock() - one.created_at if one.created_at else None
    spent = price.spent(age) if age is not None else None
    hour = (
        "?" if price.hour is None else "–" if price.free else show_price(price.hour, price.currency)
    )
    money = show(spent, price.currency) if spent and not price.free else "–"
    dim = "dim" if price.free else ""
    parts: list[Part] = [(f" {glyph} ", style), (fit(one.name, name), "bold"), " "]
    if model:
        parts += [(fit(one.model, model), "dim"), " "]
    return [
        *parts,
        (fit(word, 14), style),
        *([(fit(_tier_word(price.tier, one.sku), 12), "dim")] if model else []),
        (fit(duration(age) if age is not None else "", 8, "right"), "dim"),
        (fit(hour, 10, "right"), dim or "warning"),
        (fit(money, 12, "right"), dim or "bold"),
    ]


def _tier_word(tier: TierInfo | None, sku: str) -> str:
    return tier.id if tier is not None else sku


def state(deployed: Deployed, provider: Provider, one: Deployment) -> tuple[str, str, str]:
    """(glyph, word, style) of a deployment: what is done to it from here, else its state."""
    key = (provider.profile.name, one.name)
    word = deployed.going.get(key, "")
    now = deployed.progress.get(key)
    since = _clock(deployed.clock() - deployed.began.get(key, deployed.clock()))
    if word == "deploying":
        made = one.made and now is not None
        return "◌", f"{'starting' if made else 'making'} {since}", "accent"
    if word:
        return "◌", word, "accent"
    if one.made and _young(deployed, provider, one) and key not in deployed.answered:
        return "◌", "starting", "accent"
    return STATES.get(one.state, ("?", one.state, "warning"))


def _young(deployed: Deployed, provider: Provider, one: Deployment) -> bool:
    """A tuned model's, made so short a time ago that it may not answer yet."""
    from fttui.pricing.deployed import tuned

    home = deployed.app.backend.catalog.providers.get(provider.profile.provider)
    minutes = home.deploy_minutes if home is not None else None
    return bool(minutes and tuned(one.model) and one.created_at > deployed.clock() - minutes * 60)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def burn(all_of_them: Burn) -> list[Part]:
    """The line over the list: what everything costs together."""
    if not all_of_them.count:
        return []
    from fttui.pricing.money import product, show, show_price

    count, hour, currency = all_of_them.count, all_of_them.hour, all_of_them.currency
    parts: list[Part] = [("⚠ ", "warning"), (plural(count, "deployment"), "bold")]
    if hour:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(all_of_them.since))
        parts += [
            f" {'costs' if count == 1 else 'cost'} ",
            (f"{show_price(hour, currency)} an hour", "warning"),
            f", {show(product(hour, 24), currency)} a day: ",
            (f"{show(all_of_them.spent, currency)} so far", "bold"),
            (f" since {since}" if all_of_them.since else "", "dim"),
        ]
    if all_of_them.unknown:
        parts.append((f"; {all_of_them.unknown} at a price not known here", "warning"))
    return parts


def detail(
    deployed: Deployed, provider: Provider, one: Deployment | None, used: float
) -> list[Part]:
    """Everything about the chosen one."""
    if one is None:
        return []
    from fttui.pricing import deployed as prices

    price = deployed.hosting(provider, one)
    now = deployed.clock()
    lines: list[tuple[str, list[Part]]] = [("model", [one.model])]
    if one.base and one.base not in one.model:
        lines.append(("from", [one.base]))
    if one.job:
        lines.append(("job", [one.job]))
    lines.append(("tier", [price.tier.title if price.tier is not None else one.sku]))
    lines.append(("capacity", [_capacity(one)]))
    lines.append(("price", [(price.words(), "ok" if price.free else "warning")]))
    if one.created_at:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.created_at))
        lines.append(("since", [since, (f", {duration(now - one.created_at)} ago", "dim")]))
    end = prices.end(price.tier, one.created_at, used, now) if prices.tuned(one.model) else None
    if end is not None:
        style = {"soon": "warning", "over": "error"}.get(end.level, "")
        lines.append(("ends", [(end.text, style)]))
    if one.made and state(deployed, provider, one)[1].startswith("starting"):
        words = "Azure says it is made; it answers about 5 minutes later"
        lines.append(("now", [(words, "accent")]))
    parts: list[Part] = []
    for name, value in lines:
        parts += [(f"{name:<10}", "dim"), *value, "\n"]
    return parts[:-1]


def _capacity(one: Deployment) -> str:
    limits = []
    if one.requests_per_minute is not None:
        limits.append(plural(int(one.requests_per_minute), "request"))
    if one.tokens_per_minute is not None:
        limits.append(plural(int(one.tokens_per_minute), "token"))
    said = f"{one.capacity:,}"
    return f"{said}: {' and '.join(limits)} a minute" if limits else said


def closed(provider: Provider, reason: str) -> list[Part]:
    """Why there is nothing to see here, and what to do about it."""
    parts: list[Part] = [reason]
    if provider.capabilities.needs_deploy:
        name = provider.profile.name
        parts += [
            "\n\n",
            ("add to config.toml\n", "dim"),
            (f"[profiles.{name}.azure]\n", "accent"),
            ('subscription = "…"\nresource_group = "…"\naccount = "…"', "accent"),
            ("\n\nor set AZURE_SUBSCRIPTION_ID and AZURE_RESOURCE_GROUP", "dim"),
        ]
    return parts


def farewell(deployed: Deployed, provider: Provider, one: Deployment) -> list[Part]:
    """What deleting a deployment means."""
    from fttui.pricing.money import show

    price = deployed.hosting(provider, one)
    parts: list[Part] = [("model       ", "dim"), one.model, "\n"]
    if price.hour and one.created_at:
        spent = price.spent(deployed.clock() - one.created_at)
        words = f"{price.words()}; {show(spent, price.currency) if spent else '$0'} so far"
        parts += [("it stops    ", "dim"), words, "\n"]
    parts += [
        "\nWhoever asks it gets an error from then on. ",
        ("The model stays and can be deployed again.", "dim"),
    ]
    return parts
