"""A checkpoint as a row: which columns fit a width, and what stands in them. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from fttui.ui import plotting
from fttui.ui.jobs.ranking import Kept, Metric
from fttui.ui.text import Part, fit

WIDE = 90  # columns from which accuracies and the clock are shown


@dataclass(frozen=True)
class Look:
    """How rows are drawn. best: key of the best; risen: keys after the turning of validation;
    marked, deleted: keys and model names; many: of several jobs; rewards in place of losses."""

    metric: Metric
    best: str = ""
    risen: frozenset[str] = frozenset()
    marked: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()
    many: bool = False
    rewards: bool = False
    ascii_only: bool = False
    names: dict[str, str] = field(default_factory=dict)  # curve marks by job, where they are drawn


def rewarded(rows: Sequence[Kept]) -> bool:
    """Whether these are judged by rewards (reinforcement), not by losses."""
    return bool(rows) and all(row.train_loss is None and row.valid_loss is None for row in rows) and any(
        row.valid_reward is not None or row.train_reward is not None for row in rows
    )  # fmt: skip


def head(width: int, look: Look) -> str:
    """The line over the rows."""
    full = width >= WIDE
    text = f"   {'step':>7}{'epoch':>7}{'train':>9}{'valid':>9} "
    if full:
        text += f"{'acc':>8}{'valid acc':>10}  made "
    if look.rewards:
        text = text.replace("train", "rewrd", 1)
    return (text + ("  job and model" if look.many else "  model"))[:width]


def row(kept: Kept, width: int, look: Look) -> list[Part]:
    full = width >= WIDE
    room = max(8, width - (64 if full else 39))
    plain = look.ascii_only
    top = kept.key == look.best
    gone = kept.model in look.deleted
    mark = ("x" if plain else "●") if kept.key in look.marked else " "
    star = ("*" if plain else "★") if top else " "

    def figure(name: str, columns: int) -> Part:
        value = getattr(kept, name)
        text = "–" if value is None else plotting.number(value)
        style = "dim" if value is None or gone else (
            "bold" if top and name == look.metric.name else ""
        )  # fmt: skip
        return (fit(text, columns, "right"), style)

    epoch = "" if kept.epoch is None else f"{kept.epoch:.2f}".rstrip("0").rstrip(".")
    what = "reward" if look.rewards else "loss"
    rose = ("^" if plain else "↑") if kept.key in look.risen else " "
    parts: list[Part] = [
        (mark, "accent"),
        (f"{star} ", "warning"),
        (fit(f"{kept.step:,}", 7, "right"), "bold" if top else ""),
        (fit(epoch, 7, "right"), "dim"),
        figure(f"train_{what}", 9),
        figure(f"valid_{what}", 9),
        (rose, "warning"),
    ]
    if full:
        at = kept.checkpoint.created_at
        clock = time.strftime("%H:%M", time.localtime(at)) if at else ""
        parts += [
            figure("train_accuracy", 8),
            figure("valid_accuracy", 10),
            (f"  {clock:<5}", "dim"),
        ]
    name = kept.model or "no name yet"
    if look.many:
        sign = look.names.get(kept.track.id, "")
        name = f"{sign + ' ' if sign else ''}{kept.track.name} · {name}"
    tag = "deleted " if gone else ("final " if kept.final else "")
    return [
        *parts,
        (f"  {tag}", "error" if gone else "ok"),
        (middle(name, room - len(tag)), "faint" if gone else ""),
    ]


def middle(name: str, width: int) -> str:
    """A model's name cut in its middle: both the base and the step are what tells them apart."""
    if len(name) <= width or width < 8:
        return fit(name, width)
    tail = min(len(name), (width - 1) * 2 // 3)
    return f"{name[: width - 1 - tail]}…{name[-tail:]}"
