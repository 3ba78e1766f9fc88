"""What the app knows of the deployments of its profiles: read now and then, changed from here, priced.

One an app, on its event loop. A deployment costs money as long as it exists, so its reading starts with
the app and not with the pane; making one goes on whichever pane is shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.signal import Signal

from fttui.problem import Problem
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.pricing.deployed import Hosting
    from fttui.service.deployments import Deployment, DeploySpec, Progress
    from fttui.service.provider import Provider
    from fttui.ui.app import FttuiApp

Work = Callable[[], Coroutine[None, None, None]]
TICK_SECONDS = 30.0
OLD_SECONDS = 300.0  # a list older than this is read again
BUSY_SECONDS = 20.0  # … while one of it is being made elsewhere


@dataclass(frozen=True)
class Burn:
    """What the deployments of a profile cost together. unknown: how many have no known price."""

    count: int = 0
    hour: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    currency: str = "USD"
    unknown: int = 0
    since: float = 0.0  # Unix time the oldest that costs was made


class Deployed:
    """`look` reads, `create`, `scale` and `delete` act; `changed` tells a profile's name."""

    def __init__(self, app: FttuiApp, clock: Callable[[], float] = time.time) -> None:
        self.app = app
        self.clock = clock
        self.changed: Signal[str] = Signal(app, "deployed.changed")
        self.rows: dict[str, list[Deployment]] = {}
        self.problems: dict[str, Problem] = {}
        self.read_at: dict[str, float] = {}  # Unix time of the last good look
        self.tried_at: dict[str, float] = {}  # … and of the last one at all
        self.progress: dict[tuple[str, str], Progress] = {}  # of those being made from here
        self.going: dict[tuple[str, str], str] = {}  # what is being done to one: "deleting"
        self.began: dict[tuple[str, str], float] = {}  # … since when
        self.answered: set[tuple[str, str]] = set()  # those that were seen to answer

    def begin(self) -> None:
        """Look now and from time to time, where the profile in hand has deployments."""
        self.app.set_interval(TICK_SECONDS, self.tick)
        self.tick()

    def tick(self) -> None:
        """Look again if it is time, and let the sum that runs be shown."""
        provider = self.active()
        if provider is None:
            return
        name = provider.profile.name
        busy = any(row.making for row in self.rows.get(name, ()))
        age = self.clock() - self.tried_at.get(name, 0.0)
        if age > (BUSY_SECONDS if busy else OLD_SECONDS):
            self.look(provider)
        sync = getattr(self.app.screen, "sync", None)
        if sync is not None:
            sync()

    def active(self) -> Provider | None:
        """The provider in hand, where it has deployments that can be reached."""
        from fttui.service import deployments

        backend = self.app.backend
        if backend.profile_if_known is None:
            return None
        try:
            provider = backend._provider_of(backend.profile)
        except Problem:
            return None
        return None if deployments.why_not(provider) else provider

    # -- reading

    def of(self, profile: str) -> list[Deployment] | None:
        """What was read last, None before the first answer."""
        return self.rows.get(profile)

    def find(self, profile: str, model: str) -> Deployment | None:
        """The deployment of a model, a usable one first."""
        from fttui.service import deployments

        return deployments.of_model(self.rows.get(profile, []), model)

    def look(self, provider: Provider) -> None:
        """Read the list in the background."""
        self._work(partial(self._look, provider), f"look-{provider.profile.name}")

    async def _look(self, provider: Provider) -> None:
        from fttui.service import deployments

        name = provider.profile.name
        self.tried_at[name] = self.clock()
        try:
            self.rows[name] = await deployments.listing(provider)
            self.read_at[name] = self.clock()
            self.problems.pop(name, None)
        except Problem as problem:
            self.problems[name] = problem
        self._publish(name)

    def hosting(self, provider: Provider, row: Deployment | DeploySpec) -> Hosting:
        """The price of keeping one."""
        from fttui.pricing import deployed

        kind = provider.profile.provider
        return deployed.hosting(self.app.backend.catalog, kind, row.model, row.sku, row.base)

    def burn(self, provider: Provider) -> Burn:
        """What all of them cost by the hour and have cost so far."""
        count, hour, spent, unknown, currency, since = 0, Decimal(0), Decimal(0), 0, "USD", 0.0
        now = self.clock()
        for row in self.rows.get(provider.profile.name, ()):
            price = self.hosting(provider, row)
            if price.free or row.state in ("failed", "canceled", "deleted"):
                continue
            count += 1
            if price.hour is None:
                unknown += 1
                continue
            hour += price.hour
            currency = price.currency
            if row.created_at:
                spent += price.spent(now - row.created_at) or Decimal(0)
                since = min(since or row.created_at, row.created_at)
        return Burn(count, hour, spent, currency, unknown, since)

    def banner(self, room: int = 80) -> list[Part]:
        """`⚠ deployed: $1.70/h, $86.70 so far`, for the top line of every pane, or less of it where room
        is short; nothing for nothing."""
        if not self.rows or (provider := self.active()) is None:
            return []
        burn = self.burn(provider)
        if not burn.count:
            return []
        from fttui.pricing.money import show, show_price

        if not burn.hour:
            return [(f"⚠ {burn.count} deployed, price unknown", "warning")]
        price = f"{show_price(burn.hour, burn.currency)}/h"
        spent = show(burn.spent, burn.currency)
        ways = (f"⚠ deployed: {price}, {spent} so far", f"⚠ {price}, {spent} so far", f"⚠ {price}")
        return [(next((way for way in ways if len(way) <= room), ways[-1]), "warning")]

    # -- acting

    def create(self, provider: Provider, spec: DeploySpec) -> None:
        """Deploy, and wait until it answers; both in the background."""
        self._act(provider, spec.name, "deploying", partial(self._create, provider, spec))

    async def _create(self, provider: Provider, spec: DeploySpec) -> None:
        from fttui.service import deployments

        price = self.hosting(provider, spec)
        made = await deployments.create(provider, spec)
        self._journal(provider, "deploy", spec.name, "", price, model=spec.model, sku=spec.sku)
        await self._look(provider)
        await deployments.wait_ready(
            provider, made.name or spec.name, lambda now: self._tell(provider, now)
        )
        self.answered.add((provider.profile.name, spec.name))
        await self._look(provider)
        self.app.notify(f"{spec.name} answers now: chat with it from Deployments", timeout=8)

    def _tell(self, provider: Provider, now: Progress) -> None:
        key = (provider.profile.name, now.deployment.name)
        self.progress[key] = now
        self._publish(key[0])

    def scale(self, provider: Provider, row: Deployment, capacity: int) -> None:
        from fttui.service import deployments

        async def work() -> None:
            await deployments.scale(provider, row, capacity)
            await self._look(provider)

        self._act(provider, row.name, "scaling", work)

    def delete(self, provider: Provider, row: Deployment) -> None:
        from fttui.service import deployments

        price = self.hosting(provider, row)

        async def work() -> None:
            await deployments.delete(provider, row.name)
            spent = price.spent(self.clock() - row.created_at) if row.created_at else None
            amount = "" if spent is None else str(spent)
            self._journal(provider, "hosting", row.name, amount, price, about=True)
            await self._look(provider)
            self.app.notify(f"{row.name} is deleted and costs nothing more", timeout=6)

        self._act(provider, row.name, "deleting", work)

    def _act(self, provider: Provider, name: str, word: str, work: Work) -> None:
        key = (provider.profile.name, name)
        self.going[key] = word
        self.began[key] = self.clock()

        async def guarded() -> None:
            try:
                await work()
            except Problem as problem:
                self.app.show_problem(problem)
                await self._look(provider)
            finally:
                self.going.pop(key, None)
                self.began.pop(key, None)
                self.progress.pop(key, None)
                self._publish(key[0])

        self._publish(key[0])
        self._work(guarded, f"act-{key[0]}-{name}")

    def _journal(
        self, provider: Provider, kind: str, name: str, amount: str, price: Hosting, **facts: Any
    ) -> None:
        profile = provider.profile.name
        facts = {"price": price.as_dict(), **facts}
        self.app.state.journal(profile, kind, name, amount, price.currency, **facts)

    def _work(self, work: Work, group: str) -> None:
        self.app.run_worker(
            cast(Any, work), group=f"deploy-{group}", exclusive=True, exit_on_error=False
        )

    def _publish(self, profile: str) -> None:
        if self.app.is_running:
            self.changed.publish(profile)
            sync = getattr(self.app.screen, "sync", None)
            if sync is not None:
                sync()
