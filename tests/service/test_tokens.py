"""Keys that end: Entra and other tokens are read when needed, replaced before they end, and never shown."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sys
import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fttui import secrets
from fttui.problem import Problem
from fttui.secrets import SecretSource
from fttui.service import jobs, models
from fttui.service.provider import Provider

SCOPE = "https://cognitiveservices.azure.com/.default"
ENTRA = SecretSource("entra", SCOPE)


class Credential:
    """As azure-identity's: a token for a scope, with the time it ends."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lives = 3600.0
        self.error: Exception | None = None

    def get_token(self, scope: str) -> Any:
        self.asked.append(scope)
        if self.error is not None:
            raise self.error
        token = f"entra-token-{len(self.asked):04d}-SECRET"
        return SimpleNamespace(token=token, expires_on=time.time() + self.lives)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> Credential:
    credential = Credential()
    identity = ModuleType("azure.identity")
    identity.DefaultAzureCredential = lambda: credential
    monkeypatch.setitem(sys.modules, "azure", ModuleType("azure"))
    monkeypatch.setitem(sys.modules, "azure.identity", identity)
    monkeypatch.setattr(secrets, "_CREDENTIALS", [])
    return credential


def sent(server: Any) -> list[str]:
    return [request.headers.get("authorization", "") for request in server.requests]


@pytest.mark.parametrize("version", ["", "2025-04-01-preview"])
async def test_a_token_is_used_until_it_is_about_to_end(
    signed_in: Credential, fault: Any, connect: Callable[..., Provider],
    monkeypatch: pytest.MonkeyPatch, version: str,
) -> None:  # fmt: skip
    async with fault.FaultServer("azure", "/openai" if version else "/openai/v1") as server:
        url = server.url.removesuffix("/openai") if version else server.url
        provider = connect(url, "azure", key=ENTRA, api_version=version)
        for _ in range(3):
            await models.listing(provider)
        assert signed_in.asked == [SCOPE]
        monkeypatch.setattr(secrets.time, "time", lambda now=time.time: now() + 3400)
        await models.listing(provider)
        tokens = [f"Bearer entra-token-{n:04d}-SECRET" for n in (1, 1, 1, 2)]
        assert sent(server) == tokens
        assert all("api-key" not in request.headers for request in server.requests)


async def test_many_requests_at_once_ask_for_one_token(
    signed_in: Credential,
    server: Any,
    connect: Callable[..., Provider],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = connect(server.url, "azure", key=ENTRA)
    await models.listing(provider)
    monkeypatch.setattr(secrets.time, "time", lambda now=time.time: now() + 3599)
    await asyncio.gather(*(models.listing(provider) for _ in range(8)))
    assert len(signed_in.asked) == 2
    assert set(sent(server)[1:]) == {"Bearer entra-token-0002-SECRET"}


async def test_a_source_that_answers_with_the_same_old_token_is_not_asked_each_time(
    signed_in: Credential, server: Any, connect: Callable[..., Provider]
) -> None:
    signed_in.lives = 120.0  # always about to end
    provider = connect(server.url, "azure", key=ENTRA)
    for _ in range(4):
        await models.listing(provider)
    assert len(signed_in.asked) == 1


async def test_a_sign_in_that_fails_is_said_before_anything_is_sent(
    signed_in: Credential, server: Any, connect: Callable[..., Provider]
) -> None:
    signed_in.error = RuntimeError(
        "DefaultAzureCredential failed to retrieve a token.\nAttempted: …"
    )
    provider = connect(server.url, "azure", key=ENTRA)
    with pytest.raises(Problem) as caught:
        await models.listing(provider)
    assert caught.value.code == "no_key"
    assert "failed to retrieve a token" in caught.value.why
    assert "az login" in caught.value.remedy
    assert not server.requests


async def test_warnings_of_the_sign_in_are_not_printed_over_the_screen(
    signed_in: Credential, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as in the app: nobody set up logging
    ENTRA.resolve()
    logging.getLogger("azure.identity._credentials.chained").warning("no token: %s", "reasons")
    assert capfd.readouterr() == ("", "")


async def test_a_sign_in_that_ends_while_the_app_runs(
    signed_in: Credential,
    server: Any,
    connect: Callable[..., Provider],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = connect(server.url, "azure", key=ENTRA)
    await models.listing(provider)
    monkeypatch.setattr(secrets.time, "time", lambda now=time.time: now() + 4000)
    signed_in.error = RuntimeError(
        "AADSTS700082: the refresh token has expired. Bearer abcdefghijkl"
    )
    with pytest.raises(Problem) as caught:
        await jobs.listing(provider)
    assert (caught.value.code, "AADSTS700082" in caught.value.why) == ("no_key", True)
    assert "abcdefghijkl" not in str(caught.value)
    assert len(server.requests) == 1
    signed_in.error = None
    await jobs.listing(provider)  # signed in again: goes on
    assert len(server.requests) == 2


def test_without_the_package_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(Problem) as caught:
        ENTRA.resolve()
    assert "pip install 'fttui[azure]'" in caught.value.remedy
    assert ENTRA.describe() == "Microsoft Entra ID"


async def test_a_command_that_prints_a_token_is_run_again_when_it_ends(
    server: Any, connect: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """`az account get-access-token …`, `gcloud auth print-access-token`: a JSON web token says its end."""

    def token(name: str) -> str:
        claims = json.dumps({"exp": time.time() + 3600, "name": name}).encode()
        return f"eyJhbGciOiJub25lIn0.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.sig"

    place = tmp_path / "token"
    first, second = token("one"), token("two-longer")
    place.write_text(first)
    provider = connect(server.url, "azure", key=SecretSource("command", f"cat {place}"))
    await models.listing(provider)
    place.write_text(second)
    await models.listing(provider)
    monkeypatch.setattr(secrets.time, "time", lambda now=time.time: now() + 3500)
    await models.listing(provider)
    assert sent(server) == [f"Bearer {t}" for t in (first, first, second)]


async def test_an_azure_token_in_the_environment_goes_where_tokens_go(
    fault: Any, connect: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() + 3600}).encode()).decode()
    token = f"eyJhbGciOiJub25lIn0.{claims.rstrip('=')}.sig"
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", token)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-somebody-else")
    async with fault.FaultServer("azure", "/openai") as server:
        key = SecretSource("env", "AZURE_OPENAI_AD_TOKEN")
        old = connect(
            server.url.removesuffix("/openai"), "azure", key=key, api_version="2024-10-21"
        )
        await models.listing(old)
        headers = server.requests[-1].headers
        assert headers["authorization"] == f"Bearer {token}"
        assert "api-key" not in headers
        assert "openai-organization" not in headers


async def test_no_token_in_anything_that_is_shown(
    signed_in: Credential, server: Any, connect: Callable[..., Provider], fault: Any
) -> None:
    provider = connect(server.url, "azure", key=ENTRA)
    said = "Bearer entra-token-0001-SECRET was refused"
    server.fail("GET", ".*", fault.Fault(401, fault.error(said)), times=4)
    with pytest.raises(Problem) as caught:
        await jobs.listing(provider)
    shown = f"{caught.value} {caught.value.as_dict()} {vars(provider)} {provider.profile}"
    assert "0001-SECRET" not in shown
    assert sent(server)[0] == "Bearer entra-token-0001-SECRET"
