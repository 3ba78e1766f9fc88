from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fttui.evaluate import expression
from fttui.evaluate.records import GraderError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", 0.5),
        ("0.7 * a + 0.3*b", 0.7 * 0.5 + 0.3 * 2),
        ("1 - 2 - 3", -4),
        ("8 / 2 / 2", 2),
        ("2 ^ 3 ^ 2", 512),
        ("2 ** 3", 8),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("--a", 0.5),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("min(a, b, 3)", 0.5),
        ("max(a, b)", 2),
        ("abs(-3)", 3),
        ("floor(2.7) + ceil(2.1)", 5),
        ("exp(0) + sqrt(9) + log(1)", 4),
        ("1e-1 + .5", 0.6),
    ],
)
def test_a_formula_is_worked_out(text: str, value: float) -> None:
    assert expression.read(text).value({"a": 0.5, "b": 2.0}) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the end where a value is expected"),
        ("a +", "the end where a value is expected"),
        ("a b", "'b' is not expected here"),
        ("(a", "where ')' is expected"),
        ("a ; b", "';' is not part of a formula"),
        ("__import__('os')", "no function '__import__'"),
        ("open(a)", "no function 'open'"),
        ("a.b", "is not part of a formula"),
        ("sqrt(a, b)", "takes one value"),
        ("(" * 100 + "a" + ")" * 100, "nested too deep"),
        ("-" * 500 + "a", "nested too deep"),
        ("a+" * 2000 + "a", "longer than"),
    ],
)
def test_what_is_no_formula_says_where(text: str, why: str) -> None:
    with pytest.raises(GraderError) as found:
        expression.read(text)
    assert why in str(found.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [("1 / a", "division by zero"), ("log(a)", "math domain"), ("exp(10000)", "too large"),
     ("9 ^ 9 ^ 9", "too large"), ("(-1) ^ 0.5", "negative"), ("0 ^ -1", "division by zero")],
)  # fmt: skip
def test_a_result_that_is_no_number_is_an_error(text: str, why: str) -> None:
    with pytest.raises(GraderError) as found:
        expression.read(text).value({"a": 0.0})
    assert why in str(found.value)


def test_the_names_a_formula_uses() -> None:
    assert expression.read("a + min(b, a) * 2").names == ("a", "b")


@given(st.text("ab0123.+-*/^(), minlog", max_size=30))
def test_anything_is_a_formula_or_a_reason(text: str) -> None:
    try:
        read = expression.read(text)
        read.value(dict.fromkeys(read.names, 0.3))
    except GraderError:
        pass
