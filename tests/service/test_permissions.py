"""Sharing a checkpoint with projects: the public API's own examples, with the admin key and no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.secrets import SecretSource
from fttui.service import permissions
from fttui.service.provider import Provider

ADMIN = "sk-admin-0123456789abcdefSECRET"
MODEL = "ft:gpt-4o-mini-2024-07-18:org:weather:B7R9VjQd:ckpt-step-88"
PATH = f"/fine_tuning/checkpoints/{MODEL}/permissions"


@pytest.fixture
def admin(
    server: Any, connect: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> Provider:
    monkeypatch.setenv("FTTUI_TEST_ADMIN", ADMIN)
    return connect(server.url, admin_key=SecretSource("env", "FTTUI_TEST_ADMIN"))


def example(shared: Path, name: str) -> Any:
    return json.loads((shared / "spec" / "examples" / f"{name}-0.json").read_text())


async def test_listing_giving_and_taking(server: Any, admin: Provider, shared: Path) -> None:
    server.fixed = {
        ("GET", PATH): example(shared, "listFineTuningCheckpointPermissions"),
        ("POST", PATH): example(shared, "createFineTuningCheckpointPermission"),
        ("DELETE", f"{PATH}/cp_zc4Q7MP6XxulcVzj4MZdwsAB"): example(
            shared, "deleteFineTuningCheckpointPermission"
        ),
    }
    found = await permissions.listing(admin, MODEL)
    assert [row.project for row in found] == [
        "proj_abGMw1llN8IrBb6SvvY5A1iH",
        "proj_iqGMw1llN8IrBb6SvvY5A1oF",
    ]
    assert found[0].created_at == 1721764867
    made = await permissions.create(admin, MODEL, ["proj_abGMw1llN8IrBb6SvvY5A1iH"])
    assert made[0].id == "cp_zc4Q7MP6XxulcVzj4MZdwsAB"
    assert server.seen("POST", PATH)[0].json == {"project_ids": ["proj_abGMw1llN8IrBb6SvvY5A1iH"]}
    await permissions.delete(admin, MODEL, made[0].id)
    assert server.count("DELETE", f"{PATH}/.*") == 1
    for request in server.requests:
        assert request.headers["authorization"] == f"Bearer {ADMIN}"


async def test_more_than_one_page(server: Any, admin: Provider) -> None:
    rows = [{"id": f"cp_{n}", "project_id": f"proj_{n}"} for n in range(3)]
    server.fail("GET", PATH, _page(rows[:2], more=True))
    server.fail("GET", PATH, _page(rows[2:], more=False))
    assert [row.project for row in await permissions.listing(admin, MODEL)] == [
        "proj_0", "proj_1", "proj_2",
    ]  # fmt: skip
    assert server.requests[1].query["after"] == "cp_1"


def _page(rows: list[dict[str, str]], *, more: bool) -> Any:
    import sys

    body = {"object": "list", "data": rows, "has_more": more, "last_id": rows[-1]["id"]}
    return sys.modules["fttui_test_faults"].Fault(200, body)


async def test_without_an_admin_key_nothing_is_sent(server: Any, provider: Provider) -> None:
    assert "OPENAI_ADMIN_KEY" in permissions.why_not(provider)
    with pytest.raises(Problem) as caught:
        await permissions.listing(provider, MODEL)
    assert caught.value.code == "no_admin_key"
    assert not server.requests


async def test_a_refused_admin_key_is_named_and_not_the_other(server: Any, admin: Provider) -> None:
    server.fail("GET", PATH, sys_fault(401, "Incorrect API key provided: sk-admin-0123456789abcd"))
    with pytest.raises(Problem) as caught:
        await permissions.listing(admin, MODEL)
    assert "$FTTUI_TEST_ADMIN" in str(caught.value)
    assert "$FTTUI_TEST_KEY" not in str(caught.value)
    assert "sk-admin" not in str(caught.value)


def sys_fault(status: int, message: str) -> Any:
    import sys

    faults = sys.modules["fttui_test_faults"]
    return faults.Fault(status, faults.error(message, "invalid_api_key"))


async def test_a_read_only_profile_shares_nothing(
    server: Any, connect: Callable[..., Provider]
) -> None:
    provider = connect(server.url, "custom", read_only=True)
    with pytest.raises(Problem, match="read-only"):
        await permissions.create(provider, MODEL, ["proj_a"])
    with pytest.raises(Problem, match="read-only"):
        await permissions.delete(provider, MODEL, "cp_1")
    assert not server.requests


def test_a_provider_that_cannot_says_so(connect: Callable[..., Provider]) -> None:
    assert "does not share" in permissions.why_not(connect("http://127.0.0.1:9/v1", "nebius"))
