"""Safe fixes in the Check area: looked at first, always written to a copy."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fttui.problem import Problem
from fttui.text import plural
from fttui.ui.screens.base import AreaScreen
from fttui.ui.text import Part


class FixingScreen(AreaScreen):
    """What F does. The Check screen is one."""

    def why_no_fix(self) -> str:
        if self.thread.report is None:
            return "the file is still being checked"
        from fttui.dataset.checks import CATALOGUE

        safe = [
            c
            for c in self.thread.report.counts
            if c in CATALOGUE and CATALOGUE[c].fix_kind == "safe"
        ]
        return "" if safe else "nothing here can be fixed without a decision of yours"

    def do_fix(self) -> None:
        self.run_worker(self._offer_fixes(), group="fix", exclusive=True, exit_on_error=False)

    async def _offer_fixes(self) -> None:
        """Look what would change, show it, and write the copy when it is wanted."""
        from fttui.dataset import rewrite
        from fttui.ui.dialogs.confirm import Confirm
        from fttui.ui.dialogs.fix import FixDialog

        source, target = self.thread.path, self.fttui.backend.target()
        if source is None:
            return
        try:
            plan = await asyncio.to_thread(rewrite.fix, source, None, target=target)
            if not any(plan.fixed.values()):
                self.notify("no safe fix is left to do", timeout=4)
                return
            name = await self.app.push_screen_wait(FixDialog(source, plan))
            if not name:
                return
            copy = Path(name)
            done = await asyncio.to_thread(rewrite.fix, source, copy, target=target)
        except Problem as problem:
            self.fttui.show_problem(problem)
            return
        except OSError as error:
            why = error.strerror or str(error)
            self.fttui.show_problem(Problem(f"{source.name} cannot be read any more", why))
            return
        count = plural(sum(done.fixed.values()), "fix", "fixes")
        self.notify(f"{copy.name}: {plural(done.lines, 'line')}, {count}")
        body: list[Part] = [f"{count} done in ", (str(copy), "bold"), ". "]
        body.append("The file that is open now stays as it is.")
        ask = Confirm(f"Open {copy.name} now?", body, yes="Open it", no="Stay", danger=False)
        if await self.app.push_screen_wait(ask):
            self.fttui.open(copy, self.thread.validation)
