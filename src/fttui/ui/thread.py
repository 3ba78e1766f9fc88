"""The thread of work: dataset ▸ check ▸ cost ▸ job ▸ checkpoint ▸ chat. One object the panes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.dataset.report import Finding, Report
    from fttui.dataset.scan import Progress
    from fttui.pricing.catalog import Model
    from fttui.pricing.estimate import Estimate
    from fttui.problem import Problem
    from fttui.service.types import Checkpoint, Job
    from fttui.ui.marks import Marks


@dataclass
class Thread:
    """What is being worked on. Panes change it through `FttuiApp.change(**fields)`, never directly."""

    path: Path | None = None
    validation: Path | None = None
    index: LineIndex | None = None
    problem: Problem | None = None  # why the file cannot be used
    progress: Progress | None = None  # of the scan that is running
    report: Report | None = None  # of both files: the second's is `report.validation`
    row: int = 0  # the example the cursor is on, 0-based physical line
    place: Finding | None = None  # the finding to mark in that example
    marks: Marks | None = None  # examples of this file (ui.marks.of) or of one before it
    ask_row: int | None = None  # the example whose prompt Chat should take next
    model: Model | None = None  # the base model of the plan
    epochs: int | None = None  # None: the provider chooses
    split: float = 0.0  # part held out for validation when there is no file for it
    estimate: Estimate | None = None
    job: Job | None = None
    checkpoint: Checkpoint | None = None
    chat_models: list[str] = field(default_factory=list)
    ask_models: list[str] | None = None  # the models Evaluate should take next
    evaluation: str = ""  # how far one is, or what the last one said
