"""Puts a key where fttui reads it from: the system's keyring, or a file only its owner can read."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
from pathlib import Path

from fttui import paths
from fttui.problem import Problem
from fttui.secrets import Secret, SecretSource, redact

SERVICE = "fttui"  # what the keyring's entries are kept under
PLACES = ("keyring", "file")


def file_of(profile: str) -> Path:
    """Where a profile's key file is."""
    return paths.config_dir() / "keys" / profile


def keyring_missing() -> str:
    """Why no key can be kept in a keyring here, "" where it can. Asks for no password."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return "the keyring package is not installed (pip install 'fttui[keyring]')"
    try:
        usable = float(getattr(keyring.get_keyring(), "priority", 1)) > 0
    except Exception as exc:  # noqa: BLE001 - every keyring backend has errors of its own
        return redact(f"the keyring cannot be used: {exc}")
    return "" if usable else "this system has no keyring that is running"


def check(secret: Secret) -> str:
    """What is wrong with a key as it was typed, "" for nothing; never repeats it."""
    value = secret.reveal()
    if not value:
        return "nothing was typed"
    if not value.isascii() or any(ch.isspace() or not ch.isprintable() for ch in value):
        return "it has blanks or characters no key has: copy it again, alone on its line"
    return "a key is longer than that" if len(value) < 8 else ""


class Typed(SecretSource):
    """A key that was typed and is not kept anywhere yet: for trying it."""

    __slots__ = ("_secret",)
    _secret: Secret

    def __init__(self, secret: Secret) -> None:
        SecretSource.__init__(self, "typed")
        object.__setattr__(self, "_secret", secret)

    def describe(self) -> str:
        return "the key that was typed"

    def present(self) -> bool:
        return bool(self._secret)

    def resolve(self) -> Secret:
        return self._secret


def put(place: str, profile: str, secret: Secret) -> SecretSource:
    """Keep a profile's key, replacing an older one, and say where it is. Raises Problem "key_store"."""
    complaint = check(secret)
    if complaint:
        raise _refused(complaint, "Copy the key again from the provider's page.")
    return _in_keyring(profile, secret) if place == "keyring" else _in_file(profile, secret)


def forget(source: SecretSource, profile: str) -> bool:
    """Remove a key that fttui itself put there; anything else is left alone. True where one was."""
    if source.kind == "file" and Path(source.value).expanduser() == file_of(profile):
        found = file_of(profile).is_file()
        file_of(profile).unlink(missing_ok=True)
        return found
    if source.kind == "keyring" and source.value == f"{SERVICE}/{profile}":
        try:
            importlib.import_module("keyring").delete_password(SERVICE, profile)
        except Exception:  # noqa: BLE001 - not there, or a locked keyring: it stays
            return False
        return True
    return False


def _in_keyring(profile: str, secret: Secret) -> SecretSource:
    missing = keyring_missing()
    if missing:
        raise _refused(missing, "Keep it in a file instead, or name a command that prints it.")
    try:
        importlib.import_module("keyring").set_password(SERVICE, profile, secret.reveal())
    except Exception as exc:  # noqa: BLE001 - every keyring backend has errors of its own
        raise _refused(redact(f"the keyring refused: {exc}"), "Unlock the keyring.") from None
    return SecretSource("keyring", f"{SERVICE}/{profile}")


def _in_file(profile: str, secret: Secret) -> SecretSource:
    path = file_of(profile)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # made with mode 600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secret.reveal() + "\n")
            file.flush()
            os.fsync(handle)
        os.replace(name, path)
    except OSError as exc:
        raise _refused(f"{path}: {exc.strerror}", "Make the folder writable.") from None
    return SecretSource("file", str(path))


def _refused(why: str, remedy: str) -> Problem:
    return Problem("The key was not kept.", why, remedy, code="key_store")


# What a key's form tells of who made it. Not proof: only said after a service refused it.
_FORMS = (
    ("openai", re.compile(r"sk-(?!ant-)[\w-]{20,}")),
    ("anthropic", re.compile(r"sk-ant-[\w-]{20,}")),
    ("nebius", re.compile(r"v1\.[\w-]{20,}[\w.-]*")),
    ("token", re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")),
    ("azure", re.compile(r"[0-9a-f]{32}|[0-9A-Za-z]{84}")),
)


def form(value: str) -> str:
    """openai, anthropic, nebius, token, azure, or "" where the form tells nothing."""
    return next((kind for kind, pattern in _FORMS if pattern.fullmatch(value)), "")
