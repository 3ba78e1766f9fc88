"""Answers and grades → what a person wants to know: how good is each model, which is better, how sure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import combinations
from typing import Any

from fttui.evaluate import confusion, stats
from fttui.evaluate.confusion import Confusion
from fttui.evaluate.records import Answer, Case, Grade

SURE = 0.05  # a p-value below it is called a difference


@dataclass(frozen=True, slots=True)
class Row:
    """One case at one model. answer None: never answered (the run was cut, the provider failed)."""

    case: Case
    model: str
    answer: Answer | None
    grades: Mapping[str, Grade] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """One grader over one model's rows. right: rows that passed, None where the grader passes none.

    Intervals hold with 95 %: Wilson's for `right`, bootstrap for `mean`.
    """

    mean: float
    mean_low: float
    mean_high: float
    count: int
    right: int | None
    low: float | None
    high: float | None
    errors: int

    @property
    def value(self) -> float:
        """What decides: the share that passed, or the mean score where nothing passes or fails."""
        if self.right is None:
            return self.mean
        return self.right / self.count if self.count else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        if self.low is None or self.high is None:
            return self.mean_low, self.mean_high
        return self.low, self.high

    def as_dict(self) -> dict[str, Any]:
        low, high = self.interval
        return {
            "value": round(self.value, 6), "low": round(low, 6), "high": round(high, 6),
            "right": self.right, "count": self.count, "errors": self.errors,
            "mean": round(self.mean, 6),
            "mean_low": round(self.mean_low, 6), "mean_high": round(self.mean_high, 6),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One model. Times in seconds, over the answers that came. cost None: its price is not known."""

    model: str
    scores: Mapping[str, Score]
    answered: int
    missing: int
    failed: int
    median: float | None
    p95: float | None
    first_token: float | None
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None
    currency: str
    confusion: Confusion | None
    troubles: Mapping[str, int] = field(default_factory=dict)  # one of TROUBLES → answers

    def as_dict(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "scores": {name: score.as_dict() for name, score in self.scores.items()},
            "answered": self.answered, "missing": self.missing, "failed": self.failed,
            "seconds_median": self.median, "seconds_p95": self.p95,
            "first_token_median": self.first_token,
            "prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens,
            "cost": None if self.cost is None else f"{self.cost:f}", "currency": self.currency,
            "troubles": dict(self.troubles),
            "confusion": self.confusion and self.confusion.as_dict(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """`second` against `first` over the prompts both answered. wins: where second is better.

    p is two-sided and, where several pairs are compared, corrected after Holm (`p_raw` is not).
    difference: of second's value over first's, with the 95 % bootstrap interval of the pairs.
    """

    first: str
    second: str
    wins: tuple[int, ...]  # lines of the file
    losses: tuple[int, ...]
    ties: int
    p_raw: float
    p: float
    method: str
    difference: float
    low: float
    high: float
    pairs: int = 1  # compared with one another in this evaluation

    @property
    def count(self) -> int:
        return len(self.wins) + len(self.losses) + self.ties

    def sentence(self) -> str:
        """`tuned is better than base on 11 of 16, worse on 0, p < 0.001`."""
        better, worse, up, down = self.second, self.first, len(self.wins), len(self.losses)
        if self.difference < 0:
            better, worse, up, down = worse, better, down, up
        facts = f"better on {up} of {self.count}, worse on {down}"
        sure = stats.p_text(self.p)
        if self.pairs > 1:
            sure += f" corrected for {self.pairs} comparisons"
        if not self.count:
            return f"{better} and {worse} have no prompt in common"
        if not up and not down:
            return f"{better} and {worse} do equally well on all {self.count}"
        if self.p < SURE:
            return (
                f"{better} is better than {worse} on {up} of {self.count}, worse on {down}, {sure}"
            )
        return f"no difference is shown between {better} and {worse}: {facts}, {sure}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "first": self.first, "second": self.second,
            "wins": len(self.wins), "losses": len(self.losses), "ties": self.ties,
            "win_lines": list(self.wins), "loss_lines": list(self.losses),
            "p": self.p, "p_raw": self.p_raw, "method": self.method,
            "difference": round(self.difference, 6),
            "low": round(self.low, 6), "high": round(self.high, 6),
            "significant": self.p < SURE, "sentence": self.sentence(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole evaluation. graders: names, the first decides. judged: a judge's own comparisons."""

    models: tuple[ModelSummary, ...]
    comparisons: tuple[Comparison, ...]
    graders: tuple[str, ...]
    judged: tuple[Comparison, ...] = ()

    def of(self, model: str) -> ModelSummary:
        return next(row for row in self.models if row.model == model)

    def as_dict(self) -> dict[str, Any]:
        return {
            "graders": list(self.graders),
            "models": [row.as_dict() for row in self.models],
            "comparisons": [row.as_dict() for row in self.comparisons],
            "judged": [row.as_dict() for row in self.judged],
        }


Costs = Mapping[str, tuple[Decimal | None, str]]  # model → (cost, currency)
Judged = Mapping[tuple[str, str], Mapping[int, Grade]]  # (first, second) → line → grade of second


def build(
    rows: Sequence[Row],
    models: Sequence[str],
    graders: Sequence[str],
    *,
    costs: Costs | None = None,
    judged: Judged | None = None,
) -> Summary:
    """Sum up. Rows of one model are in the same order as those of every other."""
    by_model = {name: [row for row in rows if row.model == name] for name in models}
    labels = confusion.labels_of([row.case for row in by_model[models[0]]]) if models else ()
    made = tuple(
        _model(name, by_model[name], graders, labels, (costs or {}).get(name, (None, "")))
        for name in models
    )
    pairs = [
        _compare(a, b, _paired(by_model[a], by_model[b], graders[0]))
        for a, b in combinations(models, 2)
    ]
    told = [
        _compare(
            a, b, {line: (0.5, grade.score) for line, grade in grades.items() if not grade.error}
        )
        for (a, b), grades in (judged or {}).items()
    ]
    return Summary(made, _corrected(pairs), tuple(graders), _corrected(told))


def _model(
    name: str,
    rows: Sequence[Row],
    graders: Sequence[str],
    labels: Sequence[str],
    cost: tuple[Decimal | None, str],
) -> ModelSummary:
    answers = [row.answer for row in rows if row.answer is not None]
    times = [answer.seconds for answer in answers if not answer.error]
    first = [a.first_token for a in answers if a.first_token is not None]
    said = [(row.case.expected, row.answer.text) for row in rows if row.answer is not None]
    return ModelSummary(
        name,
        {
            grader: score([r.grades[grader] for r in rows if grader in r.grades])
            for grader in graders
        },
        len(answers),
        len(rows) - len(answers),
        sum(bool(answer.error) for answer in answers),
        stats.percentile(times, 0.5),
        stats.percentile(times, 0.95),
        stats.percentile(first, 0.5),
        sum(answer.prompt_tokens for answer in answers),
        sum(answer.completion_tokens for answer in answers),
        *cost,
        confusion.table(labels, said) if labels and said else None,
        Counter(answer.trouble for answer in answers if answer.trouble),
    )


def score(grades: Sequence[Grade]) -> Score:
    """One grader's grades summed up; a grade with an error counts as 0."""
    values = [grade.score for grade in grades]
    low, high = stats.mean_interval(values)
    right = share_low = share_high = None
    if grades and passes(grades):
        right = sum(grade.passed is True for grade in grades)
        share_low, share_high = stats.wilson(right, len(grades))
    return Score(
        stats.mean(values), low, high, len(grades), right, share_low, share_high,
        sum(bool(grade.error) for grade in grades),
    )  # fmt: skip


def passes(grades: Sequence[Grade]) -> bool:
    """Whether these are right-or-wrong grades: every one that worked says so."""
    return all(grade.passed is not None for grade in grades if not grade.error)


Pairs = Mapping[int, tuple[float, float]]


def _paired(first: Sequence[Row], second: Sequence[Row], grader: str) -> Pairs:
    """line → the two values; passed as 1 or 0 where the grader passes or fails, else the score."""
    both = [
        (a.case.line, a.grades[grader], b.grades[grader])
        for a, b in zip(first, second, strict=True)
        if grader in a.grades and grader in b.grades
    ]
    if passes([grade for _, a, b in both for grade in (a, b)]):
        return {line: (float(a.passed is True), float(b.passed is True)) for line, a, b in both}
    return {line: (a.score, b.score) for line, a, b in both}


def _compare(first: str, second: str, pairs: Pairs) -> Comparison:
    differences = [b - a for a, b in pairs.values()]
    wins = tuple(line for line, (a, b) in pairs.items() if b > a)
    losses = tuple(line for line, (a, b) in pairs.items() if b < a)
    if {abs(d) for d in differences} <= {0.0, 0.5} or {abs(d) for d in differences} <= {0.0, 1.0}:
        p, method = stats.mcnemar(len(losses), len(wins)), "exact McNemar"
    else:
        p, method = stats.wilcoxon(differences), "Wilcoxon signed-rank"
    low, high = stats.mean_interval(differences)
    return Comparison(
        first, second, wins, losses, len(pairs) - len(wins) - len(losses),
        p, p, method, stats.mean(differences), low, high,
    )  # fmt: skip


def _corrected(rows: Sequence[Comparison]) -> tuple[Comparison, ...]:
    fixed = stats.holm([row.p_raw for row in rows])
    return tuple(replace(row, p=p, pairs=len(rows)) for row, p in zip(rows, fixed, strict=True))


def failing(rows: Sequence[Row], grader: str) -> list[Row]:
    """Rows that failed by the grader, or the worst below 1 where it neither passes nor fails."""
    graded = [row for row in rows if grader in row.grades]
    if all(row.grades[grader].passed is None for row in graded):
        low = [row for row in graded if row.grades[grader].score < 1]
        return sorted(low, key=lambda row: row.grades[grader].score)
    return [row for row in graded if not row.grades[grader].passed]
