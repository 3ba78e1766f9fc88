"""The profiles in the app: choosing, adding, changing one, and taking a changed configuration in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.ui.app import FttuiApp

ADD = "\0add"


def reload(app: FttuiApp) -> None:
    """Take in a configuration that changed. A broken one: Problem, and the one before stays in force."""
    from fttui import config

    backend: Any = app.backend
    found = config.load()
    backend.__dict__["config"] = found  # the cached one
    if backend.profile_name not in found.profiles:
        backend.profile_name = None
    backend.begin()
    app.change()


def words(profile: Profile) -> str:
    """What tells a profile from the others: whose it is, where, and what is not to be done there."""
    from fttui.profile_form import BY_PROVIDER

    owner = " / ".join(part for part in (profile.organization, profile.project) if part)
    parts = [
        BY_PROVIDER[profile.provider].title if profile.provider != "custom" else "",
        profile.host,
        owner,
    ]
    if profile.read_only:
        parts.append("read-only")
    if profile.provider != "local" and profile.key.kind != "none" and not profile.key.present():
        parts.append("no key")
    return " · ".join(dict.fromkeys(part for part in parts if part))


def choose(app: FttuiApp) -> None:
    """Which profile to work on; the last row adds one."""
    from fttui.ui.dialogs.choose import Choice, Choose

    config = app.backend.config
    choices = [Choice(name, name, words(one)) for name, one in sorted(config.profiles.items())]
    choices.append(Choice(ADD, "Another one …", "add a profile"))

    def chosen(name: str | None) -> None:
        if name == ADD:
            add(app)
        elif name:
            use(app, name)

    title = "Profile: whose money is at stake"
    app.push_screen(Choose(title, choices, value=app.backend.profile.name), chosen)


def use(app: FttuiApp, name: str) -> None:
    """Work on a profile from now on, and say whose it is."""
    app.backend.use(name)
    app.notify(f"profile {name}: {words(app.backend.profile)}", timeout=4)


def next_open(app: FttuiApp) -> None:
    """The next of the profiles that are open, round and round."""
    names = [*app.backend.opened()]
    if not names:
        choose(app)
        return
    every = sorted([*names, app.backend.profile.name])
    at = every.index(app.backend.profile.name)
    use(app, every[(at + 1) % len(every)])


def toggle_read_only(app: FttuiApp) -> None:
    """Guard the profile in hand, or let it spend again; kept in the configuration."""
    from fttui import config_edit, profile_form

    config, profile = app.backend.config, app.backend.profile
    on = not profile.read_only
    if profile.name in config.written:
        config_edit.set_in_profile(config.path, profile.name, "read_only", on or None)
    else:
        from dataclasses import replace

        profile_form.save(replace(profile_form.of(profile), read_only=on), config)
    reload(app)
    said = "read-only: nothing is spent or changed there" if on else "may spend and change again"
    app.notify(
        f"profile {profile.name} is {said}" if on else f"profile {profile.name} {said}", timeout=5
    )


def edit(app: FttuiApp, name: str) -> None:
    """The configuration in the user's editor, at the profile; read again afterwards."""
    from fttui import config_schema
    from fttui.ui import edit_file

    path = app.backend.config.path
    if name not in app.backend.config.written:
        raise Problem(
            f"Profile {name} is not in {path}.",
            "It was made from environment variables.",
            f"Change those, or write one of your own: fttui config add {name}",
            code="config",
        )
    text = path.read_text(encoding="utf-8")
    edit_file.at_line(app, path, config_schema.line_of(text, ("profiles", name)))
    reload(app)


def add(app: FttuiApp, provider: str = "") -> None:
    """Ask for a new profile, and work on it."""
    from fttui.ui.dialogs.profile import AddProfile

    def added(name: str | None) -> None:
        if name:
            reload(app)
            app.backend.use(name)
            app.notify(f"profile {name} is saved, and in use", timeout=4)

    app.push_screen(AddProfile(app.backend.config, provider), added)


def give_key(app: FttuiApp, profile: Profile) -> None:
    """Ask where this profile's key is, or for the key itself."""
    from fttui.ui.dialogs.profile import AddProfile

    def given(name: str | None) -> None:
        if name:
            reload(app)
            app.backend.use(name)
            app.notify(f"the key of profile {name} comes from another place now", timeout=4)

    app.push_screen(AddProfile(app.backend.config, profile=profile), given)
