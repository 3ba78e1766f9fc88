"""One provider, ready to be asked: builds the client off the event loop, sends, waits, repeats where that is safe.

Answers are parsed here from their bytes, never by the client's own models: services answer with
more than those models know, and a broken body must become a Problem, not a traceback.
"""

from __future__ import annotations

import asyncio
import importlib
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import orjson

from fttui import __version__
from fttui.config import Profile
from fttui.problem import Problem
from fttui.secrets import Secret
from fttui.service import capabilities, errors
from fttui.service.types import Page

T = TypeVar("T")

ATTEMPTS = 4  # one request and three repeats
LONGEST_WAIT = 60.0  # seconds; a provider that asks for more gets a Problem that says so
CONNECT_SECONDS = 10.0
BACKOFF = 0.5


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause before a request is repeated, for showing: seconds, which try comes next, and why."""

    seconds: float
    attempt: int
    attempts: int
    problem: Problem


class Provider:
    """A profile that can be talked to. Cheap to make: nothing is imported or opened before `ready()`."""

    def __init__(
        self,
        profile: Profile,
        *,
        on_wait: Callable[[Wait], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.profile = profile
        self.on_wait = on_wait
        self.capabilities = capabilities.of(profile.provider, profile.overrides)
        self.learned: dict[str, str] = {}  # feature → why it turned out to be missing
        self.attempted: set[str] = set()  # tags of launches that were sent once already
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._client: Any = None
        self._key = Secret("")
        self._renewing = asyncio.Lock()
        self.management: Provider | None = (
            None  # another door of the same house: `azure_arm` opens it
        )

    # ---- life ----

    async def ready(self) -> Any:
        """The client (AsyncOpenAI or its Azure twin). Raises Problem: no key, no local server."""
        async with self._lock:
            if self._client is None:
                base_url, key = await asyncio.to_thread(self._locate)
                openai = await asyncio.to_thread(importlib.import_module, "openai")
                self._client = self._build(openai, base_url, key)
        return self._client

    def _locate(self) -> tuple[str, Secret]:
        if self.profile.provider != "local":
            return self.profile.base_url, self.profile.key.resolve()
        launch = importlib.import_module("fttui.local.launch")
        endpoint = launch.ensure()
        return endpoint.base_url, Secret(endpoint.token)

    def _build(self, openai: Any, base_url: str, key: Secret) -> Any:
        profile = self.profile
        self._key = key
        common: dict[str, Any] = {
            "max_retries": 0,  # what may be repeated is decided here
            "timeout": openai.Timeout(profile.timeout, connect=CONNECT_SECONDS),
            "default_headers": {"User-Agent": f"fttui/{__version__}", **profile.headers},
        }
        if profile.provider == "local":  # a proxy has no business between us and this machine
            common["http_client"] = openai.DefaultAsyncHttpxClient(trust_env=False)
        is_token = key.expires is not None
        if profile.api_version:  # Azure before v1 takes a token and a key in different headers
            common["azure_ad_token_provider" if is_token else "api_key"] = (
                self._token if is_token else key.reveal() or "none"
            )
            client = openai.AsyncAzureOpenAI(
                azure_endpoint=base_url, api_version=profile.api_version, **common
            )
        else:  # an empty key would make the client look for another one
            common["api_key"] = self._token if is_token else key.reveal() or "none"
            client = openai.AsyncOpenAI(base_url=base_url, **common)
        # The client fills these from OPENAI_* for any host; ours come from the profile alone.
        client.organization = profile.organization or None
        client.project = profile.project or None
        client.admin_api_key = None
        return client

    async def _token(self) -> str:
        """The token in force: the client asks before every request, and an old one is replaced."""
        async with self._renewing:
            if self._key.stale:
                self._key = await asyncio.to_thread(self.profile.key.resolve)
            return self._key.reveal()

    async def close(self) -> None:
        """Close the connections. The provider can be used again."""
        async with self._lock:
            client, self._client = self._client, None
        if client is not None:
            await client.close()
        if self.management is not None:
            await self.management.close()

    # ---- what it can do ----

    def lacks(self, feature: str) -> str:
        """Why `feature` is missing here, or "" where it is (or may be) there."""
        learned = "" if feature in self.capabilities.settled else self.learned.get(feature, "")
        return learned or self.capabilities.lacks.get(feature, "")

    def require(self, feature: str, doing: str) -> None:
        """Raise Problem "not_supported" where the provider lacks a feature."""
        reason = self.lacks(feature)
        if reason:
            raise Problem(
                f"{doing} is not possible here.",
                reason,
                "Go on without it, or use another profile.",
                code="not_supported",
            )

    def writing(self, doing: str) -> None:
        """Raise Problem "read_only" on a read-only profile: call before anything that changes."""
        if self.profile.read_only:
            raise Problem(
                f"{doing} is not possible.",
                f"Profile {self.profile.name!r} is read-only.",
                "Choose another profile, or remove read_only from it.",
                code="read_only",
            )

    # ---- requests ----

    async def request(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        files: list[tuple[str, Any]] | None = None,
        repeat: bool | None = None,
        attempts: int = ATTEMPTS,
        seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bool = False,
    ) -> Any:
        """Send one request and return its parsed JSON, or its bytes as they came (`raw`).

        doing: what a person would say is being done ("Listing the jobs"), for the error.
        repeat: may be sent again after a failure that leaves open whether it worked (default: GET only).
        seconds: the longest the whole answer may take; 0: no limit (uploads).
        """
        options: dict[str, Any] = {"headers": dict(headers or {})}
        if query:
            options["params"] = {k: v for k, v in query.items() if v not in (None, "")}
        if files is not None:
            options["headers"]["Content-Type"] = "multipart/form-data"
        may_repeat = method == "GET" if repeat is None else repeat
        limit = attempts if may_repeat else 1
        for attempt in range(1, limit + 1):
            try:
                answer = await self._once(method, path, options, body, files, seconds)
                return answer if raw else parse_json(answer, doing)
            except Exception as exc:  # noqa: BLE001 - whatever the client raises becomes a Problem
                found = errors.problem(exc, doing=doing, profile=self.profile)
                wait = pause_before(attempt, found)
                await self._recover(found)  # also after the last try: the next request finds it
                if attempt == limit or not found.retry or wait > LONGEST_WAIT:
                    raise found from None
                await self.pause(Wait(wait, attempt + 1, limit, found))
        raise AssertionError("unreachable")

    async def page(
        self,
        path: str,
        build: Callable[[Any], T],
        *,
        doing: str,
        query: Mapping[str, Any] | None = None,
        attempts: int = ATTEMPTS,
    ) -> Page[T]:
        """One page of a list. An answer that is no list at all is a Problem, not an empty list:
        whoever watches would take everything for deleted."""
        answer = await self.request("GET", path, doing=doing, query=query, attempts=attempts)
        if not isinstance(answer, list) and not (isinstance(answer, dict) and "data" in answer):
            raise errors.bad_answer(orjson.dumps(answer), doing)
        return Page.from_json(answer, build)

    async def _once(
        self,
        method: str,
        path: str,
        options: dict[str, Any],
        body: Mapping[str, Any] | None,
        files: list[tuple[str, Any]] | None,
        seconds: float | None,
    ) -> bytes:
        client = await self.ready()
        httpx = importlib.import_module("httpx2")  # loaded with the client: costs nothing here
        limit = self.profile.timeout * 2 if seconds is None else seconds
        async with asyncio.timeout(limit or None):
            call = getattr(client, method.lower())
            sent: dict[str, Any] = {"options": options}
            if method != "GET":
                sent["body"] = body
            if method == "POST":
                sent["files"] = files
            answer = await call(path, cast_to=httpx.Response, **sent)
            content: bytes = await answer.aread()
        return content

    def beside(self, profile: Profile) -> Provider:
        """Another address of the same profile: it waits, and says so, as this one does."""
        return Provider(profile, on_wait=self.on_wait, sleep=self._sleep)

    async def pause(self, wait: Wait) -> None:
        """Wait before a repeat, and say so."""
        if self.on_wait is not None:
            self.on_wait(wait)
        await self._sleep(wait.seconds)

    async def _recover(self, found: Problem) -> None:
        """The local server stops when idle and may be killed: the next request starts it again."""
        if self.profile.provider == "local" and found.code in ("refused", "connection_lost"):
            await self.close()


def pause_before(attempt: int, found: Problem) -> float:
    """Seconds to wait after try number `attempt` failed: what the provider asks, else growing."""
    asked = found.detail.get("retry_after")
    if isinstance(asked, int | float):
        return float(asked)
    return float(BACKOFF * 2 ** (attempt - 1) * random.uniform(0.8, 1.2))


def parse_json(raw: bytes, doing: str) -> Any:
    """The JSON of an answer; anything else is Problem "bad_answer" that shows how it begins."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        rows = _event_list(raw)
        if rows:
            return {"data": rows}
        raise errors.bad_answer(raw, doing) from None


def _event_list(raw: bytes) -> list[Any]:
    """The objects of a list that was answered as server-sent events; some services do that."""
    if not raw.lstrip().startswith(b"data:"):
        return []
    rows = (line.removeprefix(b"data:").strip() for line in raw.splitlines())
    try:
        return [orjson.loads(row) for row in rows if row and row != b"[DONE]"]
    except orjson.JSONDecodeError:
        return []


def part(value: str) -> str:
    """An id as one segment of a path: whatever is in it, it stays one segment."""
    return quote(value, safe=":")
