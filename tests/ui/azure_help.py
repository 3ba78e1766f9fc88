"""The emulated Azure of the service tests, for tests that drive the app on it."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from fttui import paths

SERVICE = Path(__file__).parents[1] / "service"
KEY = "data-plane-key-0123456789"


def _load(name: str, file: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, SERVICE / file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


_load("fttui_test_faults", "faults.py")
emulators = _load("fttui_test_emulators", "emulators.py")


def finished_job(azure: Any, number: int, suffix: str) -> str:
    """A job that is done, with its checkpoints; answers the tuned model's name."""
    job_id = f"ftjob-{number}"
    azure.jobs[job_id] = {
        "id": job_id, "object": "fine_tuning.job", "status": "pending", "model": emulators.BASE,
        "created_at": int(time.time()) - 7200 + number, "suffix": suffix, "user_provided_suffix": suffix,
        "training_file": "file-1", "result_files": [],
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    }  # fmt: skip
    azure.steps[job_id] = 0
    for _ in range(3):
        azure.look(job_id)
    return str(azure.jobs[job_id]["fine_tuned_model"])


def write_config(azure: Any, monkeypatch: Any, *, managed: bool = True, more: str = "") -> None:
    """A profile `work` on the emulator, chosen by default."""
    monkeypatch.setenv("AZURE_KEY", KEY)
    monkeypatch.setenv("ARM_TOKEN", emulators.ARM_TOKEN)
    place = f"""
[profiles.work.azure]
subscription = "{emulators.SUBSCRIPTION}"
resource_group = "{emulators.GROUP}"
account = "{emulators.ACCOUNT}"
management_url = "{azure.root}"
management_key = {{ env = "ARM_TOKEN" }}
"""
    text = f"""default_profile = "work"
[profiles.work]
provider = "azure"
base_url = "{azure.root}"
key = {{ env = "AZURE_KEY" }}
{more}
{place if managed else ""}"""
    paths.config_dir().mkdir(parents=True, exist_ok=True)
    (paths.config_dir() / "config.toml").write_text(text)
