"""What a new profile needs, and what is wrong with an answer: shared by `fttui config add` and the dialog."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from fttui import config as load
from fttui import config_edit, key_store
from fttui.config import NEBIUS_URL, OPENAI_URL, REGIONS, Config, Profile
from fttui.problem import Problem
from fttui.secrets import Secret, SecretSource

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of provider: what it is called, what it asks for, and where its key usually is."""

    provider: str
    title: str
    about: str
    asks: tuple[str, ...] = ()  # beside name and key: "base_url", "organization" …
    variable: str = ""  # the environment variable its key is usually in
    example: str = ""  # of an address
    base_url: str = ""


KINDS: tuple[Kind, ...] = (
    Kind(
        "openai",
        "OpenAI",
        "training closes on 2027-01-06",
        ("organization", "project", "region"),
        "OPENAI_API_KEY",
        base_url=OPENAI_URL,
    ),
    Kind(
        "azure",
        "Azure OpenAI / Microsoft Foundry",
        "the same models, for longer",
        ("base_url", "api_version"),
        "AZURE_OPENAI_API_KEY",
        "https://RESOURCE.openai.azure.com",
    ),
    Kind(
        "nebius",
        "Nebius Token Factory",
        "open models; weights are yours",
        (),
        "NEBIUS_API_KEY",
        base_url=NEBIUS_URL,
    ),
    Kind(
        "custom",
        "Another server that speaks the OpenAI API",
        "what it can do is found out",
        ("base_url", "organization", "project"),
        "",
        "https://HOST/v1",
    ),
    Kind("local", "This machine", "free; nothing leaves it"),
)
BY_PROVIDER = {kind.provider: kind for kind in KINDS}
SOURCES = {  # how a key may be given → what is asked then
    "env": "environment variable",
    "keyring": "system keyring",
    "file": "file only you can read",
    "command": "command that prints it",
    "entra": "Microsoft Entra sign-in",
    "none": "no key",
}


@dataclass(frozen=True, slots=True)
class Form:
    """The answers. `key` names a source; a key that was typed is in `secret` and is kept on `save`
    in the place `key.kind` names ("keyring" or "file")."""

    name: str = ""
    provider: str = "openai"
    base_url: str = ""
    key: SecretSource = field(default_factory=SecretSource)
    secret: Secret | None = None
    organization: str = ""
    project: str = ""
    region: str = ""
    api_version: str = ""
    read_only: bool = False

    def table(self) -> dict[str, Any]:
        """The profile as the file has it; what is usual is left out."""
        kind = BY_PROVIDER[self.provider]
        found: dict[str, Any] = {"provider": self.provider}
        if self.base_url and self.base_url.rstrip("/") != kind.base_url.rstrip("/"):
            found["base_url"] = self.base_url
        if self.key.kind == "entra":
            found["key"] = {"entra": True}
        elif self.key.kind != "none" and not self._usual_key(kind):
            found["key"] = {self.key.kind: self.key.value}
        for name in ("organization", "project", "region", "api_version"):
            if getattr(self, name):
                found[name] = getattr(self, name)
        if self.read_only:
            found["read_only"] = True
        return found

    def _usual_key(self, kind: Kind) -> bool:
        return self.key.kind == "env" and self.key.value == kind.variable

    def complaints(self, config: Config, *, replacing: bool = False) -> list[tuple[str, str]]:
        """(field, what is wrong) of every answer that cannot be taken."""
        asked = {
            "name": self._name(config, replacing),
            "base_url": self._address(),
            "key": self._key(),
            "region": "" if self.region in ("", *REGIONS) else f"one of {', '.join(REGIONS)}",
        }
        if self.region and self.base_url:
            asked["region"] = "a region or an address, not both"
        return [(name, words) for name, words in asked.items() if words]

    def _name(self, config: Config, replacing: bool) -> str:
        if not NAME.fullmatch(self.name):
            return "letters, digits, - and _, at most 32"
        if self.name in config.written and not replacing:
            return f"there is a profile {self.name} already"
        return ""

    def _address(self) -> str:
        if "base_url" not in BY_PROVIDER[self.provider].asks and not self.base_url:
            return ""
        if not self.base_url:
            return f"an address like {BY_PROVIDER[self.provider].example}"
        if key_store.form(self.base_url):
            return "that is a key, not an address"
        if self.provider == "azure" and re.fullmatch(r"[a-z0-9-]+", self.base_url):
            return ""  # the name of a resource
        try:
            parts = urlsplit(
                self.base_url if "://" in self.base_url else f"https://{self.base_url}"
            )
            host, _ = parts.hostname, parts.port
        except ValueError:
            return "that is no address"
        if parts.scheme not in ("http", "https") or not host:
            return f"an address like {BY_PROVIDER[self.provider].example}"
        if parts.username or parts.password:
            return "a key or a password does not belong into the address"
        if self.provider == "custom" and "://" not in self.base_url:
            return f"begin with https:// (or http://): {self.base_url}"
        return ""

    def _key(self) -> str:
        kind, value = self.key.kind, self.key.value.strip()
        if self.secret is not None:
            return key_store.check(self.secret)
        if key_store.form(value):
            return "that is a key itself: name where it is, or let fttui keep it"
        if kind == "env" and not VARIABLE.fullmatch(value):
            return "the name of an environment variable"
        if kind in ("keyring", "file", "command") and not value:
            return f"which {SOURCES[kind]}?"
        if kind == "none" and self.provider not in ("local", "custom"):
            return "where is the key?"
        return ""


def usual(provider: str, config: Config) -> Form:
    """A form with what is usual for a provider filled in, and a name that is free."""
    kind = BY_PROVIDER[provider]
    key = SecretSource("env", kind.variable) if kind.variable else SecretSource()
    return Form(_free(provider, config), provider, key=key)


def _free(name: str, config: Config) -> str:
    taken = config.written
    if name not in taken:
        return name
    return next(f"{name}-{n}" for n in range(2, 100) if f"{name}-{n}" not in taken)


def preview(form: Form, config: Config) -> Profile:
    """The profile a form would make, before anything is kept: for trying it. Raises Problem."""
    rows = [f"{key} = {config_edit.value_text(value)}" for key, value in form.table().items()]
    text = "\n".join([f"[profiles.{form.name}]", *rows, ""])
    made = load.check(text, config.path).profiles[form.name]
    return made if form.secret is None else replace(made, key=key_store.Typed(form.secret))


def of(profile: Profile) -> Form:
    """A form with the answers of a profile there is."""
    kind = BY_PROVIDER[profile.provider]
    base = "" if profile.base_url.rstrip("/") == kind.base_url.rstrip("/") else profile.base_url
    found = re.fullmatch(r"https://(\w\w)\.api\.openai\.com/v1/?", base)
    return Form(
        profile.name,
        profile.provider,
        "" if found else base,
        profile.key,
        organization=profile.organization,
        project=profile.project,
        region=found[1] if found else "",
        api_version=profile.api_version,
        read_only=profile.read_only,
    )


def change(form: Form, profile: Profile, config: Config) -> Form:
    """Like `save` for a profile that is there: only what differs is changed, the rest of it stays."""
    if profile.name not in config.written:
        return save(form, config)
    form = _keep(_checked(form, config, replacing=True))
    before, now = of(profile).table(), form.table()
    for key in [key for key in {**before, **now} if before.get(key) != now.get(key)]:
        config_edit.set_in_profile(config.path, form.name, key, now.get(key))
    return form


def save(form: Form, config: Config, *, replacing: bool = False) -> Form:
    """Keep a typed key, then write the profile. Blocks. Raises Problem "profile_form" for a bad answer;
    the file is left as it was when anything fails."""
    form = _keep(_checked(form, config, replacing))
    config_edit.put_profile(config.path, form.name, form.table())
    return form


def _checked(form: Form, config: Config, replacing: bool) -> Form:
    wrong = form.complaints(config, replacing=replacing)
    if wrong:
        what = "; ".join(f"{name.replace('_', ' ')}: {words}" for name, words in wrong)
        raise Problem(
            "The profile was not saved.", what, "Correct that.", code="profile_form",
            detail={"fields": dict(wrong)},
        )  # fmt: skip
    return form


def _keep(form: Form) -> Form:
    """With a typed key kept where it says."""
    if form.secret is None:
        return form
    return replace(form, key=key_store.put(form.key.kind, form.name, form.secret), secret=None)
