"""A chat request as a program: curl, Python or JavaScript. The key is always an environment variable."""

from __future__ import annotations

import json
import pprint
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fttui.config import OPENAI_URL, Profile
from fttui.secrets import redact
from fttui.service.types import ChatSettings

_KEYS = {"azure": "AZURE_OPENAI_API_KEY", "nebius": "NEBIUS_API_KEY"}
_SECRET = re.compile(r"auth|key|token|cookie|secret", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """base_url: where the provider answers. key: the environment variable the program reads.

    headers: a value that begins with `$` is the name of an environment variable.
    """

    base_url: str
    key: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    api_version: str = ""  # Azure before v1

    @property
    def url(self) -> str:
        base = self.base_url.rstrip("/")
        if not self.api_version:
            return f"{base}/chat/completions"
        base = base.removesuffix("/openai")
        deployment = self.body["model"]
        return (
            f"{base}/openai/deployments/{deployment}/chat/completions"
            f"?api-version={self.api_version}"
        )


def request(
    profile: Profile,
    base_url: str,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    settings: ChatSettings,
) -> Request:
    """base_url: the profile's, or where its local server listens."""
    body = {"model": model, "messages": [dict(row) for row in messages], **settings.body()}
    headers = {
        name: f"${_variable(name)}" if _SECRET.search(name) else redact(value)
        for name, value in profile.headers.items()
    }
    if profile.organization:
        headers["OpenAI-Organization"] = profile.organization
    if profile.project:
        headers["OpenAI-Project"] = profile.project
    return Request(base_url, key_variable(profile), body, headers, profile.api_version)


def key_variable(profile: Profile) -> str:
    """The environment variable that should hold the key: the profile's own, else the usual one."""
    if profile.key.kind == "env":
        return profile.key.value
    return _KEYS.get(profile.provider, "OPENAI_API_KEY")


def _variable(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").upper() or "HEADER"


def written(language: str, ask: Request, *, local: bool = False) -> str:
    """The program. local: it begins with a word on where the key of this machine's server is."""
    made = {"curl": _curl, "Python": _python, "JavaScript": _javascript}[language](ask)
    if not local:
        return made
    sign = "//" if language == "JavaScript" else "#"
    return f'{sign} first, in the shell: eval "$(fttui env)"\n{made}'


def _auth(ask: Request) -> tuple[str, str]:
    """(header, what stands before the key)."""
    return ("api-key", "") if ask.api_version else ("Authorization", "Bearer ")


def _curl(ask: Request) -> str:
    name, before = _auth(ask)
    lines = [
        f"curl -sS {shlex.quote(ask.url)}",
        f'-H "{name}: {before}${ask.key}"',
        "-H 'Content-Type: application/json'",
    ]
    for header, value in ask.headers.items():
        if value.startswith("$"):
            lines.append(f'-H "{header}: {value}"')
        else:
            lines.append("-H " + shlex.quote(f"{header}: {value}"))
    body = json.dumps(ask.body, ensure_ascii=False, indent=2)
    lines.append("-d " + shlex.quote(body))
    return " \\\n  ".join(lines) + "\n"


def _python(ask: Request) -> str:
    options = [f'api_key=os.environ["{ask.key}"]']
    name = "AzureOpenAI" if ask.api_version else "OpenAI"
    if ask.api_version:
        options += [f"azure_endpoint={ask.base_url!r}", f"api_version={ask.api_version!r}"]
    elif ask.base_url.rstrip("/") != OPENAI_URL:
        options.append(f"base_url={ask.base_url!r}")
    if ask.headers:
        pairs = ", ".join(
            f"{header!r}: os.environ[{value[1:]!r}]"
            if value.startswith("$")
            else f"{header!r}: {value!r}"
            for header, value in ask.headers.items()
        )
        options.append(f"default_headers={{{pairs}}}")
    said = "".join(f"    {key}={_literal(value)},\n" for key, value in _named(ask.body).items())
    return (
        f"import os\n\nfrom openai import {name}\n\n"
        f"client = {name}(\n" + "".join(f"    {option},\n" for option in options) + ")\n"
        f"answer = client.chat.completions.create(\n{said})\n"
        "message = answer.choices[0].message\n"
        "print(message.content or message.tool_calls)\n"
    )


def _named(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body's fields as arguments; what is no name of one goes into extra_body."""
    odd = {key: value for key, value in body.items() if not key.isidentifier()}
    plain = {key: value for key, value in body.items() if key.isidentifier()}
    return plain | ({"extra_body": odd} if odd else {})


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=88, sort_dicts=False).replace("\n", "\n    ")


def _javascript(ask: Request) -> str:
    name, before = _auth(ask)
    bearer = f'"{before}" + process.env.{ask.key}' if before else f"process.env.{ask.key}"
    headers = [f'"{name}": {bearer}', '"Content-Type": "application/json"']
    headers += [
        f"{json.dumps(header)}: process.env.{value[1:]}"
        if value.startswith("$")
        else f"{json.dumps(header)}: {json.dumps(value)}"
        for header, value in ask.headers.items()
    ]
    body = json.dumps(ask.body, ensure_ascii=False, indent=2).replace("\n", "\n  ")
    return (
        f"const response = await fetch({json.dumps(ask.url)}, {{\n"
        '  method: "POST",\n'
        f"  headers: {{ {', '.join(headers)} }},\n"
        f"  body: JSON.stringify({body}),\n"
        "});\n"
        "const answer = await response.json();\n"
        "if (!response.ok) throw new Error(JSON.stringify(answer));\n"
        "const message = answer.choices[0].message;\n"
        "console.log(message.content ?? message.tool_calls);\n"
    )
