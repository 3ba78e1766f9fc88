"""The filter of the jobs: words, `status:`, `model:`, `suffix:`, `>` comparisons, `-not`. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fttui.ui.jobs.track import Track

_COMPARE = re.compile(r"^(\w+)(>=|<=|>|<|=)(-?[\d.]+)$")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
}


def _number(track: Track, name: str) -> float | None:
    """A figure of a job by its name: loss, valid, step, epochs, tokens."""
    if name == "loss":
        return track.loss.last
    if name in ("valid", "valid_loss"):
        return track.curves.valid.last
    if name == "step":
        return float(track.progress()[0])
    if name == "tokens":
        return None if track.job.trained_tokens is None else float(track.job.trained_tokens)
    value = track.job.hyperparameters.get("n_epochs" if name == "epochs" else name)
    return float(value) if isinstance(value, int | float) else None


def _text(track: Track, field: str) -> str:
    job = track.job
    return {
        "status": job.status,
        "model": job.model,
        "suffix": job.suffix,
        "id": job.id,
        "method": job.method,
        "file": f"{job.training_file} {job.validation_file}",
    }.get(field, "")


FIELDS = ("status", "model", "suffix", "id", "method", "file")


@dataclass(frozen=True)
class Term:
    """One word of the filter; `field` is "" for a bare word."""

    text: str
    negative: bool
    matches: Callable[[Track], bool]


def parse(text: str) -> list[Term]:
    """The words of a filter; all must hold. Never fails: what is no qualifier is a word."""
    return [_term(word) for word in text.split()]


def _term(word: str) -> Term:
    negative = word.startswith("-") and len(word) > 1
    body = word[1:] if negative else word
    compare = _COMPARE.match(body)
    field, colon, value = body.partition(":")
    if compare:
        name, sign, number = compare.groups()
        test = _comparison(name, _OPERATORS[sign], float(number))
    elif colon and field.lower() in FIELDS and value:
        test = _qualified(field.lower(), [v for v in value.lower().split(",") if v])
    else:
        test = _word(body.lower())
    return Term(word, negative, (lambda track: not test(track)) if negative else test)


def _comparison(
    name: str, compare: Callable[[float, float], bool], number: float
) -> Callable[[Track], bool]:
    def test(track: Track) -> bool:
        value = _number(track, name)
        return value is not None and compare(value, number)

    return test


def _qualified(field: str, values: list[str]) -> Callable[[Track], bool]:
    return lambda track: any(value in _text(track, field).lower() for value in values)


def _word(word: str) -> Callable[[Track], bool]:
    def test(track: Track) -> bool:
        job = track.job
        metadata = " ".join(f"{k}={v}" for k, v in job.metadata.items())
        everything = f"{job.suffix} {job.id} {job.model} {job.status} {job.fine_tuned_model}"
        return word in f"{everything} {metadata}".lower()

    return test


def matching(tracks: Iterable[Track], terms: list[Term]) -> list[Track]:
    return [track for track in tracks if all(term.matches(track) for term in terms)]
