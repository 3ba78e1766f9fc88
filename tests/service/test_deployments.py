"""Deployments through the management API: made once, waited for until they answer, priced, deleted for good."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fttui_test_emulators import ARM_TOKEN

from fttui.config import Management
from fttui.pricing import catalog, deployed
from fttui.problem import Problem
from fttui.secrets import SecretSource
from fttui.service import deployments
from fttui.service.deployments import Deployment, DeploySpec
from fttui.service.provider import Provider

BASE = "gpt-4.1-mini-2025-04-14"
MODEL = f"{BASE}.ft-0123456789abcdef-support"
SPEC = DeploySpec("support", MODEL, "GlobalStandard", 100, BASE)
HOUR, DAY = 3600, 24 * 3600


async def refused(work: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await work
    assert caught.value.why
    assert caught.value.remedy
    return caught.value


async def test_all_pages_are_read_tuned_ones_first(
    azure: Any, on_azure: Callable[..., Provider]
) -> None:
    azure.deploy("a-base", "gpt-4o")
    azure.deploy("b-base", "gpt-4o-mini")
    azure.deploy("z-tuned", MODEL, age=2 * DAY, **{"fttui-base": BASE, "fttui-job": "ftjob-1"})
    rows = await deployments.listing(on_azure())
    assert [row.name for row in rows] == ["z-tuned", "a-base", "b-base"]
    first = rows[0]
    assert (first.sku, first.capacity, first.base, first.job) == (
        "GlobalStandard",
        100,
        BASE,
        "ftjob-1",
    )
    assert (first.made, first.making) == (True, False)
    assert len(azure.requests) == 2


async def test_a_next_page_elsewhere_is_not_asked_for(
    azure: Any, on_azure: Callable[..., Provider]
) -> None:
    """The link comes from an answer: following it to another host would carry the token there."""
    foreign = {"value": [{"name": "one"}], "nextLink": "http://127.0.0.1:1/steal?api-version=1"}
    azure._list = lambda r: (200, foreign)
    assert [row.name for row in await deployments.listing(on_azure())] == ["one"]
    assert len(azure.requests) == 1


async def test_each_door_has_its_own_key(azure: Any, on_azure: Callable[..., Provider]) -> None:
    provider = on_azure()
    await deployments.create(provider, SPEC)
    await deployments.wait_ready(provider, "support")
    tokens = {
        (r.path.startswith("/subscriptions/"), r.headers["authorization"] == f"Bearer {ARM_TOKEN}")
        for r in azure.requests
    }
    assert tokens == {(True, True), (False, False)}


async def test_made_once_though_the_answer_is_lost(
    azure: Any, on_azure: Callable[..., Provider], fault: Any
) -> None:
    provider = on_azure(timeout=0.5)
    azure.fail("PUT", "/subscriptions/.*", fault.Fault(503, "", done=True))
    made = await deployments.create(provider, SPEC)
    assert (list(azure.deployments), made.name) == (["support"], "support")
    assert (await deployments.create(provider, SPEC)).name == "support"  # the same again: no other
    assert len(azure.deployments) == 1


async def test_a_name_that_serves_another_model_is_not_overwritten(
    azure: Any, on_azure: Callable[..., Provider]
) -> None:
    azure.deploy("Support", f"{BASE}.ft-99")
    problem = await refused(deployments.create(on_azure(), SPEC))
    assert problem.code == "name_taken"
    assert azure.count("PUT", ".*") == 0


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (replace(SPEC, name="two words"), "letters, digits"),
        (replace(SPEC, name="-dash"), "letters, digits"),
        (replace(SPEC, name="x" * 65), "64 at most"),
        (replace(SPEC, capacity=0), "at least 1"),
    ],
)
async def test_what_azure_would_refuse_is_not_sent(
    azure: Any, on_azure: Callable[..., Provider], spec: DeploySpec, words: str
) -> None:
    assert words in (await refused(deployments.create(on_azure(), spec))).why
    assert not azure.requests


async def test_refusals_of_the_management_api_say_the_way_out(
    azure: Any, on_azure: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    too_much = await refused(deployments.create(on_azure(), replace(SPEC, capacity=10_000)))
    assert (too_much.code, "less capacity" in too_much.remedy) == ("no_capacity", True)
    unknown = await refused(deployments.create(on_azure(), replace(SPEC, model="gpt-4o")))
    assert unknown.code == "model_not_found"
    azure.may_write = False
    role = await refused(deployments.create(on_azure(), SPEC))
    assert (role.code, "deployments/write" in role.remedy) == ("missing_role", True)
    elsewhere = on_azure(azure=replace(on_azure().profile.azure, resource_group="other"))
    wrong = await refused(deployments.listing(elsewhere))
    assert (wrong.code, "[profiles.test.azure]" in wrong.remedy) == ("wrong_resource", True)
    monkeypatch.setenv("FTTUI_TEST_ARM", "an-old-token-0123456789")
    old = await refused(deployments.listing(on_azure()))
    assert (old.code, old.remedy, old.retry) == ("unauthorized", "Sign in again: az login", False)
    shown = json.dumps([p.as_dict() for p in (too_much, role, wrong, old)], default=str)
    assert "token-0123456789" not in shown


async def test_a_profile_that_does_not_say_where_it_is_managed(
    azure: Any, on_azure: Callable[..., Provider]
) -> None:
    bare = on_azure(azure=Management(account="res-1", url=azure.root))
    assert deployments.why_not(bare) == "the profile names no subscription and no resource_group"
    problem = await refused(deployments.listing(bare))
    assert problem.code == "not_configured"
    assert 'subscription = "…", resource_group = "…"' in problem.remedy
    assert "AZURE_SUBSCRIPTION_ID" in problem.remedy
    azure.deploy("support", MODEL)
    assert [row.id for row in await deployments.models_to_chat(bare)] == [BASE, "gpt-4o-2024-08-06"]
    assert not deployments.why_not(on_azure())


async def test_without_a_sign_in_the_way_to_one_is_told(
    on_azure: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    entra = SecretSource("entra", "https://management.azure.com/.default")
    provider = on_azure(azure=replace(on_azure().profile.azure, key=entra))
    problem = await refused(deployments.listing(provider))
    assert (problem.code, "pip install 'fttui[azure]'; az login" in problem.remedy) == (
        "no_key",
        True,
    )
    assert "management_key in [profiles.test.azure]" in problem.remedy
    assert "AZURE_OPENAI_API_KEY" not in problem.remedy  # it opens nothing here


async def test_read_only_and_other_providers(
    azure: Any, on_azure: Callable[..., Provider], connect: Callable[..., Provider]
) -> None:
    locked = on_azure(read_only=True)
    azure.deploy("support", MODEL)
    (row,) = await deployments.listing(locked)
    for work in (
        deployments.create(locked, SPEC),
        deployments.scale(locked, row, 50),
        deployments.delete(locked, "support"),
    ):
        assert (await refused(work)).code == "read_only"
    other = connect(azure.url, "openai")
    assert "answers by its name" in deployments.why_not(other)
    assert (await refused(deployments.create(other, SPEC))).code == "not_supported"


async def test_scaling_keeps_everything_else(azure: Any, on_azure: Callable[..., Provider]) -> None:
    provider = on_azure()
    azure.deploy("support", MODEL, "DeveloperTier", **{"fttui-base": BASE})
    (row,) = await deployments.listing(provider)
    scaled = await deployments.scale(provider, row, 250)
    assert (scaled.capacity, scaled.sku, scaled.model) == (250, "DeveloperTier", MODEL)
    assert scaled.base == BASE
    nothing = await refused(deployments.scale(provider, row, 0))
    assert "does not scale to zero" in nothing.why
    assert "Delete" in nothing.remedy


async def test_deleted_means_gone(azure: Any, on_azure: Callable[..., Provider]) -> None:
    provider = on_azure()
    azure.deploy("support", MODEL)
    await deployments.delete(provider, "support")
    assert not azure.deployments
    await deployments.delete(provider, "support")  # again is no error


# ---- until it answers ----


async def test_a_deployment_that_fails_says_why(
    azure: Any, on_azure: Callable[..., Provider]
) -> None:
    azure.deploy("support", MODEL)
    azure.deployments["support"]["properties"] |= {
        "provisioningState": "Failed",
        "error": {"message": "No capacity in this region."},
    }
    problem = await refused(deployments.wait_ready(on_azure(), "support"))
    assert (problem.code, "No capacity in this region." in problem.why) == ("deploy_failed", True)


async def test_one_that_never_answers_is_left_after_a_while(
    azure: Any, on_azure: Callable[..., Provider]
) -> None:
    azure.deploy("support", MODEL)
    azure.deployments["support"]["silent"] = 10**6
    provider = on_azure()
    passed = iter(range(0, 10**6, 60))
    problem = await refused(
        deployments.wait_ready(provider, "support", clock=lambda: float(next(passed)))
    )
    assert (problem.code, problem.retry) == ("not_ready", True)
    assert "costs money meanwhile" in problem.remedy
    assert 3 < len(azure.seen("POST", "/chat/completions")) < 20


async def test_a_busy_deployment_is_ready_and_a_wrong_key_is_told(
    azure: Any, on_azure: Callable[..., Provider], fault: Any
) -> None:
    azure.deploy("support", MODEL)
    azure.fail("POST", "/chat/completions", fault.Fault(429, fault.error("slow down")))
    assert (await deployments.wait_ready(on_azure(), "support")).made
    azure.fail(
        "POST", "/chat/completions", fault.Fault(400, fault.error("max_tokens is not supported"))
    )
    assert (await deployments.wait_ready(on_azure(), "support")).made
    not_yet = {"error": {"code": "DeploymentNotReady", "message": "Wait."}}
    before = azure.count("POST", "/chat/completions")
    for wrong in (
        fault.Fault(503, ""), fault.Fault(reset_after=0), fault.Fault(404, fault.error("Not found")),
        fault.Fault(424, not_yet), fault.Fault(400, not_yet),
    ):  # fmt: skip
        azure.fail("POST", "/chat/completions", wrong)
    assert (await deployments.wait_ready(on_azure(), "support")).made
    assert azure.count("POST", "/chat/completions") == before + 6  # asked again until it answered
    azure.fail("POST", "/chat/completions", fault.Fault(401, fault.error("no")))
    told = await refused(deployments.wait_ready(on_azure(), "support"))
    assert told.detail["status"] == 401


async def test_waiting_is_said_and_can_be_cancelled(
    azure: Any, on_azure: Callable[..., Provider]
) -> None:
    provider = on_azure()
    azure.deploy("support", MODEL)
    azure.deployments["support"]["silent"] = 10**6
    waiting = asyncio.Event()

    async def rest(seconds: float) -> None:
        waiting.set()
        await asyncio.sleep(3600)

    provider._sleep = rest
    task = asyncio.create_task(deployments.wait_ready(provider, "support"))
    await asyncio.wait_for(waiting.wait(), 5)
    assert "does not answer yet" in provider.waits[-1].problem.what
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# ---- names, answers of any shape ----


def test_a_name_for_a_deployment() -> None:
    assert deployments.name_for(MODEL) == "gpt-41-mini-support"
    assert deployments.name_for(MODEL, ["gpt-41-mini-support"]) == "gpt-41-mini-support-2"
    assert deployments.name_for(f"{BASE}.ft-0123456789abcdef") == "gpt-41-mini-012345"
    assert deployments.name_for("ftchkpt-0123") == "ftchkpt-0123"
    assert not deployments.check_name(deployments.name_for("ft:a/b:c::" + "é" * 80))


@pytest.mark.parametrize("obj", [None, 7, [], {}, {"name": None, "sku": 3, "properties": "x", "tags": []},
                                 {"properties": {"rateLimits": [None, {"key": "token", "count": 1}]}}])  # fmt: skip
def test_a_deployment_of_any_shape(obj: Any) -> None:
    found = Deployment.from_json(obj)
    assert (found.name, found.state, found.made) == ("", "unknown", False)


def test_the_deployment_of_a_model() -> None:
    rows = [
        Deployment("a", "m1", state="creating"),
        Deployment("b", "m1", state="succeeded"),
        Deployment("c", "m2", state="creating"),
    ]
    found = [deployments.of_model(rows, name) for name in ("m1", "m2", "m3", "")]
    assert [row and row.name for row in found] == ["b", "c", None, None]


# ---- what it costs, and when it ends ----

CATALOG = catalog.load_or_shipped()


@pytest.mark.parametrize(
    ("model", "sku", "base", "hour", "words"),
    [
        (MODEL, "GlobalStandard", "", "1.70", "$1.70 an hour, $40.80 a day, $1,224.00 a month"),
        (MODEL, "standard", "", "1.70", "$1.70 an hour"),
        (MODEL, "STANDARD", "", "1.70", "$1.70 an hour"),
        (MODEL, "DeveloperTier", "", "0", "nothing by the hour (the Developer tier"),
        ("gpt-4o-2024-08-06.ft-12", "DeveloperTier", "", "0", "nothing by the hour"),
        ("ftchkpt-0123", "GlobalStandard", BASE, "1.70", "$1.70 an hour"),
        ("ftchkpt-0123", "GlobalStandard", "", "1.70", "about $1.70 an hour"),
        ("gpt-4o", "GlobalStandard", "", "0", "by the token only"),
        (MODEL, "ProvisionedManaged", "", None, "price unknown"),
        ("Qwen-32B.ft-12", "GlobalStandard", "", None, "price unknown"),
    ],
)
def test_the_price_of_a_deployment(
    model: str, sku: str, base: str, hour: str | None, words: str
) -> None:
    found = deployed.hosting(CATALOG, "azure", model, sku, base)
    assert found.hour == (None if hour is None else Decimal(hour))
    assert words in found.words()


def test_what_has_come_together() -> None:
    found = deployed.hosting(CATALOG, "azure", MODEL, "GlobalStandard")
    assert found.spent(0) == Decimal("0.00")
    assert found.spent(90 * 60) == Decimal("2.55")
    assert found.spent(30 * DAY) == Decimal("1224.00")
    assert found.spent(-5) == 0
    assert deployed.hosting(CATALOG, "azure", MODEL, "odd").spent(HOUR) is None


def test_when_a_deployment_ends_by_itself() -> None:
    home = CATALOG.provider("azure")
    developer, standard = home.tier_of_sku("developertier"), home.tier_of_sku("Standard")
    now = 100 * DAY
    young = deployed.end(developer, now - 3 * HOUR, 0, now)
    assert (young.text, young.level) == ("deleted in 21 h 00 min", "ok")
    late = deployed.end(developer, now - 23 * HOUR, now, now)
    assert (late.text, late.level) == ("deleted in 1 h 00 min", "soon")
    assert deployed.end(developer, now - 25 * HOUR, 0, now).level == "over"
    assert "24 hours after" in deployed.end(developer, 0, 0, now).text
    fresh = deployed.end(standard, now - HOUR, 0, now)
    assert (fresh.text, fresh.level) == ("deleted after 15 days without a request", "ok")
    idle = deployed.end(standard, now - 40 * DAY, now - 13 * DAY, now)
    assert (idle.level, idle.text.endswith("13 without one from here")) == ("soon", True)
    assert deployed.end(standard, now - 40 * DAY, now - 2 * DAY, now).level == "ok"
    assert deployed.end(None, 1, 1, now) is None
