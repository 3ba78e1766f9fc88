"""docs/azure.md: its profile is taken, its commands exist, its prices are the catalogue's."""

from __future__ import annotations

import argparse
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from fttui import config
from fttui.config_schema import AzureTable
from fttui.pricing import catalog, deployed
from fttui.pricing.money import show_price

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "azure.md").read_text()
MODEL = "gpt-4.1-mini-2025-04-14.ft-0123456789abcdef"


def test_the_profile_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(re.search(r"```toml\n(.*?)```", PAGE, re.S)[1])
    work = config.load(path, env={}).profile("work")
    assert work.base_url == "https://my-resource.openai.azure.com/openai/v1"
    assert (work.azure.account, work.azure.resource_group) == ("my-resource", "my-group")
    missing = [name for name in AzureTable.__dataclass_fields__ if f"azure.{name}" not in PAGE]
    assert missing == []


@pytest.mark.parametrize("line", re.findall(r"^fttui .*$", PAGE, re.M))
def test_each_command_is_taken(line: str) -> None:
    _, name, *argv = shlex.split(line, comments=True)
    parser = argparse.ArgumentParser()
    import_module(f"fttui.commands.{name}").arguments(parser)
    parser.parse_args(argv)


@pytest.mark.parametrize(
    "row", re.findall(r"^\| `(\w+)` \((.+?)\) \| (.+?) \| (.+?) \|$", PAGE, re.M)
)
def test_each_tier_is_the_catalogues(row: tuple[str, str, str, str]) -> None:
    name, title, price, ends = row
    book = catalog.load_or_shipped()
    tier = book.provider("azure").tier(name)
    assert tier.title.startswith(title)
    found = deployed.hosting(book, "azure", MODEL, tier.sku)
    assert price == (show_price(found.hour) if found.hour else "nothing")
    assert str(tier.idle_days or tier.lifetime_hours) in ends
