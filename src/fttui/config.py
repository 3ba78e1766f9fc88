"""Settings and provider profiles: from the environment, and from `config.toml` where there is one."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fttui import endpoints, paths
from fttui.config_raw import FILE
from fttui.config_schema import AzureTable, File, Key, ProfileTable, Settings, parse, read
from fttui.problem import Problem
from fttui.secrets import SecretSource

PROVIDERS = ("local", "openai", "azure", "nebius", "custom")
REGIONS = ("us", "eu", "ae", "au", "in", "jp")  # data residency: https://REGION.api.openai.com/v1
OPENAI_URL = "https://api.openai.com/v1"
NEBIUS_URL = "https://api.tokenfactory.nebius.com/v1/"


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
class Config:
    """What `load()` found."""

    settings: Settings
    profiles: Mapping[str, Profile]
    default: str
    path: Path
    written: frozenset[str] = frozenset()  # profiles that are in the file, not from the environment

    def profile(self, name: str | None = None) -> Profile:
        """The profile `name`, or the default one. Unknown: Problem "unknown_profile"."""
        wanted = name or self.default
        if wanted in self.profiles:
            return self.profiles[wanted]
        raise Problem(
            f"There is no profile named {wanted!r}.",
            f"Known: {', '.join(self.profiles)}.",
            f"Add it: fttui config add {wanted}",
            code="unknown_profile",
        )


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Config:
    """Settings and profiles. Never reads a key. A broken file: Problem "config" with its line."""
    env = os.environ if env is None else env
    where = path or paths.config_dir() / FILE
    return _made(read(where), where, env)


def check(text: str, path: Path) -> Config:
    """What `load` would make of `text` as the file at `path`: for a change before it is written."""
    return _made(parse(text, path), path, os.environ)


def _made(parsed: File, path: Path, env: Mapping[str, str]) -> Config:
    profiles = built_in(env)
    for name, table in parsed.profiles.items():
        profiles[name] = _profile(name, table, path, env)
    default = env.get("FTTUI_PROFILE") or parsed.default_profile or _usual(env)
    return Config(parsed.settings, profiles, default, path, frozenset(parsed.profiles))


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
            azure=_management(AzureTable(), base, SecretSource(), env),
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
    table: AzureTable, base_url: str, key: SecretSource, env: Mapping[str, str]
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


def _profile(name: str, table: ProfileTable, path: Path, env: Mapping[str, str]) -> Profile:
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
    table: ProfileTable, base_url: str, name: str, path: Path, env: Mapping[str, str]
) -> Management:
    url = table.azure.management_url.rstrip("/")
    key = _source(table.azure.management_key, name, path, f"{url}/.default")
    return _management(table.azure, base_url, key, env)


def _default_url(table: ProfileTable, usual: Profile | None) -> str:
    if table.region:
        return f"https://{table.region}.api.openai.com/v1"
    if table.provider == "openai":
        return OPENAI_URL
    if table.provider == "nebius":
        return NEBIUS_URL
    return usual.base_url if usual and usual.provider == table.provider else ""


def _source(key: Key, name: str, path: Path, scope: str = "") -> SecretSource:
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
