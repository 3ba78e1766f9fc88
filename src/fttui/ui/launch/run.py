"""One launch on its way: hold out a part, send the files that are not there yet, make the job once."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui import paths
from fttui.problem import Problem
from fttui.ui.launch.plan import Order

if TYPE_CHECKING:
    from fttui.service.types import Job, LaunchSpec
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.feed import Feed


SPLIT_SEED = 42  # of the part held out, where the job has no seed of its own


@dataclass(frozen=True)
class Stage:
    """Where a launch is. done/total are bytes, 0 where there is nothing to count. Only what was not
    sent yet can be given up (`may_stop`)."""

    text: str
    done: int = 0
    total: int = 0
    may_stop: bool = True


async def run(
    app: FttuiApp,
    feed: Feed,
    orders: Sequence[Order],
    tell: Callable[[Stage], None],
    made: Callable[[Order, Job], None] = lambda order, job: None,
    enough: Callable[[], bool] = lambda: False,
) -> list[Job]:
    """Carry a launch out, one job after another: all of them have the same files.

    made is told of every job as soon as it is there; `enough` is asked before each further one.
    Raises Problem with the reason; cancelling it while files are sent leaves no file and no job.
    """
    first = orders[0]
    training, validation = first.path, first.validation
    await _unchanged(first)
    if first.share:
        tell(Stage(f"holding out {first.share:.0%} for validation"))
        seed = SPLIT_SEED if len(orders) > 1 else first.seed  # one split for all that are compared
        training, validation = await asyncio.to_thread(hold_out, first, seed)
    training_id = await _send(app, feed, training, tell)
    validation_id = await _send(app, feed, validation, tell) if validation else ""
    jobs: list[Job] = []
    for number, order in enumerate(orders, 1):
        if jobs and enough():
            break
        which = f"making job {number} of {len(orders)}" if len(orders) > 1 else "making the job"
        tell(Stage(which, may_stop=False))
        job = await _make(app, feed, order, training_id, validation_id)
        jobs.append(job)
        made(order, job)
    return jobs


async def _make(
    app: FttuiApp, feed: Feed, order: Order, training_id: str, validation_id: str
) -> Job:
    """Make one job, once."""
    from fttui.service import jobs
    from fttui.service.types import LaunchSpec

    spec = LaunchSpec(
        model=order.model,
        training_file=training_id,
        validation_file=validation_id,
        method=order.method,
        hyperparameters=order.hyperparameters,
        method_fields=order.method_fields,
        suffix=order.suffix,
        seed=order.seed,
        metadata=order.metadata,
        integrations=tuple(_with_key(feed, row) for row in order.integrations),
        extra_body=order.extra_body,
        tag=order.tag,
    )
    feed.submitting(order.tag, _on_its_way(spec))
    job = None
    try:
        job = await asyncio.shield(jobs.create(feed.provider, spec, sent_before=order.sent_before))
    finally:
        feed.submitted(order.tag, job)
    app.state.journal(
        feed.profile,
        "job",
        job.id,
        "" if order.amount is None else str(order.amount),
        order.currency,
        model=order.model,
        training_file=training_id,
    )
    return job


def _with_key(feed: Feed, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """An integration as it is sent: some providers want the key with it, from the environment only."""
    key = os.environ.get("WANDB_API_KEY", "")
    if not key or row.get("type") != "wandb" or not wants_key(feed.provider.profile.provider):
        return row
    return {**row, "wandb": {**row["wandb"], "api_key": key}}


def wants_key(provider: str) -> bool:
    """Whether a provider takes the key of Weights & Biases with every job."""
    from fttui.pricing.catalog import load_or_shipped

    home = load_or_shipped().providers.get(provider)
    return home is not None and home.can("wandb_key")


async def _unchanged(order: Order) -> None:
    """What is sent is what was checked and priced."""
    from fttui.service.uploads import digest

    try:
        now = await asyncio.to_thread(digest, order.path)
    except OSError as error:
        raise Problem(
            f"{order.path.name} cannot be read.",
            error.strerror or str(error),
            "Check the path and its permissions, then launch again.",
            code="unreadable",
        ) from None
    if order.sha256 and now != order.sha256:
        raise Problem(
            f"{order.path.name} was not sent.",
            "It changed since it was checked and priced.",
            "Open it again (o): the check takes it in, then launch.",
            code="file_changed",
        )


async def _send(app: FttuiApp, feed: Feed, path: Path, tell: Callable[[Stage], None]) -> str:
    """The id of the file at the provider: the one it has already, else a new one."""
    from fttui.service import files
    from fttui.service.uploads import digest

    tell(Stage(f"looking for {path.name} at {feed.provider.capabilities.title}"))
    sha256 = await asyncio.to_thread(digest, path)
    known = await _known(app, feed, path, sha256)
    if known:
        tell(Stage(f"{path.name} is there already ({known})"))
        return known
    size = path.stat().st_size
    name = f"uploading {path.name}"
    tell(Stage(name, 0, size))
    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 0.1 or done >= total:
            last = time.monotonic()
            tell(Stage(name, done, total))

    found = await files.upload(feed.provider, path, on_progress=progress)
    app.state.uploaded(feed.profile, sha256, found.id)
    tell(Stage(f"{path.name} is being read by the provider"))
    await files.wait_processed(feed.provider, found.id)
    return found.id


async def _known(app: FttuiApp, feed: Feed, path: Path, sha256: str) -> str:
    """A file that was sent before and is still there, else ""."""
    from fttui.service import files

    file_id = app.state.upload_of(feed.profile, sha256)
    if file_id:
        try:
            found = await files.retrieve(feed.provider, file_id)
        except Problem as gone:
            if gone.detail.get("status") != 404:
                raise
        else:
            if found.status not in ("error", "deleted"):
                return found.id
    same = await files.same(feed.provider, path)
    return same.id if same else ""


def hold_out(order: Order, seed: int | None) -> tuple[Path, Path]:
    """(training, validation) files made from the dataset, which stays as it is. The same dataset, share
    and seed give the same files, so they are made, and sent, once."""
    from fttui.dataset.split import split

    seed = SPLIT_SEED if seed is None else seed
    stem = order.path.stem
    folder = paths.cache_dir() / "splits" / f"{order.sha256[:16]}-{order.share:g}-{seed}"
    training, validation = folder / f"{stem}.train.jsonl", folder / f"{stem}.validation.jsonl"
    if not (training.is_file() and validation.is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        for half in (training, validation):  # of a split that was cut short: made again
            half.unlink(missing_ok=True)
        split(order.path, training, validation, fraction=order.share, seed=seed)
    return training, validation


def _on_its_way(spec: LaunchSpec) -> Job:
    from fttui.service.types import Job
    from fttui.ui.jobs.feed import SUBMITTING

    return Job(
        id=SUBMITTING + spec.tag,
        model=spec.model,
        status="submitting",
        created_at=int(time.time()),
        training_file=spec.training_file,
        validation_file=spec.validation_file,
        method=spec.method,
        hyperparameters=dict(spec.hyperparameters),
        suffix=spec.suffix,
        seed=spec.seed,
        metadata=spec.metadata,
    )
