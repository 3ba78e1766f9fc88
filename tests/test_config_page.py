"""docs/config.md: every setting is on it, and its example is a file fttui takes."""

from __future__ import annotations

import argparse
import re
from dataclasses import fields
from pathlib import Path

from fttui import config, config_schema
from fttui.commands import config as config_command
from fttui.service import capabilities

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "config.md").read_text()


def test_every_setting_and_profile_key_is_documented() -> None:
    names = [item.name for item in (*fields(config.Settings), *fields(config_schema.ProfileTable))]
    missing = [name for name in names if not re.search(rf"\b{name}\b", PAGE)]
    assert missing == []


def test_the_example_is_taken(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE, re.S)
    assert example is not None
    path = tmp_path / "config.toml"
    path.write_text(example[1])
    found = config.load(path, env={})
    assert found.default == "work"
    assert found.profile().base_url == "https://my-resource.openai.azure.com/openai/v1"
    assert found.profile("shared").read_only
    assert found.settings.keys == {"jobs.cancel": "d"}


def test_every_key_source_feature_and_command_is_documented() -> None:
    parser = argparse.ArgumentParser()
    config_command.arguments(parser)
    acts = next(one.choices for one in parser._actions if isinstance(one.choices, dict))
    words = [*(item.name for item in fields(config_schema.Key)), *capabilities.FEATURES, *acts]
    missing = [word for word in words if not re.search(rf"\b{word}\b", PAGE)]
    assert missing == []
