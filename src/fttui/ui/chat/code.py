"""The request of a column on the clipboard, as a program somebody else can run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fttui.problem import Problem
from fttui.ui.chat.talk import Talk
from fttui.ui.chat.voices import Voice

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.ui.app import FttuiApp

LANGUAGES = {
    "curl": "runs in a shell",
    "Python": "with the openai package",
    "JavaScript": "with fetch: Node 18 and later",
}


async def copy(
    app: FttuiApp,
    language: str,
    profile: Profile,
    voice: Voice,
    messages: list[dict[str, Any]],
    talk: Talk,
) -> None:
    """Copy it; the key stays out, an environment variable is named in its place."""
    try:
        text = await program(app, language, profile, voice, messages, talk)
    except Problem as problem:
        app.show_problem(problem)
        return
    app.copy(text, f"the request as {language}")


async def program(
    app: FttuiApp,
    language: str,
    profile: Profile,
    voice: Voice,
    messages: list[dict[str, Any]],
    talk: Talk,
) -> str:
    from fttui.service import handover
    from fttui.ui.chat import few

    if voice.shots:
        messages = await few.shown(app.thread, voice.shots, messages)
    base_url = profile.base_url
    local = profile.provider == "local"
    if local:  # only the server itself knows its port
        client = await app.backend._provider_of(profile).ready()
        base_url = str(client.base_url).rstrip("/")
    ask = handover.request(profile, base_url, voice.model, messages, talk.settings())
    return handover.written(language, ask, local=local)
