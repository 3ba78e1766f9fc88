"""What can be done to a checkpoint at its provider: share it, save its weights, delete its model; and why not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.ui.deploy import entry as deploying
from fttui.ui.jobs.ranking import Kept
from fttui.ui.text import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from fttui.service.provider import Provider
    from fttui.ui.app import FttuiApp

BUSY = "weights"  # what a download is called among the unfinished things


def provider_of(app: FttuiApp, row: Kept) -> Provider | None:
    feed = app.backend.feed_of(row.track.job)
    return feed.provider if feed is not None else None


def why_not(app: FttuiApp, name: str, row: Kept, deleted: frozenset[str]) -> str:
    """Why an action cannot be done to this checkpoint now; "" where it can."""
    provider = provider_of(app, row)
    if provider is None:
        return "the configuration is still being read"
    if name in ("rank", "mark"):
        return ""
    if row.model in deleted and name != "copy":
        return "its model was deleted"
    if name == "deploy":
        return deploying.row_why_not(app, name, row)
    if not row.model and name != "download":
        return "this checkpoint has no model name yet"
    if name in ("chat", "compare", "evaluate"):
        return deploying.row_why_not(app, "chat", row)
    if name == "share":
        from fttui.service import permissions

        return permissions.why_not(provider)
    if name == "download":
        from fttui.service import weights

        return weights.why_not(provider, row.checkpoint)
    if name == "delete":
        if provider.profile.read_only:
            return f"profile {provider.profile.name} is read-only"
        if row.track.job.live:
            return "its job is still running: cancel it first"
        return provider.lacks("delete")
    return ""


# -- deleted models: some providers go on naming them in the job


def _deleted_key(profile: str) -> str:
    return f"models.deleted.{profile}"


def deleted(app: FttuiApp, profiles: set[str]) -> frozenset[str]:
    """Names of models that were deleted from here."""
    return frozenset(
        name for profile in profiles for name in app.state.recall(_deleted_key(profile), [])
    )


def ask_delete(app: FttuiApp, row: Kept, done: Callable[[], None]) -> None:
    """Name it and what is lost, then delete its model."""
    from fttui.ui.dialogs.confirm import Confirm

    what = "the job's final model" if row.final else f"the checkpoint at step {row.step:,}"
    body: list[Part] = [
        f"{row.model}\n",
        (f"{what} of {row.track.name}\n", "dim"),
        "It never answers again, and cannot be brought back.",
    ]

    def answered(yes: bool | None) -> None:
        if yes:
            app.run_worker(_delete(app, row, done), group="delete-model", exit_on_error=False)

    title = "Delete this model?"
    app.push_screen(Confirm(title, body, yes="Delete the model", no="Keep it"), answered)


async def _delete(app: FttuiApp, row: Kept, done: Callable[[], None]) -> None:
    from fttui.service import models

    provider = provider_of(app, row)
    if provider is None:
        return
    try:
        await models.delete(provider, row.model)
    except Problem as problem:
        app.show_problem(problem)
        return
    key = _deleted_key(provider.profile.name)
    app.state.remember(key, [*app.state.recall(key, []), row.model][-500:])
    app.notify(f"deleted {row.model}", timeout=4)
    done()


# -- weights


def ask_download(app: FttuiApp, row: Kept, say: Callable[[str], None]) -> None:
    """Ask for the folder, then save the weights into it. say: told of the progress, "" at the end."""
    from fttui.service import weights
    from fttui.ui.dialogs.prompt import Prompt

    if BUSY in app.backend.unfinished:
        app.workers.cancel_group(app, BUSY)  # the same key stops it
        return
    folder = Path.cwd() / "weights" / weights.folder_name(row.checkpoint)
    hint: list[Part] = [
        ("a folder; files that are there already are kept. d again stops it", "dim")
    ]

    def check(text: str) -> str:
        place = Path(text).expanduser()
        return (
            f"{place} is a file" if place.is_file() else ("" if text.strip() else "name a folder")
        )

    def named(text: str | None) -> None:
        if text:
            work = _download(app, row, Path(text).expanduser(), say)
            app.run_worker(work, group=BUSY, exclusive=True, exit_on_error=False)

    app.push_screen(Prompt("Save the weights to", value=str(folder), hint=hint, check=check), named)


async def _download(app: FttuiApp, row: Kept, folder: Path, say: Callable[[str], None]) -> None:
    from fttui.service import weights

    provider = provider_of(app, row)
    if provider is None:
        return
    app.backend.unfinished[BUSY] = "weights are being downloaded"
    say("asking for the weights …")

    def tell(name: str, done: int, total: int) -> None:
        say(f"{name} {done * 100 // total} %" if total else f"{name} {done:,} bytes")

    try:
        saved = await weights.save(provider, row.track.id, row.checkpoint, folder, tell)
        app.notify(f"saved {', '.join(path.name for path in saved)} in {folder}", timeout=8)
    except Problem as problem:
        app.show_problem(problem)
    finally:
        app.backend.unfinished.pop(BUSY, None)
        say("")


# -- sharing

PROJECTS = re.compile(r"[,\s]+")


def projects(text: str) -> tuple[list[str], str]:
    """(project ids in what was typed, a complaint or "")."""
    from fttui.service.permissions import PROJECT

    ids = [word for word in PROJECTS.split(text.strip()) if word]
    wrong = next((word for word in ids if not PROJECT.match(word)), "")
    if wrong:
        return [], f"{wrong} is no project id: they begin with proj_"
    return list(dict.fromkeys(ids)), "" if ids else "type the id of a project: proj_…"
