"""`fttui config`: the profiles and where their keys are; adds, tries and removes one without editing a file."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fttui import config, config_edit, key_store, profile_form
from fttui.config import Config, Profile
from fttui.problem import Problem
from fttui.profile_form import BY_PROVIDER, KINDS, Form
from fttui.secrets import Secret, SecretSource, redact

SOURCES = ("env", "command", "file", "keyring", "entra", "none")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(act=_list, json=False)
    acts = parser.add_subparsers(metavar="WHAT", title="what (nothing: list)")

    def act(name: str, words: str, run: Any, *, profile: str = "") -> argparse.ArgumentParser:
        found = acts.add_parser(name, help=words, description=words)
        found.set_defaults(act=run)
        if profile:
            found.add_argument(
                "name", nargs=None if profile == "needed" else "?", metavar="PROFILE"
            )
        return found

    for name, words, run, profile in (
        ("list", "the profiles, whose they are, and where their keys are", _list, ""),
        ("show", "one profile with everything that is set; never a key", _show, "optional"),
        ("test", "ask a profile: reachable, key accepted, what it can do", _test, "optional"),
    ):
        act(name, words, run, profile=profile).add_argument("--json", action="store_true")
    add = act("add", "add a profile; asks for what no flag says", _add, profile="optional")
    add.add_argument("--provider", choices=[kind.provider for kind in KINDS])
    add.add_argument("--base-url", metavar="URL")
    _key_flags(add)
    for flag in ("organization", "project", "region", "api-version"):
        add.add_argument(f"--{flag}", metavar="TEXT")
    add.add_argument("--read-only", action="store_true", help="look, but spend and change nothing")
    add.add_argument("--default", action="store_true", help="start on it from now on")
    add.add_argument("--replace", action="store_true", help="in place of the one of that name")
    key = act("key", "say where a profile's key is, or give the key itself", _key, profile="needed")
    _key_flags(key)
    act("default", "start on this profile from now on", _default, profile="needed")
    guard = act(
        "read-only", "guard a profile: nothing is spent or changed", _guard, profile="needed"
    )
    guard.add_argument("--off", action="store_true", help="let it spend and change again")
    remove = act(
        "remove", "remove a profile, and a key that fttui kept for it", _remove, profile="needed"
    )
    remove.add_argument("--yes", action="store_true", help="do not ask")
    act("path", "where the configuration is", _path)
    act("edit", "the configuration in $EDITOR, checked afterwards", _edit, profile="optional")


def _key_flags(parser: argparse.ArgumentParser) -> None:
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--key-env", metavar="NAME", help="the key is in this environment variable")
    one.add_argument("--key-command", metavar="COMMAND", help="this command prints it")
    one.add_argument("--key-file", metavar="FILE", help="it is in this file (mode 600)")
    one.add_argument("--key-keyring", metavar="SERVICE/USER", help="it is in the keyring already")
    one.add_argument("--key-entra", action="store_true", help="sign in to Azure (Microsoft Entra)")
    one.add_argument("--no-key", action="store_true", help="none is needed")
    one.add_argument(
        "--store",
        choices=key_store.PLACES,
        help="type the key (or pipe it in): kept in the keyring, or in a file only you can read",
    )


def run(args: argparse.Namespace) -> int:
    code: int = args.act(args)
    return code


# ---- looking ----


def as_dict(profile: Profile, found: Config) -> dict[str, Any]:
    """A profile as JSON; its keys as where they are."""
    return {
        "name": profile.name,
        "provider": profile.provider,
        "base_url": redact(profile.base_url),
        "key": profile.key.describe(),
        "key_present": profile.provider == "local" or profile.key.present(),
        "admin_key": profile.admin_key.describe() if profile.admin_key.kind != "none" else None,
        "organization": profile.organization,
        "project": profile.project,
        "api_version": profile.api_version,
        "read_only": profile.read_only,
        "timeout": profile.timeout,
        "headers": dict.fromkeys(profile.headers, "…"),  # a gateway's key may be among them
        "extra_body": _without_keys(profile.extra_body),
        "overrides": dict(profile.overrides),
        "default": profile.name == found.default,
        "from": "file" if profile.name in found.written else "environment",
    }


def _without_keys(value: Any, name: str = "") -> Any:
    """A JSON value with "…" for every text that is a key, or is called one."""
    if isinstance(value, Mapping):
        return {key: _without_keys(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_keys(item, name) for item in value]
    called = re.search(r"key|token|secret|password", name, re.IGNORECASE)
    return "…" if isinstance(value, str) and (called or redact(value) != value) else value


def _list(args: argparse.Namespace) -> int:
    found = config.load()
    rows = [as_dict(profile, found) for profile in found.profiles.values()]
    if args.json:
        print(json.dumps({"path": str(found.path), "default": found.default, "profiles": rows}))
        return 0
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        mark = "*" if row["default"] else " "
        host = found.profiles[row["name"]].host
        notes = [host, "no key needed" if row["provider"] == "local" else row["key"]]
        notes += ["" if row["key_present"] or row["key"] == "no key" else "not set"]
        notes += ["read-only" if row["read_only"] else ""]
        print(
            f"{mark} {row['name']:<{width}}  {row['provider']:<7} "
            + ", ".join(n for n in notes if n)
        )
    there = "" if found.path.exists() else " (not there yet)"
    print(f"\n* where fttui starts. Configuration: {found.path}{there}")
    print("fttui config add: another one, without editing a file")
    return 0


def _show(args: argparse.Namespace) -> int:
    found = config.load()
    row = as_dict(found.profile(args.name), found)
    if args.json:
        print(json.dumps(row))
        return 0
    for name, value in row.items():
        if value not in ("", {}, None):
            text = value if isinstance(value, str) else json.dumps(value)
            print(f"{name.replace('_', ' '):<13} {text}")
    return 0


def _test(args: argparse.Namespace) -> int:
    from fttui.service import examine
    from fttui.state import State

    profile = config.load().profile(args.name)
    state = State()
    try:
        made = asyncio.run(examine.examine(profile, state=state))
    finally:
        state.close()
    if args.json:
        print(json.dumps({"profile": profile.name, "ok": made.ok, **made.facts}, default=str))
    else:
        print(
            f"{profile.name}: {profile.provider} at {profile.host}, key: {profile.key.describe()}"
        )
        for line in made.lines:
            print(f"  {line.glyph} {line.text}")
            if line.remedy:
                print(f"    → {line.remedy}")
    return 0 if made.ok else 1


def _path(args: argparse.Namespace) -> int:
    from fttui import paths
    from fttui.config_raw import FILE

    print(paths.config_dir() / FILE)
    return 0


# ---- changing ----


def _add(args: argparse.Namespace) -> int:
    found = config.load()
    asks = sys.stdin.isatty() and sys.stdout.isatty() and args.provider is None
    provider = args.provider or (_ask_provider() if asks else _needed("--provider"))
    form = _given(profile_form.usual(provider, found), args)
    if args.name:
        form = replace(form, name=args.name)
    if asks:
        form = _ask_rest(form, args, found)
    source = _source(args)
    if source is not None:
        form = replace(form, key=source)
    form = _typed(form, args.store)
    saved = profile_form.save(form, found, replacing=args.replace)
    print(f"saved profile {saved.name} in {found.path}; key: {saved.key.describe()}")
    if args.default:
        config_edit.set_default(found.path, saved.name)
        print(f"fttui starts on {saved.name} from now on")
    print(f"try it: fttui config test {saved.name}")
    return 0


def _given(form: Form, args: argparse.Namespace) -> Form:
    """With what the flags say."""
    names = ("base_url", "organization", "project", "region", "api_version")
    given = {name: value for name in names if (value := getattr(args, name)) is not None}
    return replace(form, read_only=args.read_only, **given)


def _needed(flag: str) -> str:
    raise Problem(
        "The profile was not added.",
        f"{flag} is missing, and there is no terminal to ask on",
        f"providers: {', '.join(BY_PROVIDER)}",
        code="usage",
    )


def _ask_provider() -> str:
    for number, kind in enumerate(KINDS, 1):
        print(f"  {number}  {kind.title} ({kind.about})")
    while True:
        said = input("Whose service is it? [1] ").strip() or "1"
        if said in BY_PROVIDER:
            return said
        if said.isdigit() and 1 <= int(said) <= len(KINDS):
            return KINDS[int(said) - 1].provider


def _ask_rest(form: Form, args: argparse.Namespace, found: Config) -> Form:
    """Ask for what no flag said, until it can be taken."""
    kind = BY_PROVIDER[form.provider]
    questions = {"name": "Name of the profile"}
    questions |= {name: name.replace("_", " ").capitalize() for name in kind.asks}
    for name, words in questions.items():
        if getattr(args, name, None):
            continue
        while True:
            usual = getattr(form, name) or (kind.example if name == "base_url" else "")
            hint = f" [{usual}]" if usual else " (enter: none)"
            said = input(f"{words}{hint}: ").strip() or getattr(form, name)
            answer: dict[str, Any] = {name: said}
            form = replace(form, **answer)
            wrong = dict(form.complaints(found, replacing=args.replace)).get(name)
            if not wrong:
                break
            print(f"  ✗ {wrong}")
    if form.provider == "local" or _source(args) is not None or args.store:
        return form
    return _ask_key(form, args)


def _ask_key(form: Form, args: argparse.Namespace) -> Form:
    kind = BY_PROVIDER[form.provider]
    missing = key_store.keyring_missing()
    ways = [("env", f"in an environment variable [{kind.variable or 'NAME'}]"),
            ("store:file", "type it now; kept in a file only you can read"),
            ("store:keyring", "type it now; kept in the keyring"),
            ("command", "a command prints it")]  # fmt: skip
    if missing:
        ways = [way for way in ways if way[0] != "store:keyring"]
    if form.provider == "azure":
        ways.append(("entra", "Microsoft Entra sign-in"))
    if form.provider == "custom":
        ways.append(("none", "no key is needed"))
    for number, (_, words) in enumerate(ways, 1):
        print(f"  {number}  {words}")
    said = ""
    while not (said.isdigit() and 1 <= int(said) <= len(ways)):
        said = input("Where is the key? [1] ").strip() or "1"
    way = ways[int(said) - 1][0]
    if way.startswith("store:"):
        args.store = way.removeprefix("store:")
        return form
    if way in ("entra", "none"):
        return replace(form, key=SecretSource(way))
    usual = kind.variable if way == "env" else ""
    words = {"env": "Name of the variable", "command": "Command"}[way]
    value = input(f"{words}{f' [{usual}]' if usual else ''}: ").strip() or usual
    return replace(form, key=SecretSource(way, value))


def _source(args: argparse.Namespace) -> SecretSource | None:
    """The source of the key the flags name; None where they name none, or one to be typed."""
    for kind in ("env", "command", "file", "keyring"):
        value = getattr(args, f"key_{kind}")
        if value is not None:
            return SecretSource(kind, value)
    if args.key_entra:
        return SecretSource("entra")
    return SecretSource() if args.no_key else None


def _typed(form: Form, place: str | None) -> Form:
    """With the key read from the terminal, unseen, or from a pipe. Never from the command line."""
    if not place:
        return form
    if place == "keyring" and (missing := key_store.keyring_missing()):
        raise Problem("The key was not kept.", missing, "Use --store file.", code="key_store")
    if sys.stdin.isatty():
        text = getpass.getpass(f"Key of {form.name} (not shown): ")
    else:
        text = sys.stdin.readline(10_000)
    return replace(form, key=SecretSource(place), secret=Secret(text.strip()))


def _key(args: argparse.Namespace) -> int:
    found = config.load()
    profile = found.profile(args.name)
    form = profile_form.of(profile)
    source = _source(args)
    if source is None and not args.store:
        args.store = "file" if key_store.keyring_missing() else "keyring"
    form = _typed(replace(form, key=source) if source else form, args.store)
    saved = profile_form.change(form, profile, found)
    print(f"profile {saved.name}: key from {saved.key.describe()}")
    return 0


def _default(args: argparse.Namespace) -> int:
    found = config.load()
    config_edit.set_default(found.path, found.profile(args.name).name)
    print(f"fttui starts on {args.name} from now on")
    if os.environ.get("FTTUI_PROFILE"):
        print(f"but FTTUI_PROFILE={os.environ['FTTUI_PROFILE']} is set here, and wins")
    return 0


def _guard(args: argparse.Namespace) -> int:
    found = config.load()
    profile = found.profile(args.name)
    form = replace(profile_form.of(profile), read_only=not args.off)
    profile_form.change(form, profile, found)
    print(f"profile {args.name} {'may spend and change again' if args.off else 'is read-only'}")
    return 0


def _remove(args: argparse.Namespace) -> int:
    found = config.load()
    profile = found.profile(args.name)
    if profile.name not in found.written:
        raise Problem(
            f"Profile {profile.name} is not in {found.path}.",
            "it comes from environment variables, or is there always",
            "unset the variables instead",
            code="config",
        )
    if not args.yes:
        if not sys.stdin.isatty():
            raise Problem("Nothing was removed.", "there is no terminal to ask on",
                          f"fttui config remove {args.name} --yes", code="usage")  # fmt: skip
        about = f"{profile.provider} at {profile.host}"
        if input(f"Remove profile {profile.name} ({about})? [y/N] ").strip().lower() != "y":
            print("nothing was removed")
            return 1
    config_edit.remove_profile(found.path, profile.name)
    kept = key_store.forget(profile.key, profile.name)
    print(f"removed profile {profile.name}{' and its key' if kept else ''}; "
          f"the file before: {found.path}.bak")  # fmt: skip
    return 0


def _edit(args: argparse.Namespace) -> int:
    import shlex
    import shutil
    import subprocess

    from fttui import config_schema, paths
    from fttui.config_raw import FILE

    path = paths.config_dir() / FILE
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    if not shutil.which(editor[0]):
        raise Problem(f"the editor {editor[0]} is not installed", "it is what $EDITOR names",
                      f"set EDITOR, or open {path} yourself", code="editor")  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    line = 1
    if args.name and path.exists():
        text = path.read_text(encoding="utf-8", errors="replace")
        line = config_schema.line_of(text, ("profiles", args.name))
    subprocess.run([*editor, *([f"+{line}"] if line > 1 else []), str(path)], check=False)
    found = config.load()  # says what is wrong, with its line
    print(f"{path}: fine, {len(found.written)} profiles of your own")
    return 0
