"""A job whose base model is not there yet: the download tells its progress, and can be given up."""

from __future__ import annotations

import asyncio
import time

import pytest

from fttui.local import jobs
from fttui.local.schema import CreateJob
from fttui.local.store import Store, new_id
from fttui.local.supervisor import Supervisor
from fttui.problem import Problem


class Bases:
    """Stands for the package index: as slow, or as broken, as the test wants."""

    def __init__(self, *, fails: bool) -> None:
        self.fails = fails
        self.given_up = False

    def located(self, name):
        return None

    async def fetched(self, name, on_progress, cancelled):
        for done in range(0, 101):
            on_progress(done, 100)
        if not self.fails:
            while not cancelled():  # noqa: ASYNC110 - polled, as the real one does
                await asyncio.sleep(0.01)
            self.given_up = True
        raise Problem("The model was not downloaded", "No network.", code="download_failed")


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path)
    yield made
    made.close()


def _job(store: Store, kit) -> str:
    id_ = new_id("file-")
    store.file_path(id_).write_bytes(kit.lines())
    body = CreateJob(model="base", training_file=id_)
    return jobs.create(store, body, jobs.Origin("base", None, "base"))["id"]


async def _until(found):
    limit = time.monotonic() + 10
    while not found():
        assert time.monotonic() < limit
        await asyncio.sleep(0.01)


def _told(store: Store, job: str) -> list[str]:
    return [event["message"] for event in store.all("event", parent=job)]


async def test_progress_in_tenths_and_the_reason_where_it_fails(store, kit):
    job = _job(store, kit)
    supervisor = Supervisor(store, Bases(fails=True))
    task = asyncio.create_task(supervisor.run())
    await _until(lambda: store.get("job", job)["status"] == "failed")
    await supervisor.close()
    await task
    told = [text for text in _told(store, job) if text.startswith("Base model ")]
    assert len(told) == 11
    assert told[4] == "Base model 40 % downloaded: base"
    error = store.get("job", job)["error"]
    assert error["code"] == "download_failed"
    assert error["message"] == "The model was not downloaded. No network."


@pytest.mark.parametrize("order", ["cancel", "pause", "close"])
async def test_it_is_given_up_on_request(store, kit, order):
    job = _job(store, kit)
    bases = Bases(fails=False)
    supervisor = Supervisor(store, bases)
    task = asyncio.create_task(supervisor.run())
    await _until(lambda: any("100 %" in text for text in _told(store, job)))
    if order != "close":
        getattr(supervisor, order)(job)
        await _until(lambda: bases.given_up)
    await supervisor.close()
    await task
    assert bases.given_up
    wanted = {"cancel": "cancelled", "pause": "paused", "close": "queued"}
    assert store.get("job", job)["status"] == wanted[order]
