"""Fixtures every test may use: a home of its own, and the shared data where there is some."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
from collections.abc import Iterator
from pathlib import Path

# Before anything imports NumPy: idle threads of its linear algebra spin and slow every test down.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from fttui import paths

# A shell that starts pytest in the background lets Ctrl-C be ignored, and children inherit that.
with contextlib.suppress(ValueError):  # not the main thread
    signal.signal(signal.SIGINT, signal.default_int_handler)

REAL_CACHE = paths.cache_dir()  # before any test has a home of its own
ROOT = Path(__file__).resolve().parent.parent
KEYS = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_API_VERSION",
    "OPENAI_API_VERSION",
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_RESOURCE_GROUP",
    "NEBIUS_API_KEY",
)


@pytest.fixture(autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Every test has config, data, cache and state of its own, and no key from the environment."""
    path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("FTTUI_HOME", str(path))
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    yield path
    if (
        path / "data" / "server.json"
    ).exists():  # started by the test, detached: nobody else ends it
        from fttui.local import launch

        launch.stop(path / "data")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data beside the checkout; tests that need it are skipped without it."""
    path = ROOT.parent / "shared"
    if not (path / "datasets").is_dir():
        pytest.skip("no shared test data beside the checkout")
    return path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model as a GGUF file: loads, speaks and trains in seconds."""
    spec = importlib.util.spec_from_file_location("tiny", ROOT / "tests" / "local" / "tiny.py")
    assert spec is not None
    assert spec.loader is not None
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    built: Path = tiny.build(tmp_path_factory.mktemp("tiny") / "tiny.gguf")
    return built


@pytest.fixture(scope="session")
def base_model() -> Path:
    """The real base model in the user's own cache; tests that need it are skipped without it."""
    found = REAL_CACHE / "models" / "smollm2-135m-instruct.gguf"
    if not found.is_file():
        pytest.skip("the base model is not in the cache (fttui fetch)")
    return found
