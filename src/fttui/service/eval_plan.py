"""What an evaluation is to do, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fttui.dataset import tokens
from fttui.evaluate import cases as case_files
from fttui.evaluate.cases import Cases
from fttui.evaluate.graders import Grader
from fttui.evaluate.model_graders import Pairwise
from fttui.evaluate.records import Answer, Case, Grade
from fttui.evaluate.summary import Row
from fttui.problem import Problem
from fttui.service.provider import Provider
from fttui.service.types import ChatSettings
from fttui.text import plural

LEAST_TOKENS = 128  # an answer may always have so many


@dataclass(frozen=True, slots=True)
class Contestant:
    """A model that is asked. label: unique in the plan. shots: examples shown before each prompt."""

    label: str
    model: str
    provider: Provider
    shots: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. training: where shots come from. pairwise: compares each with the first contestant."""

    cases: Cases
    contestants: tuple[Contestant, ...]
    graders: tuple[Grader, ...]
    settings: ChatSettings = field(default_factory=ChatSettings)
    training: Cases | None = None
    pairwise: Pairwise | None = None
    judge: Provider | None = None
    concurrency: int = 4
    seed: int = 0

    def messages(self, who: Contestant, case: Case) -> list[Mapping[str, Any]]:
        if not who.shots or self.training is None:
            return list(case.messages)
        turns = case_files.shots(self.training.rows, case, who.shots, self.seed)
        return case_files.with_shots(case, turns)

    def asked_with(self, case: Case) -> ChatSettings:
        """The settings of one question: those of the plan and the tools of its example."""
        if not case.tools:
            return self.settings
        return replace(self.settings, extra={**self.settings.extra, "tools": list(case.tools)})

    def work(self) -> Iterator[tuple[int, Contestant]]:
        """Prompt by prompt, so that what is there can be compared at any time."""
        for at in range(len(self.cases.rows)):
            for who in self.contestants:
                yield at, who

    @property
    def total(self) -> int:
        return len(self.cases.rows) * len(self.contestants)


@dataclass(frozen=True, slots=True)
class Progress:
    """done, total: answers. scores: label → (sum of the first grader's scores, graded).

    out: questions out now; waiting: seconds the provider asked to wait; known: found in the store.
    """

    done: int
    total: int
    out: int
    waiting: float
    known: int
    scores: Mapping[str, tuple[float, int]]


@dataclass(slots=True)
class Outcome:
    """rows: for every contestant, in the order of the cases; judged: (first, second) → line → grade
    of second. judge_answers: what judges said, for their cost: model → answers."""

    rows: list[Row]
    judged: dict[tuple[str, str], dict[int, Grade]]
    judge_answers: dict[str, list[Answer]]
    problem: Problem | None = None  # why something is missing

    @property
    def complete(self) -> bool:
        return all(row.answer is not None for row in self.rows)


def answer_limit(cases: Cases) -> int | None:
    """Tokens an answer may have: twice the longest expected one. None (the provider's own limit)
    where nothing is expected."""
    if not cases.longest:
        return None
    return max(LEAST_TOKENS, 2 * tokens.count(cases.longest))


def is_tuned(model: str) -> bool:
    return model.startswith("ft:") or ".ft-" in model


def baseline(contestants: Sequence[Contestant], shots: int, base: str = "") -> Contestant:
    """Prompt engineering to compare with: the base model, with `shots` examples in the prompt.

    base: its name; else that of the last tuned contestant, or the first contestant where none is.
    """
    tuned = [who for who in contestants if is_tuned(who.model)]
    whose = tuned[-1] if tuned else contestants[0]
    model = base or (tokens.base_model(whose.model) if tuned else whose.model)
    named = next((who.label for who in contestants if who.model == model), model)
    label = f"{named} + {plural(shots, 'example')}" if shots else named
    return Contestant(label, model, whose.provider, shots)
