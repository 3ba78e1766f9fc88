"""What a deployment costs while it exists, used or not, and when it ends by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from fttui.pricing.catalog import Catalog
from fttui.pricing.money import cents, divide, exact, product, show, show_price
from fttui.pricing.records import Price, TierInfo
from fttui.pricing.use import MONTH_HOURS

HOUR = 3600
DAY = 24 * HOUR
SOON_DAYS = 3  # days before a deployment is deleted for want of use: said as a warning


@dataclass(frozen=True, slots=True)
class Hosting:
    """The price of keeping one deployment. hour None: no figure is known; zero: it costs nothing.

    about: the figure is another model's of this provider, since this one's base is not known.
    """

    hour: Decimal | None
    currency: str = "USD"
    tier: TierInfo | None = None
    about: bool = False
    why: str = ""

    @property
    def free(self) -> bool:
        return self.hour is not None and not self.hour

    def words(self) -> str:
        """`$1.70 an hour, $40.80 a day, $1,224.00 a month`, or why there is none."""
        if self.hour is None:
            return f"price unknown ({self.why})"
        if not self.hour:
            return f"nothing by the hour ({self.why})"
        about = "about " if self.about else ""
        day, month = product(self.hour, 24), product(self.hour, MONTH_HOURS)
        money = f"{about}{show_price(self.hour, self.currency)} an hour"
        return f"{money}, {show(day, self.currency)} a day, {show(month, self.currency)} a month"

    def spent(self, seconds: float) -> Decimal | None:
        """What has come together after so many seconds, to the cent (billing is by the hour)."""
        if self.hour is None:
            return None
        return cents(divide(product(self.hour, int(max(0, seconds))), HOUR))

    def as_dict(self) -> dict[str, str | bool | None]:
        return {
            "hour": None if self.hour is None else exact(self.hour),
            "currency": self.currency,
            "about": self.about,
            "note": self.why,
        }


def tuned(model: str) -> bool:
    """Whether a deployed model is one of one's own: only those cost by the hour."""
    return bool(re.search(r"\.ft-|^ft:|^ftchkpt-", model))


def hosting(catalog: Catalog, provider: str, model: str, sku: str, base: str = "") -> Hosting:
    """The price by the hour of a deployment of `model` on `sku`.

    base: the model it was tuned from, where its own name does not say (a checkpoint's does not).
    """
    home = catalog.provider(provider)
    tier = home.tier_of_sku(sku)
    if not tuned(model):
        return Hosting(Decimal(0), tier=tier, why="a base model costs by the token only")
    if tier is None:
        return Hosting(None, why=f"{sku or 'this kind of deployment'} is not in the price list")
    if tier.lifetime_hours:  # spare capacity, for trying a model: its use is all that costs
        return Hosting(Decimal(0), tier=tier, why=f"the {tier.title} tier has no hosting fee")
    found = catalog.get(base or model, provider)
    about = found is None
    if found is None:
        rows = [m for m in catalog.models(provider) if m.hosting_hour is not None]
        found = max(rows, key=lambda m: _amount(m.hosting_hour), default=None)
    price = found.at(tier.id).hosting_hour if found is not None else None
    if price is None:
        return Hosting(None, tier=tier, why=f"none is listed for {base or model}")
    return Hosting(price.amount, price.currency, tier, about)


def _amount(price: Price | None) -> Decimal:
    return price.amount if price is not None else Decimal(0)


@dataclass(frozen=True, slots=True)
class End:
    """When a deployment ends by itself. level: "ok", "soon" or "over"; seconds left: None where it is
    not certain (nobody tells when it was last used)."""

    text: str
    level: str = "ok"
    left: float | None = None


def end(tier: TierInfo | None, created: float, used: float, now: float) -> End | None:
    """The end of a deployment made at `created` and last used, as far as is known here, at `used`
    (0: never seen). All Unix seconds. None: none is documented."""
    if tier is None:
        return None
    if tier.lifetime_hours:
        if not created:
            return End(f"deleted {tier.lifetime_hours} hours after it was made")
        left = created + tier.lifetime_hours * HOUR - now
        if left <= 0:
            return End("its 24 hours are over", "over", 0.0)
        return End(f"deleted in {_span(left)}", "soon" if left < 2 * HOUR else "ok", left)
    if tier.idle_days:
        last = max(created, used)
        idle = (now - last) / DAY if last else 0.0
        text = f"deleted after {tier.idle_days} days without a request"
        if last and idle >= 1:
            text += f"; {int(idle)} without one from here"
        return End(text, "soon" if idle > tier.idle_days - SOON_DAYS else "ok")
    return None


def _span(seconds: float) -> str:
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
