"""From a set-up to a plan: the files read, the graders built, the models told apart. Command and pane share it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from fttui.evaluate import cases, spec
from fttui.evaluate.cases import Cases
from fttui.evaluate.model_graders import RUBRIC, Pairwise
from fttui.problem import Problem
from fttui.service.eval_plan import Contestant, Plan, answer_limit, baseline
from fttui.service.eval_setup import Setup
from fttui.service.provider import Provider
from fttui.service.types import ChatSettings

MOST_SHOTS = 100


class Planner:
    """Makes plans. provider_of: a profile's name ("" the default one) → its provider, made once.

    profiles: the names there are, to tell `MODEL@PROFILE` from a model with an @ in its name.
    """

    def __init__(self, provider_of: Callable[[str], Provider], profiles: Collection[str]) -> None:
        self._provider_of, self._profiles = provider_of, profiles

    def plan(self, setup: Setup) -> Plan:
        """Read the files and put it all together. Blocks for the time of reading. Raises Problem."""
        whole = cases.read(setup.file)
        picked = whole.sample(setup.sample, setup.seed)
        training = cases.read(setup.train) if setup.train else None
        limit = setup.max_tokens or answer_limit(whole)
        judge, judge_provider = self.model(setup.judge, setup) if setup.judge else ("", None)
        if setup.pairwise is not None and not judge:
            raise Problem("A comparison in pairs needs a judge.", "", "Name the model that judges.",
                          code="usage")  # fmt: skip
        graders = [
            spec.automatic(picked.rows) if text == "auto" else spec.parse(text, judge)
            for text in setup.graders or ("auto",)
        ]
        distinct([grader.name for grader in graders], "grader")
        return Plan(
            picked, self.contestants(setup, training), tuple(graders),
            ChatSettings(temperature=setup.temperature, max_tokens=limit, seed=setup.seed),
            training,
            Pairwise(judge, setup.pairwise or RUBRIC) if setup.pairwise is not None else None,
            judge_provider, setup.concurrency, setup.seed,
        )  # fmt: skip

    def contestants(self, setup: Setup, training: Cases | None) -> tuple[Contestant, ...]:
        made: list[Contestant] = []
        for text in filter(None, map(str.strip, setup.models)):
            label, name = named(text)
            model, provider = self.model(name, setup)
            made.append(Contestant(label or model, model, provider))
        if not made:
            raise Problem(
                "--models names none.", "", "Name one: --models BASE,TUNED.", code="usage"
            )
        for text in setup.baselines:
            shots = shots_of(text)
            if shots and training is None:
                raise Problem("A few-shot baseline needs examples.", "", "Add --train FILE.",
                              code="usage")  # fmt: skip
            found = baseline(made, shots, setup.base)
            if shots or found.model not in [who.model for who in made]:
                made.append(found)
        distinct([who.label for who in made], "model")
        return tuple(made)

    def model(self, name: str, setup: Setup) -> tuple[str, Provider]:
        """Of `MODEL` or `MODEL@PROFILE`."""
        model, _, profile = name.rpartition("@")
        if not model or profile not in self._profiles:
            model, profile = name, setup.profile
        return model, self._provider_of(profile)


def named(text: str) -> tuple[str, str]:
    """(label, model) of `LABEL=MODEL`; label "" where none is given."""
    label, sign, model = text.partition("=")
    return (label.strip(), model.strip()) if sign else ("", text.strip())


def shots_of(text: str) -> int:
    """Examples of a baseline: 0 of `zero-shot`, K of `few-shot:K`."""
    kind, _, number = text.partition(":")
    if kind == "zero-shot" and not number:
        return 0
    if kind == "few-shot" and number.isdecimal() and 1 <= int(number) <= MOST_SHOTS:
        return int(number)
    raise Problem(f"There is no baseline {text!r}.",
                  f"It is zero-shot, or few-shot:K with K from 1 to {MOST_SHOTS}.",
                  "Write e.g. --baseline few-shot:3 --train FILE.", code="usage")  # fmt: skip


def distinct(names: Sequence[str], what: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Problem(f"The {what} {twice!r} is named twice.", "",
                      "Name them apart: one=M, two=M@PROFILE." if what == "model" else "",
                      code="usage")  # fmt: skip
