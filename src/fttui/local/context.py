"""What the routes share, and how they read a query string."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fttui.local.errors import ApiError, printable
from fttui.local.store import Page, Store, UnknownCursor

if TYPE_CHECKING:
    from fttui.local.bases import Bases
    from fttui.local.speaker import Speaker
    from fttui.local.supervisor import Supervisor

_METADATA = re.compile(r"^metadata\[(.*)\]$", re.DOTALL)


Handler = Callable[[Request], Awaitable[Response]]


def resource(path: str, **handlers: Handler) -> Route:
    """One route for all methods of a path, so that a 405 names every method it has."""

    async def endpoint(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, endpoint, methods=list(handlers))


@dataclass
class Context:
    store: Store
    bases: Bases
    supervisor: Supervisor
    speaker: Speaker


def context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


def integer(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A whole number from the query, in range, or ApiError."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,12}", text):
        raise ApiError(
            400,
            f"Invalid type for '{name}': expected an integer.",
            code="invalid_type",
            param=name,
        )
    value = int(text)
    if not low <= value <= high:
        raise ApiError(
            400,
            f"Invalid '{name}': {value} is not between {low} and {high}.",
            code="invalid_value",
            param=name,
        )
    return value


def choice(request: Request, name: str, default: str, allowed: tuple[str, ...]) -> str:
    text = request.query_params.get(name, default)
    if text not in allowed:
        raise ApiError(
            400,
            f"Invalid value for '{name}': expected one of {', '.join(allowed)}.",
            code="invalid_value",
            param=name,
        )
    return text


def metadata_filter(request: Request) -> dict[str, Any]:
    """`metadata[k]=v` (all must match) or `metadata=null` (jobs without), as `Store.page` takes it."""
    wanted = {
        match[1]: value
        for key, value in request.query_params.multi_items()
        if (match := _METADATA.match(key))
    }
    if wanted:
        return {"metadata": wanted}
    if request.query_params.get("metadata") == "null":
        return {"without_metadata": True}
    return {}


def page(request: Request, kind: str, *, limit: int, maximum: int = 100, **how: Any) -> Page:
    """One page of a kind of object, by the query's `after` and `limit`."""
    after = request.query_params.get("after") or None
    count = integer(request, "limit", limit, 1, maximum)
    try:
        return context(request).store.page(kind, after=after, limit=count, **how)
    except UnknownCursor:
        raise ApiError(
            404,
            f"Invalid 'after': nothing in this list is called {printable(str(after))}.",
            code="invalid_value",
            param="after",
        ) from None
