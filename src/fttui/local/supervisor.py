"""Takes every job from its creation to its end: files validated, one training at a time, in order.

Whatever must survive a kill -9 is in the store before it is done: a job is marked `_attached`
before its trainer is started and until its last line has been read.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from fttui.local import ingest, jobs, validate
from fttui.local.bases import Bases
from fttui.local.process import Trainer
from fttui.local.store import Document, Store
from fttui.problem import Problem

log = logging.getLogger("fttui.local")

POLL = 0.1  # seconds between looks at a running trainer
OBEY = 60.0  # seconds a trainer has to end after `cancel`; one step takes a few
RETRY = 2.0  # seconds after a failure of the disk
ATTEMPTS = 3  # starts without a new step before a job is given up
_ORDERS = {"cancelled": "cancel", "failed": "cancel", "paused": "pause"}


class Supervisor:
    """`run()` is one task of the server's loop; the routes change jobs and call `wake()`."""

    def __init__(self, store: Store, bases: Bases) -> None:
        self._store = store
        self._bases = bases
        self._changed = asyncio.Event()
        self._closing = False
        self._trainers: dict[str, Trainer] = {}
        self._stops: dict[str, threading.Event] = {}  # downloads that can be given up

    def wake(self) -> None:
        self._changed.set()

    def busy(self) -> bool:
        """True while there is a job to validate, to start or to follow."""
        return any(
            self._store.all("job", status=status)
            for status in ("validating_files", "queued", "running")
        ) or bool(self._store.all("job", _attached=True))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forever(self._validate_next))
            group.create_task(self._forever(self._train_next))

    async def close(self) -> None:
        """The server stops: the trainer saves a checkpoint and ends, the job goes on next time."""
        self._closing = True
        self.wake()
        for stopped in self._stops.values():
            stopped.set()
        for job in self._store.all("job", _attached=True):
            trainer = self._trainer(job["id"])
            if not trainer.alive():
                continue
            if job["status"] == "running":
                with suppress(OSError):  # the data directory was removed
                    trainer.tell("pause")
            with suppress(TimeoutError):
                async with asyncio.timeout(20):
                    while trainer.alive():  # noqa: ASYNC110 - another process
                        await asyncio.sleep(POLL)
            ingest.read(self._store, job["id"])

    async def _forever(self, work: Callable[[], Awaitable[bool]]) -> None:
        """Repeat `work`; wait for a change where it found nothing; outlive a full disk."""
        while not self._closing:
            self._changed.clear()
            try:
                found = await work()
            except Exception as error:  # a full disk must not end all jobs
                log.error("supervisor: %r; trying again", error, exc_info=error)
                await asyncio.sleep(RETRY)
                found = True
            if not found and not self._closing:
                await self._changed.wait()

    # -- validation

    async def _validate_next(self) -> bool:
        waiting = self._store.all("job", status="validating_files")
        if not waiting:
            return False
        job = waiting[0]
        folder = self._store.job_dir(job["id"])
        fault = None
        for param in ("training_file", "validation_file"):
            if fault is None and job[param]:
                path = folder / f"{param.removesuffix('_file')}.jsonl"
                fault = await asyncio.to_thread(_judged, path, job["method"]["type"], param)
        current = self._store.get("job", job["id"])
        if current is None or current["status"] != "validating_files":
            return True  # cancelled meanwhile
        if fault:
            jobs.failed(self._store, job["id"], fault.code, fault.message, fault.param)
            ingest.forget(self._store, job["id"])
        else:
            jobs.validated(self._store, job["id"])
            self.wake()
        return True

    # -- training

    async def _train_next(self) -> bool:
        attached = self._store.all("job", _attached=True)
        running = self._store.all("job", status="running")
        queued = self._store.all("job", status="queued")
        for job in [*attached, *running, *queued]:
            if self._trainer(job["id"]).alive() or job.get("_attached"):
                await self._follow(job["id"])
            else:
                await self._begin(job)
            return True
        return False

    def _trainer(self, job_id: str) -> Trainer:
        if job_id not in self._trainers:
            self._trainers[job_id] = Trainer(self._store.job_dir(job_id))
        return self._trainers[job_id]

    def _status(self, job_id: str) -> str:
        job = self._store.get("job", job_id)
        return job["status"] if job else "cancelled"

    async def _begin(self, job: Document) -> None:
        """Base model, job.json, process. A job stopped meanwhile is left alone."""
        id_ = job["id"]
        try:
            path = await self._base(job)
        except Problem as problem:
            if self._status(id_) in ("queued", "running") and not self._closing:
                log.warning("job %s: no base model: %s", id_, problem)
                jobs.failed(
                    self._store, id_, problem.code or "model_not_available",
                    problem.sentences(), "model",
                )  # fmt: skip
            return
        if self._status(id_) not in ("queued", "running") or self._closing:
            return
        folder = self._store.job_dir(id_)
        spec = jobs.specification(job, folder, path)
        fresh = folder / "job.json.new"
        fresh.write_text(json.dumps(spec, ensure_ascii=False, indent=1), encoding="utf-8")
        fresh.replace(folder / "job.json")
        trainer = self._trainer(id_)
        trainer.tell("")
        first = not job.get("_begun")
        with self._store.transaction():
            if job["status"] == "queued":
                jobs.started(self._store, id_, first=first)
            self._store.update(
                "job", id_, _attached=True, _begun=True, _attempts=job["_attempts"] + 1, _clock=None
            )
        trainer.start()
        log.info("job %s: trainer started", id_)

    async def _base(self, job: Document) -> Path:
        """The base weights; a download tells its progress in tenths as events."""
        if job["_base_path"]:
            return Path(job["_base_path"])
        told = -1

        def progress(done: int, total: int) -> None:
            nonlocal told
            tenth = 10 * done // total if total else 0
            if tenth > told and self._status(job["id"]) in ("queued", "running"):
                told = tenth
                percent = 100 * done // total if total else 0
                jobs.event(
                    self._store, job["id"], f"Base model {percent} % downloaded: {job['_base']}"
                )

        if path := self._bases.located(job["_base"]):
            return path
        stopped = self._stops[job["id"]] = threading.Event()
        try:
            return await self._bases.fetched(job["_base"], progress, stopped.is_set)
        finally:
            del self._stops[job["id"]]

    async def _follow(self, id_: str) -> None:
        """Read what the trainer says until it has ended, and settle the job."""
        trainer = self._trainer(id_)
        if word := _ORDERS.get(self._status(id_)):
            trainer.tell(word)  # again, where the server was killed before it could say so
        asked_to_stop: float | None = None
        while not self._closing:
            alive = trainer.alive()  # asked first: what it wrote before its end is then complete
            while ingest.read(self._store, id_):
                pass
            if not alive:
                self._settle(id_, trainer)
                return
            if self._status(id_) in jobs.FINAL:
                asked_to_stop = asked_to_stop or time.monotonic()
                if time.monotonic() - asked_to_stop > OBEY:
                    log.warning("job %s: trainer did not obey, killed", id_)
                    trainer.kill()
            await asyncio.sleep(POLL)

    def _settle(self, id_: str, trainer: Trainer) -> None:
        job = self._store.get("job", id_)
        if job is None:
            return
        log.info("job %s: trainer ended, status %s", id_, job["status"])
        if job["status"] == "running" and job["_attempts"] >= ATTEMPTS:
            words = trainer.last_words()
            reason = f" Its last words: {words}" if words else ""
            jobs.failed(
                self._store,
                id_,
                "trainer_stopped",
                f"The training process ended {ATTEMPTS} times without getting further; "
                f"it may have been killed for want of memory.{reason}",
            )
        self._store.update("job", id_, _attached=False)
        if self._status(id_) in jobs.FINAL:
            ingest.forget(self._store, id_)
            self._trainers.pop(id_, None)

    # -- what the routes ask for

    def cancel(self, id_: str) -> Document:
        """At once in the record; the process ends after the step in hand."""
        doc = jobs.cancelled(self._store, id_)
        if not doc.get("_attached"):
            ingest.forget(self._store, id_)
        self._stop(doc, "cancel")
        return doc

    def pause(self, id_: str) -> Document:
        doc = jobs.paused(self._store, id_)
        self._stop(doc, "pause")
        return doc

    def _stop(self, doc: Document, word: str) -> None:
        if doc.get("_attached"):
            self._trainer(doc["id"]).tell(word)
        if stopped := self._stops.get(doc["id"]):
            stopped.set()
        self.wake()

    def resume(self, id_: str) -> Document:
        doc = jobs.resumed(self._store, id_)
        self._store.update("job", id_, _attempts=0)
        self.wake()
        return doc


def _judged(path: Path, method: str, param: str) -> validate.Fault | None:
    try:
        return validate.check(path, method=method, param=param)
    except OSError as error:
        return validate.Fault(
            f"invalid_{param}", f"The file could not be read: {error.strerror}.", param
        )
