"""What to add next: failures put together by what is wrong with them.

A failure stands in the group of each thing that is wrong with it: each field, the label, or that the
answer is no JSON, was cut, refused … Failures that differ only as texts are grouped by their prompts
(`nearest.clusters`). A group's words are those that at least half of its prompts have and that are
there at least twice as often as over all prompts asked. Nothing is learned and no model is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fttui.evaluate import confusion, nearest
from fttui.evaluate.cases import Cases
from fttui.evaluate.match import normal
from fttui.evaluate.records import TROUBLES, Answer, Case, Grade, short_json
from fttui.evaluate.summary import Row, failing
from fttui.evaluate.words import rouge_words

HOW = (
    "Grouped by what is wrong: field, label, or kind of failure; a failure with two wrong fields is in "
    "both groups. Words: in half of a group's prompts or more, and twice as often as in all. Nothing "
    "is learned for it, and no model is asked."
)
NEAR = 3  # training lines named for a group
WORDS = 4


@dataclass(frozen=True, slots=True)
class Group:
    """kind: field, missing, added, label, not_json, tool, text, grader, or one of TROUBLES.

    what: in words; subject: the field, label or tool it is about. lines: of the evaluated file.
    sample: one expected → said. near: lines of the training file like these prompts.
    held: training examples with this field, label or tool; None where that is not the question.
    """

    kind: str
    subject: str
    what: str
    lines: tuple[int, ...]
    words: tuple[str, ...] = ()
    sample: str = ""
    near: tuple[int, ...] = ()
    held: int | None = None
    training: int = 0

    @property
    def advice(self) -> str:
        """What to do about it, in one sentence."""
        return _ADVICE[self.kind].format(subject=self.subject) + self._share()

    def _share(self) -> str:
        if self.held is None:
            return ""
        have = "has it" if self.held == 1 else "have it"
        return f" ({self.held:,} of {self.training:,} training examples {have})"

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "subject": self.subject, "what": self.what,
            "count": len(self.lines), "lines": list(self.lines), "words": list(self.words),
            "sample": self.sample, "nearest_training_lines": list(self.near),
            "training_examples_with_it": self.held, "advice": self.advice,
        }  # fmt: skip


_ADVICE: Mapping[str, str] = {
    "field": "add examples in which “{subject}” is said the way it is in these",
    "missing": "add examples that have “{subject}”, said the way it is in these",
    "added": "add examples without “{subject}” whose answers leave it out",
    "label": "add examples labelled “{subject}”",
    "not_json": "add examples like these; check that every training answer is JSON and nothing else",
    "tool": "add examples that call {subject}",
    "text": "add examples like these",
    "cut": "raise the token limit first: more examples do not help an answer that is cut",
    "refused": "look at the prompts first: more examples seldom help against refusals",
    "filtered": "look at the prompts first: the provider's filter is not trained away",
    "failed": "look at the prompts first: the provider does not take them",
    "grader": "look at the grader first: it failed, not the model",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """groups: the largest first. likeness: (of what failed, of what passed) the mean cosine to the
    nearest training prompt; None without a training file or where nothing passed."""

    groups: tuple[Group, ...]
    failures: int
    likeness: tuple[float, float] | None = None

    def sentence(self) -> str:
        """Whether failures are further from the training file than what passes."""
        if self.likeness is None:
            return ""
        failed, passed = self.likeness
        word = "less like" if failed < passed - 0.05 else "about as like"
        return (
            f"prompts that fail are {word} the training examples{' than' if word[0] == 'l' else ' as'} "
            f"those that pass (nearest: {failed:.2f} against {passed:.2f} of 1)"
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "failures": self.failures, "groups": [group.as_dict() for group in self.groups],
            "likeness_of_failures": self.likeness and round(self.likeness[0], 4),
            "likeness_of_passes": self.likeness and round(self.likeness[1], 4),
            "how": HOW,
        }  # fmt: skip


def advise(rows: Sequence[Row], grader: str, training: Cases | None = None) -> Advice:
    """What one model's rows say about the examples that are missing."""
    wrong = failing(rows, grader)
    if not wrong:
        return Advice((), 0)
    labels = confusion.labels_of([row.case for row in rows])
    found: dict[tuple[str, str], list[tuple[Row, str]]] = {}
    texts: list[Row] = []
    for row in wrong:
        faults = list(_faults(row, row.grades[grader], labels))
        for kind, subject, sample in faults:
            found.setdefault((kind, subject), []).append((row, sample))
        if not faults:
            texts.append(row)
    maker = _Maker(rows, training)
    groups = [maker.group(*name, members) for name, members in found.items()]
    for cluster in nearest.clusters([row.case.prompt for row in texts]):
        groups.append(maker.group("text", "", [(texts[at], "") for at in cluster.members]))
    groups.sort(key=lambda group: (-len(group.lines), group.kind, group.lines))
    return Advice(tuple(groups), len(wrong), maker.likeness({id(row) for row in wrong}))


Fault = tuple[str, str, str]  # kind, subject, sample


def _faults(row: Row, grade: Grade, labels: Sequence[str]) -> Iterator[Fault]:
    answer = row.answer or Answer()
    detail = grade.detail
    if answer.trouble:
        yield answer.trouble, "", answer.error
    elif grade.error:
        yield "grader", "", grade.error
    elif labels:
        yield "label", row.case.expected.strip(), short_json(answer.said.strip() or "(nothing)", 60)
    elif detail.get("valid") is False:
        yield "not_json", "", short_json(answer.said, 60)
    elif isinstance(detail.get("wrong"), dict) or "added" in detail:
        yield from _fields(detail)
    elif "wrong" in detail or "unexpected" in detail:
        yield from _calls(detail)


def _fields(detail: Mapping[str, Any]) -> Iterator[Fault]:
    seen = set()
    for path, pair in (detail.get("wrong") or {}).items():
        name, gone = _plain(path), pair["got"] is None
        if name not in seen:
            seen.add(name)
            said = f"{short_json(pair['expected'], 40)} → {short_json(pair['got'], 40)}"
            yield "missing" if gone else "field", name, said
    for path in detail.get("added") or ():
        if _plain(path) not in seen:
            seen.add(_plain(path))
            yield "added", _plain(path), ""


def _calls(detail: Mapping[str, Any]) -> Iterator[Fault]:
    wrong = detail.get("wrong") or ()
    for pair in wrong:
        name = str(pair["expected"]).partition("(")[0]
        yield "tool", name, f"{pair['expected']} → {pair['got'] or 'not called'}"
    if not wrong:
        for call in detail.get("unexpected") or ():
            yield "tool", str(call).partition("(")[0], f"{call} was not asked for"


def _plain(path: str) -> str:
    """`lines[0].price` as `lines[].price`: the same field wherever it stands."""
    return re.sub(r"\[\d+\]", "[]", path)


class _Maker:
    """Groups with what the prompts and the training file say about them."""

    def __init__(self, rows: Sequence[Row], training: Cases | None) -> None:
        self._rows = rows
        self._words = {id(row): set(rouge_words(row.case.prompt)) for row in rows}
        self._everywhere = Counter(word for found in self._words.values() for word in found)
        self._training = training
        self._index = nearest.Nearest([case.prompt for case in training.rows]) if training else None
        self._best: dict[int, list[tuple[int, float]]] = {}

    def group(self, kind: str, subject: str, members: Sequence[tuple[Row, str]]) -> Group:
        rows = [row for row, _ in members]
        return Group(
            kind, subject, _what(kind, subject, members[0][1]), tuple(row.case.line for row in rows),
            self._telling(rows), next((sample for _, sample in members if sample), ""),
            self._near(rows), self._held(kind, subject),
            len(self._training.rows) if self._training else 0,
        )  # fmt: skip

    def _telling(self, rows: Sequence[Row]) -> tuple[str, ...]:
        if len(rows) < 2:
            return ()
        inside = Counter(word for row in rows for word in self._words[id(row)])
        total, many = len(self._rows), len(rows)
        lift = {
            word: count * total / many / self._everywhere[word]
            for word, count in inside.items()
            if len(word) > 2 and count * 2 >= many and word not in nearest.EMPTY
        }
        telling = [word for word, value in lift.items() if value >= 2]
        return tuple(sorted(telling, key=lambda w: (-lift[w] * inside[w], w))[:WORDS])

    def _nearest(self, row: Row) -> list[tuple[int, float]]:
        if self._index is None:
            return []
        if id(row) not in self._best:
            self._best[id(row)] = self._index.find(row.case.prompt, NEAR)
        return self._best[id(row)]

    def _near(self, rows: Sequence[Row]) -> tuple[int, ...]:
        if self._training is None:
            return ()
        sums: Counter[int] = Counter()
        for row in rows:
            for at, cosine in self._nearest(row):
                sums[at] += cosine  # type: ignore[assignment]
        return tuple(self._training.rows[at].line for at, _ in sums.most_common(NEAR))

    def _held(self, kind: str, subject: str) -> int | None:
        if self._training is None or kind not in ("label", "tool", "missing", "field"):
            return None
        has = {"label": _has_label, "tool": _has_tool}.get(kind, _has_field)
        return sum(has(case, subject) for case in self._training.rows)

    def likeness(self, wrong: set[int]) -> tuple[float, float] | None:
        """Only from rows that were answered; means of the nearest training prompt's cosine."""
        found: tuple[list[float], list[float]] = ([], [])
        for row in self._rows:
            if self._index is not None and row.answer is not None:
                best = self._nearest(row)
                found[id(row) not in wrong].append(best[0][1] if best else 0.0)
        if not found[0] or not found[1]:
            return None
        return sum(found[0]) / len(found[0]), sum(found[1]) / len(found[1])


def _what(kind: str, subject: str, sample: str) -> str:
    if kind in TROUBLES:
        return TROUBLES[kind]
    return {
        "field": f"“{subject}” is another",
        "missing": f"“{subject}” is missing",
        "added": f"“{subject}” is made up",
        "label": f"“{subject}” is said to be something else",
        "not_json": "the answer is not JSON",
        "tool": f"{subject}: the call is not the expected one",
        "text": "another text than expected",
        "grader": f"could not be graded: {sample}",
    }[kind]


def _has_label(case: Case, label: str) -> bool:
    return normal(case.expected) == normal(label)


def _has_tool(case: Case, name: str) -> bool:
    calls = (call.get("function") or call for call in case.expected_tools)
    return any(call.get("name") == name for call in calls)


def _has_field(case: Case, path: str) -> bool:
    """By its last key: `"price":` in the text of the expected JSON."""
    return f'"{path.rpartition(".")[2].removesuffix("[]")}"' in case.expected
