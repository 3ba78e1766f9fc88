"""Doors a provider has closed: which one a refusal is, why it is closed, who could open it, and the ways out.

A refusal that more of the same would not change gets a door; anything else stays a Problem.
Wordings and dates: providers' documentation as of 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from fttui.config import Profile
from fttui.pricing import lifecycle
from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog
    from fttui.pricing.records import Model

# Way out → its key and what it is called. The note behind it is made for the case at hand.
WAYS: Mapping[str, tuple[str, str]] = {
    "export": ("e", "Save what is there"),
    "retrain": ("t", "Train it elsewhere"),
    "local": ("l", "Train on this machine"),
    "model": ("m", "Choose another model"),
    "key": ("n", "Give another key"),
    "profile": ("p", "Work on another profile"),
    "add": ("a", "Add a profile"),
    "edit": ("c", "Correct this profile"),
    "ask": ("w", "Write to whoever may"),
    "link": ("o", "Where it is settled"),
    "guide": ("f", "Should I fine-tune at all?"),
    "again": ("r", "Look again"),
}


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


@dataclass(frozen=True, slots=True)
class _Kind:
    """title, why and whom may use {provider} {host} {name} {key} {model} {missing}."""

    title: str
    why: str
    whom: str
    ways: tuple[str, ...]


_ORDER: tuple[tuple[str, str], ...] = (
    # (what code and message of a refusal look like, the door); the first that fits
    ("training_closed", r"training_not_available|winding down the fine-tuning"),
    ("unverified", r"unverified_organi|must be verified|verif(y|ied) (your )?organi[sz]ation"),
    ("country", r"unsupported_country|country, region, or territory"),
    ("address", r"ip_not_authorized|ip address .*not (allowed|authorized)|not on .*allow ?list"),
    ("deactivated", r"deactivated|account_suspended|access_terminated"),
    ("quota", r"(exceeded|insufficient)_quota|current quota|billing_(hard_limit|not_active)|hard limit"),
    ("plan", r"\bplan\b.*(upgrade|paid)|explore plan|^plan "),
    ("wrong_organization", r"(mismatched|invalid)_(organization|project)|openai-(organization|project) "),
    ("wrong_address", r"incorrect_?hostname|regional hostname|api.?version .*not allowed"),
    ("wrong_endpoint", r"wrong_endpoint|audience is incorrect|wrong api endpoint"),
    ("no_key", r"^no_key "),
    ("missing_role", r"missing_role|missing scopes?|insufficient permissions|permissiondenied"
                     r"|authorizationfailed|lacks the required data action|required (role|access)"),
    ("retired", r"\bgone\b|model_retired|model_?deprecated|has been (retired|deprecated|shut ?down|"
                r"decommissioned)|is (retired|deprecated)|no longer (available|supported)"),
)  # fmt: skip

_KINDS: Mapping[str, _Kind] = {
    "training_closed": _Kind(
        "{provider} makes no new tuned models for this organization",
        "OpenAI is closing its fine-tuning platform. Since 2026-05-07 an organization that never "
        "trained, and since 2026-07-02 one that had not used a tuned model for 60 days, cannot make "
        "jobs; the others can until 2027-01-06. Models made before go on answering until their base "
        "retires. Sending the job again, or with another key of this organization, changes nothing.",
        "Nobody, for this organization. One that used a tuned model this summer may still train.",
        ("export", "local", "retrain", "profile", "guide"),
    ),
    "plan": _Kind(
        "{provider} trains on a paid plan only",
        "This organization is on a plan without fine-tuning. Nothing was trained and nothing is owed.",
        "Whoever may pay for this organization: an owner, or its billing contact.",
        ("link", "ask", "local", "profile", "again"),
    ),
    "quota": _Kind(
        "{provider} has no credit left for this key",
        "The organization's credit, or the monthly limit of it or of this project, is used up. "
        "Nothing was trained. Waiting helps only when the limit is a monthly one.",
        "Whoever pays for this organization: they can add credit, or raise the project's limit.",
        ("link", "ask", "local", "profile", "again"),
    ),
    "retired": _Kind(
        "{model} has been retired",
        "{life} It does not come back{weights}.",
        "Nobody: retirements are announced months before and not undone.",
        ("retrain", "local", "model", "export"),
    ),
    "missing_model": _Kind(
        "{provider} does not know {model}",
        "{life} The name may be mistyped, of another organization or project, or the model may have "
        "been deleted or retired. One that was made minutes ago may need some more.",
        "Whoever made the model knows the organization and project it belongs to.",
        ("model", "again", "profile", "retrain", "export"),
    ),
    "unverified": _Kind(
        "{provider} wants this organization verified first",
        "The model or method is kept for organizations that have shown who they are. Once that is "
        "done it can take 15 minutes until the key may use it.",
        "An owner of the organization, in its settings; it takes an identity document.",
        ("link", "ask", "model", "local", "again"),
    ),
    "missing_role": _Kind(
        "This key may not do that at {provider}",
        "The key was accepted, but it lacks a permission: {missing}. A restricted key, or a role "
        "that only reads, is refused like this.",
        "An owner of the organization or project, who can change your role or the key's permissions.",
        ("ask", "key", "link", "profile", "again"),
    ),
    "wrong_endpoint": _Kind(
        "The key and the address of profile {name} do not belong together",
        "{mismatch}",
        "You, in the configuration; or whoever gave you the key.",
        ("edit", "key", "profile", "add"),
    ),
    "wrong_address": _Kind(
        "Profile {name} has the wrong address for its key",
        "{mismatch}",
        "You, in the configuration.",
        ("edit", "profile", "add"),
    ),
    "wrong_organization": _Kind(
        "The key of profile {name} belongs to another organization or project",
        "The profile names an organization or project that this key is not of.",
        "You: correct the profile, or leave both out and let the key decide.",
        ("edit", "key", "profile"),
    ),
    "key_refused": _Kind(
        "{provider} does not accept the key of profile {name}",
        "The key in {key} is mistyped, was revoked, has run out, or is one of another service.",
        "Whoever made the key: a revoked one does not come back, a new one takes a minute.",
        ("key", "edit", "link", "profile", "again"),
    ),
    "no_key": _Kind(
        "There is no key for profile {name}",
        "{said}",
        "You, if you may make keys at {provider}; else an owner of the organization.",
        ("key", "link", "local", "profile", "edit"),
    ),
    "deactivated": _Kind(
        "{provider} has deactivated this account",
        "The account or its project was closed or suspended. Files, jobs and models in it cannot be "
        "reached with this key any more.",
        "{provider}'s support, written to by the account's owner.",
        ("link", "profile", "local"),
    ),
    "country": _Kind(
        "{provider} does not answer where you are",
        "The network you are on is, or looks as if it were, in a country the service is not offered "
        "in. A proxy or VPN can cause it as well.",
        "Your network's administrator, if the address is not where you are.",
        ("local", "profile", "again"),
    ),
    "address": _Kind(
        "{provider} does not take this key from this network",
        "The organization allows its keys from certain addresses only.",
        "An owner of the organization, who keeps the list of addresses.",
        ("ask", "profile", "again"),
    ),
}  # fmt: skip


def kind_of(problem: Problem) -> str:
    """Which door a Problem is, "" for none."""
    said = f"{problem.code} {problem.what} {problem.why}".lower()
    status = problem.detail.get("status")
    if status is None and problem.code not in ("no_key", "model_retired"):
        return ""  # not a provider's answer
    for kind, pattern in _ORDER:
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
    row = _KINDS[kind]
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


_LINKS = {
    ("openai", "unverified"): "https://platform.openai.com/settings/organization/general",
    ("openai", "missing_role"): "https://platform.openai.com/settings/organization/people",
    ("openai", "key_refused"): "https://platform.openai.com/api-keys",
    ("openai", "no_key"): "https://platform.openai.com/api-keys",
    ("openai", "deactivated"): "https://help.openai.com",
    ("nebius", "key_refused"): "https://tokenfactory.nebius.com",
    ("nebius", "no_key"): "https://tokenfactory.nebius.com",
    ("azure", "key_refused"): "https://portal.azure.com",
    ("azure", "missing_role"): "https://portal.azure.com",
    ("azure", "no_key"): "https://portal.azure.com",
}


def _link(kind: str, problem: Problem, profile: Profile, catalog: Catalog) -> str:
    """The page where it is settled: the one for money, the one the refusal names, or the usual one."""
    row = catalog.providers.get(profile.provider)
    if kind in ("plan", "quota") and row and row.billing:
        return row.billing
    named = re.search(r"https://[\w./?#=&%-]+\w", problem.why)
    if named:
        return named[0]
    return _LINKS.get((profile.provider, kind), "")


_ASKS = {
    "plan": "Please move the organization to a paid plan: fine-tuning needs one.",
    "quota": "Please add credit, or raise the limit of this project.",
    "unverified": "Please verify the organization in its settings.",
    "missing_role": "Please give this key (or me) the permission that is missing.",
    "address": "Please add the address of this network to those the keys may be used from.",
}


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
    return "\n".join([_ASKS.get(kind, "Please help with this:"), "", *rows])


def with_note(way: Way, note: str) -> Way:
    """The same way, with words that only the caller can know (which profiles there are)."""
    return replace(way, note=note)
