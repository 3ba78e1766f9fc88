"""Which projects may use a checkpoint: listed, given and taken with an organization's admin key.

POST/GET /fine_tuning/checkpoints/{name}/permissions and DELETE …/{id}, as the public API documents them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from fttui.problem import Problem
from fttui.service import coerce as to
from fttui.service.provider import Provider, part
from fttui.service.types import Page

LIMIT = 100
PAGES = 20
PROJECT = re.compile(r"^proj_\w+$")


@dataclass(frozen=True, slots=True)
class Permission:
    """One project that may use a checkpoint. `created_at`: Unix seconds, 0 unknown."""

    id: str
    project: str = ""
    created_at: int = 0

    @classmethod
    def from_json(cls, obj: Any) -> Permission:
        body = to.mapping(obj)
        return cls(
            to.text(body.get("id")),
            to.text(body.get("project_id")),
            to.moment(body.get("created_at")),
        )


def why_not(provider: Provider) -> str:
    """Why checkpoints cannot be shared here; "" where they (perhaps) can."""
    lack = provider.lacks("permissions")
    if lack:
        return lack
    if provider.profile.provider == "openai" and provider.profile.admin_key.kind == "none":
        return (
            "sharing needs the organization's admin key: set OPENAI_ADMIN_KEY, or admin_key of the"
            f" profile {provider.profile.name}"
        )
    return ""


@asynccontextmanager
async def _asked(provider: Provider) -> AsyncIterator[Provider]:
    """The same provider asked with the admin key, where the profile names one."""
    reason = why_not(provider)
    if reason:
        raise Problem(
            "The checkpoint cannot be shared.",
            reason[0].upper() + reason[1:].rstrip(".") + ".",
            "An owner makes one at the provider, under Organization, Admin keys."
            if "admin key" in reason
            else "Use a profile of a provider that shares checkpoints.",
            code="no_admin_key" if "admin key" in reason else "not_supported",
        )
    profile = provider.profile
    if profile.admin_key.kind == "none":
        yield provider
        return
    admin = provider.beside(replace(profile, key=profile.admin_key))
    try:
        yield admin
    finally:
        await admin.close()


def _path(model: str) -> str:
    return f"/fine_tuning/checkpoints/{part(model)}/permissions"


async def listing(provider: Provider, model: str) -> list[Permission]:
    """The projects a checkpoint (by its model name) is shared with, newest first."""
    found: dict[str, Permission] = {}
    cursor = ""
    async with _asked(provider) as admin:
        for _ in range(PAGES):
            page = await admin.page(
                _path(model),
                Permission.from_json,
                doing="Reading with whom the checkpoint is shared",
                query={"after": cursor, "limit": LIMIT},
            )
            found.update({row.id: row for row in page.items if row.id})
            if not page.has_more or page.cursor in ("", cursor):
                break
            cursor = page.cursor
    return list(found.values())


async def create(provider: Provider, model: str, projects: Sequence[str]) -> list[Permission]:
    """Share a checkpoint with projects (`proj_…`). Doing it twice gives what is there."""
    provider.writing("Sharing a checkpoint")
    async with _asked(provider) as admin:
        answer = await admin.request(
            "POST",
            _path(model),
            doing="Sharing the checkpoint",
            body={"project_ids": list(projects)},
        )
    return list(Page.from_json(answer, Permission.from_json).items)


async def delete(provider: Provider, model: str, permission_id: str) -> None:
    """Share a checkpoint with this project no longer."""
    provider.writing("Ending the sharing of a checkpoint")
    async with _asked(provider) as admin:
        await admin.request(
            "DELETE",
            f"{_path(model)}/{part(permission_id)}",
            doing="Ending the sharing",
            repeat=True,
        )
