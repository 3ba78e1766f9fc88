"""Saying that a job ended, outside the program: the terminal's title, a desktop notification, the user's command.

Sequences: the title is OSC 0; desktop notifications are OSC 9 (iTerm2's), 99 (kitty's) or 777 (urxvt's). None
is asked back for, so a terminal gets only what it is known to understand.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fttui.text import duration, one_line

if TYPE_CHECKING:
    from fttui.service.types import Job

COMMAND_SECONDS = 60.0
TMUX_SECONDS = 1.0
PUSH, POP = "\x1b[22;0t", "\x1b[23;0t"  # the title that was there: kept, and put back
BELL = "\x07"

# What a terminal calls itself ($TERM_PROGRAM, $TERM, tmux's #{client_termtype}) → its way, first match.
WAYS = (
    ("kitty", "osc99"),
    ("ghostty", "osc777"),
    ("wezterm", "osc777"),
    ("foot", "osc777"),
    ("rxvt", "osc777"),
    ("iterm", "osc9"),
    ("warp", "osc9"),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """What there is to say about a job that came to its end."""

    id: str
    name: str
    status: str
    model: str = ""
    tuned_model: str = ""
    profile: str = ""
    loss: str = ""
    error: str = ""
    took: str = ""

    @classmethod
    def of(cls, job: Job, profile: str, *, loss: float | None = None, gone: bool = False) -> Ended:
        took = job.finished_at - job.created_at if job.finished_at and job.created_at else 0
        return cls(
            job.id,
            job.suffix or job.id,
            "no longer listed" if gone else job.status,
            job.model,
            job.fine_tuned_model,
            profile,
            "" if loss is None else f"{loss:.4g}",
            (job.error.message or job.error.code) if job.error else "",
            duration(took) if took > 0 else "",
        )

    @property
    def text(self) -> str:
        """One sentence: `support-v7 succeeded in 4m 10s, loss 0.41`."""
        parts = [f"{self.name} {'is ' if self.status == 'no longer listed' else ''}{self.status}"]
        if self.took:
            parts[0] += f" in {self.took}"
        if self.loss:
            parts.append(f"loss {self.loss}")
        if self.error:
            parts.append(self.error)
        return one_line(", ".join(parts), 300)

    def environment(self) -> dict[str, str]:
        """The FTTUI_JOB_… variables; no value holds anything a variable cannot."""
        names = ("id", "name", "status", "model", "tuned_model", "profile", "loss", "error", "text")
        return {f"FTTUI_JOB_{name.upper()}": one_line(getattr(self, name), 2000) for name in names}


# ---- sequences ----


def title(text: str) -> str:
    """Set the terminal's title."""
    return f"\x1b]0;{one_line(text, 120)}\x07"


def desktop(way: str, text: str) -> str:
    """A desktop notification the way this terminal has it; "" for none."""
    line = one_line(text, 300)
    if way == "osc9":
        return f"\x1b]9;fttui: {line}\x07"
    if way == "osc777":
        return f"\x1b]777;notify;fttui;{line.replace(';', ',')}\x07"
    if way == "osc99":
        return f"\x1b]99;i=fttui:d=0;fttui\x1b\\\x1b]99;i=fttui:d=1:p=body;{line}\x1b\\"
    return ""


def through_tmux(sequence: str) -> str:
    """Wrapped so that tmux hands it to the terminal around it."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" if sequence else ""


def known_way(*names: str) -> str:
    """The way of a terminal by what it calls itself; "" where nobody knows."""
    said = " ".join(names).lower()
    return next((way for name, way in WAYS if name in said), "")


def notification(text: str, wanted: str, env: Mapping[str, str] | None = None) -> str:
    """What to write to the terminal for a desktop notification; "" where it has none. `wanted` is
    auto, off or one of the ways. Asks tmux, so call it in a thread."""
    env = os.environ if env is None else env
    if wanted == "off" or env.get("STY"):  # screen hands nothing on
        return ""
    if not env.get("TMUX"):
        way = (
            wanted
            if wanted != "auto"
            else known_way(env.get("TERM_PROGRAM", ""), env.get("TERM", ""))
        )
        return desktop(way, text)
    passes, *names = _tmux("#{allow-passthrough}", "#{client_termtype}", "#{client_termname}")
    if passes not in ("on", "all", "1", "2"):
        return ""
    way = wanted if wanted != "auto" else known_way(*names)
    return through_tmux(desktop(way, text))


def _tmux(*formats: str) -> list[str]:
    """What tmux says about itself and the terminal around it; empty strings where it does not."""
    try:
        done = subprocess.run(
            ["tmux", "display-message", "-p", "\n".join(formats)],
            capture_output=True, text=True, timeout=TMUX_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return [""] * len(formats)
    lines = done.stdout.split("\n")
    return [*lines, *[""] * len(formats)][: len(formats)]


# ---- the user's command ----


async def run_command(command: str, ended: Ended) -> str:
    """Run the user's own command line; why it did not work, "" where it did. What a provider says is
    only in its environment, never a part of the line."""
    try:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command,
            env={**os.environ, **ended.environment()},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return f"notify_command: {error.strerror or error}"
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            _, said = await process.communicate()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return f"notify_command took over {COMMAND_SECONDS:.0f} s and was ended"
    if process.returncode:
        last = (said.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
        return f"notify_command ended with {process.returncode}: {one_line(last, 200)}"
    return ""
