"""What only shows over all lines: formats, sizes, habits, balance (S, R, P013, L, K, Q codes)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from fttui.dataset.checks import legacy
from fttui.dataset.checks.context import Facts
from fttui.dataset.checks.legacy import Wide
from fttui.dataset.target import Target
from fttui.text import one_line, plural

FORMATS = ("chat", "preference", "reinforcement", "completion")
METHOD_FORMAT = {"supervised": "chat", "dpo": "preference", "reinforcement": "reinforcement"}
LABEL_MANY = 50
LABEL_SIZE = 40
FEW = 20  # examples below which a habit means nothing
COMMON = 0.2  # of all lines: an answer on more of them is one too many (Q004)


def check(facts: Facts, examples: int, target: Target) -> Iterator[Wide]:
    """Every file-wide finding: (code, line or 0, message, count)."""
    yield from formats(facts, target)
    yield from amounts(facts, examples, target)
    yield from reinforcement(facts, target)
    yield from legacy.file_wide(facts)
    yield from preference(facts)
    yield from answers(facts)
    yield from balance(facts)
    yield from systems(facts)


def main_format(facts: Facts) -> str:
    """The format of most lines; "unknown" when no line has a known one."""
    counts = {name: facts.n[f"format:{name}"] for name in FORMATS}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "unknown"


def formats(facts: Facts, target: Target) -> Iterator[Wide]:
    found = [name for name in FORMATS if facts.n[f"format:{name}"]]
    if len(found) > 1:
        places = sorted((facts.first[f"format:{name}"], name) for name in found)
        listed = ", ".join(
            f"{facts.n[f'format:{name}']:,} {name} from line {line:,}" for line, name in places
        )
        yield "S002", places[1][0], f"{len(found)} formats: {listed}", 1
    main = main_format(facts)
    if main == "unknown":
        return
    if target.legacy != (main == "completion") and target.model:
        wants = "prompt/completion" if target.legacy else "chat"
        yield "S003", 0, f"{target.model} takes {wants}, the file is {main}", 1
    elif target.method and METHOD_FORMAT.get(target.method, main) != main and main != "completion":
        yield (
            "S003",
            0,
            f"method {target.method} takes {METHOD_FORMAT[target.method]}, the file is {main}",
            1,
        )


def amounts(facts: Facts, examples: int, target: Target) -> Iterator[Wide]:
    if 0 < examples < target.min_examples:
        yield (
            "S005",
            0,
            f"{plural(examples, 'example')}, at least {target.min_examples} are needed",
            1,
        )
    limit = target.max_reinforcement
    if facts.n["format:reinforcement"] > limit:
        yield "S006", 0, f"{examples:,} examples; reinforcement takes {limit:,}", 1
    images = facts.n["image_example"]
    if images > target.max_image_examples:
        yield (
            "V010",
            0,
            f"{images:,} examples with images; {target.max_image_examples:,} is the limit",
            1,
        )
    if images and not target.vision and target.model:
        yield (
            "V012",
            facts.first["image_example"],
            f"{target.model} is not trained on images",
            images,
        )


def reinforcement(facts: Facts, target: Target) -> Iterator[Wide]:
    n = facts.n["format:reinforcement"]
    signatures = facts.texts.get("fields")
    if not n or not signatures:
        return
    for name in dict.fromkeys(re.findall(r"\{\{\s*item\.(\w+)", target.grader)):
        lacking = [s for s in signatures if f"{name}: " not in s]
        if lacking:
            first = min(facts.first.get(f"fields\0{s}", 0) for s in lacking)
            lines = sum(signatures[s] for s in lacking)
            yield (
                "R005",
                first,
                f"the grader reads item.{name}, {plural(lines, 'line')} lack it",
                lines,
            )
    usual = signatures.most_common(1)[0][0]
    if not usual and len(signatures) == 1:
        yield "R003", 0, "no line has a field beside messages for a grader to compare with", 1
        if not target.method:
            yield (
                "S007",
                0,
                "every line ends with the user: looks like reinforcement fine-tuning data",
                1,
            )
    elif len(signatures) > 1:
        others = sum(signatures.values()) - signatures[usual]
        first = min(facts.first.get(f"fields\0{s}", 0) for s in signatures if s != usual)
        yield (
            "R004",
            first,
            f"{plural(others, 'line')} without the usual fields ({one_line(usual, 60) or 'none'})",
            others,
        )


def preference(facts: Facts) -> Iterator[Wide]:
    pairs, longer = facts.n["pairs"], facts.n["pairs_longer"]
    if pairs >= FEW and longer > 0.9 * pairs:
        yield "P013", 0, f"preferred is the longer answer in {longer:,} of {pairs:,} pairs", 1


def answers(facts: Facts) -> Iterator[Wide]:
    n, spoken = facts.n["answers"], facts.texts.get("answer")
    talk = facts.n["model_talk"]
    if talk > 0.01 * n:
        yield (
            "Q016",
            facts.first["model_talk"],
            f"{talk:,} of {n:,} answers speak as a language model",
            talk,
        )
    if n < FEW or not (spoken or facts.n["answers_long"]):
        return
    text, top = spoken.most_common(1)[0] if spoken else ("", 0)
    if facts.n["same_answer"] > max(top, COMMON * n):
        top = facts.n["same_answer"]
        yield "Q004", facts.first["same_answer"], f"the same answer on {top:,} of {n:,} lines", top
    elif top > COMMON * n and not labels(facts):
        line = facts.first.get(f"answer\0{text}", 0)
        yield "Q004", line, f"answer {one_line(text, 30)!r} on {top:,} of {n:,} lines", top
    if facts.n["refusal"] > 0.2 * n:
        yield (
            "Q006",
            facts.first["refusal"],
            f"{facts.n['refusal']:,} of {n:,} answers refuse",
            facts.n["refusal"],
        )
    yield from _outliers(facts)


def _outliers(facts: Facts) -> Iterator[Wide]:
    said = facts.n["answers"] - facts.n["answers_calls"]
    json, others = facts.n["json"], facts.outliers.get("not_json", [])
    if others and json >= 0.95 * said:
        for line in others:
            yield "Q013", line, f"{json:,} of {said:,} answers are JSON, this one is not", 1
    if facts.n["long"] >= FEW and facts.n["ended"] >= 0.95 * facts.n["long"]:
        for line in facts.outliers.get("open_end", []):
            yield "Q011", line, "ends in the middle of a sentence, unlike the others", 1
    scripts = {name: n for name, n in facts.n.items() if name.startswith("script:")}
    total = sum(scripts.values())
    if total >= FEW:
        usual = max(scripts, key=lambda name: scripts[name])
        for name in scripts:
            if name != usual and scripts[usual] >= 0.95 * total:
                for line in facts.outliers.get(name, []):
                    yield "Q014", line, f"answer in {name[7:]} script, the others in {usual[7:]}", 1


def labels(facts: Facts) -> list[tuple[str, int]]:
    """(class, examples) when the answers are few and short, the largest first; else []."""
    spoken = facts.texts.get("answer")
    if not spoken or "answer" in facts.lossy or facts.n["answers_calls"] or facts.n["answers_long"]:
        return []
    n = sum(spoken.values())
    few = 1 < len(spoken) <= LABEL_MANY and n >= FEW and n >= 5 * len(spoken)
    if few and all(len(text) <= LABEL_SIZE for text in spoken):
        return spoken.most_common()
    return []


def balance(facts: Facts) -> Iterator[Wide]:
    classes = labels(facts)
    if classes:
        n = sum(count for _, count in classes)
        name, top = classes[0]
        if top > 0.8 * n:
            yield (
                "Q005",
                0,
                f"{one_line(name, 30)!r} is the answer on {top:,} of {n:,} lines ({top / n:.0%})",
                1,
            )
        return
    calls, n = facts.texts.get("calls"), facts.n["answers"]
    if calls and n >= 50 and facts.n["answers_calls"] == n and 1 < len(calls) <= LABEL_MANY:
        ranked = calls.most_common()
        (most, top), (least, low) = ranked[0], ranked[-1]
        if top >= 10 * low:
            yield (
                "Q005",
                0,
                f"{one_line(most, 30)} is called {top:,} times, {one_line(least, 30)} {low:,}: ten to one",
                1,
            )


def systems(facts: Facts) -> Iterator[Wide]:
    prompts = facts.texts.get("system")
    if not prompts or not 1 < len(prompts) <= 1_000:
        return
    by_form: dict[str, list[str]] = {}
    for text in prompts:
        form = _BLANKS.sub("", unicodedata.normalize("NFKC", text).casefold())
        by_form.setdefault(form, []).append(text)
    for same in by_form.values():
        if len(same) > 1:
            rare = min(same, key=lambda text: prompts[text])
            line = facts.first.get(f"system\0{rare}", 0)
            yield (
                "Q012",
                line,
                f"{len(same)} system prompts differ only in blanks, case or punctuation",
                prompts[rare],
            )


_BLANKS = re.compile(r"[\W_]+")
