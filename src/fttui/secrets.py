"""Keys: where they come from, and how they are kept out of everything that is shown or written."""

from __future__ import annotations

import base64
import importlib
import json
import logging
import os
import re
import shlex
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fttui.problem import Problem

MASK = "[key]"
COMMAND_SECONDS = 60.0  # a password manager may ask for a fingerprint first

_KNOWN: set[str] = set()  # every key this process has read, so that redact() can find it anywhere
_PATTERNS = (
    re.compile(
        r"(?i)\b(authorization|api[-_]?key|x-api-key)(\"?'?\s*[:=]\s*\"?'?)(bearer\s+)?[^\s\"',}]+"
    ),
    re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{8,}"),
    re.compile(r"\bsk-[\w*-]{6,}"),  # OpenAI's own 401 repeats a part of the key
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),  # a JSON web token (Entra, Nebius)
    re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"),  # user:password in an address
)


EARLY = 300.0  # seconds before its end that a token is replaced
AGAIN = 30.0  # … and no oftener than this: a source may answer with the token it has


class Secret:
    """A key that does not show itself: only `reveal()` returns it.

    expires: Unix time at which a token ends; None for a key, which does not.
    """

    __slots__ = ("_read", "_value", "expires")

    def __init__(self, value: str, expires: float | None = None) -> None:
        self._value = value
        self._read = time.time()
        self.expires = expires
        if len(value) >= 6:  # a shorter one would mask ordinary words
            _KNOWN.add(value)

    def reveal(self) -> str:
        return self._value

    @property
    def stale(self) -> bool:
        """It has ended, or is about to: ask its source for the next one."""
        now = time.time()
        if self.expires is None or now < self.expires - EARLY:
            return False
        return now >= self.expires or now >= self._read + AGAIN

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a key is never pickled")


def known() -> frozenset[str]:
    """Every key this process has read: for whoever must be sure that none is in a file."""
    return frozenset(_KNOWN)


def redact(text: str) -> str:
    """`text` without any key this process has read, and without anything that looks like one."""
    for value in sorted(_KNOWN, key=len, reverse=True):
        text = text.replace(value, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(MASK, text)
    return text


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a key is; it is read when first needed, never before.

    kind: env (value: a variable's name) · keyring ("service/user") · command (a command line whose
    first line of output is the key) · file (a path only its owner can read) · entra (whom a token of
    Microsoft Entra ID is for) · none.
    """

    kind: str = "none"
    value: str = ""

    def describe(self) -> str:
        """For settings and `doctor`: the place, never the key."""
        names = {"env": "$", "keyring": "keyring ", "command": "command ", "file": ""}
        if self.kind == "entra":
            return "Microsoft Entra ID"
        return "no key" if self.kind == "none" else redact(names.get(self.kind, "") + self.value)

    def present(self) -> bool:
        """Whether there seems to be a key, without asking a keyring or running a command."""
        if self.kind == "env":
            return bool(os.environ.get(self.value))
        if self.kind == "file":
            return Path(self.value).expanduser().is_file()
        return self.kind in ("keyring", "command", "entra")

    def resolve(self) -> Secret:
        """Read the key. May block (keyring, command): call it in a thread. Raises Problem "no_key"."""
        if self.kind == "none":
            return Secret("")
        if self.kind == "entra":
            return _from_entra(self.value)
        value = _READERS[self.kind](self.value).strip()
        if not value:
            raise _missing(f"{self.describe()} is empty", "Put the key there.")
        if not value.isascii() or any(ch.isspace() for ch in value):
            raise _missing(
                f"{self.describe()} holds blanks or characters no key has",
                "Copy the key again, alone on its line.",
            )
        return Secret(value, _end_of(value))


def _end_of(value: str) -> float | None:
    """When a JSON web token ends; None for anything else."""
    try:
        body = value.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _missing(why: str, remedy: str) -> Problem:
    return Problem("There is no key for this profile.", redact(why), redact(remedy), code="no_key")


def _from_env(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise _missing(
            f"${name} is not set", f"Run: export {name}=…  (or choose another key source)"
        )
    return value


def _from_file(name: str) -> str:
    path = Path(name).expanduser()
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise _missing(
                f"{path} can be read by others", f"Run: chmod 600 {shlex.quote(str(path))}"
            )
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = getattr(exc, "strerror", None) or "not text"
        raise _missing(f"{path}: {reason}", "Create the file with mode 600.") from None


def _from_command(line: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(line), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _missing(
            f"`{line}` took over {COMMAND_SECONDS:.0f} s", "Run it by hand to see why."
        ) from None
    except (OSError, ValueError) as exc:
        raise _missing(f"`{line}`: {exc}", "Run it by hand to see why.") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise _missing(
            f"`{line}` ended with {done.returncode}: {said}", "Run it by hand to see why."
        )
    return (done.stdout.splitlines() or [""])[0]


def _from_keyring(name: str) -> str:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise _missing("the keyring package is not installed", "Run: pip install keyring") from None
    service, _, user = name.rpartition("/")
    service = service or "fttui"
    try:
        value = keyring.get_password(service, user)
    except Exception as exc:  # noqa: BLE001 - every keyring backend has errors of its own
        raise _missing(f"the keyring refused: {exc}", "Unlock the keyring.") from None
    if not value:
        raise _missing(f"the keyring has no {service}/{user}", f"Run: keyring set {service} {user}")
    return str(value)


_CREDENTIALS: list[Any] = []  # one a process: it keeps its tokens and knows which sign-in worked


def _from_entra(scope: str) -> Secret:
    """A token for `scope` from whoever is signed in: environment, workload, managed identity, CLI."""
    try:
        identity = importlib.import_module("azure.identity")
    except ImportError:
        raise _missing(
            "the azure-identity package that signs in to Azure is not installed",
            "Run: pip install 'fttui[azure]'  (or set AZURE_OPENAI_API_KEY)",
        ) from None
    if not _CREDENTIALS:
        for name in ("azure", "msal"):  # else their warnings are printed over the screen
            logging.getLogger(name).addHandler(logging.NullHandler())
        _CREDENTIALS.append(identity.DefaultAzureCredential())
    try:
        token = _CREDENTIALS[0].get_token(scope)
    except Exception as exc:  # noqa: BLE001 - each kind of sign-in has errors of its own
        said = (str(exc).strip().splitlines() or [type(exc).__name__])[0]
        raise _missing(
            f"Microsoft Entra ID gave no token: {said[:300]}",
            "Run: az login  (or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET)",
        ) from None
    return Secret(token.token, float(token.expires_on))


_READERS = {
    "env": _from_env,
    "keyring": _from_keyring,
    "command": _from_command,
    "file": _from_file,
}
