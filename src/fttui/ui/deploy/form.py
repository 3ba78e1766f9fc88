"""Deploy a model: under which name, on which tier, how large, for how much an hour. Nothing is sent
before the price was confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from fttui.ui.dialogs.base import Dialog
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.text import Part, say
from fttui.ui.widgets.picker import Picker

if TYPE_CHECKING:
    from fttui.pricing.deployed import Hosting
    from fttui.pricing.records import TierInfo
    from fttui.service.deployments import DeploySpec
    from fttui.service.provider import Provider
    from fttui.ui.app import FttuiApp

KEYS = "↑ ↓ move   ← → tier   enter next, review   esc close"


class DeployDialog(Dialog[str]):
    """Answers the name of the deployment that was ordered, or None."""

    CSS = """
    DeployDialog > #box { width: 88; max-width: 100%; max-height: 100%; }
    DeployDialog .title { margin-bottom: 0; }
    DeployDialog .row { height: auto; max-height: 3; }
    DeployDialog .row > Static { width: 1fr; }
    DeployDialog .row > Label { width: 11; color: $muted; }
    DeployDialog .row > .hint { width: 1fr; height: 1; color: $muted; padding: 0 1; }
    DeployDialog .row > Input, DeployDialog .row > Picker { background: $background; width: 36; }
    DeployDialog Input:focus, DeployDialog Picker:focus { background: $panel; }
    DeployDialog .gap { margin-top: 1; }
    DeployDialog #why { height: auto; min-height: 1; max-height: 3; margin-top: 1; }
    DeployDialog #buttons { height: 1; margin-top: 1; }
    DeployDialog Button { height: 1; min-width: 14; margin-right: 2; background: $panel; }
    DeployDialog Button:focus { background: $primary; color: $background; text-style: bold; }
    DeployDialog .keys { margin-top: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]

    def __init__(
        self,
        app: FttuiApp,
        provider: Provider,
        model: str,
        *,
        base: str = "",
        job: str = "",
        hint: str = "",
    ) -> None:
        from fttui.service import deployments

        super().__init__()
        self.fttui, self.provider = app, provider
        self._model, self._base, self._job = model, base, job
        self._home = app.backend.catalog.provider(provider.profile.provider)
        self._row = app.backend.catalog.get(base or model, provider.profile.provider)
        self._tiers = self._offered()
        self._tier = next((t for t in self._tiers if t.id == self._home.default_tier), None)
        self._tier = self._tier or (self._tiers[0] if self._tiers else None)
        rows = app.deployed.of(provider.profile.name) or []
        self._taken = [row.name for row in rows]
        self._tuned = sum(1 for row in rows if not app.deployed.hosting(provider, row).why)
        self._name = deployments.name_for(f"{model}-{hint}" if hint else model, self._taken)

    def _offered(self) -> list[TierInfo]:
        """The tiers the model has; all of the provider's where the model is not known."""
        row, usual = self._row, self._home.default_tier
        return [
            tier
            for tier in self._home.tiers
            if row is None or tier.id == usual or tier.id in row.tiers
        ]

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say("Deploy a model"), classes="title")
            yield from self._line("model", Static(say((self._model, "bold"))))
            yield from self._line("for", Static(say(*self._whose())))
            name = Input(self._name, compact=True, id="name")
            yield from self._line("name", name, "what chat asks for", gap=True)
            yield from self._line("tier", Picker(id="tier"))
            capacity = str(self._home.deploy_capacity or 1)
            field = Input(capacity, compact=True, id="capacity", type="integer")
            yield from self._line("capacity", field, "thousand tokens a minute")
            yield from self._line("price", Static(id="price"), gap=True)
            yield from self._line("", Static(id="tokens"))
            yield from self._line("ends", Static(id="ends"))
            yield Static(id="why")
            with Horizontal(id="buttons"):
                yield Button("Review and deploy", id="deploy", variant="primary", compact=True)
                yield Button("Close", id="close", compact=True)
            yield Label(say((KEYS, "dim")), classes="keys")

    @staticmethod
    def _line(name: str, field: Widget, hint: str = "", *, gap: bool = False) -> Iterator[Widget]:
        parts = [Label(say(name)), field]
        if hint:
            parts.append(Static(say(hint), classes="hint"))
        yield Horizontal(*parts, classes="row gap" if gap else "row")

    def _whose(self) -> list[Part]:
        profile = self.provider.profile
        account = profile.azure.account if profile.azure else profile.host
        return [(profile.name, "accent"), (f" · {account}", "dim")]

    def on_mount(self) -> None:
        self._show()
        self.query_one("#name").focus()

    # -- what it says

    @property
    def spec(self) -> DeploySpec:
        from fttui.service.deployments import DeploySpec

        capacity = self.query_one("#capacity", Input).value.strip()
        return DeploySpec(
            self.query_one("#name", Input).value.strip(),
            self._model,
            self._tier.sku if self._tier else "",
            int(capacity) if capacity.isdigit() else 0,
            self._base or (self._row.id if self._row else ""),
            self._job,
        )

    def _price(self) -> Hosting:
        return self.fttui.deployed.hosting(self.provider, self.spec)

    def _show(self) -> None:
        from fttui.pricing import deployed

        tier, price = self._tier, self._price()
        self.query_one("#tier", Picker).text = tier.title if tier else "none is known"
        self.query_one("#price", Static).update(
            say((price.words(), "ok" if price.free else "bold"))
        )
        self.query_one("#tokens", Static).update(say((self._token_words(), "dim")))
        ends = deployed.end(tier, 0, 0, self.fttui.deployed.clock())
        self.query_one("#ends", Static).update(say(*self._end_words(ends.text if ends else "")))
        self._complain()

    def _token_words(self) -> str:
        from fttui.pricing.money import show_price

        row = self._row.at(self._tier.id) if self._row and self._tier else self._row
        if row is None or row.tuned is None:
            return "and its tokens"
        rates = row.tuned
        money = (show_price(rate, rates.currency) for rate in (rates.input, rates.output))
        return "and its tokens: {} in, {} out for 1M".format(*money)

    def _end_words(self, rule: str) -> list[Part]:
        parts: list[Part] = [rule or "when it is deleted"]
        if self._row is not None and self._row.tuned_ends:
            parts.append((f"; tuned models answer until {self._row.tuned_ends}", "dim"))
        return parts

    def _complaint(self) -> str:
        from fttui.service import deployments

        spec = self.spec
        if not self._tiers:
            return "this provider's tiers are not known"
        if spec.name.lower() in (name.lower() for name in self._taken):
            return "a deployment has this name"
        if spec.capacity < 1:
            return "the capacity is a whole number from 1"
        return deployments.check_name(spec.name)

    def _complain(self) -> str:
        wrong = self._complaint()
        notes: list[Part] = [(f"✗ {wrong}", "error")] if wrong else []
        most = self._home.deployments_max
        if not wrong and most and self._tuned >= most:
            notes = [(f"⚠ {self._tuned} tuned models are deployed; {most} are allowed", "warning")]
        elif not wrong and self.spec.capacity < 10:
            notes = [("⚠ so little answers about one request a minute", "warning")]
        elif not wrong and self._tier is not None and self._tier.note:
            notes = [(self._tier.note, "dim")]
        self.query_one("#why", Static).update(say(*notes))
        return wrong

    # -- what is done

    @on(Input.Changed)
    def _typed(self) -> None:
        self._complain()

    @on(Picker.Stepped, "#tier")
    def _stepped(self, event: Picker.Stepped) -> None:
        self._take_tier(event.delta)

    @on(Picker.Asked, "#tier")
    def _asked(self) -> None:
        """The tiers with their prices, to choose from."""
        from fttui.ui.dialogs.choose import Choice, Choose

        def chosen(tier: str | None) -> None:
            if tier:
                self._tier = self._home.tier(tier)
                self._show()
                self.query_one("#capacity").focus()

        choices = [Choice(t.id, t.title, self._hour(t)) for t in self._tiers]
        value = self._tier.id if self._tier else ""
        self.app.push_screen(Choose("Tier", choices, value=value), chosen)

    def _hour(self, tier: TierInfo) -> str:
        from fttui.pricing.money import show_price

        price = self.fttui.deployed.hosting(self.provider, replace(self.spec, sku=tier.sku))
        ends = f", ends after {tier.lifetime_hours} hours" if tier.lifetime_hours else ""
        if price.hour is None:
            return f"price unknown{ends}"
        return (
            f"{show_price(price.hour, price.currency)} an hour" if price.hour else "free"
        ) + ends

    def _take_tier(self, delta: int) -> None:
        if self._tier is not None:
            at = (self._tiers.index(self._tier) + delta) % len(self._tiers)
            self._tier = self._tiers[at]
            self._show()

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#tier" if event.input.id == "name" else "#deploy").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "close":
            self.dismiss(None)
        elif self._complain():
            self.app.bell()
        else:
            self._confirm()

    def _confirm(self) -> None:
        spec, price = self.spec, self._price()
        limit = self.fttui.backend.config.settings.confirm_above

        def answered(yes: bool | None) -> None:
            if yes:
                self.fttui.deployed.create(self.provider, spec)
                self.dismiss(spec.name)

        self.app.push_screen(question(spec.name, self._model, price, self._said(), limit), answered)

    def _said(self) -> list[tuple[str, str]]:
        """The rows of the last question besides name and price."""
        profile, tier, spec = self.provider.profile, self._tier, self.spec
        account = profile.azure.account if profile.azure else profile.host
        return [
            ("tier", tier.title if tier else ""),
            ("capacity", f"{spec.capacity:,} thousand tokens a minute"),
            ("whose money", f"{profile.name} · {account}"),
        ]


def question(
    name: str, model: str, price: Hosting, rows: list[tuple[str, str]], limit: Decimal
) -> Confirm:
    """The last question. Where a day costs more than `limit`, that amount is typed."""
    from fttui.pricing.money import product, show_price

    day = product(price.hour, 24) if price.hour else Decimal(0)
    if price.hour is None:
        title = f"Deploy {name} at an unknown price?"
    elif not price.hour:
        title = f"Deploy {name}? It costs nothing by the hour."
    else:
        title = f"Deploy {name} for {show_price(price.hour, price.currency)} an hour?"
    parts: list[Part] = []
    for key, value in [("model", model), *rows, ("price", price.words())]:
        parts += [(f"{key:<12}", "dim"), value, "\n"]
    if not price.free:
        parts.append(("\nIt costs this used or not, from now until it is deleted.", "warning"))
    typed = f"{day:.2f}" if day > limit else ""
    if typed:
        parts.append((f"\nA day of it costs {typed}: type that to confirm.", "warning"))
    return Confirm(title, parts, yes="Deploy", no="Not yet", type_this=typed, danger=not price.free)
