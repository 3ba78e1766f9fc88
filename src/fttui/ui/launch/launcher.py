"""Open the launch dialog, and go to the job it made. Any pane may call `launch(app)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.service.types import Job
    from fttui.ui.app import FttuiApp


def launch(app: FttuiApp) -> None:
    """Ask for everything a job needs; where it was made, Jobs shows it."""
    from fttui.ui.dialogs.launch import LaunchDialog

    feed = app.backend.feed
    if feed is None or app.thread.path is None:
        app.notify(
            "the configuration is still being read" if feed is None else "open a dataset first (o)",
            severity="warning",
        )
        return
    try:
        dialog = LaunchDialog(app, feed)
    except Problem as problem:  # a price file that cannot be read
        app.show_problem(problem)
        return

    def launched(jobs: list[Job] | None) -> None:
        if jobs:
            from fttui.service import sweep

            job = jobs[0]
            app.change(job=job, checkpoint=None)
            app.go("jobs")
            name = sweep.of(job) if len(jobs) > 1 else job.suffix or job.id
            many = f"{len(jobs)} jobs of sweep " if len(jobs) > 1 else ""
            app.notify(f"launched {many}{name}", timeout=4)

    app.push_screen(dialog, launched)
