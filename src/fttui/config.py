"""Settings and provider profiles: from the environment, and from `config.toml` where there is one."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from fttui import endpoints, paths
from fttui.config_raw import FILE
from fttui.problem import Problem
from fttui.secrets import SecretSource

PROVIDERS = ("local", "openai", "azure", "nebius", "custom")
REGIONS = ("us", "eu", "ae", "au", "in", "jp")  # data residency: https://REGION.api.openai.com/v1
OPENAI_URL = "https://api.openai.com/v1"
NEBIUS_URL = "https://api.tokenfactory.nebius.com/v1/"
_FORBID = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Management:
    """Where an Azure resource is managed: its deployments are made there, not through its own API.

    account: the resource's name. key: an Entra token for the management address.
    """

    subscription: str = ""
    resource_group: str = ""
    account: str = ""
    url: str = endpoints.ARM
    key: SecretSource = field(default_factory=SecretSource)


@dataclass(frozen=True, slots=True)
class Profile:
    """One place to train and chat: an address, a key, and what is different about it.

    base_url is empty for `local` (the server says where it listens). `overrides` replaces fields of
    the provider's capabilities; `extra_body` goes into every job created (Azure's trainingType).
    """

    name: str
    provider: str
    base_url: str = ""
    key: SecretSource = field(default_factory=SecretSource)
    admin_key: SecretSource = field(default_factory=SecretSource)
    organization: str = ""
    project: str = ""
    api_version: str = ""  # Azure before v1; empty: the v1 API
    azure: Management | None = None  # Azure only: how its deployments are reached
    read_only: bool = False
    timeout: float = 60.0  # seconds without a byte before a request is given up
    headers: Mapping[str, str] = field(default_factory=dict)
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Whose money is at stake, for the header: `api.openai.com`, `this machine`."""
        return re.sub(r"^\w+://|[/?].*$", "", self.base_url) or "this machine"

    @property
    def identity(self) -> str:
        """The same for every profile that reaches the same files and jobs."""
        parts = (self.provider, self.base_url.rstrip("/"), self.organization, self.project)
        return "|".join(parts)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose; every default works."""

    __pydantic_config__ = _FORBID

    theme: str = ""
    ascii: bool = False
    mouse: bool = True
    confirm_above: Decimal = Decimal(25)  # USD; a dearer launch asks for the amount to be typed
    mute: tuple[str, ...] = ()  # codes of checks that are not shown
    keys: Mapping[str, str] = field(default_factory=dict)  # action id → key
    # when a watched job ends; see service/notify.py
    notify_title: bool = True  # the terminal's title follows a watched job
    notify_bell: bool = True
    notify_desktop: Literal["auto", "off", "osc9", "osc99", "osc777"] = "auto"
    notify_command: str = ""  # run by the shell; what happened is in FTTUI_JOB_… variables


@dataclass(frozen=True, slots=True)
class Config:
    """What `load()` found."""

    settings: Settings
    profiles: Mapping[str, Profile]
    default: str
    path: Path

    def profile(self, name: str | None = None) -> Profile:
        """The profile `name`, or the default one. Unknown: Problem "unknown_profile"."""
        wanted = name or self.default
        if wanted in self.profiles:
            return self.profiles[wanted]
        raise Problem(
            f"There is no profile named {wanted!r}.",
            f"Known: {', '.join(self.profiles)}.",
            f"Add [profiles.{wanted}] to {self.path}.",
            code="unknown_profile",
        )


# ---- the file's schema: plain dataclasses, checked by pydantic only when there is a file ----


@dataclass(frozen=True)
class _Key:
    __pydantic_config__ = _FORBID

    env: str = ""
    keyring: str = ""
    command: str = ""
    file: str = ""
    entra: bool = False  # a token of Microsoft Entra ID, through azure-identity


@dataclass(frozen=True)
class _AzureTable:
    __pydantic_config__ = _FORBID

    subscription: str = ""
    resource_group: str = ""
    account: str = ""
    management_url: str = endpoints.ARM
    management_key: _Key = field(default_factory=_Key)


@dataclass(frozen=True)
class _ProfileTable:
    __pydantic_config__ = _FORBID

    provider: Literal["local", "openai", "azure", "nebius", "custom"]
    base_url: str = ""
    key: _Key = field(default_factory=_Key)
    admin_key: _Key = field(default_factory=_Key)
    organization: str = ""
    project: str = ""
    api_version: str = ""
    azure: _AzureTable = field(default_factory=_AzureTable)
    region: Literal["", "us", "eu", "ae", "au", "in", "jp"] = ""
    read_only: bool = False
    timeout: float = 60.0
    headers: dict[str, str] = field(default_factory=dict)
    extra_body: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _File:
    __pydantic_config__ = _FORBID

    default_profile: str = ""
    settings: Settings = field(default_factory=Settings)
    profiles: dict[str, _ProfileTable] = field(default_factory=dict)


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Config:
    """Settings and profiles. Never reads a key. A broken file: Problem "config" with its line."""
    env = os.environ if env is None else env
    where = path or paths.config_dir() / FILE
    parsed = _read(where)
    profiles = built_in(env)
    for name, table in parsed.profiles.items():
        profiles[name] = _profile(name, table, where, env)
    default = env.get("FTTUI_PROFILE") or parsed.default_profile or _usual(env)
    return Config(parsed.settings, profiles, default, where)


def _usual(env: Mapping[str, str]) -> str:
    return "openai" if env.get("OPENAI_API_KEY") else "local"


def built_in(env: Mapping[str, str]) -> dict[str, Profile]:
    """The profiles that need no file: local always, the others where the environment has them."""
    found = {"local": Profile("local", "local")}
    base = env.get("OPENAI_BASE_URL", "")
    provider = "openai" if not base or "api.openai.com" in base else "custom"
    found["openai"] = Profile(
        "openai",
        provider,
        base or OPENAI_URL,
        SecretSource("env", "OPENAI_API_KEY"),
        admin_key=_env_if("OPENAI_ADMIN_KEY", env),
        organization=env.get("OPENAI_ORG_ID", ""),
        project=env.get("OPENAI_PROJECT_ID", ""),
    )
    if env.get("AZURE_OPENAI_ENDPOINT"):
        base, version = endpoints.azure(
            env["AZURE_OPENAI_ENDPOINT"],
            env.get("OPENAI_API_VERSION") or env.get("AZURE_OPENAI_API_VERSION", ""),
        )
        found["azure"] = Profile(
            "azure",
            "azure",
            base,
            _azure_key(base, env),
            api_version=version,
            azure=_management(_AzureTable(), base, SecretSource(), env),
        )
    if env.get("NEBIUS_API_KEY"):
        found["nebius"] = Profile(
            "nebius", "nebius", NEBIUS_URL, SecretSource("env", "NEBIUS_API_KEY")
        )
    return found


def _env_if(name: str, env: Mapping[str, str]) -> SecretSource:
    return SecretSource("env", name) if env.get(name) else SecretSource()


def _azure_key(base_url: str, env: Mapping[str, str]) -> SecretSource:
    """As the SDK looks: a token, else a key; where there is neither, who is signed in to Azure."""
    for name in ("AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_API_KEY"):
        if env.get(name):
            return SecretSource("env", name)
    return SecretSource("entra", endpoints.scope(base_url))


def _management(
    table: _AzureTable, base_url: str, key: SecretSource, env: Mapping[str, str]
) -> Management:
    """The table, completed: the account's name is in the address, the rest where Azure's tools keep it."""
    url = table.management_url.rstrip("/")
    return Management(
        table.subscription or env.get("AZURE_SUBSCRIPTION_ID", ""),
        table.resource_group or env.get("AZURE_RESOURCE_GROUP", ""),
        table.account or endpoints.account(base_url),
        url,
        SecretSource("entra", f"{url}/.default") if key.kind == "none" else key,
    )


# ---- reading ----


def _read(path: Path) -> _File:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _File()
    except (OSError, UnicodeDecodeError) as exc:
        why = getattr(exc, "strerror", None) or "it is not UTF-8 text"
        raise Problem(
            f"{path} cannot be read.", why, "Repair or remove it.", code="config"
        ) from exc
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        line = re.search(r"line (\d+)", str(exc))
        raise _wrong(path, int(line[1]) if line else text.count("\n") + 1, str(exc), "") from exc
    return _validate(data, text, path)


def _validate(data: dict[str, Any], text: str, path: Path) -> _File:
    from pydantic import TypeAdapter, ValidationError  # 0.1 s, spent only when there is a file

    try:
        return TypeAdapter(_File).validate_python(data)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        place = tuple(str(part) for part in first["loc"])
        why, remedy = _explain(place, first)
        raise _wrong(path, line_of(text, place), f"{'.'.join(place)}: {why}", remedy) from None


def _explain(place: tuple[str, ...], error: Mapping[str, Any]) -> tuple[str, str]:
    """A pydantic error in words, and what to do; never repeats the value: it may be a key."""
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = _known_keys(place)
        return "there is no such setting", f"Known here: {', '.join(known)}." if known else ""
    if error["type"] in ("missing", "missing_argument"):
        return "this setting is missing", f"Add: {place[-1]} = …"
    if place[-1] in ("key", "admin_key", "management_key"):
        return (
            "a key is named by its source, not written here",
            'Write key = { env = "NAME" }, or { keyring = "…" }, { command = "…" }, { file = "…" }.',
        )
    return str(error["msg"]), "Change the value."


def _known_keys(place: tuple[str, ...]) -> list[str]:
    if place[0] == "profiles":
        owner: Any = _ProfileTable if len(place) == 3 else _Key
        if len(place) == 4 and place[2] == "azure":
            owner = _AzureTable
    else:
        owner = Settings if place[0] == "settings" else _File
    return [item.name for item in fields(owner)]


def _wrong(path: Path, line: int, why: str, remedy: str) -> Problem:
    return Problem(
        f"{path}, line {line}: the configuration cannot be used.",
        why,
        remedy or "Correct that line, or move the file away to go on with the defaults.",
        code="config",
        detail={"file": str(path), "line": line},
    )


def line_of(text: str, place: tuple[str, ...]) -> int:
    """The 1-based line where `place` is set, or the nearest line above it that exists."""
    table: tuple[str, ...] = ()
    best, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[([^\[\]]+)\]", line)
        entry = re.match(r"\s*([\w.\"'-]+)\s*=", line)
        if head:
            table = _dotted(head[1])
            here = table
        elif entry:
            here = table + _dotted(entry[1])
        else:
            continue
        if len(here) > depth and here == place[: len(here)]:
            best, depth = number, len(here)
    return best


def _dotted(name: str) -> tuple[str, ...]:
    return tuple(part.strip(" \"'") for part in name.split("."))


def _profile(name: str, table: _ProfileTable, path: Path, env: Mapping[str, str]) -> Profile:
    provider = table.provider
    usual = built_in(env).get(name) or built_in(env).get(provider)
    base = table.base_url or _default_url(table, usual)
    version = table.api_version
    if provider == "azure" and base:
        base, version = endpoints.azure(base, version)
    if not base and provider not in ("local",):
        raise Problem(
            f"Profile {name!r} in {path} has no address.",
            f"provider {provider!r} needs base_url",
            'Add: base_url = "https://…/v1"',
            code="config",
        )
    made = Profile(
        name,
        provider,
        "" if provider == "local" else base,
        _source(table.key, name, path, endpoints.scope(base)),
        admin_key=_source(table.admin_key, name, path),
        organization=table.organization,
        project=table.project,
        api_version=version,
        azure=_azure(table, base, name, path, env) if provider == "azure" else None,
        read_only=table.read_only,
        timeout=table.timeout,
        headers=table.headers,
        extra_body=table.extra_body,
        overrides=table.overrides,
    )
    if made.key.kind == "none" and provider == "azure" and env.get("AZURE_OPENAI_AD_TOKEN"):
        made = replace(made, key=_azure_key(base, env))
    elif made.key.kind == "none" and provider in _USUAL_KEY:
        made = replace(made, key=SecretSource("env", _USUAL_KEY[provider]))
    return made


_USUAL_KEY = {
    "openai": "OPENAI_API_KEY",
    "azure": "AZURE_OPENAI_API_KEY",
    "nebius": "NEBIUS_API_KEY",
}


def _azure(
    table: _ProfileTable, base_url: str, name: str, path: Path, env: Mapping[str, str]
) -> Management:
    url = table.azure.management_url.rstrip("/")
    key = _source(table.azure.management_key, name, path, f"{url}/.default")
    return _management(table.azure, base_url, key, env)


def _default_url(table: _ProfileTable, usual: Profile | None) -> str:
    if table.region:
        return f"https://{table.region}.api.openai.com/v1"
    if table.provider == "openai":
        return OPENAI_URL
    if table.provider == "nebius":
        return NEBIUS_URL
    return usual.base_url if usual and usual.provider == table.provider else ""


def _source(key: _Key, name: str, path: Path, scope: str = "") -> SecretSource:
    """scope: whom a token is for, where the key is one of Microsoft Entra ID."""
    given = [
        (item.name, getattr(key, item.name)) for item in fields(key) if getattr(key, item.name)
    ]
    if len(given) > 1:
        raise Problem(
            f"Profile {name!r} in {path} names more than one source for its key.",
            ", ".join(kind for kind, _ in given),
            "Keep one of them.",
            code="config",
        )
    if key.entra:
        return SecretSource("entra", scope)
    return SecretSource(*given[0]) if given else SecretSource()
