"""Deployments: what makes a tuned model answer where a provider does not serve it by itself (Azure).

Made, changed and deleted through the management API; asked through the resource's own. A deployment
costs by the hour from the moment it is made: `pricing.deployed` says how much.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fttui.problem import Problem
from fttui.service import azure_arm as arm
from fttui.service import coerce as to
from fttui.service import models
from fttui.service.provider import Provider, Wait
from fttui.service.types import ModelInfo

TAGS = {"base": "fttui-base", "job": "fttui-job"}  # kept at the deployment: any machine reads them
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
MAKING = ("accepted", "creating", "updating", "moving", "scaling")
POLL_SECONDS = (3.0, 15.0)  # first and longest pause between looks while it is made
PROBE_SECONDS = 10.0  # between tries of a deployment that is made and does not answer yet
MADE_WITHIN = 3600.0  # seconds until "Succeeded"
# "Succeeded" comes about 5 minutes before the first answer; three times that is worth a report.
ANSWERS_WITHIN = 900.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment. state: the service's word, in small letters. Times are Unix seconds, 0: unknown.

    base: the model it was tuned from, where we wrote that down when we made it.
    """

    name: str
    model: str = ""
    version: str = ""
    format: str = "OpenAI"
    sku: str = ""
    capacity: int = 0
    state: str = "unknown"
    created_at: int = 0
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    base: str = ""
    job: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, obj: Any) -> Deployment:
        body = to.mapping(obj)
        properties, sku = to.mapping(body.get("properties")), to.mapping(body.get("sku"))
        model, tags = to.mapping(properties.get("model")), to.strings(body.get("tags"))
        return cls(
            name=to.text(body.get("name")),
            model=to.text(model.get("name")),
            version=to.text(model.get("version")),
            format=to.text(model.get("format")) or "OpenAI",
            sku=to.text(sku.get("name")),
            capacity=to.whole(sku.get("capacity")) or 0,
            state=to.text(properties.get("provisioningState")).lower() or "unknown",
            created_at=to.moment(to.mapping(body.get("systemData")).get("createdAt")),
            requests_per_minute=_rate(properties, "request"),
            tokens_per_minute=_rate(properties, "token"),
            base=tags.get(TAGS["base"], ""),
            job=tags.get(TAGS["job"], ""),
            raw=body,
        )

    @property
    def made(self) -> bool:
        return self.state == "succeeded"

    @property
    def making(self) -> bool:
        return self.state in MAKING

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "model": self.model,
            "base": self.base or None,
            "sku": self.sku,
            "capacity": self.capacity,
            "state": self.state,
            "created_at": self.created_at or None,
            "requests_per_minute": self.requests_per_minute,
            "tokens_per_minute": self.tokens_per_minute,
        }


def _rate(properties: Mapping[str, Any], key: str) -> float | None:
    """Requests or tokens a minute, from `[{key, count, renewalPeriod (seconds)}]`."""
    for row in to.items(properties.get("rateLimits")):
        limit = to.mapping(row)
        count, period = to.number(limit.get("count")), to.number(limit.get("renewalPeriod"))
        if limit.get("key") == key and count is not None and period:
            return count * 60 / period
    return None


@dataclass(frozen=True, slots=True)
class DeploySpec:
    """A deployment to be made. model: a tuned model's or a checkpoint's name. sku and capacity as the
    provider's tiers say. format: "OpenAI", or the maker of an open model."""

    name: str
    model: str
    sku: str
    capacity: int
    base: str = ""
    job: str = ""
    format: str = "OpenAI"
    version: str = "1"


def why_not(provider: Provider) -> str:
    """Why nothing can be deployed here, "" where it can."""
    can = provider.capabilities
    if not can.needs_deploy and can.deploy_note:
        return can.deploy_note
    if not can.needs_deploy:
        return f"{can.title} needs no deployment: a tuned model answers by its name"
    return arm.why_not(provider.profile)


def require(provider: Provider, doing: str) -> None:
    if not provider.capabilities.needs_deploy:
        raise Problem(
            f"{doing} is not possible here.",
            f"{why_not(provider)}.",
            "Chat with the model's name.",
            code="not_supported",
        )


# ---- reading ----


async def listing(provider: Provider) -> list[Deployment]:
    """All deployments of the resource, tuned models first, then by name."""
    require(provider, "Listing the deployments")
    rows = await arm.rows(provider, doing="Listing the deployments")
    found = [Deployment.from_json(row) for row in rows if isinstance(row, dict)]
    return sorted((d for d in found if d.name), key=lambda d: (not _tuned(d), d.name))


async def retrieve(provider: Provider, name: str) -> Deployment:
    require(provider, "Reading a deployment")
    return Deployment.from_json(await arm.ask(provider, "GET", name, doing=f"Reading {name}"))


async def models_to_chat(provider: Provider) -> list[ModelInfo]:
    """What can be chatted with here: deployments where the provider needs them and they can be listed
    (`deployed` names the model of each), else the models it lists."""
    if not provider.capabilities.needs_deploy or arm.why_not(provider.profile):
        return await models.listing(provider)
    rows = await listing(provider)
    return [
        ModelInfo(row.name, row.created_at, deployed=row.model)
        for row in rows
        if row.made and not _NO_CHAT.search(row.model)
    ]


_NO_CHAT = re.compile(
    r"embedding|whisper|tts|dall-e|image|sora|realtime|transcribe|davinci|babbage"
)


def of_model(rows: Sequence[Deployment], model: str) -> Deployment | None:
    """The deployment of exactly this model, a usable one first."""
    mine = [row for row in rows if model and row.model == model]
    return next((row for row in mine if row.made), mine[0] if mine else None)


def _tuned(row: Deployment) -> bool:
    from fttui.pricing.deployed import tuned

    return tuned(row.model)


# ---- changing ----


def name_for(model: str, taken: Sequence[str] = ()) -> str:
    """A name for a deployment of `model`, as short as tells it from others, that is not taken."""
    base, mark, rest = model.partition(".ft-")
    if mark:
        _, _, suffix = rest.partition("-")
        family = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", base).replace(".", "")
        stem = f"{family}-{suffix or rest[:6]}"
    else:
        stem = model.replace(":", "-")
    stem = re.sub(r"[^A-Za-z0-9_.-]", "-", stem).strip("-.")[:56] or "tuned"
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def check_name(name: str) -> str:
    """What is wrong with a deployment's name, "" for nothing."""
    return "" if NAME.fullmatch(name) else "letters, digits, - _ and . only; 64 at most"


async def create(provider: Provider, spec: DeploySpec) -> Deployment:
    """Deploy a model. Answers at once with what is being made; `wait_ready` waits for it.

    Making it twice makes one; a name another model has is a Problem, since it would be replaced.
    """
    provider.writing("Deploying a model")
    require(provider, "Deploying a model")
    wrong = check_name(spec.name) or ("" if spec.capacity > 0 else "the capacity is at least 1")
    if wrong:
        raise Problem(
            f"{spec.name!r} cannot be deployed.", wrong, "Correct it.", code="bad_request"
        )
    taken = {row.name.lower(): row for row in await listing(provider)}.get(spec.name.lower())
    if taken is not None and taken.model != spec.model:
        raise Problem(
            f"{spec.name} cannot be deployed.",
            f"A deployment of that name serves {taken.model}.",
            "Choose another name.",
            code="name_taken",
        )
    tags = {TAGS["base"]: spec.base[:256], TAGS["job"]: spec.job[:256]}
    body = {
        "sku": {"name": spec.sku, "capacity": spec.capacity},
        "properties": {
            "model": {"format": spec.format, "name": spec.model, "version": spec.version}
        },
        "tags": {key: value for key, value in tags.items() if value},
    }
    answer = await arm.ask(provider, "PUT", spec.name, doing=f"Deploying {spec.name}", body=body)
    return Deployment.from_json(answer)


async def scale(provider: Provider, deployment: Deployment, capacity: int) -> Deployment:
    """Give a deployment another capacity; its model, tier and tags stay."""
    provider.writing("Scaling a deployment")
    require(provider, "Scaling a deployment")
    if capacity < 1:
        raise Problem(
            f"{deployment.name} cannot be scaled to {capacity}.",
            "A deployment does not scale to zero: it costs the same by the hour, used or not.",
            "Delete it to stop paying.",
            code="bad_request",
        )
    raw = deployment.raw
    kept = {key: raw[key] for key in ("tags",) if raw.get(key)}
    model = {"format": deployment.format, "name": deployment.model, "version": deployment.version}
    properties = {"model": model} | {
        key: to.mapping(raw.get("properties"))[key]
        for key in ("raiPolicyName", "versionUpgradeOption")
        if to.mapping(raw.get("properties")).get(key)
    }
    body = {"sku": {"name": deployment.sku, "capacity": capacity}, "properties": properties, **kept}
    answer = await arm.ask(
        provider, "PUT", deployment.name, doing=f"Scaling {deployment.name}", body=body
    )
    return Deployment.from_json(answer)


async def delete(provider: Provider, name: str) -> None:
    """Delete a deployment, and wait until it is gone: only then does it cost nothing. The model stays."""
    provider.writing("Deleting a deployment")
    require(provider, "Deleting a deployment")
    doing = f"Deleting {name}"
    try:
        await arm.ask(provider, "DELETE", name, doing=doing)
    except Problem as failed:
        if failed.detail.get("status") != 404:
            raise
        return
    for seconds in _pauses(MADE_WITHIN):
        if await _gone(provider, name):
            return
        await provider.pause(Wait(seconds, 0, 0, Problem(f"{name} is being deleted.")))
    raise Problem(
        f"{name} is still there.",
        "Azure took the request and has not deleted it yet.",
        "Look again in a while: it costs money until it is gone.",
        code="still_there",
        retry=True,
    )


async def _gone(provider: Provider, name: str) -> bool:
    try:
        found = await retrieve(provider, name)
    except Problem as failed:
        if failed.detail.get("status") == 404:
            return True
        raise
    return found.state == "deleted"


# ---- until it answers ----


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a new deployment is. phase: "making", "starting" (made, and silent yet), "ready"."""

    phase: str
    deployment: Deployment
    seconds: float  # since waiting began


async def wait_ready(
    provider: Provider,
    name: str,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Deployment:
    """Wait until a deployment really answers: the management API says "Succeeded" minutes before.

    Raises Problem: it failed ("deploy_failed"), or does not answer in time ("not_ready").
    """
    began = clock()

    def tell(phase: str, found: Deployment) -> None:
        if on_progress is not None:
            on_progress(Progress(phase, found, clock() - began))

    found = await _made(provider, name, tell)
    since = clock()
    while not await _answers(provider, name):
        tell("starting", found)
        if clock() - since > ANSWERS_WITHIN:
            raise Problem(
                f"{name} does not answer yet.",
                f"It was made {ANSWERS_WITHIN / 60:.0f} minutes ago; 5 are usual.",
                "Try to chat with it later; it costs money meanwhile.",
                code="not_ready",
                retry=True,
            )
        await provider.pause(_silent(name))
    tell("ready", found)
    return found


async def _made(
    provider: Provider, name: str, tell: Callable[[str, Deployment], None]
) -> Deployment:
    for seconds in _pauses(MADE_WITHIN):
        found = await retrieve(provider, name)
        if found.made:
            return found
        if not found.making and found.state != "unknown":
            raise Problem(
                f"{name} could not be deployed.",
                f"Azure says: {found.state}.{_reason(found)}",
                "Delete it and deploy again, on another tier or with less capacity.",
                code="deploy_failed",
            )
        tell("making", found)
        await provider.pause(Wait(seconds, 0, 0, Problem(f"{name} is being made.")))
    raise Problem(
        f"{name} is still being made.",
        f"Azure says {found.state!r} after an hour.",
        "Look again later, or delete it: it may cost money meanwhile.",
        code="not_ready",
        retry=True,
    )


def _reason(found: Deployment) -> str:
    properties = to.mapping(found.raw.get("properties"))
    error = to.mapping(properties.get("error") or properties.get("provisioningError"))
    message = to.text(error.get("message"))
    return f" {message}" if message else ""


def _pauses(total: float) -> list[float]:
    """Growing pauses between looks that come to `total` seconds."""
    first, longest = POLL_SECONDS
    made, one, spent = [], first, 0.0
    while spent < total:
        made.append(one)
        spent += one
        one = min(one * 1.5, longest)
    return made


def _silent(name: str) -> Wait:
    return Wait(PROBE_SECONDS, 0, 0, Problem(f"{name} is made, and does not answer yet."))


_NOT_YET = re.compile(
    r"deploymentnotready|deploymentnotfound|not_deployed|deployment .*not (exist|ready)"
)


async def _answers(provider: Provider, name: str) -> bool:
    """Whether one token can be had of it. A refusal of anything but the deployment is an answer."""
    ask = {"model": name, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    try:
        await provider.request(
            "POST", "/chat/completions", doing=f"Asking {name}", body=ask, repeat=False, raw=True
        )
    except Problem as failed:
        status = failed.detail.get("status")
        if status in (401, 403) or failed.code == "no_key":
            raise
        if status is None or status >= 500 or status in (404, 408):
            return False
        return not _NOT_YET.search(f"{failed.code} {failed.why}".lower())
    return True
