"""Prompt and completion (L-codes): one line, and what all lines should have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fttui.dataset.checks.context import Context, Facts
from fttui.dataset.formats import kind_of
from fttui.text import one_line

Wide = tuple[str, int, str, int]  # code, line, message, count

SEPARATORS = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n")
ENDINGS = (" END", "\n", ".", "\n\n---", "\n\n###")
LONG_PREFIX = 40


def check_completion(obj: dict[str, Any], context: Context) -> None:
    facts = context.facts
    values: dict[str, Any] = {}
    for key in obj:
        low = key.lower()
        if low in ("prompt", "completion"):
            values[low] = obj[key]
            if key != low:
                context.add("L014", key, f'key "{key}", must be "{low}"')
        else:
            shown = one_line(key, 40)
            context.add("L004", shown, f'extra key "{shown}"')
    for key in ("prompt", "completion"):
        if key not in values:
            context.add("L001", key, f"{key} is missing")
        elif not isinstance(values[key], str):
            context.add("L002", key, f"{key} is {kind_of(values[key])}, must be text")
    prompt, completion = values.get("prompt"), values.get("completion")
    if isinstance(prompt, str):
        context.plain.append(prompt)
        context.order.append((prompt, False))
    if isinstance(completion, str):
        context.trained.append(completion)
        context.order.append((completion, True))
        if not completion.strip():
            context.add("L003", "completion", "completion is empty")
    if isinstance(prompt, str) and isinstance(completion, str):
        _gather(prompt, completion, facts, context)


def _gather(prompt: str, completion: str, facts: Facts, context: Context) -> None:
    """Note what the file-wide rules compare."""
    line = context.line
    facts.n["pairs_text"] += 1
    if prompt:
        facts.n["prompts"] += 1
        facts.prefix("prompt:start", prompt)
        facts.suffix("prompt:end", prompt)
        for separator in SEPARATORS:
            if separator in prompt[: -len(separator)]:
                facts.n[f"inside:{separator}"] += 1
    if completion:
        facts.prefix("completion:start", completion)
        facts.suffix("completion:end", completion)
        if not completion[0].isspace():
            facts.see("no_blank", line)
        facts.n["upper"] += completion.isupper()
    facts.text("completion", completion[:200], line)
    facts.text("prompt", prompt[:200], line)


def file_wide(facts: Facts) -> Iterator[Wide]:
    """What prompts and completions should have in common, over all lines."""
    n = facts.n["pairs_text"]
    if n < 2:
        return
    completions: Mapping[str, int] = facts.texts.get("completion", {})
    prompts: Mapping[str, int] = facts.texts.get("prompt", {})
    if facts.n["no_blank"]:
        yield (
            "L005",
            facts.first["no_blank"],
            "completion does not start with a blank",
            facts.n["no_blank"],
        )
    yield from _endings(facts, n)
    yield from _starts(facts, n)
    if facts.n["upper"] * 3 > n:
        yield (
            "L011",
            0,
            f"{facts.n['upper']:,} of {n:,} completions are in capital letters",
            facts.n["upper"],
        )
    if len(completions) == 1:
        yield "L012", 0, f"all {n:,} completions are the same", 1
    if len(prompts) == 1 and facts.n["prompts"]:
        yield "L012", 0, f"all {n:,} prompts are the same", 1
    if is_classification(facts):
        yield (
            "L015",
            0,
            f"{len(completions)} different short completions: looks like classification",
            1,
        )


def is_classification(facts: Facts) -> bool:
    completions: Mapping[str, int] = facts.texts.get("completion", {})
    n = facts.n["pairs_text"]
    return (
        "completion" not in facts.lossy
        and n >= 10
        and 1 < len(completions) <= max(2, min(50, n // 5))
        and all(len(text) <= 40 for text in completions)
    )


def _endings(facts: Facts, n: int) -> Iterator[Wide]:
    end = facts.common.get("prompt:end", "")
    if facts.n["prompts"] and not end.strip() and end not in ("\n\n", "\n"):
        free = next((s for s in SEPARATORS if not facts.n[f"inside:{s}"]), SEPARATORS[1])
        yield "L006", 0, f"prompts have no common ending; {free!r} occurs in none", 1
    for separator in SEPARATORS:
        if end.endswith(separator) and facts.n[f"inside:{separator}"]:
            yield (
                "L008",
                0,
                f"separator {separator!r} is also inside prompts",
                facts.n[f"inside:{separator}"],
            )
    stop = facts.common.get("completion:end", "")
    if not stop and not is_classification(facts) and len(facts.texts.get("completion", {})) > 1:
        yield "L007", 0, "completions have no common ending such as ' END'", 1


def _starts(facts: Facts, n: int) -> Iterator[Wide]:
    start = facts.common.get("prompt:start", "")
    if len(start) >= LONG_PREFIX and len(facts.texts.get("prompt", {})) > 1:
        yield "L009", 0, f"all prompts begin with {one_line(start, 40)!r}", 1
    start = facts.common.get("completion:start", "").strip()
    if len(start) > 12 and len(facts.texts.get("completion", {})) > 1:
        yield "L010", 0, f"all completions begin with {one_line(start, 40)!r}", 1
