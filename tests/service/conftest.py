"""A fault server and providers that talk to it, with no real waiting between tries."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fttui.config import Management, Profile
from fttui.secrets import SecretSource
from fttui.service.provider import Provider, Wait

KEY = "sk-test-0123456789abcdefSECRET"


def _load(name: str, file: str = "faults.py") -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


faults = _load("fttui_test_faults")
emulators = _load("fttui_test_emulators", "emulators.py")


@pytest.fixture
def fault() -> ModuleType:
    """The module of the fault server: Fault, FaultServer, chunk, sse, error."""
    return faults


@pytest.fixture
async def server() -> AsyncIterator[Any]:
    async with faults.FaultServer() as found:
        yield found


@pytest.fixture
async def connect(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Provider]]:
    """Make a provider for a URL; its waits are noted in `provider.waits` and take no time."""
    monkeypatch.setenv("FTTUI_TEST_KEY", KEY)
    made: list[Provider] = []

    def build(url: str, provider: str = "openai", **fields: Any) -> Provider:
        fields = {"timeout": 5.0, "key": SecretSource("env", "FTTUI_TEST_KEY"), **fields}
        waits: list[Wait] = []

        async def no_sleep(seconds: float) -> None:
            pass

        found = Provider(
            Profile("test", provider, url, **fields), on_wait=waits.append, sleep=no_sleep
        )
        found.waits = waits  # type: ignore[attr-defined]
        made.append(found)
        return found

    yield build
    for provider in made:
        await provider.close()


@pytest.fixture
async def azure() -> AsyncIterator[Any]:
    async with emulators.AzureServer() as found:
        yield found


@pytest.fixture
async def nebius() -> AsyncIterator[Any]:
    async with emulators.NebiusServer() as found:
        yield found


@pytest.fixture
def on_azure(
    azure: Any, connect: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Provider]:
    """Make a provider for the emulated Azure: its v1 API, and its management API with a token of its own."""
    monkeypatch.setenv("FTTUI_TEST_ARM", emulators.ARM_TOKEN)
    managed = Management(
        emulators.SUBSCRIPTION,
        emulators.GROUP,
        emulators.ACCOUNT,
        azure.root,
        SecretSource("env", "FTTUI_TEST_ARM"),
    )

    def build(**fields: Any) -> Provider:
        url = azure.root if fields.get("api_version") else azure.url
        return connect(url, "azure", **{"azure": managed, **fields})

    return build


@pytest.fixture
def provider(server: Any, connect: Callable[..., Provider]) -> Provider:
    return connect(server.url)


@pytest.fixture
def jsonl(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    line = b'{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}\n'
    path.write_bytes(line * 5000)
    return path
