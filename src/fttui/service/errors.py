"""Any failure of a request → what did not happen, why, what to do, and whether trying again can help.

`detail` may hold: status, request_id, body (redacted), retry_after (seconds), param, profile, `unsure`
(True where the request may have been carried out although no good answer came back), and `mismatch`
(how the key's form does not fit the address).
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from fttui import key_store
from fttui.config import Profile
from fttui.problem import Problem
from fttui.secrets import redact
from fttui.service import coerce as to
from fttui.service.remedies import job_problem, known

__all__ = ["bad_answer", "job_problem", "problem"]

BODY_LIMIT = 2000  # characters of an answer kept for the report


def problem(exc: BaseException, *, doing: str = "", profile: Profile | None = None) -> Problem:
    """`exc` as a Problem; a Problem comes back as it is. Never shows a key."""
    if isinstance(exc, Problem):
        return exc
    what = f"{doing} failed." if doing else "The request failed."
    if isinstance(getattr(exc, "status_code", None), int) and hasattr(exc, "response"):
        return _from_status(exc, what, profile)
    return _from_network(exc, what, profile)


def bad_answer(raw: bytes, doing: str = "") -> Problem:
    """A success that is not JSON."""
    text = raw[:BODY_LIMIT].decode("utf-8", "replace")
    if not raw:
        why = "The answer was empty."
    elif _is_html(text):
        why = f"The answer is a web page ({_title(text)}), not the API."
    else:
        why = "The answer is not valid JSON: it was cut off or garbled."
    return Problem(
        f"{doing} failed." if doing else "The request failed.",
        why,
        "Check the profile's base_url and any proxy between; try again.",
        code="bad_answer",
        retry=True,
        detail={"body": redact(text), "unsure": True},
    )


# ---- answers with an error status ----


@dataclass(frozen=True, slots=True)
class _Status:
    code: str
    why: str
    remedy: str
    retry: bool = False
    unsure: bool = False


_STATUSES: Mapping[int, _Status] = {
    400: _Status("bad_request", "The provider refused the request.", "Correct what it names."),
    401: _Status(
        "unauthorized", "The key was not accepted.", "Check {key}: does it belong to {host}?"
    ),
    402: _Status("exceeded_quota", "Payment is required.", "Look at the provider's billing page."),
    403: _Status(
        "forbidden", "This key may not do that.", "Ask the organization's owner for the right role."
    ),
    404: _Status("not_found", "{host} does not know it.", "Check the name and the profile."),
    405: _Status("not_supported", "{host} does not offer this.", "Use another profile for it."),
    408: _Status("timeout", "The provider waited too long.", "Try again.", retry=True),
    409: _Status(
        "conflict", "It is in a state that does not allow this.", "Refresh and look again."
    ),
    410: _Status(
        "gone", "It was retired by the provider.", "Choose a model that still answers, or retrain."
    ),
    413: _Status(
        "too_large", "The file is larger than the provider takes.", "Send less, or split it."
    ),
    422: _Status("bad_request", "The provider refused a value.", "Correct what it names."),
    429: _Status(
        "rate_limit", "Too many requests for now.", "Wait a little, then try again.", True
    ),
    501: _Status("not_supported", "{host} does not offer this.", "Use another profile for it."),
    503: _Status(
        "overloaded", "The provider is overloaded or down.", "Try again in a minute.", True, True
    ),
}
_SERVER = _Status(
    "server_error", "The provider failed ({status}).", "Try again in a minute.", True, True
)
_CLIENT = _Status(
    "refused", "The provider refused the request ({status}).", "Correct what it names."
)
_FINAL = {"exceeded_quota", "insufficient_quota", "training_not_available", "plan"}


def _from_status(exc: Any, what: str, profile: Profile | None) -> Problem:
    status: int = exc.status_code
    rule = _STATUSES.get(status, _SERVER if status >= 500 else _CLIENT)
    message, code, param = said(getattr(exc, "body", None))
    code = "" if code.isdigit() else code  # Azure repeats the status there
    entry = known(code, message) if status < 500 else None
    names = {
        "key": profile.key.describe() if profile else "the key",
        "host": profile.host if profile else "The provider",
        "status": status,
    }
    code = code or (entry.code if entry else rule.code)
    if status == 404 and not code.endswith("not_found") and entry is None:
        code = rule.code
    remedy = entry.remedy if entry else _fill(rule.remedy, names)
    mismatch = _mismatch(exc, profile) if status in (401, 403) else ""
    if mismatch:
        code, remedy = "wrong_endpoint", "Correct the profile: fttui config edit"
    body = _body_text(exc)
    why = redact(message) or _fill(rule.why, names)
    if _is_html(body):
        why = f"{_fill(rule.why, names)} The answer is a web page ({_title(body)}), not the API."
    detail = {
        "status": status,
        "request_id": getattr(exc, "request_id", None),
        "param": param,
        "retry_after": _retry_after(exc.response.headers),
        "body": redact(body),
        "unsure": rule.unsure,
        "profile": profile.name if profile else None,
        "mismatch": mismatch,
    }
    return Problem(
        what,
        why,
        remedy,
        code=code,
        retry=rule.retry and code not in _FINAL,
        detail={name: value for name, value in detail.items() if value not in (None, "", False)},
    )


# What keys made for each kind of provider look like; a custom server may take any.
_FITTING = {
    "openai": {"openai"},
    "azure": {"azure", "token"},
    "nebius": {"nebius", "token"},
}
_MADE_BY = {
    "openai": "OpenAI (sk-…)",
    "anthropic": "Anthropic (sk-ant-…)",
    "azure": "an Azure resource",
    "nebius": "Nebius",
    "token": "a sign-in (a token that ends)",
}


def _mismatch(exc: Any, profile: Profile | None) -> str:
    """How the form of the key that was sent does not fit the provider, "" where it may. Never shows it."""
    fitting = _FITTING.get(profile.provider) if profile else None
    try:
        headers = exc.response.request.headers
    except (AttributeError, RuntimeError):  # made by a test, or never sent
        return ""
    sent = headers.get("api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    made_by = key_store.form(sent)
    if profile is None or fitting is None or not made_by or made_by in fitting:
        return ""
    return (
        f"The key in {profile.key.describe()} looks like one of {_MADE_BY[made_by]}, "
        f"and {profile.host} is no address of theirs."
    )


def _fill(sentence: str, names: Mapping[str, Any]) -> str:
    filled = sentence.format(**names)
    return (
        filled[:1].upper() + filled[1:]
        if sentence.startswith("{") and "." not in filled.split()[0]
        else filled
    )


def said(body: Any) -> tuple[str, str, str]:
    """(message, code, param) of an error body, whatever its shape: {error: {…}}, {detail: …}, text."""
    if isinstance(body, str):
        return ("" if _is_html(body) else body.strip()[:500]), "", ""
    obj = to.mapping(body)
    inner = obj.get("error")
    if isinstance(inner, str):
        return inner, to.text(obj.get("code")), ""
    obj = to.mapping(inner) or obj
    detail = obj.get("message") or obj.get("detail") or obj.get("error_description") or ""
    if isinstance(detail, list):  # FastAPI's list of {loc, msg}
        detail = "; ".join(_field_error(row) for row in detail)
    elif isinstance(detail, Mapping):
        return said(detail)
    return to.text(detail), to.text(obj.get("code")), to.text(obj.get("param"))


def _field_error(row: Any) -> str:
    where = ".".join(to.text(step) for step in to.items(to.mapping(row).get("loc")))
    return f"{where}: {to.text(to.mapping(row).get('msg'))}".removeprefix(": ")


def _body_text(exc: Any) -> str:
    try:
        return str(exc.response.text)[:BODY_LIMIT]
    except Exception:  # noqa: BLE001 - a body that was never read has no text
        return to.text(getattr(exc, "body", ""))[:BODY_LIMIT]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from retry-after-ms, or Retry-After as seconds or as a date."""
    millis = to.number(headers.get("retry-after-ms"))
    if millis is not None:
        return max(0.0, millis / 1000)
    value = headers.get("retry-after", "")
    seconds = to.number(value)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _is_html(text: str) -> bool:
    start = text.lstrip()[:200].lower()
    return start.startswith(("<!doctype html", "<html", "<head", "<body"))


def _title(text: str) -> str:
    found = re.search(r"<title[^>]*>(.*?)</title>", text, re.I | re.S)
    return redact(" ".join(found[1].split())[:80]) if found else "HTML"


# ---- no answer at all ----

_RESET = "The connection was lost before the answer was complete."


def _from_network(exc: BaseException, what: str, profile: Profile | None) -> Problem:
    chain = _causes(exc)
    kinds = {type(link).__name__ for link in chain}
    host = profile.host if profile else "the provider"

    def made(
        code: str, why: str, remedy: str, *, retry: bool = True, unsure: bool = False
    ) -> Problem:
        detail: dict[str, Any] = {"cause": redact(str(chain[-1]) or type(chain[-1]).__name__)[:300]}
        if unsure:
            detail["unsure"] = True
        return Problem(what, why, remedy, code=code, retry=retry, detail=detail)

    tls = next((link for link in chain if isinstance(link, ssl.SSLError)), None)
    if tls is not None or "certificate" in str(chain[-1]).lower():
        return made(
            "tls",
            f"{host} cannot be trusted: {redact(str(tls or chain[-1]))[:200]}",
            "Check the clock, the address, and any proxy that opens TLS (SSL_CERT_FILE names its root).",
            retry=False,
        )
    if any(isinstance(link, socket.gaierror) for link in chain) or _mentions(
        chain, "name or service"
    ):
        return made(
            "dns", f"The name {host} cannot be found.", "Check the network and the address."
        )
    if kinds & {"ConnectTimeout", "PoolTimeout"}:
        return made("timeout", f"{host} cannot be reached.", "Check the network and any proxy.")
    if kinds & {"APITimeoutError", "ReadTimeout", "WriteTimeout", "TimeoutError"}:
        seconds = f" within {profile.timeout:.0f} s" if profile else " in time"
        return made(
            "timeout",
            f"{host} did not answer{seconds}.",
            "Try again; a slow link needs a longer timeout in the profile.",
            unsure=True,
        )
    if "ConnectionRefusedError" in kinds or _mentions(
        chain, "refused", "all connection attempts failed"
    ):
        return made("refused", f"Nothing answers at {host}.", _start_it(profile))
    if "ConnectError" in kinds:
        return made("unreachable", f"{host} cannot be reached.", "Check the network and any proxy.")
    if kinds & _LOST:
        return made("connection_lost", _RESET, "Try again.", unsure=True)
    if kinds & {"JSONDecodeError", "DecodingError", "APIResponseValidationError"}:
        return bad_answer(b"{", what.removesuffix(" failed."))
    if "UnsupportedProtocol" in kinds or "InvalidURL" in kinds or "LocalProtocolError" in kinds:
        return made("bad_url", f"{host!r} is no usable address.", "Correct base_url.", retry=False)
    if isinstance(exc, OSError):
        return made(
            "system", exc.strerror or redact(str(exc)), "Correct that, and try again.", retry=False
        )
    return made(
        "unexpected",
        f"{type(exc).__name__}: {redact(str(exc))[:300]}",
        "This is a fault in fttui: please report it with the steps that led here.",
        retry=False,
        unsure=True,
    )


_LOST = frozenset(
    {
        "ReadError",
        "WriteError",
        "CloseError",
        "RemoteProtocolError",
        "ConnectionResetError",
        "BrokenPipeError",
        "IncompleteReadError",
        "APIConnectionError",
    }
)


def _start_it(profile: Profile | None) -> str:
    if profile is not None and profile.provider == "local":
        return "Run: fttui serve"
    return "Check the address, and that the server runs."


def _causes(exc: BaseException) -> list[BaseException]:
    """The exception and what it came from, outermost first."""
    chain: list[BaseException] = []
    link: BaseException | None = exc
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain


def _mentions(chain: list[BaseException], *words: str) -> bool:
    said_all = " ".join(str(link).lower() for link in chain)
    return any(word in said_all for word in words)
