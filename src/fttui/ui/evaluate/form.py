"""The set-up as lines: what each says, and what may be chosen there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.text import clean, one_line, plural
from fttui.ui.chat.voices import short
from fttui.ui.evaluate.defaults import NO_FILE, SHOTS
from fttui.ui.text import Part, fit

if TYPE_CHECKING:
    from fttui.service.eval_ready import Ready
    from fttui.service.eval_setup import Setup

TITLE = 15  # columns of a line's name

# The grader objects of the provider's API, as they are begun with.
OBJECTS: Mapping[str, tuple[str, str]] = {
    "string_check": (
        "a text is equal, unequal or contained (eq, ne, like, ilike)",
        '{"type": "string_check", "name": "check", "operation": "ilike", '
        '"input": "{{sample.output_text}}", "reference": "{{item.expected}}"}',
    ),
    "text_similarity": (
        "how alike two texts are: fuzzy_match, bleu, gleu, meteor, rouge_l …",
        '{"type": "text_similarity", "name": "alike", "evaluation_metric": "rouge_l", '
        '"input": "{{sample.output_text}}", "reference": "{{item.expected}}", "pass_threshold": 0.8}',
    ),
    "score_model": (
        "a model scores by your words",
        '{"type": "score_model", "name": "judge", "model": "MODEL", "range": [0, 1], "input": '
        '[{"role": "user", "content": "Is this polite? {{sample.output_text}}"}]}',
    ),
    "label_model": (
        "a model chooses a label, some of which pass",
        '{"type": "label_model", "name": "tone", "model": "MODEL", "labels": ["polite", "rude"], '
        '"passing_labels": ["polite"], "input": '
        '[{"role": "user", "content": "{{sample.output_text}}"}]}',
    ),
    "multi": (
        "several graders and a formula over their scores",
        '{"type": "multi", "name": "fit", "calculate_output": "0.7 * fields + 0.3 * close", '
        '"graders": {"fields": {"type": "json"}, "close": {"type": "text_similarity", '
        '"evaluation_metric": "rouge_l", "input": "{{sample.output_text}}", '
        '"reference": "{{item.expected}}"}}}',
    ),
}  # fmt: skip
ARGUMENTS: Mapping[str, str] = {  # short names that want more → how it is begun
    "regex": "regex:", "number": "number:1%", "rubric": "rubric:", "json": "json",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of the form. key: what is changed by it ("model:1" for the second model)."""

    key: str
    title: str
    value: str
    note: str = ""
    style: str = ""

    @property
    def field(self) -> str:
        return self.key.partition(":")[0]

    @property
    def place(self) -> int:
        number = self.key.partition(":")[2]
        return int(number) if number.isdecimal() else -1


def lines(
    setup: Setup, ready: Ready | None, problem: Problem | None, held: str, host: str = ""
) -> list[Line]:
    """The whole form. ready: the same set-up counted and priced, None while that is being done.

    held: what the held-out file is; host: whose money is at stake.
    """
    return [
        _file(setup, ready, held),
        _sample(setup, ready),
        _train(setup, ready),
        *_models(setup, ready),
        Line("profile", "asked at", setup.profile or "the active profile", host),
        _baselines(setup),
        *_graders(setup, ready),
        *_judge(setup),
        Line("concurrency", "at once", plural(setup.concurrency, "question"),
             "fewer by itself after “too many requests”"),
        _settings(setup, ready),
        Line("", "", ""),
        *_end(setup, ready, problem),
    ]  # fmt: skip


def _file(setup: Setup, ready: Ready | None, held: str) -> Line:
    if setup.file == NO_FILE:
        return Line("file", "held-out file", "choose one", "examples the model was not trained on",
                    "warning")  # fmt: skip
    note = held
    if ready is not None and ready.plan.cases.skipped:
        line, why = ready.plan.cases.skipped[0]
        count = plural(len(ready.plan.cases.skipped), "line")
        note = f"{count} cannot be asked (line {line}: {one_line(why, 50)})"
    if setup.train is not None and setup.file.absolute() == setup.train.absolute():
        return Line("file", "held-out file", setup.file.name,
                    "it was trained on: the score says nothing of new prompts", "warning")  # fmt: skip
    return Line("file", "held-out file", setup.file.name, note, "bold")


def _sample(setup: Setup, ready: Ready | None) -> Line:
    if setup.sample is None:
        count = f"all {len(ready.plan.cases.rows):,}" if ready else "all"
        return Line("sample", "prompts", count)
    return Line("sample", "prompts", f"{setup.sample:,} of them", f"chosen by seed {setup.seed}")


def _train(setup: Setup, ready: Ready | None) -> Line:
    if setup.train is None:
        return Line("train", "training file", "none", "for few-shot examples and the nearest ones",
                    "dim")  # fmt: skip
    known = ready.plan.training if ready else None
    return Line("train", "training file", setup.train.name,
                plural(len(known.rows), "example") if known else "")  # fmt: skip


def _models(setup: Setup, ready: Ready | None) -> Iterator[Line]:
    for place, text in enumerate(setup.models):
        label, _, model = text.rpartition("=")
        last = place == len(setup.models) - 1
        alone = "one alone: m adds another to compare it with"
        note = alone if len(setup.models) == 1 else "the candidate" if last else ""
        name = short(model)
        value = f"{label} · {name}" if label and label != name else name
        yield Line(f"model:{place}", "models" if place == 0 else "", value, note, "bold")
    yield Line("model:add", "" if setup.models else "models", "+ add a model (m)", "",
               "dim" if setup.models else "warning")  # fmt: skip


def _baselines(setup: Setup) -> Line:
    if not setup.baselines:
        return Line("baseline", "baselines", "none",
                    f"b adds the base model with 0 and {SHOTS} examples in the prompt", "dim")  # fmt: skip
    said = [
        "zero-shot" if text == "zero-shot" else f"few-shot, {plural(int(text[9:]), 'example')}"
        for text in setup.baselines
    ]
    return Line("baseline", "baselines", "; ".join(said), "prompt engineering, to compare with")


def _graders(setup: Setup, ready: Ready | None) -> Iterator[Line]:
    for place, text in enumerate(setup.graders):
        name = ready.plan.graders[place].name if ready is not None else text
        value = f"{text} → {name}" if text == "auto" and ready is not None else _grader(text)
        note = "decides" if place == 0 and len(setup.graders) > 1 else ""
        if text == "auto" and ready is not None:
            note = _guessed(ready) + (f" · {note}" if note else "")
        yield Line(f"grader:{place}", "graders" if place == 0 else "", value, note)
    yield Line("grader:add", "", "+ add a grader", "", "dim")


def _grader(text: str) -> str:
    return one_line(text, 60)


def _guessed(ready: Ready) -> str:
    """Why `auto` chose what it chose."""
    from fttui.evaluate import confusion

    kind = ready.plan.graders[0].kind
    labels = confusion.labels_of(ready.plan.cases.rows)
    if labels:
        return f"{len(labels)} labels come again and again: with a confusion table"
    return {
        "json": "every answer is JSON: compared field by field",
        "tool_calls": "every answer is a tool call",
        "exact": "the answers are texts",
    }.get(kind, "row by row what fits")


def _judge(setup: Setup) -> Iterator[Line]:
    value = short(setup.judge) if setup.judge else "none"
    note = "" if setup.judge else "for rubrics, and to compare answers in pairs"
    yield Line("judge", "judge", value, note, "" if setup.judge else "dim")
    if setup.judge:
        said = "no" if setup.pairwise is None else setup.pairwise or "yes, by the usual rubric"
        note = "" if setup.pairwise is None else "asked twice, the two answers swapped"
        yield Line("pairwise", "in pairs", one_line(said, 60), note)


def _settings(setup: Setup, ready: Ready | None) -> Line:
    limit = setup.max_tokens or (ready.plan.settings.max_tokens if ready else None)
    most = f"at most {limit:,} tokens" if limit else "the provider's longest answer"
    why = "" if setup.max_tokens else "twice the longest expected answer" if limit else ""
    return Line("settings", "settings",
                f"temperature {setup.temperature:g}, seed {setup.seed}, {most}", why)  # fmt: skip


def _end(setup: Setup, ready: Ready | None, problem: Problem | None) -> Iterator[Line]:
    if problem is not None:
        yield Line("problem", "✗", problem.what, problem.why, "error")
        return
    if ready is None:
        missing = setup.file == NO_FILE or not setup.models
        yield Line("", "cost", "–" if missing else "being counted …", "", "dim")
        return
    known = ready.plan.total - ready.left
    note = f"{known:,} of {ready.plan.total:,} answers are known from before" if known else ""
    yield Line("", "cost", ready.cost, note, "ok" if ready.free else "warning")
    what = plural(ready.left, "question") if ready.left else "nothing is left to ask: grade again"
    yield Line("start", "", f"▶ start (s): {what}", "", "accent")


def draw(line: Line, width: int) -> Sequence[Part]:
    """A line of the form in `width` columns."""
    room = width - TITLE - 2
    value = clean(line.value)
    if len(value) + 2 > room or not line.note:
        return [(f" {line.title:<{TITLE}}", "dim"), (fit(value, room), line.style)]
    return [
        (f" {line.title:<{TITLE}}", "dim"), (value, line.style), "  ",
        (fit(line.note, room - len(value) - 2), "warning" if line.style == "warning" else "faint"),
    ]  # fmt: skip


# ---- changes


def without(setup: Setup, line: Line) -> Setup | None:
    """The set-up with the model, grader or baseline of a line taken out; None where it cannot be."""
    if line.field == "model" and line.place >= 0:
        return replace(setup, models=_out(setup.models, line.place))
    if line.field == "grader" and line.place >= 0:
        return replace(setup, graders=_out(setup.graders, line.place) or ("auto",))
    if line.field == "baseline" and setup.baselines:
        return replace(setup, baselines=())
    if line.field == "train" and setup.train is not None:
        return replace(setup, train=None, baselines=())
    if line.field == "judge" and setup.judge:
        kept = tuple(text for text in setup.graders if not text.startswith("rubric"))
        return replace(setup, judge="", pairwise=None, graders=kept or ("auto",))
    return None


def _out(rows: tuple[str, ...], place: int) -> tuple[str, ...]:
    return rows[:place] + rows[place + 1 :]


def with_baselines(setup: Setup) -> Setup:
    """Zero-shot and, with a training file, few-shot; or none where there are some."""
    if setup.baselines:
        return replace(setup, baselines=())
    few = (f"few-shot:{SHOTS}",) if setup.train is not None else ()
    return replace(setup, baselines=("zero-shot", *few))


def settings_text(setup: Setup) -> str:
    """`temperature 0, seed 0, tokens auto`: what the settings line is edited as."""
    return (
        f"temperature {setup.temperature:g}, seed {setup.seed}, tokens {setup.max_tokens or 'auto'}"
    )


def with_settings(setup: Setup, text: str) -> Setup:
    """Of `settings_text`. ValueError says what is wrong."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition(" ")
        found[name] = value.strip()
    unknown = found.keys() - {"temperature", "seed", "tokens"}
    if unknown:
        raise ValueError(f"{min(unknown)!r} is none of temperature, seed, tokens")
    heat = _number(found.get("temperature", "0"), "temperature", 2)
    seed = _number(found.get("seed", "0"), "seed", 2**31)
    tokens = found.get("tokens", "auto")
    most = None if tokens == "auto" else int(_number(tokens, "tokens", 10**7))
    if most == 0 or seed != int(seed):
        raise ValueError("seed and tokens are whole numbers; tokens 1 or more, or auto")
    return replace(setup, temperature=heat, seed=int(seed), max_tokens=most)


def _number(text: str, name: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise ValueError(f"{name}: a number from 0 to {most:g}")
    return value


def whole(text: str, most: int) -> str:
    """A complaint about a text that is no whole number from 1 to `most`, "" where it is one."""
    good = text.strip().isdecimal() and 1 <= int(text.strip()) <= most
    return "" if good else f"a whole number from 1 to {most:,}"


def new_file(text: str) -> str:
    """A complaint about a path that is no file to read."""
    path = Path(text.strip()).expanduser()
    return "" if path.is_file() else f"no such file: {path}"
