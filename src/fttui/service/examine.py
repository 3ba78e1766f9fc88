"""What works on a profile: reachable, key accepted, organization, training, chat, limits, retirements, clock.

Only GETs are sent, unless `deep` is asked for: then two requests that are incomplete on purpose, which
no service can carry out, and whose refusal says whether this key may train and chat.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import orjson

from fttui.pricing import lifecycle
from fttui.problem import Problem
from fttui.secrets import redact
from fttui.service import coerce as to
from fttui.service import doors, errors, probe
from fttui.service.jobs import JOBS
from fttui.service.provider import Provider
from fttui.service.types import ModelInfo
from fttui.text import plural

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.state import State

GLYPH = {"ok": "✓", "warning": "⚠", "error": "✗", "note": "·"}
SECONDS = 15.0  # for everything that is asked of one profile
SKEW_WARNING, SKEW_ERROR = 30.0, 300.0  # seconds; signed requests and tokens fail beyond minutes
NO_MODEL = "fttui-doctor-no-such-model"


@dataclass(frozen=True, slots=True)
class Line:
    """One finding. level: ok, warning, error or note. remedy: what to do, "" for nothing."""

    area: str
    level: str
    text: str
    remedy: str = ""

    @property
    def glyph(self) -> str:
        return GLYPH[self.level]


@dataclass(slots=True)
class Examined:
    """lines for people, facts for programs (JSON values; nothing in either is a key)."""

    profile: str
    lines: list[Line] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def say(self, level: str, text: str, remedy: str = "") -> None:
        self.lines.append(Line(self.profile, level, redact(text), redact(remedy)))

    @property
    def ok(self) -> bool:
        return not any(line.level == "error" for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Told:
    """One answer: its headers and body, and when it came."""

    status: int
    headers: Mapping[str, str]
    body: Any
    sent: float
    received: float


async def examine(
    profile: Profile,
    *,
    state: State | None = None,
    deep: bool = False,
    today: date | None = None,
    clock: Callable[[], float] = time.time,
    seconds: float = SECONDS,
) -> Examined:
    """Ask one profile. Never raises: what fails is among the findings. Takes `seconds` at most."""
    made = Examined(profile.name)
    try:
        provider = Provider(profile)  # overrides that name no capability are refused here
    except Problem as problem:
        _failed(made, problem)
        return made
    try:
        async with asyncio.timeout(seconds):
            await _examine(made, provider, state, deep, today or date.today(), clock)
    except Problem as problem:
        _failed(made, problem)
    except TimeoutError:
        made.say("error", f"no answer within {seconds:.0f} s", "check the network and the address")
    finally:
        await provider.close()
    return made


async def _examine(
    made: Examined,
    provider: Provider,
    state: State | None,
    deep: bool,
    today: date,
    clock: Callable[[], float],
) -> None:
    told = await _get(provider, "/models", {}, "Listing the models", clock)
    models = [ModelInfo.from_json(row) for row in to.items(to.mapping(told.body).get("data"))]
    took = f"{(told.received - told.sent) * 1000:.0f} ms"
    made.facts |= {"reachable": True, "key_accepted": True, "models": len(models)}
    made.say("ok", f"reachable ({took}), key accepted, {plural(len(models), 'model')}")
    _organization(made, provider, told.headers)
    found = probe.remembered(provider, state) if state is not None else None
    if found is None or found.old(clock()):
        found = await (probe.once(provider, state) if state is not None else probe.probe(provider))
    refusals = await _deep(provider, clock) if deep and not provider.profile.read_only else {}
    _training(made, provider, found, refusals.get("train"), state, today)
    _chat(made, provider, models, refusals.get("chat"))
    _features(made, provider, found)
    _limits(made, [told, *(one for one in refusals.values() if isinstance(one, _Told))])
    _retirements(made, provider, models, today)
    _skew(made, told)


async def _get(
    provider: Provider, path: str, query: Mapping[str, Any], doing: str, clock: Callable[[], float]
) -> _Told:
    """One GET with the headers of its answer. Raises Problem."""
    return await _send(provider, "get", path, {"params": dict(query)}, doing, clock)


async def _send(
    provider: Provider,
    verb: str,
    path: str,
    options: dict[str, Any],
    doing: str,
    clock: Callable[[], float],
    **body: Any,
) -> _Told:
    client = await provider.ready()
    httpx = importlib.import_module("httpx2")
    sent = clock()
    try:
        answer = await getattr(client, verb)(path, cast_to=httpx.Response, options=options, **body)
        raw = await answer.aread()
    except Exception as exc:  # noqa: BLE001 - whatever the client raises becomes a Problem
        raise errors.problem(exc, doing=doing, profile=provider.profile) from None
    received = clock()
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise errors.bad_answer(raw, doing) from None
    return _Told(answer.status_code, dict(answer.headers), found, sent, received)


async def _deep(provider: Provider, clock: Callable[[], float]) -> dict[str, _Told | Problem]:
    """Send what cannot be carried out, and keep the refusals."""
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "train": (JOBS, {}),
        "chat": ("/chat/completions", {"model": NO_MODEL, "messages": [], "max_tokens": 1}),
    }
    found: dict[str, _Told | Problem] = {}
    for name, (path, body) in asked.items():
        try:
            found[name] = await _send(provider, "post", path, {}, "Asking", clock, body=body)
        except Problem as refused:
            found[name] = refused
    return found


def _failed(made: Examined, problem: Problem) -> None:
    status = problem.detail.get("status")
    door = doors.kind_of(problem)
    made.facts |= {
        "reachable": isinstance(status, int),
        "problem": problem.as_dict(),
        **({"door": door} if door else {}),
    }
    if status in (401, 403):
        made.facts["key_accepted"] = False
    why = str(problem.detail.get("mismatch") or problem.why)
    made.say("error", f"{problem.what} {why}", problem.remedy)


# ---- the findings ----


def _organization(made: Examined, provider: Provider, headers: Mapping[str, str]) -> None:
    told = {
        "organization": headers.get("openai-organization", ""),
        "project": headers.get("openai-project", ""),
        "region": headers.get("x-ms-region", ""),
    }
    asked = {"organization": provider.profile.organization, "project": provider.profile.project}
    parts = [f"{name} {value}" for name, value in told.items() if value]
    parts += [f"{name} {value} (as configured)" for name, value in asked.items()
              if value and value != told[name]]  # fmt: skip
    made.facts["organization"] = {
        k: v for k, v in (asked | {k: v for k, v in told.items() if v}).items() if v
    }
    if parts:
        made.say("ok", ", ".join(parts))


def _training(
    made: Examined,
    provider: Provider,
    found: probe.Probed,
    asked: _Told | Problem | None,
    state: State | None,
    today: date,
) -> None:
    """May this key train? What was refused, what the dates say, and how sure that is."""
    from fttui.pricing.catalog import load_or_shipped

    said, level, remedy = "", "ok", ""
    kind = provider.profile.provider
    models = [one for one in load_or_shipped().models(kind) if kind != "custom"]
    trainable = [one for one in models if one.can_train(today)]
    if lack := provider.lacks("jobs"):
        said, level, remedy = f"cannot train: {lack}", "warning", "use another profile for training"
    elif isinstance(asked, Problem):
        said, level, remedy = _refused("train", asked)
    elif (before := _refused_before(provider, state)) is not None:
        said, level = f"training was refused here on {before[0]}: {before[1]}", "warning"
        remedy = "train on another profile; fttui doctor --deep asks again"
    elif found.problem:
        said, level = f"training: not known, {found.problem}", "warning"
    elif models and not trainable:
        said, level = "cannot train: every model's last day for it has passed", "warning"
        remedy = "train on another profile"
    else:
        said = "may train, as far as can be seen: jobs can be listed (--deep asks for certain)"
        ends = sorted({one.training_ends for one in trainable if one.training_ends})
        if ends:
            days = (ends[-1] - today).days
            said += f"; training ends in {plural(days, 'day')} ({ends[-1]})"
            level = "warning" if days <= lifecycle.SOON else "ok"
    made.facts["may_train"] = {"ok": True, "warning": None, "error": False}[level] if not (
        provider.lacks("jobs") or (models and not trainable)
    ) else False  # fmt: skip
    made.say(level, said, remedy)


def _refused_before(provider: Provider, state: State | None) -> tuple[str, str] | None:
    kept = state.recall(refused_key(provider.profile)) if state is not None else None
    if not isinstance(kept, dict):
        return None
    return str(kept.get("day", "")), str(kept.get("why", ""))


def refused_key(profile: Profile) -> str:
    """Where the state keeps that training was refused for good."""
    return f"refused.training.{profile.identity}"


def _refused(what: str, refused: Problem) -> tuple[str, str, str]:
    """(words, level, remedy) of the answer to an incomplete request."""
    status = refused.detail.get("status")
    if status in (400, 404, 409, 422) and not doors.kind_of(refused).startswith(
        ("training", "plan")
    ):
        if status == 404 and refused.code != "model_not_found" and what == "train":
            return "cannot train: there is no such route", "warning", "use another profile"
        return f"may {what} (an incomplete request was refused for being incomplete)", "ok", ""
    if status in (401, 403, 402, 429):
        return f"may not {what}: {refused.why}", "error", refused.remedy
    return f"whether it may {what} is not known: {refused.why}", "warning", ""


def _chat(
    made: Examined, provider: Provider, models: list[ModelInfo], asked: _Told | Problem | None
) -> None:
    can = provider.capabilities
    tuned = sum(one.tuned for one in models)
    if isinstance(asked, Problem):
        text, level, remedy = _refused("chat", asked)
        made.facts["may_chat"] = {"ok": True, "warning": None, "error": False}[level]
        made.say(level, text, remedy)
        return
    if can.needs_deploy:
        made.facts["may_chat"] = None
        made.say(
            "note", "chat: a tuned model must be deployed first, and is called by its deployment"
        )
        return
    made.facts["may_chat"] = None if not models else True
    if models:
        mine = f", {plural(tuned, 'tuned one')}" if tuned else ""
        made.say("ok", f"may chat, as far as can be seen: {plural(len(models), 'model')}{mine}")
    else:
        made.say("warning", "no model is offered to this key: there is nothing to chat with")


def _features(made: Examined, provider: Provider, found: probe.Probed) -> None:
    lacking = [name for name in probe.ROUTES if provider.lacks(name)]
    made.facts["lacks"] = {name: provider.lacks(name) for name in lacking}
    if lacking and not provider.lacks("jobs"):
        asked = time.strftime("%Y-%m-%d", time.localtime(found.at))
        made.say("note", f"it has no {', no '.join(lacking)} (asked on {asked})")


def _limits(made: Examined, answers: list[_Told]) -> None:
    """The rate limits the headers tell, of the last answer that tells any."""
    for told in reversed(answers):
        parts, facts = [], {}
        for name in ("requests", "tokens"):
            limit = to.number(told.headers.get(f"x-ratelimit-limit-{name}"))
            left = to.number(told.headers.get(f"x-ratelimit-remaining-{name}"))
            reset = told.headers.get(f"x-ratelimit-reset-{name}", "")
            if limit is None and left is None:
                continue
            facts[name] = {"limit": limit, "remaining": left, "reset": reset}
            of = f" of {limit:,.0f}" if limit is not None else ""
            begin = f"{left:,.0f}{of} {name} left" if left is not None else f"{limit:,.0f} {name}"
            parts.append(begin + (f", full again in {reset}" if reset else ""))
        if parts:
            made.facts["rate_limits"] = facts
            made.say("ok", f"rate limits: {'; '.join(parts)}")
            return
    made.say("note", "rate limits: not told here; services tell them when a model answers")


def _retirements(made: Examined, provider: Provider, models: list[ModelInfo], today: date) -> None:
    """Models that stop answering within 90 days: by what the provider says, else by the catalogue."""
    from fttui.pricing.catalog import load_or_shipped

    catalog = load_or_shipped()
    ends: dict[date, list[str]] = {}
    for one in models:
        day = one.shutdown_date
        if day is None:
            known = catalog.get(one.id, provider.profile.provider)
            day = (known.tuned_ends if one.tuned else known.base_ends) if known else None
        if day is not None and (day - today).days <= lifecycle.SOON:
            ends.setdefault(day, []).append(one.id)
    made.facts["retiring"] = {day.isoformat(): names for day, names in sorted(ends.items())}
    for day, names in sorted(ends.items()):
        shown = ", ".join(sorted(names, key=lambda name: not name.startswith("ft:"))[:4])
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        days = (day - today).days
        when = f"stop answering in {plural(days, 'day')}" if days > 0 else "have stopped answering"
        made.say(
            "warning",
            f"{when} ({day}): {shown}{more}",
            "save what is there; train on a base that lives on",
        )


def _skew(made: Examined, told: _Told) -> None:
    try:
        theirs = parsedate_to_datetime(told.headers["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return
    ours = (told.sent + told.received) / 2
    skew = ours - theirs - 0.5  # the header has whole seconds: half of one is lost on average
    slack = 1.0 + (told.received - told.sent) / 2
    made.facts["clock_skew_seconds"] = round(skew, 1)
    if abs(skew) - slack < SKEW_WARNING:
        made.say("ok", "this clock and theirs agree" if abs(skew) <= slack else
                 f"this clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}")  # fmt: skip
        return
    level = "error" if abs(skew) > SKEW_ERROR else "warning"
    words = f"this clock is {_span(abs(skew))} {'ahead of' if skew > 0 else 'behind'} theirs"
    made.say(level, words, "set the clock (timedatectl set-ntp true): tokens and TLS depend on it")


def _span(seconds: float) -> str:
    from fttui.text import duration

    return duration(seconds)
