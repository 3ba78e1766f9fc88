"""Changing a line of the set-up: which question it asks, and what the answer does to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.ui.chat.voices import kind, short
from fttui.ui.dialogs.choose import Choice, Choose
from fttui.ui.dialogs.prompt import Prompt
from fttui.ui.evaluate import defaults, form
from fttui.ui.evaluate.form import Line

if TYPE_CHECKING:
    from fttui.service.eval_setup import Setup
    from fttui.ui.screens.evaluate import EvaluateScreen

OTHER = "\0other"
FIRST, REMOVE, CHANGE = "\0first", "\0remove", "\0change"


class Editing:
    """Of one screen; every change ends in `screen.set_up(setup)`."""

    def __init__(self, screen: EvaluateScreen) -> None:
        self.screen = screen

    @property
    def setup(self) -> Setup:
        return self.screen.setup

    def change(self, line: Line) -> None:
        """Ask for what this line holds."""
        ask = getattr(self, f"_{line.field}", None)
        if ask is not None:
            ask(line)

    def _take(self, **fields: object) -> None:
        self.screen.set_up(replace(self.setup, **fields))  # type: ignore[arg-type]

    def _prompt(
        self, title: str, value: str, check: Callable[[str], str], then: Callable[[str], None],
        hint: str = "",
    ) -> None:  # fmt: skip
        dialog = Prompt(title, value=value, hint=[(hint, "dim")], check=check)
        self.screen.app.push_screen(dialog, lambda text: None if text is None else then(text))

    def _choose(
        self, title: str, rows: Sequence[Choice], then: Callable[[str], None], value: str = ""
    ) -> None:
        self.screen.app.push_screen(
            Choose(title, rows, value=value), lambda name: then(name) if name else None
        )

    # -- files

    def _file(self, line: Line) -> None:
        now = self.setup.file if self.setup.file != defaults.NO_FILE else self._near()
        self._prompt("Held-out file", str(now), form.new_file,
                     lambda text: self._take(file=_path(text), sample=None),
                     "examples that were not trained on: chat, preference, RFT")  # fmt: skip

    def _near(self) -> Path:
        path = self.screen.thread.path
        return path.with_name("") if path is not None else Path.cwd()

    def _train(self, line: Line) -> None:
        now = self.setup.train or self.screen.thread.path or Path.cwd()
        self._prompt("Training file", str(now), form.new_file,
                     lambda text: self._take(train=_path(text)),
                     "few-shot examples are taken from it; the nearest ones are looked for there")  # fmt: skip

    def _sample(self, line: Line) -> None:
        def taken(text: str) -> None:
            self._take(sample=int(text) if text.strip() else None)

        value = "" if self.setup.sample is None else str(self.setup.sample)
        self._prompt("How many prompts", value,
                     lambda text: form.whole(text, 10**9) if text.strip() else "", taken,
                     "chosen by seed, the same ones each time; empty: all of them")  # fmt: skip

    # -- models

    def _model(self, line: Line) -> None:
        def taken(name: str) -> None:
            models = self.setup.models
            others = (
                (*models[: line.place], *models[line.place + 1 :]) if line.place >= 0 else models
            )
            made = defaults.with_model(others, name)
            if line.place >= 0:
                made = (*models[: line.place], made[-1], *models[line.place + 1 :])
            self._take(models=made)

        self.pick("Model", taken)

    def pick(self, title: str, then: Callable[[str], None]) -> None:
        """Choose a model of the set-up's profile: the thread's first, then what the provider lists."""
        screen = self.screen

        async def ask() -> None:
            rows = await self._choices()
            self._choose(title, rows, chosen)

        def chosen(name: str) -> None:
            if name == OTHER:
                self._prompt("Model or deployment", "", lambda text: "" if text.strip() else "a name",
                             lambda text: then(text.strip()), "MODEL@PROFILE asks another profile")  # fmt: skip
            else:
                then(name)

        screen.run_worker(ask(), group="evaluate-models", exclusive=True, exit_on_error=False)

    async def _choices(self) -> list[Choice]:
        from fttui.service import models
        from fttui.ui.chat.models import recent, talks

        app = self.screen.fttui
        profile = self.setup.profile or app.backend.profile.name
        why, listed = "", []
        try:
            listed = await models.listing(self.screen.runner.provider_of(profile))
        except Problem as problem:
            why = problem.what
        mine = defaults.of_thread(self.screen.thread)
        names = [defaults.Voice.of(text).model for text in
                 (*mine, *recent(app.state, profile))]  # fmt: skip
        order = dict.fromkeys([*names, *(info.id for info in listed if talks(info.id))])
        rows = [Choice(name, short(name), kind(name)) for name in order]
        note = why or "type a model or deployment"
        return [*rows, Choice(OTHER, "another name …", note)]

    def _profile(self, line: Line) -> None:
        profiles = self.screen.fttui.backend.config.profiles
        rows = [Choice(name, name, profile.host) for name, profile in sorted(profiles.items())]
        self._choose("Whom to ask", rows, lambda name: self._take(profile=name), self.setup.profile)

    # -- graders

    def _grader(self, line: Line) -> None:
        if line.place < 0:
            self._new_grader(lambda text: self._take(graders=self._added(text)))
            return
        at, graders = line.place, self.setup.graders
        rows = [Choice(CHANGE, "another grader in its place", "")]
        if at:
            rows.append(Choice(FIRST, "let it decide", "the first one decides"))
        if len(graders) > 1:
            rows.append(Choice(REMOVE, "take it out", ""))
        if len(rows) == 1:
            self._replace_grader(at)
            return

        def chosen(what: str) -> None:
            others = graders[:at] + graders[at + 1 :]
            if what == CHANGE:
                self._replace_grader(at)
            else:
                self._take(graders=(graders[at], *others) if what == FIRST else others)

        self._choose(f"Grader {graders[at]}", rows, chosen)

    def _replace_grader(self, at: int) -> None:
        graders = self.setup.graders
        self._new_grader(lambda text: self._take(graders=(*graders[:at], text, *graders[at + 1 :])))

    def _added(self, text: str) -> tuple[str, ...]:
        return (*(row for row in self.setup.graders if row != text), text)

    def _new_grader(self, then: Callable[[str], None]) -> None:
        from fttui.evaluate import spec

        ours = [Choice(name, name, what) for name, what in spec.SHORT.items()]
        theirs = [Choice(name, name, what) for name, (what, _) in form.OBJECTS.items()]
        rows = [*ours[:10], *theirs, *ours[10:], Choice(OTHER, "a file …", "JSON that holds one")]

        def chosen(name: str) -> None:
            if name in form.OBJECTS:
                self._write_grader(form.OBJECTS[name][1], then)
            elif name == OTHER:
                self._write_grader("grader.json", then)
            elif name in form.ARGUMENTS:
                self._write_grader(form.ARGUMENTS[name], then)
            else:
                then(name)

        self._choose("Grader", rows, chosen)

    def _write_grader(self, begun: str, then: Callable[[str], None]) -> None:
        """One line to finish: `regex:…`, an object of the provider's API, a file."""
        from fttui.evaluate import spec

        def check(text: str) -> str:
            try:
                spec.parse(text, self.setup.judge or "judge")
            except Problem as problem:
                return f"{problem.why or problem.what}"
            return ""

        def taken(text: str) -> None:
            if text.startswith("rubric:") and not self.setup.judge:
                self.pick("The model that judges", lambda name: self._judged(name, text, then))
            else:
                then(text)

        self._prompt("Grader", begun, check, taken, _HINTS.get(begun.partition(":")[0], ""))

    def _judged(self, judge: str, text: str, then: Callable[[str], None]) -> None:
        self.screen.set_up(replace(self.setup, judge=judge))
        then(text)

    # -- judge

    def _judge(self, line: Line) -> None:
        self.pick("The model that judges", lambda name: self._take(judge=name))

    def _pairwise(self, line: Line) -> None:
        from fttui.evaluate.model_graders import RUBRIC

        if self.setup.pairwise is not None:
            self._take(pairwise=None)
            return
        self._prompt("Compare each model's answers with the first one's, by this rubric", RUBRIC,
                     lambda text: "" if text.strip() else "a rubric",
                     lambda text: self._take(pairwise="" if text == RUBRIC else text.strip()))  # fmt: skip

    # -- the rest

    def _baseline(self, line: Line) -> None:
        now = next((text[9:] for text in self.setup.baselines if text.startswith("few-shot")), "")
        if self.setup.train is None:
            self.screen.set_up(form.with_baselines(self.setup))
            return

        def taken(text: str) -> None:
            shots = [number.strip() for number in text.split(",") if number.strip()]
            self._take(baselines=tuple(
                "zero-shot" if number == "0" else f"few-shot:{number}" for number in shots
            ))  # fmt: skip

        def check(text: str) -> str:
            numbers = [number.strip() for number in text.split(",") if number.strip()]
            good = all(n.isdecimal() and int(n) <= 100 for n in numbers)
            return "" if good and len(set(numbers)) == len(numbers) else "numbers from 0 to 100"

        zero = "0, " if "zero-shot" in self.setup.baselines or not self.setup.baselines else ""
        self._prompt("Examples in the base model's prompt", f"{zero}{now or defaults.SHOTS}", check,
                     taken, "several baselines by commas: 0, 3, 10; empty: none")  # fmt: skip

    def _concurrency(self, line: Line) -> None:
        self._prompt("Questions at once", str(self.setup.concurrency),
                     lambda text: form.whole(text, 256),
                     lambda text: self._take(concurrency=int(text)))  # fmt: skip

    def _settings(self, line: Line) -> None:
        def check(text: str) -> str:
            try:
                form.with_settings(self.setup, text)
            except ValueError as error:
                return str(error)
            return ""

        self._prompt("How they are asked", form.settings_text(self.setup), check,
                     lambda text: self.screen.set_up(form.with_settings(self.setup, text)),
                     "tokens auto: twice the longest expected answer")  # fmt: skip

    def _problem(self, line: Line) -> None:
        if self.screen.problem is not None:
            self.screen.fttui.show_problem(self.screen.problem)

    def _start(self, line: Line) -> None:
        self.screen.action_do("evaluate.start")


_HINTS = {
    "regex": "a pattern that is found in a right answer, e.g. regex:^(yes|no)$",
    "number": "the last number, within 1 % or e.g. number:0.5",
    "rubric": "in your words, e.g. rubric:Is it polite and to the point?",
    "json": "all fields, or some: json:customer,lines[0].price",
    "grader.json": "a file with a grader object",
}


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser()
