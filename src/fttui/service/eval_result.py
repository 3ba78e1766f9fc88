"""What came of an evaluation, summed up once for the command, the pane and what is written to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fttui.evaluate import clusters, summary
from fttui.evaluate.clusters import Advice
from fttui.evaluate.summary import Row, Summary, failing
from fttui.pricing.catalog import Catalog
from fttui.service import eval_cost
from fttui.service.eval_plan import Outcome, Plan
from fttui.service.eval_setup import Setup
from fttui.service.evaluation import Evaluation
from fttui.state import State

MORE_FAILURES = 50  # failing examples in the JSON


@dataclass(frozen=True, slots=True)
class Result:
    """lead: the candidate, the last of the models that were named."""

    setup: Setup
    plan: Plan
    outcome: Outcome
    summary: Summary

    @property
    def lead(self) -> str:
        named = len([text for text in self.setup.models if text.strip()])
        return self.plan.contestants[named - 1].label

    @property
    def value(self) -> float:
        """What the deciding grader says of the candidate, 0 to 1."""
        return self.summary.of(self.lead).scores[self.grader].value

    @property
    def grader(self) -> str:
        return self.summary.graders[0]

    def rows(self, model: str) -> list[Row]:
        return [row for row in self.outcome.rows if row.model == model]

    def failing(self, model: str) -> list[Row]:
        return failing(self.rows(model), self.grader)

    def advice(self, model: str) -> Advice:
        """What to add to the training file, by this model's failures."""
        return clusters.advise(self.rows(model), self.grader, self.plan.training)

    def as_dict(self) -> dict[str, Any]:
        """Scores, comparisons, the candidate's failures and what to add next."""
        wrong = self.failing(self.lead)
        examples = [
            {
                "line": row.case.line, "model": row.model, "prompt": row.case.prompt,
                "expected": row.case.wanted, "answer": row.answer and row.answer.said,
                "trouble": row.answer.trouble if row.answer else "",
                "grade": row.grades[self.grader].as_dict(),
            }
            for row in wrong[:MORE_FAILURES]
        ]  # fmt: skip
        return {
            "complete": self.outcome.complete, "candidate": self.lead, "value": self.value,
            **self.summary.as_dict(), "failing": examples, "failing_count": len(wrong),
            "add_next": self.advice(self.lead).as_dict(),
        }  # fmt: skip

    def note(self) -> dict[str, Any]:
        """The few figures a list of evaluations shows."""
        return {
            "complete": self.outcome.complete, "grader": self.grader, "lead": self.lead,
            "prompts": len(self.plan.cases.rows),
            "models": [
                {"model": row.model, "value": round(row.scores[self.grader].value, 6),
                 "right": row.scores[self.grader].right, "count": row.scores[self.grader].count}
                for row in self.summary.models
            ],
        }  # fmt: skip


def result(setup: Setup, plan: Plan, outcome: Outcome, catalog: Catalog) -> Result:
    """Sum up. Blocks for the time of the statistics (a second for many thousand rows)."""
    made = summary.build(
        outcome.rows, [who.label for who in plan.contestants],
        [grader.name for grader in plan.graders], costs=costs(plan, outcome, catalog),
        judged=outcome.judged,
    )  # fmt: skip
    return Result(setup, plan, outcome, made)


Costs = Mapping[str, tuple[Decimal | None, str]]


def costs(plan: Plan, outcome: Outcome, catalog: Catalog) -> Costs:
    """Model → what its answers cost, kept ones too."""
    return {
        who.label: eval_cost.spent(
            catalog, who.provider.profile, who.model,
            [row.answer for row in outcome.rows if row.model == who.label and row.answer],
        )
        for who in plan.contestants
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paid:
    """What one model's answers cost. amount: decimal text, "" where no price is known."""

    profile: str
    model: str
    amount: str
    currency: str
    answers: int


def paid(run: Evaluation, catalog: Catalog) -> list[Paid]:
    """What this run has paid for, judges too; kept answers were paid before, free ones are left out."""
    plan = run.plan
    providers = [who.provider for who in plan.contestants] + ([plan.judge] if plan.judge else [])
    profiles = {provider.profile.name: provider.profile for provider in providers}
    made = []
    for (name, model), answers in run.fresh.items():
        cost, currency = eval_cost.spent(catalog, profiles[name], model, answers)
        if cost != 0:
            amount = "" if cost is None else f"{cost:f}"
            made.append(Paid(name, model, amount, currency, len(answers)))
    return made


def journal(state: State, setup: Setup, rows: Sequence[Paid]) -> None:
    """Write it down."""
    for row in rows:
        state.journal(row.profile, "evaluation", row.model, row.amount, row.currency,
                      file=str(setup.file), answers=row.answers)  # fmt: skip


def paid_hosts(plan: Plan) -> Sequence[str]:
    """Whose money is at stake."""
    return sorted({who.provider.profile.host for who in plan.contestants})
