"""What this terminal can do, as far as it tells: size, colours, UTF-8, copying, keys, tmux. Bounded: half a second."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

WAIT = 0.4  # seconds a terminal has to answer
TMUX_WAIT = 2.0
# Terminals known to take OSC 52 (copying over SSH) and richer keys, by what they call themselves.
COPIES = {
    "iTerm.app",
    "WezTerm",
    "ghostty",
    "kitty",
    "foot",
    "alacritty",
    "contour",
    "rio",
    "vscode",
}
NO_COPY = {"Apple_Terminal"}
_ASK = "\x1b[?u\x1b[?2026$p\x1b[c"  # kitty's keys? synchronized output? who are you? (all answer the last)


@dataclass(frozen=True)
class Fact:
    """level: ok, warning or note."""

    name: str
    level: str
    text: str
    remedy: str = ""
    value: object = None


@dataclass(frozen=True)
class Told:
    """What the terminal itself answered; None: no answer."""

    keys: bool | None = None
    sync: bool | None = None
    copies: bool | None = None
    answered: bool = False


def facts() -> Iterator[Fact]:
    """Look; asks the terminal and tmux where there are such."""
    env = os.environ
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    size = shutil.get_terminal_size()
    term = env.get("TERM", "")
    text = f"{size.columns}×{size.lines}, TERM={term or 'unset'}{'' if tty else ', not a terminal'}"
    small = tty and (size.columns < 60 or size.lines < 15)
    yield Fact("size", "warning" if small else "ok" if tty else "note", text,
               "60×15 is the least, 80×24 is comfortable" if small else "",
               [size.columns, size.lines])  # fmt: skip
    yield from _term(term, tty)
    yield _utf8()
    yield _colours()
    told = ask() if tty and term != "dumb" else Told()
    inside = "tmux" if env.get("TMUX") else "screen" if term.startswith("screen") else ""
    yield from _copying(told, inside)
    if tty:
        yield _keys(told, inside)
    if env.get("TMUX"):
        yield from _tmux()
    if env.get("SSH_CONNECTION"):
        yield Fact(
            "ssh", "note", "over SSH: frames are limited to 30 a second, nothing blinks", value=True
        )


def _term(term: str, tty: bool) -> Iterator[Fact]:
    if tty and term in ("", "dumb", "unknown"):
        yield Fact("term", "warning", f"TERM={term or 'unset'} tells programs nothing",
                   "export TERM=xterm-256color", term)  # fmt: skip
    elif os.environ.get("TMUX") and not term.startswith(("tmux", "screen")):
        yield Fact("term", "warning", f"inside tmux TERM is {term}",
                   "set -g default-terminal tmux-256color, in ~/.tmux.conf", term)  # fmt: skip


def _utf8() -> Fact:
    encoding = (sys.stdout.encoding or "unknown").lower().replace("-", "")
    if encoding == "utf8":
        return Fact("utf8", "ok", "UTF-8", value=True)
    return Fact("utf8", "warning", f"the output encoding is {encoding}",
                "use a UTF-8 locale (export LC_ALL=C.UTF-8), or fttui --ascii", False)  # fmt: skip


def _colours() -> Fact:
    env = os.environ
    if env.get("NO_COLOR"):
        return Fact("colours", "note", "colours: off (NO_COLOR)", value=0)
    if env.get("COLORTERM") in ("truecolor", "24bit"):
        return Fact("colours", "ok", "colours: 24-bit", value=1 << 24)
    if "256" in env.get("TERM", "") or env.get("TERM", "").startswith(("xterm", "tmux", "screen")):
        return Fact(
            "colours",
            "ok",
            "colours: 256 (COLORTERM=truecolor, where the terminal has more)",
            value=256,
        )
    return Fact("colours", "note", "colours: 16 or fewer", value=16)


def _copying(told: Told, inside: str) -> Iterator[Fact]:
    program = os.environ.get("TERM_PROGRAM", "") or (
        "kitty" if "kitty" in os.environ.get("TERM", "") else ""
    )
    native = next((tool for tool in ("wl-copy", "xclip", "xsel", "pbcopy") if _works(tool)), "")
    if native:
        yield Fact("copy", "ok", f"copying: {native}", value=native)
    elif inside == "tmux":
        return  # told with the rest of tmux
    elif told.copies or program in COPIES:
        yield Fact("copy", "ok", "copying: OSC 52", value="osc52")
    elif program in NO_COPY:
        yield Fact("copy", "warning", f"copying: {program} does not take OSC 52",
                   "select with the mouse (fttui --no-mouse), or use another terminal", "")  # fmt: skip
    else:
        yield Fact("copy", "note", "copying: asked by OSC 52; whether the terminal takes it, it does not say",
                   value="osc52?")  # fmt: skip


def _works(tool: str) -> bool:
    if not shutil.which(tool) or os.environ.get("SSH_CONNECTION"):
        return False
    if tool == "wl-copy":
        return bool(os.environ.get("WAYLAND_DISPLAY"))
    return tool == "pbcopy" or bool(os.environ.get("DISPLAY"))


def _keys(told: Told, inside: str) -> Fact:
    if told.keys:
        return Fact(
            "keys",
            "ok",
            "keys: every one can be told from the others (kitty protocol)",
            value="kitty",
        )
    if inside:
        return Fact("keys", "note", f"keys: as {inside} passes them on", value=inside)
    return Fact(
        "keys",
        "note",
        "keys: the usual ones; ctrl+enter and the like look like enter",
        value="usual",
    )


def _tmux() -> Iterator[Fact]:
    version = _run("tmux", "-V").removeprefix("tmux ")
    number = re.match(r"(?:next-)?(\d+)\.(\d+)", version)
    old = bool(number) and (int(number[1]), int(number[2])) < (3, 2)  # type: ignore[index]
    yield Fact("tmux", "warning" if old else "ok", f"tmux {version or 'of an unknown version'}",
               "3.2 or newer passes colours, keys and copying on" if old else "", version)  # fmt: skip
    options = {name: _run("tmux", "show", "-gv", name) for name in ("allow-passthrough",)}
    server = {
        name: _run("tmux", "show", "-sv", name) for name in ("set-clipboard", "extended-keys")
    }
    clipboard = server["set-clipboard"] or _run("tmux", "show", "-gv", "set-clipboard")
    if clipboard in ("on", "external") and not old:  # `tmux load-buffer -w` goes on to the terminal
        text = f"copying: through tmux (set-clipboard {clipboard})"
        yield Fact("copy", "ok", text, value="tmux")
    else:
        text = (
            f"copying: tmux has set-clipboard {clipboard or 'unset'}: what is copied stays in tmux"
        )
        yield Fact("copy", "warning", text, "set -g set-clipboard on, in ~/.tmux.conf", clipboard)
    passing = options["allow-passthrough"]
    level = "ok" if passing in ("on", "all") else "note"
    yield Fact("passthrough", level, f"tmux allow-passthrough: {passing or 'not known to it'}",
               "" if level == "ok" else "on, for desktop notifications", passing)  # fmt: skip
    keys = server["extended-keys"]
    level = "ok" if keys in ("on", "always") else "note"
    yield Fact("tmux-keys", level, f"tmux extended-keys: {keys or 'not known to it'}",
               "" if level == "ok" else "on, to tell ctrl+enter from enter", keys)  # fmt: skip


def _run(*words: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TMUX_WAIT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


# ---- asking the terminal itself ----


def ask() -> Told:
    """Put the question to the terminal and read its answer; it is left as it was."""
    try:
        import termios
        import tty
    except ImportError:  # not a POSIX terminal
        return Told()
    try:
        handle = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return Told()
    try:
        before = termios.tcgetattr(handle)
        try:
            tty.setcbreak(handle, termios.TCSANOW)
            os.write(handle, _ASK.encode())
            said = _answer(handle)
        finally:
            termios.tcsetattr(handle, termios.TCSANOW, before)
    except (termios.error, OSError):
        return Told()
    finally:
        os.close(handle)
    return read(said)


def _answer(handle: int) -> str:
    said, end = "", time.monotonic() + WAIT
    while (left := end - time.monotonic()) > 0:
        ready, _, _ = select.select([handle], [], [], left)
        if not ready:
            break
        said += os.read(handle, 1024).decode("latin-1")
        if re.search(r"\x1b\[\?[\d;]*c", said):
            break
    return said


def read(said: str) -> Told:
    """What the answers mean. In the last, the number 52 says that copying is taken."""
    who = re.search(r"\x1b\[\?([\d;]*)c", said)
    if who is None:
        return Told()
    sync = re.search(r"\x1b\[\?2026;(\d)\$y", said)
    return Told(
        keys=re.search(r"\x1b\[\?\d+u", said) is not None,
        sync=sync is not None and sync[1] in "123",
        copies="52" in who[1].split(";"),
        answered=True,
    )
