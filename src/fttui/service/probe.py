"""What a provider can do, found by asking: a few GETs that read nothing of value and change nothing.

Each route is asked for under a job that exists, or under one that does not. The answer is held
against that of a route nobody has: only a difference says anything. What is found is kept with its
date (`State.probed`) and asked once; `overrides` in the configuration outrank it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from fttui.problem import Problem
from fttui.service import coerce as to
from fttui.service.jobs import JOBS

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.state import State

NOBODY = "ftjob-fttui-asks-what-is-here"  # a job that does not exist
NOWHERE = "no-such-route-fttui"  # a route that does not exist
SECONDS = 10.0  # for each request; they are sent side by side
OLD = 30 * 86400.0  # seconds after which it is asked again
FRESH_FAILURE = 3600.0  # … and when nothing could be learned

# feature → the route under a job that has it, and how it is said when it is not there
ROUTES: Mapping[str, tuple[str, str]] = {
    "events": ("events", "shows no events of a job"),
    "checkpoints": ("checkpoints", "keeps no checkpoints"),
    "cancel": ("cancel", "cannot cancel a job"),
    "pause": ("pause", "cannot pause a job"),
}
JOBS_MISSING = "has no fine-tuning jobs"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, and what kind of error it names (empty for none)."""

    status: int
    kind: str = ""

    @property
    def there(self) -> bool:
        return self.status < 300


@dataclass(frozen=True, slots=True)
class Probed:
    """at: Unix time. lacks: feature → the reason. has: features seen to exist. facts: for `doctor`.
    problem: why nothing could be learned, "" where something was."""

    at: float
    lacks: Mapping[str, str] = field(default_factory=dict)
    has: tuple[str, ...] = ()
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"at": self.at, "lacks": dict(self.lacks), "has": list(self.has),
                "problem": self.problem}  # fmt: skip

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Probed:
        return cls(
            float(kept.get("at") or 0),
            {str(k): str(v) for k, v in to.mapping(kept.get("lacks")).items()},
            tuple(str(name) for name in to.items(kept.get("has"))),
            str(kept.get("problem") or ""),
        )

    def old(self, now: float) -> bool:
        return now - self.at > (FRESH_FAILURE if self.problem else OLD)


async def probe(provider: Provider) -> Probed:
    """Ask. Never raises: what could not be learned is left open."""
    now = time.time()
    try:
        await provider.ready()
        listed = await _ask(provider, JOBS, {"limit": 1})
    except Problem as problem:
        return Probed(now, problem=str(problem))
    answer, body = listed
    if answer.status in (404, 405, 501):
        elsewhere, _ = await _ask(provider, "/models", {})
        if elsewhere.there:  # the address is right: it is the route that is missing
            words = f"{_named(provider)} {JOBS_MISSING}."
            return Probed(now, {"jobs": words, **_all(provider)})
        return Probed(now, problem=f"neither jobs nor models are there (HTTP {answer.status})")
    if not answer.there:
        return Probed(now, problem=f"listing the jobs was refused (HTTP {answer.status})")
    rows = to.items(to.mapping(body).get("data"))
    job = to.text(to.mapping(rows[0]).get("id")) if rows else ""
    return await _routes(provider, job, now)


async def _routes(provider: Provider, job: str, now: float) -> Probed:
    """Hold the answer of every route against that of a route nobody has, and of a job nobody has."""
    names = [route for route, _ in ROUTES.values()]
    base = f"{JOBS}/{job or NOBODY}"
    paths = [f"{base}/{NOWHERE}", *(f"{base}/{name}" for name in names)]
    paths += [] if job else [base]
    nowhere, *found = await asyncio.gather(*(_try(provider, path) for path in paths))
    by_name = dict(zip(names, found, strict=False))
    no_job = None if job else found[-1]
    lacks, has = {}, ["jobs"]
    for feature, (route, words) in ROUTES.items():
        answer = by_name[route]
        if answer is None or nowhere is None:
            there = None
        elif feature in ("events", "checkpoints"):
            there = _reads(answer, nowhere, no_job, real=bool(job))
        else:
            other = by_name["pause" if route == "cancel" else "cancel"]
            there = _acts(answer, nowhere, other)
        if there:
            has.append(feature)
        elif there is False:
            lacks[feature] = f"{_named(provider)} {words}."
    return Probed(now, lacks, tuple(has))


def _reads(answer: Answer, nowhere: Answer, no_job: Answer | None, *, real: bool) -> bool | None:
    """Whether a route that is read from exists; None where the answers do not tell."""
    if nowhere.there:
        return None  # a server that answers anything with 200
    if answer.there or answer.status in (405, 501):
        return answer.there
    if real:
        return False if answer.status == 404 else None
    if no_job is None or no_job == nowhere:
        return None  # "no such job" and "no such route" look alike
    return True if answer == no_job else False if answer == nowhere else None


def _acts(answer: Answer, nowhere: Answer, other: Answer | None) -> bool | None:
    """The same for a route that only takes POSTs, which are never sent: a GET is refused as such (405)."""
    if answer.status == 501:
        return False
    if answer.status == 405:
        return True if nowhere.status != 405 else None
    tells = other is not None and other.status == 405 and nowhere.status != 405
    return False if tells and answer == nowhere else None


async def _try(provider: Provider, path: str) -> Answer | None:
    try:
        return (await _ask(provider, path, {"limit": 1}))[0]
    except Problem:
        return None


async def _ask(provider: Provider, path: str, query: Mapping[str, Any]) -> tuple[Answer, Any]:
    """(answer, its body). Raises Problem only where no answer came at all."""
    try:
        raw = await provider.request(
            "GET", path, doing="Looking what is here", query=query, attempts=1, seconds=SECONDS,
            raw=True,
        )  # fmt: skip
    except Problem as problem:
        status = problem.detail.get("status")
        if not isinstance(status, int):
            raise
        if status in (429, 500, 502, 503, 504):
            raise
        body = str(problem.detail.get("body", ""))
        return Answer(status, _kind(body, path)), None
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Answer(404, "no JSON"), None  # a web page is no API
    return Answer(200), body


def _kind(body: str, path: str) -> str:
    """What an error is, without the names of this very path in it."""
    for name in (path, path.rsplit("/", 1)[-1], NOBODY):
        body = body.replace(name, "…")
    return body[:300]


def _named(provider: Provider) -> str:
    kind = provider.profile.provider
    return provider.profile.host if kind == "custom" else provider.capabilities.title


def _all(provider: Provider) -> dict[str, str]:
    return {name: f"{_named(provider)} {words}." for name, (_, words) in ROUTES.items()}


# ---- kept ----


def key_of(provider: Provider) -> str:
    return f"probed.{provider.profile.identity}"


def remembered(provider: Provider, state: State) -> Probed | None:
    """What was found before; its reasons are put into `provider.learned`."""
    kept = state.recall(key_of(provider))
    if not isinstance(kept, dict):
        return None
    found = Probed.from_dict(kept)
    provider.learned.update(found.lacks)
    return found


def forget(provider: Provider, state: State) -> None:
    """Ask again the next time; what was learned is not held against it."""
    state.forget(key_of(provider))
    provider.learned.clear()


async def once(provider: Provider, state: State) -> Probed:
    """What is remembered while it is fresh, else what a look finds; kept. Never raises."""
    found = remembered(provider, state)
    if found is not None and not found.old(time.time()):
        return found
    made = await probe(provider)
    if made.problem and found is not None and not found.problem:
        return found  # an old answer is better than none
    provider.learned.clear()
    provider.learned.update(made.lacks)
    state.remember(key_of(provider), made.as_dict())
    return made
