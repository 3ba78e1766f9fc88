"""Every refusal that stays one is known for what it is, with ways out that lead somewhere; nothing else is."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fttui.config import Profile
from fttui.pricing.catalog import shipped
from fttui.problem import Problem
from fttui.secrets import SecretSource
from fttui.service import chat, doors, jobs, probe
from fttui.service.provider import Provider
from fttui.service.types import LaunchSpec
from fttui.state import State

TODAY = date(2026, 11, 21)


def _load() -> Any:
    path = Path(__file__).with_name("door_server.py")
    spec = importlib.util.spec_from_file_location("fttui_test_doors", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fttui_test_doors"] = module
    spec.loader.exec_module(module)
    return module


door_server = _load()
CLOSED = {name: one for name, one in door_server.SCENARIOS.items() if one.door}


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with door_server.DoorServer() as found:
        yield found


@pytest.fixture
async def provider_of(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Provider]]:
    made: list[Provider] = []

    def build(name: str, **fields: Any) -> Provider:
        scenario = door_server.SCENARIOS[name]
        monkeypatch.setenv("DOOR_KEY", scenario.key)
        profile = Profile(
            "work", scenario.kind, server.url(name), SecretSource("env", "DOOR_KEY"), **fields
        )

        async def no_sleep(seconds: float) -> None:
            pass

        made.append(Provider(profile, sleep=no_sleep))
        return made[-1]

    yield build
    for provider in made:
        await provider.close()


async def run_into(provider: Provider, scenario: Any) -> None:
    if scenario.where == door_server.LAUNCH:
        await jobs.create(provider, LaunchSpec("gpt-4.1-mini-2025-04-14", "file-1"))
    elif scenario.where == door_server.CHAT:
        asked = [{"role": "user", "content": "?"}]
        await chat.answer(provider, "gpt-4.1-mini-2025-04-14", asked)
    else:
        await jobs.listing(provider)


async def refusal(provider: Provider, scenario: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await run_into(provider, scenario)
    return caught.value


@pytest.mark.parametrize("name", CLOSED)
async def test_each_closed_door_is_known_and_has_ways_out(
    name: str, provider_of: Callable[..., Provider]
) -> None:
    scenario, provider = CLOSED[name], provider_of(name)
    problem = await refusal(provider, scenario)
    door = doors.door(problem, provider.profile, shipped(), TODAY)
    assert door is not None
    assert door.kind == scenario.door
    assert door.title
    assert door.why
    assert door.whom
    assert 2 <= len(door.ways) <= 6
    assert len({way.key for way in door.ways}) == len(door.ways)
    assert not set("dyjkgGq") & {way.key for way in door.ways}  # the dialog's own, and a list's
    shown = json.dumps(
        [door.title, door.said, door.why, door.whom, [str(way) for way in door.ways]]
    )
    assert "{" not in door.title + door.why + door.whom
    if scenario.key:
        assert scenario.key not in shown + str(problem.as_dict())


async def test_what_a_door_says_is_about_the_case_at_hand(
    provider_of: Callable[..., Provider],
) -> None:
    async def made(name: str, **fields: Any) -> doors.Door:
        provider = provider_of(name, **fields)
        problem = await refusal(provider, door_server.SCENARIOS[name])
        found = doors.door(problem, provider.profile, shipped(), TODAY)
        assert found is not None
        return found

    role = await made("missing-role", organization="org-acme")
    assert "api.fine_tuning.jobs.write" in role.why
    letter = next(way.value for way in role.ways if way.id == "ask")
    assert "api.fine_tuning.jobs.write" in letter
    assert "req_0123456789abcdef" in letter
    assert "organization: org-acme" in letter
    azure = await made("missing-role-azure")
    assert "fine-tunes/write" in azure.why
    retired = await made("retired")
    assert retired.title == "gpt-4.1-nano-2025-04-14 has been retired"
    assert "2026-10-23" in retired.why
    assert "Azure" in next(way.note for way in retired.ways if way.id == "retrain")
    unknown = await made("unknown-model")
    assert unknown.title == "OpenAI does not know ft:gpt-4.1-mini-2025-04-14:acme::AbC12345"
    tuned = await made("retired-tuned")  # a plain "does not exist": the catalogue knows better
    assert tuned.title == "ft:gpt-4.1-nano-2025-04-14:acme::AbC12345 has been retired"
    assert "sk-…" in (await made("wrong-endpoint")).why
    assert "an Azure resource" in (await made("wrong-endpoint-openai")).why
    assert "eu.api.openai.com" in (await made("wrong-region")).why
    quota = await made("quota")
    assert next(way.value for way in quota.ways if way.id == "link").endswith("/billing/overview")
    verify = await made("unverified")
    assert "organization/general" in next(way.value for way in verify.ways if way.id == "link")


@pytest.mark.parametrize(
    "problem",
    [
        Problem("x failed.", "Too many requests.", code="rate_limit", detail={"status": 429}),
        Problem("x failed.", "The provider failed (500).", code="server_error", detail={"status": 500}),
        Problem("x failed.", "Training file has 7 example(s).", code="invalid_n_examples",
                detail={"status": 400}),
        Problem("x failed.", "No such job", code="not_found", detail={"status": 404}),
        Problem("plan.jsonl cannot be read", "permission denied for its role", code="unreadable"),
        Problem("x failed.", "Nothing answers at h.", code="refused"),
        Problem("The model is gone", "the plan could not be priced", code="price"),
    ],
)  # fmt: skip
def test_an_ordinary_failure_is_no_door(problem: Problem) -> None:
    assert doors.kind_of(problem) == ""


def test_the_local_profile_is_not_offered_itself() -> None:
    problem = Problem("x failed.", "", code="gone", detail={"status": 410})
    door = doors.door(problem, Profile("local", "local"), shipped(), TODAY)
    assert door is not None
    assert "local" not in [way.id for way in door.ways]


# ---- probing ----


class Told(Provider):
    """A provider whose answers to GETs are given: path → (status, body)."""

    answers: Callable[[str], tuple[int, Any]]

    async def ready(self) -> None:
        return None

    async def request(self, method: str, path: str, **_: Any) -> Any:
        assert method == "GET"
        status, body = self.answers(path)
        raw = json.dumps(body).encode()
        if status >= 300:
            raise Problem("x", detail={"status": status, "body": raw.decode()})
        return raw


def told(answers: Callable[[str], tuple[int, Any]], **fields: Any) -> Told:
    made = Told(Profile("p", "custom", "http://host/v1", **fields))
    made.answers = answers
    return made


LISTED = {"data": [{"id": "ftjob-1"}]}
NO_ROUTE = (404, {"error": {"message": "Invalid URL"}})
NO_JOB = (404, {"error": {"message": f"No such job: {probe.NOBODY}"}})
POSTS_ONLY = (405, {"detail": "Method Not Allowed"})


def rest(path: str, *, rows: Any, routes: dict[str, tuple[int, Any]]) -> tuple[int, Any]:
    if path == "/fine_tuning/jobs":
        return 200, rows
    if path == "/models":
        return 200, {"data": []}
    return routes.get(path.rsplit("/", 1)[-1], NO_ROUTE)


@pytest.mark.parametrize(
    ("rows", "routes", "lacks", "has"),
    [
        # a job that exists: its routes answer, or are not there
        (LISTED, {"events": (200, {"data": []}), "checkpoints": NO_ROUTE,
                  "cancel": POSTS_ONLY, "pause": NO_ROUTE}, {"checkpoints", "pause"}, {"events", "cancel"}),
        (LISTED, {"events": POSTS_ONLY, "checkpoints": (501, {}), "cancel": (501, {})},
         {"events", "checkpoints", "cancel"}, set()),
        # no job: "no such job" is told from "no such route"
        ({"data": []}, {probe.NOBODY: NO_JOB, "events": NO_JOB, "checkpoints": NO_ROUTE,
                        "cancel": POSTS_ONLY, "pause": POSTS_ONLY}, {"checkpoints"}, {"events", "cancel", "pause"}),
        # everything looks alike, or is refused: nothing is claimed
        ({"data": []}, {}, set(), set()),
        ({"data": []}, {name: (403, {}) for name in ("events", "checkpoints", "cancel", "pause")}, set(), set()),
        (LISTED, {name: (503, {}) for name in ("events", "checkpoints", "cancel", "pause")}, set(), set()),
    ],
)  # fmt: skip
async def test_what_is_missing_is_found_without_changing_anything(
    rows: Any, routes: dict[str, Any], lacks: set[str], has: set[str]
) -> None:
    found = await probe.probe(told(lambda path: rest(path, rows=rows, routes=routes)))
    assert set(found.lacks) == lacks
    assert set(found.has) == has | {"jobs"}
    assert all(reason.startswith("host ") for reason in found.lacks.values())


async def test_a_server_that_answers_anything_is_not_believed() -> None:
    found = await probe.probe(told(lambda path: (200, {"data": []})))
    assert not found.lacks
    assert found.has == ("jobs",)


async def test_a_server_without_fine_tuning_and_one_that_is_not_there() -> None:
    def chat_only(path: str) -> tuple[int, Any]:
        return (200, {"data": []}) if path == "/models" else NO_ROUTE

    assert "has no fine-tuning jobs" in (await probe.probe(told(chat_only))).lacks["jobs"]
    nothing = await probe.probe(told(lambda path: NO_ROUTE))
    assert not nothing.lacks
    assert "404" in nothing.problem


async def test_it_is_asked_once_kept_with_its_date_and_asked_again_when_told(home: Path) -> None:
    state, asked = State(), []

    def answers(path: str) -> tuple[int, Any]:
        asked.append(path)
        return rest(path, rows=LISTED, routes={"events": (200, {"data": []})})

    first = told(answers)
    found = await probe.once(first, state)
    assert first.lacks("checkpoints") == "host keeps no checkpoints."
    count = len(asked)
    again = told(answers)
    assert await probe.once(again, state) == found
    assert (len(asked), again.lacks("checkpoints")) == (count, "host keeps no checkpoints.")
    probe.forget(again, state)
    assert again.lacks("checkpoints") == ""
    await probe.once(again, state)
    assert len(asked) == 2 * count
    stale = probe.Probed(found.at - probe.OLD - 1, found.lacks)
    state.remember(probe.key_of(again), stale.as_dict())
    await probe.once(told(answers), state)
    assert len(asked) == 3 * count
    state.close()


async def test_the_configuration_outranks_what_was_found_and_what_the_catalogue_says() -> None:
    def answers(path: str) -> tuple[int, Any]:
        return rest(path, rows=LISTED, routes={})

    provider = told(answers, overrides={"checkpoints": True, "pause": False, "cancel": "Ask Kim."})
    provider.learned.update((await probe.probe(provider)).lacks)
    assert provider.lacks("events") == "host shows no events of a job."
    assert provider.lacks("checkpoints") == ""
    assert "The configuration says" in provider.lacks("pause")
    assert provider.lacks("cancel") == "Ask Kim."


async def test_the_answers_of_a_real_server_are_understood(
    provider_of: Callable[..., Provider], server: Any
) -> None:
    before = len(server.asked)
    found = await probe.probe(provider_of("open"))
    assert set(found.has) == {"jobs", "events", "checkpoints", "cancel", "pause"}
    assert not found.lacks
    sent = server.asked[before:]
    assert len(sent) <= 8
    assert {verb for _, verb, _ in sent} == {"GET"}
