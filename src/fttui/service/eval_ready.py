"""A set-up made ready: its plan, what is still to be asked, and what that costs. Nothing is asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fttui.pricing.catalog import Catalog
from fttui.service import eval_cost, eval_store
from fttui.service.eval_cost import Price
from fttui.service.eval_plan import Plan
from fttui.service.eval_planner import Planner
from fttui.service.eval_setup import Setup
from fttui.service.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Ready:
    """path: where the answers go. left: questions still to be asked, of plan.total."""

    setup: Setup
    plan: Plan
    path: Path
    left: int
    prices: tuple[Price, ...]

    @property
    def free(self) -> bool:
        return all(price.free for price in self.prices)

    @property
    def cost(self) -> str:
        """`free`, `about $0.12 (at most $0.40)`."""
        return eval_cost.cost_text(self.prices) or "free"


def make(planner: Planner, setup: Setup, catalog: Catalog, path: Path | None = None) -> Ready:
    """Read the files, count and price. Blocks; raises Problem. path: of answers that are kept already."""
    plan = planner.plan(setup)
    if path is None:
        place = plan.contestants[0].provider.profile.identity
        path = eval_store.path_for(setup.file, place, resume=False)
    store = eval_store.Kept(path)
    try:
        left = Evaluation(plan, store).outstanding()
    finally:
        store.close()
    return Ready(setup, plan, path, len(left), tuple(eval_cost.prices(plan, left, catalog)))
