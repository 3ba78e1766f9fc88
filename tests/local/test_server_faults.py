"""The server killed at any moment, the trainer killed, a full or forbidden disk, bad options."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import openai
import pytest

EPOCHS = {"n_epochs": 20, "batch_size": 2}  # 20 epochs of 6 steps


def _steps(client, job):
    events = list(client.fine_tuning.jobs.list_events(job, limit=100))
    return [e.data["step"] for e in reversed(events) if e.type == "metrics"], events


def _long_job(client, kit, examples=12, **hyper):
    return client.fine_tuning.jobs.create(
        model=kit.model,
        training_file=kit.upload(client, kit.lines(examples)),
        hyperparameters=EPOCHS | hyper,
        seed=3,
    ).id


def _check_whole(client, kit, job):
    """It succeeded, and every event is there exactly once."""
    ended = kit.finish(client, job)
    assert ended.status == "succeeded", ended.error
    steps, events = _steps(client, job)
    assert steps == list(range(1, 121))
    texts = [e.message for e in events if e.type == "message"]
    once = [t for t in texts if not t.startswith(("Resumed from", "Paused after"))]
    assert len(once) == len(set(once))
    assert [c.step_number for c in client.fine_tuning.jobs.checkpoints.list(job)] == [120, 114, 108]
    losses = [e.data["train_loss"] for e in reversed(events) if e.type == "metrics"]
    return losses


@pytest.fixture(scope="module")
def undisturbed(client, kit):
    """The losses of the same job when nothing happens to it."""
    return _check_whole(client, kit, _long_job(client, kit))


@pytest.mark.parametrize("moment", [0, 1, 20, 70])
def test_kill_9_and_start_again(start, kit, undisturbed, moment):
    """Killed right after the create, and when some steps were seen: adopted, nothing twice."""
    server = start()
    with server.client() as client:
        job = _long_job(client, kit)
        if moment:
            kit.wait_for(lambda: len(_steps(client, job)[0]) >= moment, f"step {moment}")
        server.kill()
    again = start(data=server.data)
    with again.client() as client:
        assert _check_whole(client, kit, job) == undisturbed


@pytest.mark.parametrize("moment", [1, 40])
def test_server_and_trainer_killed(start, kit, undisturbed, moment):
    """As when the machine goes down: on from the last checkpoint, with the same losses."""
    server = start()
    with server.client() as client:
        job = _long_job(client, kit)
        kit.wait_for(lambda: len(_steps(client, job)[0]) >= moment, f"step {moment}")
        server.kill()
        for pid in server.trainers():
            os.kill(pid, signal.SIGKILL)
    again = start(data=server.data)
    with again.client() as client:
        assert _check_whole(client, kit, job) == pytest.approx(undisturbed, rel=1e-4)


def test_a_polite_stop_keeps_the_work(start, kit, undisturbed):
    server = start()
    with server.client() as client:
        job = _long_job(client, kit)
        kit.wait_for(lambda: len(_steps(client, job)[0]) >= 9, "step 9")
    assert server.stop() == 0
    assert not any(kit.alive(pid) for pid in server.trainers())
    log = (server.data / "jobs" / job / "events.jsonl").read_text()
    assert 9 <= log.count('"metrics"') < 120  # it was stopped, it did not just end
    again = start(data=server.data)
    assert again.url == server.url  # the port is kept for clients that know it
    assert again.token == server.token
    with again.client() as client:
        assert _check_whole(client, kit, job) == pytest.approx(undisturbed, rel=1e-4)


def test_a_trainer_that_keeps_dying_fails_the_job_with_the_reason(start, kit):
    server = start()
    with server.client() as client:
        job = _long_job(client, kit, n_epochs=50)
        seen = set()

        def murder():
            for pid in server.trainers():
                if pid not in seen and kit.alive(pid):
                    os.kill(pid, signal.SIGKILL)
                    seen.add(pid)
            return client.fine_tuning.jobs.retrieve(job).status == "failed"

        kit.wait_for(murder, "the job is given up")
        error = client.fine_tuning.jobs.retrieve(job).error
    assert error.code == "trainer_stopped"
    assert "ended 3 times" in error.message
    assert len(seen) == 3


def test_cancelled_while_the_server_was_dying(start, kit):
    """The record says cancelled, the trainer was never told: the next server tells it."""
    server = start()
    with server.client() as client:
        job = _long_job(client, kit, examples=300, n_epochs=50)
        kit.wait_for(lambda: _steps(client, job)[0], "it trains")
        os.kill(server.trainers()[0], signal.SIGSTOP)
        assert client.fine_tuning.jobs.cancel(job).status == "cancelled"
        server.kill()
    (server.data / "jobs" / job / "control").unlink()
    start(data=server.data)
    os.kill(server.trainers()[0], signal.SIGCONT)
    kit.wait_for(lambda: not kit.alive(server.trainers()[0]), "the trainer ends", deadline=10)


def test_an_unfinished_upload_leaves_nothing(start, kit):
    server = start()
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'

    def half():
        yield head + b"x" * 100_000
        server.kill()
        yield b"more"

    with server.http() as http, pytest.raises(Exception, match=r".+"):
        http.post(
            "/files", content=half(), headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
    (server.data / "files" / "file-stray").write_bytes(b"no row")
    again = start(data=server.data)
    assert list((again.data / "incoming").iterdir()) == []
    assert list((again.data / "files").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0 and not sys.platform.startswith("linux"), reason="RLIMIT")
def test_a_full_disk_is_said_and_does_not_end_the_server(start, kit):
    """A limit on the size of files stands for the full disk."""
    import resource

    server = start()
    with server.client() as client:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        with pytest.raises(openai.APIStatusError) as refused:
            client.files.create(file=("a.jsonl", b"x" * 3_000_000), purpose="fine-tune")
        assert refused.value.code == "storage_error"
        assert kit.upload(client)
    assert not list((server.data / "incoming").iterdir())


def _serve(*more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fttui", "serve", *more],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )


def test_the_port_is_in_use(server, tmp_path):
    port = server.url.split(":")[2].split("/")[0]
    answer = _serve("--data", str(tmp_path), "--port", port)
    assert answer.returncode == 2
    assert f"Port {port} on 127.0.0.1 is in use" in answer.stderr
    assert "--port" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_data_directory_is_in_use(server):
    answer = _serve("--data", str(server.data))
    assert answer.returncode == 2
    assert server.url in answer.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "ssh -L"),
        (("--port", "99999"), "0 to 65535"),
        (("--alias", "a"), "NAME=VALUE"),
        (("--alias", "a=nothing"), "names no base model"),
        (("--model", "a=/nowhere.gguf"), "nothing at /nowhere.gguf"),
        (("--idle-exit", "0"), "greater than 0"),
    ],
)
def test_options_that_cannot_be(tmp_path, options, said):
    answer = _serve("--data", str(tmp_path / "d"), *options)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_data_directory_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    answer = _serve("--data", str(tmp_path / "file" / "below"))
    assert answer.returncode == 2
    assert "cannot be used" in answer.stderr


def test_idle_it_ends_by_itself(start, kit):
    server = start("--idle-exit", "0.6")
    with server.client() as client:
        job = _long_job(client, kit)
        kit.wait_for(lambda: client.fine_tuning.jobs.retrieve(job).status == "running", "running")
    begun = time.monotonic()
    assert server.process.wait(60) == 0
    assert time.monotonic() - begun > 0.6
    again = start(data=server.data)
    with again.client() as client:  # it did not end before the job did
        assert client.fine_tuning.jobs.retrieve(job).status == "succeeded"
