"""Profiles and settings: from nothing, from the environment, from a file with its mistakes named by line."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from fttui import config, endpoints
from fttui.problem import Problem

FULL = """
default_profile = "work"

[settings]
theme = "nord"
confirm_above = 12.5
mute = ["W001"]
keys = { quit = "Q" }

[profiles.work]
provider = "openai"
key = { command = "op read op://x/y" }
organization = "org-1"
project = "proj_1"
region = "eu"
read_only = true

[profiles.foundry]
provider = "azure"
base_url = "https://res.openai.azure.com"
extra_body = { trainingType = "GlobalStandard" }

[profiles.legacy]
provider = "azure"
base_url = "https://res.openai.azure.com/"
api_version = "2025-04-01-preview"

[profiles.factory]
provider = "nebius"

[profiles.mine]
provider = "custom"
base_url = "http://localhost:9/v1"
overrides = { placement = "top", lacks = { pause = "No." } }
"""


@pytest.fixture
def file(home: Path) -> Path:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_without_anything_it_is_this_machine() -> None:
    found = config.load()
    assert found.profile().name == "local"
    assert found.profile().host == "this machine"
    assert found.settings == config.Settings()


@pytest.mark.parametrize(
    ("env", "name", "provider", "url"),
    [
        ({"OPENAI_API_KEY": "k"}, "openai", "openai", "https://api.openai.com/v1"),
        (
            {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://h:1/v1"},
            "openai",
            "custom",
            "http://h:1/v1",
        ),
        ({"OPENAI_BASE_URL": "http://h:1/v1"}, "local", "local", ""),
        ({"OPENAI_API_KEY": "k", "FTTUI_PROFILE": "local"}, "local", "local", ""),
    ],
)
def test_the_environment_decides_the_default(env: dict, name: str, provider: str, url: str) -> None:
    found = config.load(env=env).profile()
    assert (found.name, found.provider, found.base_url) == (name, provider, url)


def test_azure_and_nebius_from_the_environment() -> None:
    env = {
        "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/",
        "AZURE_OPENAI_API_KEY": "k",
        "NEBIUS_API_KEY": "k",
    }
    found = config.load(env=env)
    assert found.profile("azure").base_url == "https://r.openai.azure.com/openai/v1"
    assert found.profile("azure").key.value == "AZURE_OPENAI_API_KEY"
    assert found.profile("nebius").base_url == config.NEBIUS_URL
    legacy = config.load(env=env | {"OPENAI_API_VERSION": "2025-04-01-preview"}).profile("azure")
    assert (legacy.base_url, legacy.api_version) == (
        "https://r.openai.azure.com",
        "2025-04-01-preview",
    )


def test_organization_and_project_from_the_environment() -> None:
    env = {"OPENAI_API_KEY": "k", "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj_1"}
    found = config.load(env=env).profile()
    assert (found.organization, found.project) == ("org-1", "proj_1")


def test_a_whole_file(file: Path) -> None:
    file.write_text(FULL)
    found = config.load(env={})
    work = found.profile()
    assert (work.name, work.base_url, work.read_only) == (
        "work",
        "https://eu.api.openai.com/v1",
        True,
    )
    assert (work.key.kind, work.key.value) == ("command", "op read op://x/y")
    assert found.settings.confirm_above == Decimal("12.5")
    assert found.settings.mute == ("W001",)
    assert found.settings.keys == {"quit": "Q"}
    foundry = found.profile("foundry")
    assert foundry.base_url == "https://res.openai.azure.com/openai/v1"
    assert foundry.key.value == "AZURE_OPENAI_API_KEY"
    assert foundry.extra_body == {"trainingType": "GlobalStandard"}
    assert found.profile("legacy").base_url == "https://res.openai.azure.com"
    assert found.profile("factory").base_url == config.NEBIUS_URL
    assert found.profile("mine").overrides["placement"] == "top"
    assert found.profile("mine").key.kind == "none"
    assert {"local", "openai"} <= set(found.profiles)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a = [", 1, "line 1"),
        ("x = 1", 1, "no such setting"),
        ("\n[settings]\nthem = 'x'\n", 3, "settings.them: there is no such setting"),
        ("[settings]\nascii = 'maybe'\n", 2, "settings.ascii"),
        (
            "[profiles.a]\nprovider = 'openai'\n\n[profiles.b]\nprovider = 'opnai'\n",
            5,
            "profiles.b.provider",
        ),
        ("[profiles.a]\nbase_url = 'x'\n", 1, "this setting is missing"),
        ("[profiles.a]\nprovider = 'openai'\nkey = 'sk-abc123def456'\n", 3, "named by its source"),
        ("[profiles.a]\nprovider = 'openai'\nkey.envv = 'X'\n", 3, "no such setting"),
        ("[profiles.a]\nprovider = 'openai'\ntimeout = 'soon'\n", 3, "profiles.a.timeout"),
    ],
)
def test_a_mistake_is_named_with_file_line_key_and_remedy(
    file: Path, text: str, line: int, words: str
) -> None:
    file.write_text(text)
    with pytest.raises(Problem) as caught:
        config.load(env={})
    problem = caught.value
    assert problem.what.startswith(f"{file}, line {line}:")
    assert words in str(problem)
    assert problem.remedy
    assert "sk-abc" not in str(problem.as_dict())


def test_two_sources_for_one_key_and_no_address(file: Path) -> None:
    file.write_text("[profiles.a]\nprovider = 'openai'\nkey = { env = 'A', file = 'B' }\n")
    with pytest.raises(Problem, match="more than one source"):
        config.load(env={})
    file.write_text("[profiles.a]\nprovider = 'azure'\n")
    with pytest.raises(Problem, match="has no address"):
        config.load(env={})


def test_a_file_that_is_no_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match="cannot be read"):
        config.load(env={})


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(Problem, match=r"Known: local, openai"):
        config.load(env={}).profile("nope")


def test_no_key_is_read_by_loading(file: Path, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    file.write_text(f"[profiles.a]\nprovider = 'openai'\nkey = {{ command = 'touch {touched}' }}\n")
    config.load(env={}).profile("a")
    assert not touched.exists()


def test_loading_without_a_file_imports_nothing_heavy() -> None:
    code = (
        "import sys, fttui.config as c; c.load(); "
        "sys.exit(bool({'pydantic', 'openai', 'textual', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_making_a_provider_and_reading_types_imports_no_client() -> None:
    code = (
        "import sys; from fttui import config; import fttui.service.types, fttui.service.watch; "
        "import fttui.service.chat, fttui.service.files; from fttui.service.provider import Provider; "
        "Provider(config.load().profile('local')); "
        "sys.exit(bool({'openai', 'httpx2', 'textual'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


AZURE_FILE = """
[profiles.foundry]
provider = "azure"
base_url = "https://res.services.ai.azure.com/api/projects/team/"
key = { entra = true }
[profiles.foundry.azure]
subscription = "sub-1"
resource_group = "group-1"
management_key = { command = "az account get-access-token" }
"""


def test_who_is_signed_in_to_azure_needs_no_key(file: Path) -> None:
    signed_in = config.load(env={"AZURE_OPENAI_ENDPOINT": "res"}).profile("azure")
    assert signed_in.key.kind == "entra"
    assert signed_in.key.value == "https://cognitiveservices.azure.com/.default"
    token = {
        "AZURE_OPENAI_ENDPOINT": "res",
        "AZURE_OPENAI_AD_TOKEN": "t",
        "AZURE_OPENAI_API_KEY": "k",
    }
    assert config.load(env=token).profile("azure").key.value == "AZURE_OPENAI_AD_TOKEN"
    file.write_text(AZURE_FILE)
    foundry = config.load(env={}).profile("foundry")
    assert (foundry.key.kind, foundry.key.value) == ("entra", "https://ai.azure.com/.default")


def test_where_an_azure_resource_is_managed(file: Path) -> None:
    file.write_text(AZURE_FILE)
    managed = config.load(env={"AZURE_SUBSCRIPTION_ID": "other"}).profile("foundry").azure
    assert (managed.subscription, managed.resource_group) == ("sub-1", "group-1")
    assert (managed.account, managed.url) == ("res", "https://management.azure.com")
    assert (managed.key.kind, managed.key.value) == ("command", "az account get-access-token")
    env = {
        "AZURE_OPENAI_ENDPOINT": "res",
        "AZURE_SUBSCRIPTION_ID": "s",
        "AZURE_RESOURCE_GROUP": "g",
    }
    managed = config.load(env=env).profile("azure").azure
    assert (managed.subscription, managed.resource_group, managed.account) == ("s", "g", "res")
    assert managed.key.value == "https://management.azure.com/.default"
    assert config.load(env={}).profile("openai").azure is None


def test_a_wrong_azure_table_names_its_line(file: Path) -> None:
    file.write_text(AZURE_FILE.replace("resource_group", "group"))
    with pytest.raises(Problem) as caught:
        config.load(env={})
    assert caught.value.detail["line"] == 8
    assert "resource_group" in caught.value.remedy
    file.write_text(
        AZURE_FILE.replace('{ command = "az account get-access-token" }', '"eyJsecret"')
    )
    with pytest.raises(Problem) as caught:
        config.load(env={})
    assert "eyJsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "version", "base", "dated"),
    [
        ("res", "", "https://res.openai.azure.com/openai/v1", ""),
        ("res.openai.azure.com", "", "https://res.openai.azure.com/openai/v1", ""),
        ("https://res.openai.azure.com/", "", "https://res.openai.azure.com/openai/v1", ""),
        ("https://res.openai.azure.com/openai", "", "https://res.openai.azure.com/openai/v1", ""),
        ("https://res.openai.azure.com/openai/v1/", "2025-04-01-preview",
         "https://res.openai.azure.com/openai/v1", ""),
        ("https://res.openai.azure.com", "v1", "https://res.openai.azure.com/openai/v1", ""),
        ("https://res.openai.azure.com/openai/", "2024-10-21", "https://res.openai.azure.com", "2024-10-21"),
        ("https://res.openai.azure.com/openai/deployments/d/chat/completions?api-version=2025-01-01-preview",
         "", "https://res.openai.azure.com/openai/v1", ""),
        ("https://res.cognitiveservices.azure.com/", "", "https://res.cognitiveservices.azure.com/openai/v1", ""),
        ("https://res.services.ai.azure.com/models", "", "https://res.services.ai.azure.com/openai/v1", ""),
        ("https://res.services.ai.azure.com/api/projects/p", "",
         "https://res.services.ai.azure.com/api/projects/p/openai/v1", ""),
        ("https://res.services.ai.azure.com/api/projects/p/openai/v1", "",
         "https://res.services.ai.azure.com/api/projects/p/openai/v1", ""),
        ("https://res.services.ai.azure.com/api/projects/p", "2024-10-21",
         "https://res.services.ai.azure.com", "2024-10-21"),
        ("https://gw.example.com/azure/openai/v1", "", "https://gw.example.com/azure/openai/v1", ""),
        ("http://127.0.0.1:8080", "", "http://127.0.0.1:8080/openai/v1", ""),
    ],
)  # fmt: skip
def test_an_azure_address_however_it_was_copied(
    given: str, version: str, base: str, dated: str
) -> None:
    assert endpoints.azure(given, version) == (base, dated)
