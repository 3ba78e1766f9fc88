"""`fttui cost --refresh-azure`: Microsoft's public price list, read once, when asked for."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from fttui.pricing import azure, catalog
from fttui.problem import Problem
from fttui.text import plural

TIMEOUT = 30  # seconds for one page of the list
MAX_PAGES = 60


def refresh(args: argparse.Namespace) -> int:
    """Read the public list, write prices-azure.toml beside the settings, and say what changed."""
    before = catalog.load_or_shipped()
    items = list(fetch_meters(args.region, args.currency))
    found = azure.meters(items)
    text = azure.to_toml(found, args.region, date.today())
    if not text:
        raise Problem(
            "no Azure price was understood",
            f"{plural(len(items), 'meter')} for {args.region}, none for a model of the catalogue",
            "try another --region (eastus2, swedencentral, northcentralus)",
            code="azure_prices",
        )
    path = catalog.override_files()[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.write_text(text, encoding="utf-8")
    after = catalog.load(fresh)  # what cannot be read back is not put in place
    os.replace(fresh, path)
    changes = azure_changes(before, after)
    if args.json:
        print(json.dumps({"file": str(path), "meters": len(found), "changes": changes}))
        return 0
    print(f"{path}: {plural(len(found), 'price')} of {args.region}, {args.currency}")
    for change in changes:
        print(f"  {change}")
    return 0


def azure_changes(before: catalog.Catalog, after: catalog.Catalog) -> list[str]:
    """One line for each Azure training price that is new or different."""
    out = []
    for model in after.models("azure"):
        old = before.get(model.id, "azure")
        was = old.training if old else None
        now = model.training
        if now is not None and (was is None or was.amount != now.amount):
            text = f"{was.amount} {was.currency}" if was else "not known"
            out.append(f"{model.id}: training {now.amount} {now.currency} (was {text})")
    return out


def fetch_meters(
    region: str, currency: str, base: str = "", timeout: float = TIMEOUT
) -> Iterator[dict[str, Any]]:
    """Every item of the public retail list for one region. The only network call of this command."""
    from urllib.error import URLError
    from urllib.parse import urlencode, urlsplit
    from urllib.request import Request, urlopen

    base = base or os.environ.get("FTTUI_AZURE_PRICES", azure.API)
    wanted = (
        f"armRegionName eq '{region}' and serviceName eq 'Foundry Models' or "
        f"armRegionName eq '{region}' and serviceName eq 'Cognitive Services'"
    )
    query = {"currencyCode": f"'{currency}'", "$filter": wanted}
    url: str | None = f"{base}?{urlencode(query)}"
    for _ in range(MAX_PAGES):
        if not url:
            return
        if urlsplit(url).netloc != urlsplit(base).netloc:
            raise _list_problem("its next page is on another host")
        try:
            with urlopen(Request(url, headers={"User-Agent": "fttui"}), timeout=timeout) as reply:
                body = json.loads(reply.read(), parse_float=Decimal)
        except (URLError, OSError, ValueError) as error:
            raise _list_problem(str(getattr(error, "reason", error))) from error
        items = body.get("Items") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise _list_problem("its answer has no list of items")
        yield from (item for item in items if isinstance(item, dict))
        url = body.get("NextPageLink")


def _list_problem(why: str) -> Problem:
    return Problem(
        "Azure's price list cannot be read",
        why,
        "try again later; the prices you have are kept",
        code="azure_prices",
        retry=True,
    )
