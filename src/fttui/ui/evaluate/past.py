"""Evaluations of the past, to be opened again: those of the pane and of `fttui eval`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fttui.text import one_line
from fttui.ui.dialogs.choose import Choice, Choose

if TYPE_CHECKING:
    from fttui.service.eval_history import Past


async def listing() -> list[Past]:
    from fttui.service import eval_history

    return await asyncio.to_thread(eval_history.listing)


def chooser(rows: Sequence[Past]) -> Choose:
    return Choose(
        "Past evaluations, of this pane and of fttui eval", [_choice(row) for row in rows]
    )


def _choice(past: Past) -> Choice:
    clock = time.strftime("%m-%d %H:%M", time.localtime(past.at))
    models = [_figure(row) for row in past.figures.get("models", ())[::-1]]
    title = f"{past.setup.file.name}: {', '.join(models) or 'not finished'}"
    note = str(past.figures.get("grader", "")) if past.complete else "not finished"
    return Choice(str(past.path), one_line(title, 120), one_line(note, 20), key=clock)


def _figure(row: dict[str, Any]) -> str:
    name = one_line(str(row.get("model")), 24)
    if row.get("right") is None:
        return f"{name} {float(row.get('value') or 0):.2f}"
    return f"{name} {row['right']} of {row.get('count')}"
