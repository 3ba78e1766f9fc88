"""The scripts of docs/clients: programs that are not ours, on our server, with only URL and key changed.

They need other people's packages, so they run only with FTTUI_CLIENT_TESTS=1 (installing.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import tiny
from installing import MARKS, installed

pytestmark = MARKS
SCRIPTS = Path(__file__).parents[2] / "docs" / "clients"
ALIAS = "gpt-4o-mini-2024-07-18"
WITHOUT_FILE = ("langchain_chat.py", "wandb_sync.py")
RUN, START = 300, 60  # seconds


@dataclass(frozen=True)
class Client:
    packages: tuple[str, ...]
    script: str
    says: tuple[str, ...]  # what its output must hold
    first: str = ""  # a script that trains the job this one reads

    @property
    def node(self) -> bool:
        return self.script.endswith(".mjs")


TRAINED = ("status succeeded", f"model ft:{ALIAS}:local:", "answer ")
CLIENTS = {
    "openai1": Client(("openai==1.109.1",), "openai_python.py", (*TRAINED, ":ckpt-step-")),
    "openai1-cli": Client(("openai==1.109.1",), "openai_cli.sh", TRAINED),
    "node6": Client(("openai@6",), "openai_node.mjs", (*TRAINED, "results step,", "tokens ")),
    "node7": Client(("openai@7",), "openai_node.mjs", (*TRAINED, "results step,", "tokens ")),
    "langchain": Client(("langchain-openai",), "langchain_chat.py", ("answer ", "pieces ")),
    "dspy": Client(("dspy",), "dspy_finetune.py", TRAINED[1:]),
    "llamaindex": Client(
        ("llama-index-finetuning", "llama-index-llms-openai", "mistralai<2"),
        "llamaindex_engine.py",
        (*TRAINED, "context 128000"),
    ),
    "wandb": Client(
        ("wandb", "pandas", "openai"),
        "wandb_sync.py",
        ("wandb sync completed successfully", "train_loss", "fine_tuned_model"),
        first="openai_python.py",
    ),
}


def _command(name: str, folder: Path) -> list[str]:
    script = str(SCRIPTS / name)
    if name.endswith(".mjs"):
        own = folder / "node_modules" / "node" / "bin" / "node"  # npm install node@22
        return [str(own) if own.exists() else "node", script]
    return ["sh", script] if script.endswith(".sh") else [str(folder / "bin" / "python"), script]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What `fttui env` sets, for a server of this test's own on the tiny model."""
    root = tmp_path_factory.mktemp("clients")
    model, data = tiny.build(root / "tiny.gguf"), root / "data"
    command = [sys.executable, "-m", "fttui", "serve", "--data", str(data)]
    command += ["--model", f"tiny={model}", "--alias", f"{ALIAS}=tiny"]
    ours = os.environ | {"FTTUI_HOME": str(root / "home")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ours) as server:
        try:
            first = server.stdout.readline()
            assert "http://" in first
            url = "http://" + first.split("http://")[1].strip()
            yield ours | {
                "OPENAI_BASE_URL": url,
                "OPENAI_API_KEY": (data / "token").read_text().strip(),
                "DSPY_CACHEDIR": str(root / "dspy"),
            }
        finally:
            server.terminate()
            server.wait(START)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_completes_its_loop(name, environment, tmp_path):
    client = CLIENTS[name]
    folder = installed(name.removesuffix("-cli"), client.packages, node=client.node)
    env = environment | {"OPENAI": str(folder / "bin" / "openai")} | _words(folder)
    env |= {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path)}
    started = time.monotonic()
    if client.first:
        _run(client.first, folder, env)
    said = _run(client.script, folder, env)
    missing = [text for text in client.says if text not in said]
    assert not missing, said
    print(f"{name}: {time.monotonic() - started:.1f} s")


def _run(script: str, folder: Path, env: dict[str, str]) -> str:
    """What the script says; it must end well."""
    command = _command(script, folder)
    if script not in WITHOUT_FILE:
        command.append(str(SCRIPTS / "train.jsonl"))
    ran = subprocess.run(
        command,
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=RUN,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
    return ran.stdout + ran.stderr


def _words(folder: Path) -> dict[str, str]:
    """LlamaIndex counts tokens; the vocabulary it carries spares a download."""
    found = next(folder.glob("lib/python*/site-packages/llama_index/core/_static"), None)
    return {"TIKTOKEN_CACHE_DIR": str(found / "tiktoken_cache")} if found else {}
