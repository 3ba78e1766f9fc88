"""The formula of a multi grader (`0.7 * fit + 0.3 * min(a, b)`), read and worked out without `eval`.

Operators + - * / ^ (right to left, before a sign: -2^2 is -4), brackets, and min max abs floor
ceil exp sqrt log: what the provider's graders guide lists (copy of 2026-07-15).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fttui.evaluate.records import GraderError

LONGEST = 2_000  # characters
DEEPEST = 50  # brackets, calls and signs inside one another
FUNCTIONS: Mapping[str, tuple[Callable[..., float], int, int]] = {  # function, fewest, most values
    "min": (min, 1, 100),
    "max": (max, 1, 100),
    "abs": (abs, 1, 1),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "exp": (math.exp, 1, 1),
    "sqrt": (math.sqrt, 1, 1),
    "log": (math.log, 1, 1),
}
_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(\*\*|[-+*/^(),]))")
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
_SIGN = 3

Work = Callable[[Mapping[str, float]], float]


@dataclass(slots=True)
class Expression:
    """A formula that was read. names: the graders it uses."""

    text: str
    names: tuple[str, ...]
    _work: Work = field(repr=False)

    def value(self, scores: Mapping[str, float]) -> float:
        """The result for these scores. GraderError: division by zero, log of 0, overflow …"""
        try:
            result = float(self._work(scores))
        except ZeroDivisionError:
            raise GraderError(f"{self.text}: division by zero") from None
        except OverflowError:
            raise GraderError(f"{self.text}: the result is too large") from None
        except (ValueError, TypeError) as exc:
            raise GraderError(f"{self.text}: {exc}") from None
        if not math.isfinite(result):
            raise GraderError(f"{self.text}: the result is not a finite number")
        return result


def read(text: str) -> Expression:
    """GraderError says what is wrong and where."""
    if len(text) > LONGEST:
        raise GraderError(f"calculate_output is longer than {LONGEST:,} characters")
    reader = _Reader(text)
    work = reader.expression(0, 0)
    if reader.kind:
        raise reader.wrong("is not expected here")
    return Expression(text, tuple(dict.fromkeys(reader.names)), work)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[str] = []
        self.kind = self.token = ""
        self.start = self.end = 0
        self._next()

    def _next(self) -> None:
        found = _TOKEN.match(self.text, self.end)
        if found is None:
            self.start = self.end
            self.token = self.text[self.end :].strip()[:1]
            self.kind = ""
            if self.token:
                raise self.wrong("is not part of a formula")
            return
        number, name, sign = found.groups()
        self.kind = "number" if number else "name" if name else "sign"
        self.token = number or name or ("^" if sign == "**" else sign)
        self.start, self.end = found.start(), found.end()

    def wrong(self, why: str) -> GraderError:
        what = f"{self.token!r}" if self.token else "the end"
        return GraderError(f"calculate_output, character {self.start + 1}: {what} {why}")

    def _take(self, sign: str) -> None:
        if self.kind != "sign" or self.token != sign:
            raise self.wrong(f"where {sign!r} is expected")
        self._next()

    def expression(self, least: int, depth: int) -> Work:
        if depth > DEEPEST:
            raise self.wrong("is nested too deep")
        left = self._operand(depth)
        while self.kind == "sign" and _BINDING.get(self.token, -1) >= max(least, 1):
            sign = self.token
            self._next()
            right_first = sign == "^"
            right = self.expression(_BINDING[sign] + (not right_first), depth + 1)
            left = _binary(sign, left, right)
        return left

    def _operand(self, depth: int) -> Work:
        kind, token = self.kind, self.token
        if kind == "sign" and token in "+-":
            self._next()
            inner = self.expression(_SIGN, depth + 1)
            return inner if token == "+" else lambda scores: -inner(scores)
        if kind == "sign" and token == "(":
            self._next()
            inner = self.expression(0, depth + 1)
            self._take(")")
            return inner
        if kind == "number":
            self._next()
            constant = float(token)
            return lambda scores: constant
        if kind == "name":
            self._next()
            return self._call(token, depth) if self.token == "(" else self._name(token)
        raise self.wrong("where a value is expected")

    def _name(self, name: str) -> Work:
        self.names.append(name)
        return lambda scores: scores[name]

    def _call(self, name: str, depth: int) -> Work:
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise GraderError(f"calculate_output: there is no function {name!r}; known: {known}")
        function, fewest, most = FUNCTIONS[name]
        self._next()
        values = [self.expression(0, depth + 1)]
        while self.token == "," and self.kind == "sign":
            self._next()
            values.append(self.expression(0, depth + 1))
        self._take(")")
        if not fewest <= len(values) <= most:
            raise GraderError(f"calculate_output: {name} takes one value, not {len(values)}")
        return lambda scores: function(*(value(scores) for value in values))


def _binary(sign: str, left: Work, right: Work) -> Work:
    if sign == "+":
        return lambda scores: left(scores) + right(scores)
    if sign == "-":
        return lambda scores: left(scores) - right(scores)
    if sign == "*":
        return lambda scores: left(scores) * right(scores)
    if sign == "/":
        return lambda scores: left(scores) / right(scores)
    return lambda scores: _power(left(scores), right(scores))


def _power(base: float, exponent: float) -> float:
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("a root of a negative number")
    return float(result)
