"""A request as a program somebody else runs: really run, against the local server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fttui.config import Profile
from fttui.secrets import SecretSource
from fttui.service import handover
from fttui.service.types import ChatSettings

WILD = "It's \"quoted\" `and` $HOME \\n ${x} äöü 漢字\n# not a comment '''"
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


@pytest.fixture(scope="module")
def endpoint(
    tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """(address, token) of a local server with the tiny model."""
    from fttui.local import launch

    folder = tmp_path_factory.mktemp("handover")
    found = launch.ensure(folder, models={"tiny": tiny_model})
    yield found.base_url, found.token
    launch.stop(folder)


def ask(base_url: str, **settings: object) -> handover.Request:
    profile = Profile("here", "local", headers={"X-Plain": "a 'b'", "X-Api-Token": "sk-secret"})
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": WILD}]
    return handover.request(
        profile, base_url, "tiny", messages, ChatSettings(temperature=0, max_tokens=8, **settings)
    )


def run(command: list[str], token: str) -> str:
    env = {**os.environ, "OPENAI_API_KEY": token, "X_API_TOKEN": "t", "no_proxy": "*"}
    env.pop("OPENAI_BASE_URL", None)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("language", ["curl", "Python", "JavaScript"])
def test_it_runs_and_the_model_answers(endpoint: tuple[str, str], language: str) -> None:
    base_url, token = endpoint
    text = handover.written(language, ask(base_url, seed=1, stop=("\n\n",)), local=True)
    assert token not in text
    assert "sk-secret" not in text
    assert base_url in text
    if language == "curl":
        if not shutil.which("curl"):
            pytest.skip("curl is not here")
        out = run(["sh", "-c", text], token)
        assert '"finish_reason"' in out
        assert '"error"' not in out
    elif language == "Python":
        assert run([sys.executable, "-c", text], token).strip()
    else:
        if not shutil.which("node"):
            pytest.skip("node is not here")
        assert run(["node", "--input-type=module", "-e", text], token).strip()


def test_what_the_model_is_sent_is_what_the_chat_sends() -> None:
    made = ask("http://h/v1", top_p=0.5, extra={"tools": TOOLS})
    space: dict[str, object] = {}

    class Client:
        def __init__(self, **options: object) -> None:
            space["options"] = options
            self.chat = self
            self.completions = self

        def create(self, **body: object) -> object:
            space["body"] = body
            raise StopIteration

    text = handover.written("Python", made).replace("from openai import OpenAI", "")
    with pytest.raises(StopIteration):
        exec(text, {"OpenAI": Client, "environ": {}, "os": None, "__builtins__": _builtins()})
    assert space["body"] == dict(made.body)
    assert space["options"]["base_url"] == "http://h/v1"  # type: ignore[index]


def _builtins() -> dict[str, object]:
    """`import os` gives an environment with every variable."""

    class Os:
        environ = type("E", (), {"__getitem__": lambda self, name: f"<{name}>"})()

    return {"__import__": lambda name, *rest: Os}


def test_the_key_is_the_profiles_variable_and_openai_needs_no_address() -> None:
    profile = Profile("o", "openai", "https://api.openai.com/v1", SecretSource("env", "MY_KEY"),
                      organization="org-1")  # fmt: skip
    made = handover.request(profile, profile.base_url, "gpt-4.1", [], ChatSettings())
    text = handover.written("Python", made)
    assert 'os.environ["MY_KEY"]' in text
    assert "base_url" not in text
    assert "org-1" in text
    curl = handover.written("curl", made)
    assert 'Authorization: Bearer $MY_KEY"' in curl
    keyring = Profile("n", "nebius", "https://n/v1", SecretSource("keyring", "a/b"))
    assert handover.key_variable(keyring) == "NEBIUS_API_KEY"


def test_azure_before_v1_has_its_own_address_and_header() -> None:
    profile = Profile("a", "azure", "https://r.openai.azure.com", api_version="2025-04-01-preview")
    made = handover.request(profile, profile.base_url, "dep", [], ChatSettings())
    curl = handover.written("curl", made)
    assert "/openai/deployments/dep/chat/completions?api-version=2025-04-01-preview" in curl
    assert '-H "api-key: $AZURE_OPENAI_API_KEY"' in curl
    assert "AzureOpenAI(" in handover.written("Python", made)
