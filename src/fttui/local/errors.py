"""Every failure in the API's own shape: {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

import logging
import sqlite3

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from fttui.problem import Problem

log = logging.getLogger("fttui.local")


class ApiError(Exception):
    """An answer with a 4xx or 5xx status; raise it anywhere below a route."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param

    def body(self) -> dict[str, object]:
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {
            "error": {
                "message": self.message,
                "type": kind,
                "param": self.param,
                "code": self.code,
            }
        }

    def response(self, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse(self.body(), status_code=self.status, headers=headers)


def not_found(what: str, id_: str, param: str | None = "id") -> ApiError:
    """The cloud's wording for an object that is not there."""
    return ApiError(404, f"No such {what} object: {printable(id_)}", param=param)


def printable(text: str, limit: int = 200) -> str:
    """Text from a request, fit to be repeated in a message."""
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= limit else clean[:limit] + "…"


# A problem of the engine that the request itself caused.
_CALLERS = {"context_length_exceeded": "messages", "invalid_messages": "messages"}


def from_problem(problem: Problem) -> ApiError:
    param = _CALLERS.get(problem.code)
    return ApiError(
        400 if param else 503, problem.sentences(), code=problem.code or None, param=param
    )


def from_disk(error: OSError | sqlite3.Error) -> ApiError:
    """A full or failing disk is said as such: the user can do something about it."""
    reason = getattr(error, "strerror", None) or str(error)
    return ApiError(
        507 if "full" in reason or "No space" in reason or "quota" in reason else 500,
        f"The server's data directory could not be written: {reason}. "
        "Free some disk space or check its permissions, then repeat the request.",
        code="storage_error",
    )


async def _api(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return error.response()


async def _http(request: Request, error: Exception) -> JSONResponse:
    """Starlette's own 404 and 405, which are plain text otherwise."""
    assert isinstance(error, HTTPException)
    path = printable(request.url.path)
    if error.status_code == 404:
        message = f"Invalid URL ({request.method} {path})"
    elif error.status_code == 405:
        message = f"Not allowed to {request.method} on {path}."
    else:
        message = str(error.detail)
    return ApiError(error.status_code, message).response(dict(error.headers or {}))


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return from_problem(error).response()


async def _disk(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OSError | sqlite3.Error)
    log.error("storage error: %r", error)
    return from_disk(error).response()


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; the log shows why it ended


async def _bug(_: Request, error: Exception) -> JSONResponse:
    log.error("internal error", exc_info=error)
    return ApiError(
        500, "The local server had an error; its log (server.log) says more."
    ).response()


HANDLERS = {
    ApiError: _api,
    HTTPException: _http,
    Problem: _problem,
    ClientDisconnect: _gone,
    OSError: _disk,
    sqlite3.Error: _disk,
    Exception: _bug,
}
