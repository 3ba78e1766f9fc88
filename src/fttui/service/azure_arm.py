"""Azure's management API (Resource Manager): a resource's deployments are made there, with a token of their own.

Paths, versions and bodies: learn.microsoft.com "fine-tuning-deploy" and the REST reference of
Microsoft.CognitiveServices/accounts/deployments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fttui.config import Management, Profile
from fttui.problem import Problem
from fttui.service.provider import Provider, part

API_VERSION = "2024-10-01"
SECONDS = 60.0  # the longest a management request may take
_NEEDED = {
    "subscription": "AZURE_SUBSCRIPTION_ID",
    "resource_group": "AZURE_RESOURCE_GROUP",
    "account": "",
}


@dataclass(frozen=True, slots=True)
class _Refusal:
    pattern: str
    code: str
    remedy: str


# What the management API refuses with, and the way out. Matched on its code and message.
_REFUSALS = (
    _Refusal(
        r"authorizationfailed|does not have authorization|linkedauthorizationfailed",
        "missing_role",
        "Ask for a role with deployments/write on the resource (Cognitive Services Contributor).",
    ),
    _Refusal(
        r"expiredauthenticationtoken|invalidauthenticationtoken|authenticationfailed",
        "unauthorized",
        "Sign in again: az login",
    ),
    _Refusal(
        r"insufficientquota|insufficient quota|exceeds? .{0,40}(quota|capacity|limit)|quotaexceeded",
        "no_capacity",
        "Ask for less capacity, delete a deployment, or request quota in the Azure portal.",
    ),
    _Refusal(
        r"deploymentmodelnotsupported|modelnotfound|model .{0,80}(not found|not supported)",
        "model_not_found",
        "Deploy it in the resource that trained it, on a tier this model has.",
    ),
    _Refusal(
        r"resourcegroupnotfound|subscriptionnotfound|invalidsubscriptionid|parentresourcenotfound|"
        r"accounts/[^/']+' under resource group",
        "wrong_resource",
        "Correct subscription, resource_group and account in [profiles.{name}.azure].",
    ),
    _Refusal(
        r"requestconflict|anotheroperationinprogress|operation .{0,30}in progress",
        "conflict",
        "Another change of this resource is going on: try again in a minute.",
    ),
)


def why_not(profile: Profile) -> str:
    """Why this profile's deployments cannot be reached, "" where they can."""
    missing = _missing(profile.azure)
    return f"the profile names no {' and no '.join(missing)}" if missing else ""


def _missing(azure: Management | None) -> list[str]:
    return [name for name in _NEEDED if not getattr(azure, name, "")]


def _managed(profile: Profile) -> Management:
    """Where the profile's resource is managed, or the Problem that names the lines to add."""
    missing = _missing(profile.azure)
    if profile.azure is None or missing:
        lines = ", ".join(f'{name} = "…"' for name in missing)
        variables = " and ".join(_NEEDED[name] for name in missing if _NEEDED[name])
        raise Problem(
            "The deployments of this resource cannot be reached.",
            f"Profile {profile.name!r} names no {' and no '.join(missing)}.",
            f"Add to [profiles.{profile.name}.azure]: {lines}"
            + (f"  (or set {variables})" if variables else ""),
            code="not_configured",
        )
    return profile.azure


def _door(provider: Provider) -> Provider:
    """A client of the management API, made once: no request of it goes to the resource, or back."""
    if provider.management is None:
        profile = provider.profile
        managed = _managed(profile)
        provider.management = provider.beside(
            Profile(
                name=profile.name,
                provider="custom",
                base_url=managed.url,
                key=managed.key,
                timeout=profile.timeout,
            )
        )
    return provider.management


def path(provider: Provider, name: str = "") -> str:
    """The path of the resource's deployments, or of one of them."""
    managed = _managed(provider.profile)
    steps = (
        f"/subscriptions/{part(managed.subscription)}",
        f"/resourceGroups/{part(managed.resource_group)}",
        f"/providers/Microsoft.CognitiveServices/accounts/{part(managed.account)}/deployments",
    )
    return "".join(steps) + (f"/{part(name)}" if name else "")


async def ask(
    provider: Provider,
    method: str,
    name: str = "",
    *,
    doing: str,
    body: Mapping[str, Any] | None = None,
) -> Any:
    """One request about one deployment, or all of them. All its verbs may be repeated: a PUT made
    twice makes one deployment. A DELETE answers nothing."""
    return await _send(provider, method, path(provider, name), doing, body)


async def rows(provider: Provider, *, doing: str) -> list[Any]:
    """All deployments, page after page; bounded."""
    found: list[Any] = []
    where = path(provider)
    for _ in range(20):
        answer = await _send(provider, "GET", where, doing, None)
        if not isinstance(answer, dict) or not isinstance(answer.get("value"), list):
            raise Problem(
                f"{doing} failed.",
                "The answer is no list of deployments.",
                "Check management_url and any proxy between.",
                code="bad_answer",
            )
        found += answer["value"]
        following = answer.get("nextLink")
        managed = _managed(provider.profile)
        # A link to another host would carry our token there.
        if not isinstance(following, str) or not following.startswith(f"{managed.url}/"):
            break
        where = following.removeprefix(managed.url)
    return found


async def _send(
    provider: Provider, method: str, where: str, doing: str, body: Mapping[str, Any] | None
) -> Any:
    query = None if "api-version=" in where else {"api-version": API_VERSION}
    try:
        return await _door(provider).request(
            method,
            where,
            doing=doing,
            query=query,
            body=body,
            repeat=True,
            seconds=SECONDS,
            raw=method == "DELETE",
        )
    except Problem as refused:
        raise _named(refused, provider.profile.name) from None


def _named(refused: Problem, profile: str) -> Problem:
    """The same failure with a name and a way out of ours, where it is a known one."""
    if refused.code == "no_key":
        return _signed_out(refused, profile)
    said = f"{refused.code} {refused.why} {refused.detail.get('body', '')}".lower()
    row = next((row for row in _REFUSALS if re.search(row.pattern, said)), None)
    if row is None:
        return refused
    return Problem(
        refused.what,
        refused.why,
        row.remedy.format(name=profile),
        code=row.code,
        retry=refused.retry and row.code == "conflict",
        detail=refused.detail,
    )


def _signed_out(refused: Problem, profile: str) -> Problem:
    """A resource's key opens nothing here: only a token does."""
    package = "pip install 'fttui[azure]'; " if "not installed" in refused.why else ""
    return Problem(
        "Azure's management API needs a sign-in; a resource's key is not enough.",
        refused.why,
        f"Run: {package}az login  (or name a command that prints a token as management_key in "
        f"[profiles.{profile}.azure])",
        code="no_key",
    )
