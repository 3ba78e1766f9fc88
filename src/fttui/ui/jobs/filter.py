"""The filter of the jobs, a small language. Pure; never fails: what is no qualifier is a word.

support "two words" -urgent            jobs in whose names, ids or metadata this is, or is not
status:running,failed   model:mini     also profile: sweep: suffix: method: file: seed: id:
is:live                                also ended, gone, sweep, watched
loss>0.5  valid<=0.4  step>100         also epochs, batch_size, cost, tokens>2m and every other setting
age<2d   took>1h                       s, m, h, d or w
"""

from __future__ import annotations

import operator
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fttui.ui.jobs.track import Track

HINT = 'words  status:running  model:mini  loss<0.5  age<2d  -not  "two words"'
FIELDS = ("status", "model", "suffix", "id", "method", "file", "profile", "sweep", "seed")

_TERM = re.compile(r'-?(?:\w+:)?"[^"]*"?|\S+')
_COMPARE = re.compile(r"(\w+)(>=|<=|>|<|=)\$?(-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?)([a-z]?)$", re.I)
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
}
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_SECONDS = {"": 86400.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_TIMES = ("age", "took")
_NAMES = {"valid_loss": "valid", "epochs": "n_epochs", "lr": "learning_rate_multiplier"}

Test = Callable[[Track], bool]


@dataclass(frozen=True)
class Facts:
    """What a job does not know about itself: what it cost, whether it is watched, what time it is."""

    cost: Callable[[Track], float | None] = lambda track: None
    watched: Callable[[Track], bool] = lambda track: False
    now: Callable[[], float] = time.time


@dataclass(frozen=True)
class Term:
    """One word of the filter."""

    text: str
    negative: bool
    matches: Test


def parse(text: str, facts: Facts | None = None) -> list[Term]:
    """The words of a filter; all must hold."""
    return [_term(word, facts or Facts()) for word in _TERM.findall(text)]


def matching(tracks: Iterable[Track], terms: list[Term]) -> list[Track]:
    return [track for track in tracks if all(term.matches(track) for term in terms)]


def _term(word: str, facts: Facts) -> Term:
    negative = word.startswith("-") and len(word) > 1
    body = word[1:] if negative else word
    test = _comparison(body, facts) or _qualified(body, facts) or _word(body.strip('"').lower())
    return Term(word, negative, (lambda track: not test(track)) if negative else test)


def _comparison(body: str, facts: Facts) -> Test | None:
    """`loss>0.5`, `age<2d`; a job without that figure does not match."""
    found = _COMPARE.match(body)
    if found is None:
        return None
    name, sign, number, unit = found[1].lower(), found[2], found[3], found[4].lower()
    units = _SECONDS if name in _TIMES else _UNITS
    if unit not in units:
        return None
    bound, compare = float(number) * units[unit], _OPERATORS[sign]
    name = _NAMES.get(name, name)

    def test(track: Track) -> bool:
        value = _figure(track, name, facts)
        return value is not None and compare(value, bound)

    return test


def _figure(track: Track, name: str, facts: Facts) -> float | None:
    """A figure of a job by its name; times in seconds."""
    job = track.job
    if name == "loss":
        return track.loss.last
    if name == "valid":
        return track.curves.valid.last
    if name == "step":
        return float(track.progress()[0])
    if name == "tokens":
        return None if job.trained_tokens is None else float(job.trained_tokens)
    if name == "cost":
        return facts.cost(track)
    if name == "age":
        return max(0.0, facts.now() - job.created_at) if job.created_at else None
    if name == "took":
        return track.seconds_taken()
    value = job.seed if name == "seed" else job.hyperparameters.get(name)
    return float(value) if isinstance(value, int | float) else None


def _qualified(body: str, facts: Facts) -> Test | None:
    """`status:running,failed`, `is:live`."""
    field, colon, value = body.lower().partition(":")
    values = [part for part in value.strip('"').split(",") if part]
    if not colon or not values:
        return None
    if field == "is" and values[0] in _STATES:
        state = _STATES[values[0]]
        return lambda track: state(track, facts)
    if field not in FIELDS:
        return None
    return lambda track: any(part in _text(track, field).lower() for part in values)


_STATES: dict[str, Callable[[Track, Facts], bool]] = {
    "live": lambda track, facts: track.live,
    "ended": lambda track, facts: track.job.ended,
    "gone": lambda track, facts: track.gone,
    "sweep": lambda track, facts: bool(track.sweep),
    "watched": lambda track, facts: facts.watched(track),
}


def _text(track: Track, field: str) -> str:
    job = track.job
    if field == "file":
        return f"{job.training_file} {job.validation_file}"
    if field in ("profile", "sweep"):
        return str(getattr(track, field))
    if field == "seed":
        return "" if job.seed is None else str(job.seed)
    return str(getattr(job, field))


def _word(word: str) -> Test:
    def test(track: Track) -> bool:
        job = track.job
        metadata = " ".join(f"{k}={v}" for k, v in job.metadata.items())
        names = f"{job.suffix} {job.id} {job.model} {job.status} {job.fine_tuned_model}"
        return word in f"{names} {track.profile} {metadata}".lower()

    return test
