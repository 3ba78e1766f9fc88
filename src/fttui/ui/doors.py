"""From a refusal to the screen that shows the ways out, and what each of them does."""

from __future__ import annotations

import os
import sys
from datetime import date
from typing import TYPE_CHECKING

from textual.screen import ModalScreen

from fttui.problem import Problem
from fttui.ui import profiles

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.service.doors import Door, Way
    from fttui.ui.app import FttuiApp


def show(app: FttuiApp, problem: Problem) -> None:
    """The problem in a dialog: with its ways out where it is a closed door."""
    found = _door(app, problem)
    if found is None:
        from fttui.ui.dialogs.problem import ProblemDialog

        app.push_screen(ProblemDialog(problem))
        return
    from fttui.ui.dialogs.closed_door import ClosedDoor

    door, profile = found
    app.refusal = problem
    if door.kind == "training_closed":  # `fttui doctor` tells it from now on
        from fttui.service import examine

        kept = {"day": str(date.today()), "why": problem.why}
        app.state.remember(examine.refused_key(profile), kept)
    if isinstance(app.screen, ClosedDoor) and app.screen.door == door:
        return  # the same from several places at once
    owner = " / ".join(part for part in (profile.organization, profile.project) if part)
    doing = (
        "" if door.kind in ("no_key", "retired", "missing_model") else problem.what.rstrip(".")
    )  # title says it
    status = f"HTTP {problem.detail['status']}" if "status" in problem.detail else ""
    facts = (doing, f"profile {profile.name}", profile.host, owner, status)
    about = " · ".join(fact for fact in facts if fact)

    def chosen(way: Way | None) -> None:
        if way is not None:
            try:
                take(app, way, profile)
            except Problem as failed:
                app.show_problem(failed)

    app.push_screen(ClosedDoor(door, problem, about), chosen)


def _door(app: FttuiApp, problem: Problem) -> tuple[Door, Profile] | None:
    from fttui.service import doors

    try:
        config = app.backend.config
        name = str(problem.detail.get("profile") or app.backend.profile.name)
        profile = config.profiles.get(name) or app.backend.profile
        model = app.thread.model.id if app.thread.model else ""
        found = doors.door(problem, profile, app.backend.catalog, date.today(), model=model)
    except Problem:  # a configuration or price file that cannot be read
        return None
    return (found, profile) if found else None


def is_door(problem: Problem) -> bool:
    """More of the same would not help: there is a screen with ways out."""
    from fttui.service import doors

    return bool(doors.kind_of(problem))


def why(app: FttuiApp) -> None:
    """Open the door that was met last: that of the jobs' list while it stands, else that of a pane."""
    feed = app.backend.feed
    standing = feed.problem if feed is not None else None
    for problem in (standing if app.current_mode == "jobs" else app.refusal, app.refusal, standing):
        if problem is not None:
            show(app, problem)
            return
    app.notify("nothing was refused", timeout=3)


STAY = ("ask", "link")  # ways that lead nowhere else: what is behind the door stays as it is


def take(app: FttuiApp, way: Way, profile: Profile) -> None:
    """Go a way out; a form the door was met in is closed, and kept as a draft. Raises Problem."""
    if way.id not in STAY:
        while isinstance(app.screen, ModalScreen):
            app.screen.dismiss(None)
    ways = {
        "export": lambda: save_all(app),
        "retrain": lambda: retrain(app, way.value),
        "local": lambda: _plan_on(app, "local"),
        "model": lambda: _another_model(app),
        "key": lambda: profiles.change(app, profile),
        "profile": lambda: profiles.choose(app),
        "add": lambda: profiles.add(app),
        "edit": lambda: profiles.change(app, profile, "base_url"),
        "ask": lambda: app.copy(way.value, "a message to whoever may open it"),
        "link": lambda: open_link(app, way.value),
        "guide": lambda: _guide(app),
        "again": lambda: _again(app),
    }
    ways[way.id]()


def save_all(app: FttuiApp) -> None:
    """Every job of the profile into one folder, while it can be read."""
    from fttui.ui.dialogs.export import ExportDialog, Exporting
    from fttui.ui.export.collect import Chosen

    feed = app.backend.feed
    tracks = feed.jobs() if feed is not None else []
    if feed is None or not tracks:
        app.notify("no job is known of this profile: there is nothing to save", severity="warning")
        return
    chosen = [Chosen(feed.provider, track.job, track) for track in tracks]
    app.push_screen(ExportDialog(Exporting(app, chosen)))


OTHER = "\0add:"


def retrain(app: FttuiApp, model_id: str) -> None:
    """Where else this model, or one like it, can be trained: on a profile there is, or a new one."""
    from fttui.pricing import lifecycle
    from fttui.profile_form import BY_PROVIDER
    from fttui.ui.dialogs.choose import Choice, Choose

    catalog, config, today = app.backend.catalog, app.backend.config, date.today()
    model = catalog.get(model_id) if model_id else app.thread.model
    here = app.backend.profile.provider
    places = lifecycle.where_to_retrain(catalog, model, today) if model else [
        found for name in ("azure", "nebius", "local")
        if name != here and (found := catalog.cheapest(name, today))
    ]  # fmt: skip
    choices, providers = [], []
    for place in places:
        if place.provider not in providers and place.provider != here:
            providers.append(place.provider)
    for provider in providers:
        base = next(place for place in places if place.provider == provider)
        days = lifecycle.life(base, today).tuned_days
        lives = f"lives {days:,} days" if days is not None else "no end announced"
        mine = [one.name for one in config.profiles.values() if one.provider == provider]
        for name in mine:
            choices.append(Choice(f"{name}\0{base.id}", f"{base.title} on profile {name}", lives))
        if not mine and provider in BY_PROVIDER:
            title = BY_PROVIDER[provider].title
            choices.append(
                Choice(OTHER + provider, f"{base.title} at {title}", f"{lives} · add it")
            )
    choices.append(Choice(OTHER, "Another provider …", "add a profile"))

    def chosen(value: str | None) -> None:
        if value and value.startswith(OTHER):
            profiles.add(app, value.removeprefix(OTHER))
        elif value:
            name, _, model_id = value.partition("\0")
            _plan_on(app, name, model_id)

    title = f"Train {model.title} elsewhere" if model else "Train elsewhere"
    app.push_screen(Choose(f"{title}: the same file, the same keys", choices), chosen)


def _plan_on(app: FttuiApp, profile: str, model_id: str = "") -> None:
    """Work on a profile, and show what the open dataset costs there."""
    provider = app.backend.config.profile(profile).provider
    model = app.backend.catalog.get(model_id, provider) if model_id else None
    if model is not None:  # what the planner begins with there
        app.state.remember(f"plan.model.{provider}", model.id)
    profiles.use(app, profile)
    if model is not None:
        app.planner.choose(model)
    app.go("cost" if app.thread.path else "data")


def _another_model(app: FttuiApp) -> None:
    if app.current_mode != "cost":
        app.go("chat")
    app.call_later(app.run_by_id, "cost.model" if app.current_mode == "cost" else "chat.model")


def _guide(app: FttuiApp) -> None:
    from fttui.ui.screens.guide import GuideScreen

    app.push_screen(GuideScreen(app.planner))


def _again(app: FttuiApp) -> None:
    feed = app.backend.feed
    if feed is not None:
        feed.refresh()
    app.notify("asking again", timeout=2)


def open_link(app: FttuiApp, link: str) -> None:
    """Copied; and opened where a browser would open on this screen."""
    app.copy(link, link)
    here = (
        sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if here and not os.environ.get("SSH_CONNECTION"):
        app.open_url(link)
