"""The profiles in the app: choosing, adding, changing one, and taking a changed configuration in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.service.probe import Probed
    from fttui.service.provider import Provider
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
    """What tells a profile from the others: what is not to be done there, whose it is, where."""
    from fttui.profile_form import BY_PROVIDER

    keyless = profile.key.kind != "none" and not profile.key.present()
    parts = [
        "read-only" if profile.read_only else "",
        "no key" if keyless and profile.provider != "local" else "",
        " / ".join(part for part in (profile.organization, profile.project) if part),
        BY_PROVIDER[profile.provider].title if profile.provider != "custom" else "",
        profile.host,
    ]
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
    app.deployed.tick()  # what runs and costs there
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


def add(app: FttuiApp, provider: str = "") -> None:
    """Ask for a new profile, and work on it."""
    from fttui.ui.dialogs.profile import AddProfile

    def added(name: str | None) -> None:
        if name:
            reload(app)
            use(app, name)

    app.push_screen(AddProfile(app.backend.config, provider), added)


def change(app: FttuiApp, profile: Profile, at: str = "given") -> None:
    """Ask for what is to be different about a profile. at: the field to begin with; its key."""
    from fttui.ui.dialogs.profile import AddProfile

    def changed(name: str | None) -> None:
        if name:
            reload(app)
            use(app, name)

    app.push_screen(AddProfile(app.backend.config, profile=profile, at=at), changed)


# ---- what a profile may and can do ----


def why_not_spend(app: FttuiApp, action_id: str) -> str:
    """Why an action of SPENDS is not done on its profile, "" where it may be."""
    from fttui.ui.actions import SPENDS

    profile = app.backend.profile
    if SPENDS[action_id] == "job":
        feed = app.backend.feed_of(app.thread.job)
        profile = feed.provider.profile if feed is not None else profile
    if profile.read_only:
        return f"profile {profile.name} is read-only"
    if action_id in ("cost.launch", "jobs.new") and app.backend.feed is not None:
        return app.backend.feed.provider.lacks("jobs")
    return ""


def learn_what_they_can(app: FttuiApp) -> None:
    """Put in force what was found of the open profiles before; ask, once, those never asked."""
    asked: set[int] = set()

    def news(_: object) -> None:
        for feed in app.backend.feeds:
            provider = feed.provider
            if id(provider) in asked or provider.profile.provider == "local":
                continue
            from fttui.service import probe

            if not feed.read_at:
                probe.remembered(provider, app.state)
                continue
            asked.add(id(provider))
            work = _ask(app, provider)
            app.run_worker(work, group=f"probe-{feed.profile}", exit_on_error=False)

    app.backend.feeds.changed.subscribe(app, news)
    news(None)


async def _ask(app: FttuiApp, provider: Provider) -> Probed:
    from fttui.service import probe

    before = dict(provider.learned)
    found = await probe.once(provider, app.state)
    if provider.learned != before:
        app.change()  # what is missing is dimmed
    return found


def ask_again_what_it_can(app: FttuiApp) -> None:
    """Forget what was found of the profile in hand, and ask again."""
    from fttui.service import probe

    feed = app.backend.feed
    if feed is None:
        return
    provider = feed.provider
    probe.forget(provider, app.state)

    async def ask() -> None:
        found = await _ask(app, provider)
        said = found.problem or (" ".join(found.lacks.values()) or "nothing is missing")
        app.notify(f"profile {provider.profile.name}: {said}", timeout=6)

    app.run_worker(ask(), group="probe", exclusive=True, exit_on_error=False)


# ---- the first start ----

FIRST = "first-start"  # what the state calls that it was asked


def first_start(app: FttuiApp) -> None:
    """Ask where to train, once, where nothing says it: no file, no key in the environment."""
    config = app.backend.config
    decided = (
        config.path.exists()
        or config.default != "local"
        or any(one.key.present() for one in config.profiles.values())
        or app.state.recall(FIRST)
    )
    if not decided:
        app.state.remember(FIRST, True)
        ask_where(app)


def ask_where(app: FttuiApp) -> None:
    """This machine, or a provider that needs a key."""
    from fttui.profile_form import KINDS
    from fttui.ui.dialogs.choose import Choice, Choose

    order = sorted(KINDS, key=lambda kind: kind.provider != "local")
    choices = [Choice(kind.provider, kind.title, kind.about) for kind in order]

    def chosen(provider: str | None) -> None:
        if provider == "local":
            use(app, "local")
        elif provider:
            add(app, provider)

    title = "Where do you want to train?\nNo key was found, so fttui starts on this machine. P changes it."
    app.push_screen(Choose(title, choices, value="local"), chosen)
