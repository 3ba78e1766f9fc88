"""Starting, finding and ending the local server from a program."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fttui.local import instance, launch, server
from fttui.problem import Problem


@pytest.fixture
def data(tmp_path):
    """A data directory whose server is ended with the test."""
    path = tmp_path / "data"
    yield path
    launch.stop(path)


def test_nothing_runs_at_first(data):
    assert launch.running(data) is None
    assert launch.stop(data) is False


def test_ensure_starts_one_finds_it_again_and_stop_ends_it(data):
    first = launch.ensure(data)
    assert first.started
    assert first.base_url.startswith("http://127.0.0.1:")
    again = launch.ensure(data)
    assert (again.pid, again.started) == (first.pid, False)
    assert again.token == first.token
    assert first.token not in repr(first)
    assert launch.stop(data) is True
    assert launch.running(data) is None
    later = launch.ensure(data)
    assert (later.base_url, later.token) == (first.base_url, first.token)


def test_many_who_ask_at_once_start_one_server(data, monkeypatch):
    """All six find none running before any may go on; then one of them starts it, once."""
    callers, looked = 6, threading.local()
    together = threading.Barrier(callers)
    look, start, commands = instance.running, subprocess.Popen, []

    def look_together(root):
        found = look(root)
        if not getattr(looked, "before", False):
            looked.before = True
            together.wait(30)
        return found

    def counted(command, **options):
        commands.append(command)
        return start(command, **options)

    with monkeypatch.context() as patched, ThreadPoolExecutor(callers) as pool:
        patched.setattr(launch, "running", look_together)
        patched.setattr(launch.subprocess, "Popen", counted)
        found = list(pool.map(lambda _: launch.ensure(data), range(callers)))
    assert len(commands) == 1
    assert len({endpoint.pid for endpoint in found}) == 1
    assert sum(endpoint.started for endpoint in found) == 1


def _serve(data):
    command = [sys.executable, "-m", "fttui", "serve", "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_second_serve_on_the_same_data_names_the_first(data):
    first = launch.ensure(data)
    second = _serve(data)
    assert second.returncode != 0
    said = " ".join(second.stderr.split())
    assert "running already" in said
    assert f"Process {first.pid} serves {data}, at {first.base_url}" in said
    assert f"kill {first.pid}" in said
    assert "Traceback" not in said
    assert launch.running(data).pid == first.pid


def test_a_server_that_does_not_answer_is_named_too(data, monkeypatch):
    data.mkdir()
    lock = instance.Lock(data / "server.lock")
    assert lock.take()
    lock.sign()
    monkeypatch.setattr(server, "ENDING", 0.0)
    try:
        with pytest.raises(Problem) as refused:
            server.serve(data_dir=data)
    finally:
        lock.release()
    assert refused.value.code == "already_running"
    assert f"Process {os.getpid()} serves" in refused.value.why


def test_a_server_ends_when_its_data_directory_is_removed(data, kit):
    """Else it would live on beside the one that is started there next."""
    first = launch.ensure(data)
    shutil.rmtree(data)
    try:
        second = launch.ensure(data)
        assert second.pid != first.pid
        kit.wait_for(lambda: not kit.alive(first.pid), "the first server ends")
        assert launch.running(data).pid == second.pid
    finally:
        if kit.alive(first.pid):
            os.kill(first.pid, signal.SIGKILL)


def test_a_stale_record_is_not_a_server(data):
    data.mkdir()
    instance.token(data)
    instance.write_record(data, host="127.0.0.1", port=9, started=0)
    assert launch.running(data) is None


def test_why_it_did_not_start_is_said(data):
    with pytest.raises(Problem) as failed:
        launch.ensure(data, aliases={"gpt-4o": "no-such-model"})
    assert failed.value.code == "server_not_started"
    assert "no-such-model" in failed.value.why
    assert failed.value.remedy


def test_env_points_a_client_at_it(data):
    printed = subprocess.run(
        [sys.executable, "-m", "fttui", "env", "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    ).stdout
    here = launch.running(data)
    assert here is not None
    script = f'eval {shlex.quote(printed)}; printf \'%s %s\' "$OPENAI_BASE_URL" "$OPENAI_API_KEY"'
    said = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == f"{here.base_url} {here.token}"
    for shell, begin in (("fish", "set -gx OPENAI_"), ("powershell", "$Env:OPENAI_")):
        other = subprocess.run(
            [sys.executable, "-m", "fttui", "env", "--data", str(data), "--shell", shell],
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
        ).stdout
        assert [line.startswith(begin) for line in other.splitlines()] == [True, True]


def test_the_server_outlives_who_started_it(data):
    code = f"from fttui.local import launch; print(launch.ensure({str(data)!r}).pid)"
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=90, check=True
    )
    here = launch.running(data)
    assert here is not None
    assert here.pid == int(child.stdout)
    assert os.getsid(here.pid) == here.pid
