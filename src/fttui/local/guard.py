"""The door: who may ask, by which name, and when somebody last did. Plain ASGI, nothing buffered."""

from __future__ import annotations

import hmac
import logging
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fttui.local.errors import ApiError

log = logging.getLogger("fttui.local")

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Guard:
    """Checks Host (against DNS rebinding) and token; remembers activity; logs one line a request."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._open = 0
        self._last = time.monotonic()

    def idle(self) -> float:
        """Seconds since the last request ended; 0 while one is open. Health checks do not count."""
        return 0.0 if self._open else time.monotonic() - self._last

    def touch(self) -> None:
        self._last = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Headers(scope=scope), scope["path"])
        if refusal:
            await refusal.response()(scope, receive, send)
            return
        if scope["path"] == "/healthz":
            await self._app(scope, receive, send)
            return
        await self._counted(scope, receive, send)

    def _refusal(self, headers: Headers, path: str) -> ApiError | None:
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if host.lower() not in LOCAL_NAMES and headers.get("host", "").lower() not in LOCAL_NAMES:
            return ApiError(
                403,
                "This server answers on this machine only; ask for it as 127.0.0.1 or localhost.",
                code="invalid_host",
            )
        if path == "/healthz":
            return None
        given = headers.get("authorization", "").encode("utf-8", "replace")
        if not given:
            return ApiError(
                401,
                "You didn't provide an API key. Send the server's token as "
                "'Authorization: Bearer …'; `fttui env` prints it.",
                code="missing_api_key",
            )
        if not hmac.compare_digest(given, self._expected):
            return ApiError(
                401,
                "Incorrect API key provided. `fttui env` prints this server's token.",
                code="invalid_api_key",
            )
        return None

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.monotonic()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._open += 1
        try:
            await self._app(scope, receive, watched)
        finally:
            self._open -= 1
            self.touch()
            level = logging.INFO if scope["method"] != "GET" or status >= 400 else logging.DEBUG
            ms = (time.monotonic() - start) * 1000
            log.log(level, "%s %s %s %.0f ms", scope["method"], scope["path"], status, ms)
