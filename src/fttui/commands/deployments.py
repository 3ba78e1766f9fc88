"""`fttui deployments`: what is deployed and what it costs by the hour; deploy, scale or delete one."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem
from fttui.text import duration, one_line, width

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog
    from fttui.pricing.deployed import Hosting
    from fttui.service.deployments import Deployment, DeploySpec, Progress
    from fttui.service.provider import Provider


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", metavar="NAME", help="the provider profile to ask")
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--create", metavar="MODEL", help="deploy a tuned model or a checkpoint")
    act.add_argument("--scale", metavar="NAME", help="give a deployment another --capacity")
    act.add_argument("--delete", metavar="NAME", help="delete a deployment: it stops costing")
    parser.add_argument("--name", help="with --create: what chat asks for (default: made up)")
    parser.add_argument("--tier", help="with --create: global, regional or developer")
    parser.add_argument("--base", default="", help="with --create: what a checkpoint is tuned from")
    parser.add_argument("--capacity", type=int, metavar="N", help="thousand tokens a minute")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until it answers")
    parser.add_argument("--yes", action="store_true", help="do not ask before money is spent")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from fttui import config
    from fttui.pricing.catalog import load_or_shipped
    from fttui.service.provider import Provider

    provider = Provider(config.load().profile(args.profile))
    act = _create if args.create else _scale if args.scale else _delete if args.delete else _list
    try:
        return await act(provider, load_or_shipped(), args)
    finally:
        await provider.close()


def _hosting(provider: Provider, catalog: Catalog, row: Deployment | DeploySpec) -> Hosting:
    from fttui.pricing import deployed

    return deployed.hosting(catalog, provider.profile.provider, row.model, row.sku, row.base)


def _as_dict(provider: Provider, catalog: Catalog, row: Deployment, now: float) -> dict[str, Any]:
    price = _hosting(provider, catalog, row)
    spent = price.spent(now - row.created_at) if row.created_at else None
    return {
        **row.as_dict(),
        "hosting": price.as_dict(),
        "so_far": None if spent is None else f"{spent}",
    }


def _print(obj: dict[str, Any]) -> None:
    print(json.dumps(obj, ensure_ascii=False))


# ---- the list ----


async def _list(provider: Provider, catalog: Catalog, args: argparse.Namespace) -> int:
    from fttui.service import deployments

    rows = await deployments.listing(provider)
    now = time.time()
    if args.json:
        shown = [_as_dict(provider, catalog, row, now) for row in rows]
        _print({"profile": provider.profile.name, "deployments": shown})
        return 0
    if not rows:
        print(f"{provider.profile.name}: nothing is deployed, so nothing costs by the hour")
        return 0
    heading = ("NAME", "STATE", "TIER", "AGE", "AN HOUR", "SO FAR", "MODEL")
    for line in _columns([heading, *(_cells(provider, catalog, row, now) for row in rows)]):
        print(line)
    return 0


def _columns(cells: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(width(row[place]) for row in cells) for place in range(len(cells[0]))]
    return [
        "  ".join(
            cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]


def _cells(provider: Provider, catalog: Catalog, row: Deployment, now: float) -> tuple[str, ...]:
    from fttui.pricing.money import show, show_price

    price = _hosting(provider, catalog, row)
    spent = price.spent(now - row.created_at) if row.created_at else None
    hour = "?" if price.hour is None else show_price(price.hour, price.currency)
    return (
        one_line(row.name),
        "ready" if row.made else one_line(row.state),
        price.tier.id if price.tier else one_line(row.sku),
        duration(now - row.created_at) if row.created_at else "",
        "–" if price.free else hour,
        "–" if price.free or spent is None else show(spent, price.currency),
        one_line(row.model),
    )


# ---- changing ----


async def _create(provider: Provider, catalog: Catalog, args: argparse.Namespace) -> int:
    from fttui.service import deployments

    deployments.require(provider, "Deploying a model")
    spec = await _spec(provider, catalog, args)
    price = _hosting(provider, catalog, spec)
    _tell(args, f"{spec.name}: {spec.model} on {spec.sku}, capacity {spec.capacity:,}")
    _tell(args, f"it costs {price.words()}" + ("" if price.free else ", used or not"))
    if price.hour != Decimal(0) and not _agreed(args, f"Deploy {spec.name}?"):
        return 1
    made = await deployments.create(provider, spec)
    _journal(provider, "deploy", spec.name, "", price)
    if not args.no_wait:
        made = await deployments.wait_ready(provider, made.name, _Steps(args))
    _tell(args, f"{made.name}  {'answers' if not args.no_wait else made.state}")
    _tell(args, f"delete it: fttui deployments --delete {made.name}")
    if args.json:
        _print({"deployment": _as_dict(provider, catalog, made, time.time())})
    return 0


async def _spec(provider: Provider, catalog: Catalog, args: argparse.Namespace) -> DeploySpec:
    from fttui.service import deployments
    from fttui.service.deployments import DeploySpec

    home = catalog.provider(provider.profile.provider)
    tier = home.tier(args.tier or home.default_tier)
    if tier is None:
        known = ", ".join(row.id for row in home.tiers)
        raise Problem(
            f"There is no tier {args.tier!r}.", f"Known: {known}.", "Choose one.", code="usage"
        )
    capacity = args.capacity if args.capacity is not None else home.deploy_capacity or 1
    name = args.name
    if not name:
        taken = [row.name for row in await deployments.listing(provider)]
        name = deployments.name_for(args.create, taken)
    return DeploySpec(name, args.create, tier.sku, capacity, args.base)


class _Steps:
    """Says each phase once, on stderr."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args, self._last = args, ""

    def __call__(self, now: Progress) -> None:
        words = {
            "making": "being made …",
            "starting": f"made after {duration(now.seconds)}; it answers about 5 minutes later …",
            "ready": f"answers after {duration(now.seconds)}",
        }
        if now.phase != self._last:
            self._last = now.phase
            print(words[now.phase], file=sys.stderr, flush=True)


async def _scale(provider: Provider, catalog: Catalog, args: argparse.Namespace) -> int:
    from fttui.service import deployments

    if args.capacity is None:
        raise Problem("No capacity was named.", "", "Add: --capacity N", code="usage")
    row = await deployments.retrieve(provider, args.scale)
    made = await deployments.scale(provider, row, args.capacity)
    _tell(args, f"{made.name}  capacity {row.capacity:,} → {made.capacity:,}")
    if args.json:
        _print({"deployment": _as_dict(provider, catalog, made, time.time())})
    return 0


async def _delete(provider: Provider, catalog: Catalog, args: argparse.Namespace) -> int:
    from fttui.service import deployments

    row = await deployments.retrieve(provider, args.delete)
    if not _agreed(args, f"Delete {row.name} ({one_line(row.model)})?"):
        return 1
    await deployments.delete(provider, row.name)
    gone = _as_dict(provider, catalog, row, time.time())
    _journal(provider, "hosting", row.name, gone["so_far"] or "", _hosting(provider, catalog, row))
    _tell(args, f"{row.name}  deleted; the model stays")
    if args.json:
        _print({"deleted": gone})
    return 0


def _tell(args: argparse.Namespace, text: str) -> None:
    if not args.json:
        print(text, flush=True)


def _agreed(args: argparse.Namespace, question: str) -> bool:
    """Ask on the terminal; without one, or with --json, only --yes will do."""
    if args.yes:
        return True
    if args.json or not sys.stdin.isatty():
        raise Problem(
            "Nothing was done.",
            "It needs a yes, and there is no terminal to ask on.",
            "Add: --yes",
            code="not_confirmed",
        )
    if input(f"{question} [y/N] ").strip().lower() in ("y", "yes"):
        return True
    print("Nothing was done.")
    return False


def _journal(provider: Provider, kind: str, name: str, amount: str, price: Hosting) -> None:
    """Write it down with what was paid for, as the app does."""
    from fttui.state import State

    state = State()
    try:
        profile, facts = provider.profile.name, {"price": price.as_dict()}
        state.journal(profile, kind, name, amount, price.currency, **facts)
    finally:
        state.close()
