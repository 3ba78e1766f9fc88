"""The poller: few calls, only news, nothing lost when a look fails, and every value has an age."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.service import pace, watch
from fttui.service.types import Job
from fttui.service.watch import Change, Watcher

JOBS = "/fine_tuning/jobs"


class Bench:
    """A watcher whose looks are made one by one, by hand, at times we choose."""

    def __init__(self, provider: Any, server: Any) -> None:
        self.now = 1000.0
        self.changes: list[Change] = []
        self.provider, self.server = provider, server
        self.watcher = Watcher(self.changes.append, clock=lambda: self.now, wait=self._wait)
        self._turn = asyncio.Event()
        self._looked = asyncio.Event()
        self.seconds = 0.0

    async def _wait(self, woken: asyncio.Event, seconds: float) -> None:
        self.seconds = seconds
        self._looked.set()
        await self._turn.wait()
        self._turn.clear()

    async def look(self) -> list[Change]:
        """Let one look happen; what it told."""
        self._looked.clear()
        told = len(self.changes)
        if self.watcher._desks:
            self._turn.set()
        else:
            self.watcher.add(self.provider)
        async with asyncio.timeout(10):
            await self._looked.wait()
        self.now += self.seconds
        return self.changes[told:]


@pytest.fixture
async def bench(provider: Any, server: Any) -> Any:
    found = Bench(provider, server)
    yield found
    await found.watcher.close()


def put(server: Any, number: int, status: str = "running", **fields: Any) -> str:
    job_id = f"ftjob-{number:04d}"
    job = {"id": job_id, "status": status, "created_at": 1000 + number, "model": "m", **fields}
    server.jobs[job_id] = job
    return job_id


async def test_only_what_changed_is_told(bench: Bench, server: Any) -> None:
    one, two = put(server, 1), put(server, 2, "succeeded")
    [first] = await bench.look()
    assert [job.id for job in first.jobs] == [two, one]
    assert (first.profile, first.problem, first.read_at) == ("test", None, 1000.0)
    assert await bench.look() == []
    server.jobs[one] |= {"status": "succeeded"}
    [change] = await bench.look()
    assert [(job.id, job.status) for job in change.jobs] == [(one, "succeeded")]
    assert [job.id for job in bench.watcher.jobs("test")] == [two, one]


async def test_a_look_costs_one_list_and_one_call_per_live_job_on_screen(
    bench: Bench, server: Any
) -> None:
    for number in range(100):
        put(server, number, "running" if number >= 50 else "succeeded")
    await bench.look()
    shown = [f"ftjob-{n:04d}" for n in range(45, 60)]  # five ended, ten live
    bench.watcher.visible("test", shown)
    await bench.look()  # reads the ended ones' events for the first and last time
    for _ in range(3):
        server.requests.clear()
        await bench.look()
        assert server.count("GET", JOBS) == 1
        assert server.count("GET", f"{JOBS}/[^/]+/events") == 10
        assert len(server.requests) == 11


async def test_events_of_a_job_on_screen_come_once_each(bench: Bench, server: Any) -> None:
    job = put(server, 1)
    server.events[job] = [{"id": f"e{n}", "created_at": n, "message": f"m{n}"} for n in range(150)]
    await bench.look()
    bench.watcher.visible("test", [job])
    [change] = await bench.look()
    assert [row.id for row in change.events[job]] == [f"e{n}" for n in range(150)]
    assert await bench.look() == []
    server.events[job].append({"id": "e150", "created_at": 150})
    [change] = await bench.look()
    assert [row.id for row in change.events[job]] == ["e150"]
    assert not change.jobs


async def test_the_pace_follows_what_happens(bench: Bench, server: Any) -> None:
    job = put(server, 1)
    bench.watcher.visible("test", [job])
    await bench.look()
    assert bench.seconds == pace.FASTEST
    for _ in range(12):
        await bench.look()
    assert bench.seconds == pace.SEEN_SLOWEST
    server.events[job] = [{"id": "e", "created_at": 1}]
    await bench.look()
    assert bench.seconds == pace.FASTEST
    server.jobs[job]["status"] = "succeeded"
    await bench.look()
    assert bench.seconds == pace.IDLE
    for _ in range(12):
        await bench.look()
    assert bench.seconds == pace.IDLE_SLOWEST
    bench.watcher.poke()
    put(server, 2)
    await bench.look()
    assert bench.seconds == pace.FASTEST


async def test_a_rate_limit_slows_it_down_as_asked(bench: Bench, server: Any, fault: Any) -> None:
    put(server, 1)
    await bench.look()
    server.fail("GET", JOBS, fault.Fault(429, fault.error("slow"), {"retry-after": "90"}))
    [change] = await bench.look()
    assert (change.problem.code, bench.seconds, change.next_in) == ("rate_limit", 90, 90)
    server.fail("GET", JOBS, fault.Fault(429, fault.error("slow")), times=4)
    assert await bench.look() == []  # said once
    for _ in range(3):
        await bench.look()
    assert bench.seconds > 90
    [change] = await bench.look()
    assert change.problem is None  # mended is news
    assert not change.jobs


async def test_offline_keeps_what_is_known_and_how_old_it_is(
    bench: Bench, server: Any, fault: Any
) -> None:
    job = put(server, 1)
    await bench.look()
    read_at = bench.watcher._desks["test"].read_at
    server.fail("GET", JOBS, fault.Fault(reset_after=0), times=8)
    waits = []
    for _ in range(8):
        await bench.look()
        waits.append(bench.seconds)
    assert waits == sorted(waits)
    assert waits[-1] == pace.OFFLINE_SLOWEST
    assert [row.id for row in bench.watcher.jobs("test")] == [job]
    assert bench.watcher.age("test") == bench.watcher.age("test", job) == bench.now - read_at > 300
    assert bench.watcher.age("test", "nobody") is None
    server.fail("GET", JOBS, fault.Fault(500, ""))
    await bench.look()
    await bench.look()
    assert bench.watcher.age("test", job) < 10


async def test_a_look_that_fails_half_way_loses_no_news(
    bench: Bench, server: Any, fault: Any
) -> None:
    job = put(server, 1, "queued")
    bench.watcher.visible("test", [job])
    await bench.look()
    server.jobs[job]["status"] = "running"
    server.fail("GET", f"{JOBS}/.*/events", fault.Fault(500, ""))
    [change] = await bench.look()
    assert [row.status for row in change.jobs] == ["running"]
    assert change.problem.code == "server_error"
    server.jobs[job]["status"] = "pausing"
    server.fail("GET", f"{JOBS}/.*/events", fault.Fault(500, ""))
    [change] = await bench.look()  # the same failure again, and news all the same
    assert [row.status for row in change.jobs] == ["pausing"]


async def test_a_job_deleted_elsewhere_goes_and_older_pages_stay(bench: Bench, server: Any) -> None:
    for number in range(150):
        put(server, number, "succeeded")
    await bench.look()
    assert bench.watcher.has_older("test")
    assert await bench.watcher.older("test") == 50
    assert not bench.watcher.has_older("test")
    assert await bench.watcher.older("test") == 0
    assert await bench.look() == []  # the older page is not on the first one: that is no deletion
    del server.jobs["ftjob-0120"]
    [change] = await bench.look()
    assert change.gone == ("ftjob-0120",)
    assert len(bench.watcher.jobs("test")) == 149


async def test_a_list_that_moves_while_it_is_paged_has_no_doubles(
    bench: Bench, server: Any
) -> None:
    for number in range(150):
        put(server, number, "succeeded")
    await bench.look()
    put(server, 150)
    await bench.look()
    await bench.watcher.older("test")
    ids = [job.id for job in bench.watcher.jobs("test")]
    assert len(ids) == len(set(ids)) == 151


async def test_an_older_live_job_on_screen_is_followed(bench: Bench, server: Any) -> None:
    for number in range(150):
        put(server, number, "running" if number == 5 else "succeeded")
    await bench.look()
    await bench.watcher.older("test")
    bench.watcher.visible("test", ["ftjob-0005"])
    await bench.look()
    server.jobs["ftjob-0005"]["status"] = "failed"
    [change] = await bench.look()
    assert [(job.id, job.status) for job in change.jobs] == [("ftjob-0005", "failed")]


async def test_a_launched_job_is_there_at_once(bench: Bench, server: Any) -> None:
    await bench.look()
    bench.watcher.note("test", Job("ftjob-new", status="queued", created_at=5000))
    assert [job.id for job in bench.changes[-1].jobs] == ["ftjob-new"]


async def test_a_provider_without_events_is_still_watched(
    bench: Bench, server: Any, fault: Any
) -> None:
    job = put(server, 1)
    bench.watcher.visible("test", [job])
    server.fail("GET", f"{JOBS}/.*/events", fault.Fault(405, fault.error("no")))
    [change] = await bench.look()
    assert change.problem is None
    assert bench.provider.lacks("events")


async def test_two_profiles_do_not_wait_for_each_other(
    server: Any, connect: Any, fault: Any, provider: Any
) -> None:
    from dataclasses import replace

    from fttui.service.provider import Provider

    put(server, 1)
    changes: list[Change] = []
    watcher = Watcher(changes.append)
    async with fault.FaultServer() as slow:
        slow.fail("GET", JOBS, fault.Fault(stall=True), times=9)
        watcher.add(Provider(replace(provider.profile, name="slow", base_url=slow.url)))
        watcher.add(provider)
        await server.until(lambda: any(change.profile == "test" for change in changes))
        await watcher.close()


async def test_poke_wakes_a_sleeping_watcher(server: Any, provider: Any) -> None:
    changes: list[Change] = []
    watcher = Watcher(changes.append)
    watcher.add(provider)
    await server.until(lambda: changes)
    put(server, 1)  # the next look by itself would be in half a minute
    watcher.poke()
    await server.until(lambda: len(changes) > 1)
    assert changes[-1].jobs
    await watcher.close()


def test_a_wait_the_provider_asks_for_is_kept() -> None:
    found = pace.Pace()
    asked = Problem("x", code="rate_limit", detail={"retry_after": 42.0})
    assert found.failed(asked) == 42
    assert watch.PAGE == 100


async def test_scrolling_reads_events_without_another_look_at_the_list(
    server: Any, provider: Any
) -> None:
    ids = [put(server, number, "succeeded") for number in range(30)]
    changes: list[Change] = []
    watcher = Watcher(changes.append)
    watcher.add(provider)
    await server.until(lambda: changes)
    for job_id in ids[:10]:
        watcher.visible("test", [job_id])
        await server.until(lambda job_id=job_id: server.count("GET", f"{JOBS}/{job_id}/events"))
    assert server.count("GET", JOBS) == 1
    await watcher.close()


async def test_an_older_live_job_costs_one_call_a_look(bench: Bench, server: Any) -> None:
    for number in range(150):
        put(server, number, "running" if number < 3 else "succeeded")
    await bench.look()
    await bench.watcher.older("test")
    bench.watcher.visible("test", [f"ftjob-{number:04d}" for number in range(3)])
    await bench.look()
    asked = set()
    for _ in range(4):
        server.requests.clear()
        await bench.look()
        assert len(server.requests) == 1 + 3
        assert server.count("GET", JOBS) == 1
        asked |= {request.path for request in server.requests}
    assert {f"{JOBS}/ftjob-0001", f"{JOBS}/ftjob-0001/events"} < asked  # in turn


async def test_an_older_job_that_is_gone_is_no_failure(bench: Bench, server: Any) -> None:
    for number in range(150):
        put(server, number, "running" if number == 5 else "succeeded")
    await bench.look()
    await bench.watcher.older("test")
    bench.watcher.visible("test", ["ftjob-0005"])
    await bench.look()
    del server.jobs["ftjob-0005"]
    [change] = await bench.look()
    assert (change.gone, change.problem) == (("ftjob-0005",), None)


async def test_the_whole_list_read_again_notices_what_was_deleted_in_it(
    bench: Bench, server: Any
) -> None:
    for number in range(250):
        put(server, number, "succeeded")
    await bench.look()
    while bench.watcher.has_older("test"):
        await bench.watcher.older("test")
    del server.jobs["ftjob-0020"]
    assert await bench.look() == []  # nobody can know yet
    bench.watcher.again("test")
    bench.now += 1
    await bench.look()
    while bench.watcher.has_older("test"):
        await bench.watcher.older("test")
    assert bench.changes[-1].gone == ("ftjob-0020",)
    assert len(bench.watcher.jobs("test")) == 249


async def test_paging_goes_on_where_the_job_it_stopped_at_was_deleted(
    bench: Bench, server: Any, fault: Any
) -> None:
    for number in range(250):
        put(server, number, "succeeded")
    await bench.look()
    del server.jobs["ftjob-0150"]  # the last one of the first page
    server.fail("GET", JOBS, fault.Fault(404, fault.error("No such job: ftjob-0150")))
    assert await bench.watcher.older("test") > 0
    assert server.seen("GET", JOBS)[-1].query["after"] == "ftjob-0151"
    await bench.watcher.older("test")
    ids = [job.id for job in bench.watcher.jobs("test")]
    assert len(ids) == len(set(ids)) >= 249


async def test_a_new_job_may_be_listed_late(bench: Bench, server: Any) -> None:
    put(server, 1)
    await bench.look()
    bench.watcher.note("test", Job("ftjob-new", status="queued", created_at=5000))
    bench.now += 1
    assert await bench.look() == []  # some services are slow to list
    bench.now += watch.GRACE
    [change] = await bench.look()
    assert change.gone == ("ftjob-new",)


async def test_what_is_remembered_is_missed_only_where_it_would_be_listed(
    bench: Bench, server: Any
) -> None:
    for number in range(150):
        put(server, number, "succeeded")
    newer = Job("ftjob-x", created_at=1100)
    older = Job("ftjob-y", created_at=1010)
    assert not bench.watcher.misses("test", newer)
    await bench.look()
    assert bench.watcher.misses("test", newer)
    assert not bench.watcher.misses("test", older)  # further back than was read
    assert not bench.watcher.misses("test", Job("ftjob-0149", created_at=1149))
    await bench.watcher.older("test")
    assert bench.watcher.misses("test", older)
    assert bench.watcher.misses("test", Job("ftjob-z"))  # without a date


async def test_one_log_that_fails_does_not_hold_back_the_others(
    bench: Bench, server: Any, fault: Any
) -> None:
    ids = [put(server, number) for number in range(3)]
    for job_id in ids:
        server.events[job_id] = [{"id": f"e-{job_id}", "created_at": 1}]
    bench.watcher.visible("test", ids)
    server.fail("GET", f"{JOBS}/{ids[0]}/events", fault.Fault(500, ""))
    [change] = await bench.look()
    assert change.problem is not None
    assert set(change.events) == set(ids[1:])
    [change] = await bench.look()
    assert change.problem is None
    assert set(change.events) == {ids[0]}
