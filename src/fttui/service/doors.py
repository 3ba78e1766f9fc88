"""Doors a provider has closed: which one a refusal is, why it is closed, who could open it, and the ways out.

A refusal that more of the same would not change gets a door; anything else stays a Problem.
The words are in `door_words`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from fttui.config import Profile
from fttui.pricing import lifecycle
from fttui.problem import Problem
from fttui.service.door_words import ASKS, KINDS, LINKS, ORDER, WAYS

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog
    from fttui.pricing.records import Model


@dataclass(frozen=True, slots=True)
class Way:
    """One way out. id: one of WAYS. note: what it means here. value: a link, a text, a profile."""

    id: str
    note: str = ""
    value: str = ""

    @property
    def key(self) -> str:
        return WAYS[self.id][0]

    @property
    def title(self) -> str:
        return WAYS[self.id][1]


@dataclass(frozen=True, slots=True)
class Door:
    """kind: which door. title: one line. said: what the provider said. why: what that means, with
    dates. whom: who can open it. ways: the ways out, the best first."""

    kind: str
    title: str
    said: str
    why: str
    whom: str
    ways: tuple[Way, ...]


def kind_of(problem: Problem) -> str:
    """Which door a Problem is, "" for none."""
    said = f"{problem.code} {problem.what} {problem.why}".lower()
    status = problem.detail.get("status")
    if status is None and problem.code not in ("no_key", "model_retired"):
        return ""  # not a provider's answer
    for kind, pattern in ORDER:
        if re.search(pattern, said):
            return kind
    if status == 401:
        return "key_refused"
    if status == 410:
        return "retired"
    if status == 402:
        return "quota"
    if status == 403 and problem.code == "forbidden":
        return "missing_role"
    if status == 404 and re.search(r"model_?not_?found", said):
        return "missing_model"
    return ""


def door(
    problem: Problem, profile: Profile, catalog: Catalog, today: date, *, model: str = ""
) -> Door | None:
    """The door a Problem is, with the ways out that exist here; None for an ordinary failure.

    model: the one that was worked with, where the Problem does not name one.
    """
    kind = kind_of(problem)
    if not kind:
        return None
    named = model_in(problem) or (model if kind in ("retired", "training_closed") else "")
    known = catalog.get(named, profile.provider) or catalog.get(named) if named else None
    if kind == "missing_model" and known is not None and not _answers(named, known, today):
        kind = "retired"  # the catalogue knows why
    row = KINDS[kind]
    provider = catalog.providers.get(profile.provider)
    words = {
        "provider": provider.title if provider and profile.provider != "custom" else profile.host,
        "host": profile.host,
        "name": profile.name,
        "key": profile.key.describe(),
        "model": named or "The model",
        "missing": missing(problem) or "which one, it does not say",
        "life": _life(known, today),
        "weights": ""
        if provider is None or provider.can("download")
        else ", and the weights of a tuned model cannot be downloaded there",
        "mismatch": _mismatch(problem, profile),
        "said": problem.why,
    }
    ways = [
        way for way in (_way(name, kind, problem, profile, catalog, known, today)
                        for name in row.ways) if way is not None
    ]  # fmt: skip
    return Door(
        kind,
        row.title.format(**words),
        problem.why if kind != "no_key" else "",
        row.why.format(**words).strip(),
        row.whom.format(**words),
        tuple(ways),
    )


def model_in(problem: Problem) -> str:
    """The model a refusal names, "" for none."""
    said = f"{problem.why} {problem.what}"
    quoted = re.search(r"[Mm]odel:? [`'\"“]([^`'\"”]{2,200})[`'\"”]", said)
    if quoted:
        return quoted[1]
    found = re.search(r"\bft:[\w.:-]+|\b[\w.-]+\.ft-[\w-]+|\b(?:gpt|o\d)-[\w.-]*\w", said)
    return found[0] if found else ""


def missing(problem: Problem) -> str:
    """The permission a refusal names, "" where it names none."""
    said = problem.why
    for pattern in (
        r"[Mm]issing scopes?:?\s*([\w., -]*[\w-])(?:\.\s|\.?$)",
        r"data action\(?s?\)? [`'\"]?([\w./-]+)",
        r"perform action [`'\"]?([\w./-]+)",
        r"required (?:role|permission)s?:?\s*[`'\"]?([\w .,/-]+\w)",
    ):
        found = re.search(pattern, said)
        if found:
            return found[1].strip().rstrip(".")
    return ""


def _answers(name: str, model: Model, today: date) -> bool:
    """Whether this model, tuned or not, should still answer by what the catalogue knows."""
    if name == model.id:
        return not (model.base_ends and model.base_ends <= today)
    return lifecycle.life(model, today).answers


def _life(model: Model | None, today: date) -> str:
    """What the catalogue knows of its end."""
    if model is None:
        return ""
    left = lifecycle.life(model, today)
    if not left.answers:
        return f"Tuned models of {model.title} stopped answering on {model.tuned_ends}."
    if model.base_ends and model.base_ends <= today:
        return f"{model.title} stopped answering on {model.base_ends}."
    if model.tuned_ends:
        return f"Tuned models of {model.title} answer until {model.tuned_ends}, as announced."
    return ""


def _mismatch(problem: Problem, profile: Profile) -> str:
    """In what way key and address do not fit."""
    reason = str(problem.detail.get("mismatch", ""))
    if reason:
        return reason
    if re.search(r"api.?version", problem.why, re.IGNORECASE):
        return (
            f"{profile.host} is asked through the v1 API, which knows no dated versions, and the "
            "profile names one. Take api_version out, or give the resource's bare address."
        )
    host = re.search(r"\b(\w+\.api\.openai\.com)\b", problem.why)
    if host:
        return f"This project's data stay in a region: it is asked at {host[1]}, not at {profile.host}."
    if "audience" in problem.why:
        return (
            "The token is for another service than this address, or has ended. A resource and a "
            "project endpoint take different tokens: `key = { entra = true }` picks the right one."
        )
    return (
        f"The key was made for another resource or service than {profile.host}. Each Azure resource "
        "has keys and an address of its own; both are on its page “Keys and Endpoint”."
    )


def _way(
    name: str,
    kind: str,
    problem: Problem,
    profile: Profile,
    catalog: Catalog,
    model: Model | None,
    today: date,
) -> Way | None:
    """The way with what it means here; None where it leads nowhere."""
    if name == "local":
        if profile.provider == "local":
            return None
        return Way(name, "free, a small model; the weights are yours and stay")
    if name == "retrain":
        return Way(name, _elsewhere(catalog, model, profile, today), model.id if model else "")
    if name == "link":
        link = _link(kind, problem, profile, catalog)
        return Way(name, link, link) if link else None
    if name == "ask":
        return Way(
            name, "copies a message that says what is missing", _letter(kind, problem, profile)
        )
    notes = {
        "export": "jobs, data, metrics, results, while they can be read",
        "model": "those this key may use",
        "key": f"now: {profile.key.describe()}",
        "profile": "whose jobs and money come next",
        "add": "another address, another key",
        "edit": "its address, region, organization, project",
        "guide": "a newer base with a good prompt may do",
        "again": "when it was settled meanwhile",
    }
    return Way(name, notes.get(name, ""))


def _elsewhere(catalog: Catalog, model: Model | None, profile: Profile, today: date) -> str:
    """Where this model, or one like it, can still be trained."""
    others = [name for name in ("Azure", "Nebius") if name.lower() != profile.provider]
    usual = (
        f"{' and '.join(others)} take{'s' * (len(others) == 1)} the same files and the same calls"
    )
    if model is None:
        return usual
    places = [
        other
        for other in lifecycle.where_to_retrain(catalog, model, today)
        if other.provider not in ("local", profile.provider)
    ]
    if not places:
        return usual
    first = places[0]
    days = lifecycle.life(first, today).tuned_days
    lives = f", lives {days} days" if days is not None else ", no end announced"
    return f"{first.title} at {first.provider.capitalize()}{lives}"


def _link(kind: str, problem: Problem, profile: Profile, catalog: Catalog) -> str:
    """The page where it is settled: the one for money, the one the refusal names, or the usual one."""
    row = catalog.providers.get(profile.provider)
    if kind in ("plan", "quota") and row and row.billing:
        return row.billing
    named = re.search(r"https://[\w./?#=&%-]+\w", problem.why)
    if named:
        return named[0]
    return LINKS.get((profile.provider, kind), "")


def _letter(kind: str, problem: Problem, profile: Profile) -> str:
    """A message to whoever can open the door. Holds no key."""
    facts = [
        ("what was refused", problem.what),
        ("what the service said", problem.why),
        ("permission", missing(problem)),
        ("address", profile.host),
        ("organization", profile.organization),
        ("project", profile.project),
        ("request id", str(problem.detail.get("request_id") or "")),
    ]
    rows = [f"{name}: {value}" for name, value in facts if value]
    return "\n".join([ASKS.get(kind, "Please help with this:"), "", *rows])
