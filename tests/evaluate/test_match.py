import pytest

from fttui.evaluate import match


@pytest.mark.parametrize(
    ("answer", "expected", "same"),
    [
        ('{"a": 1, "b": [true]}', '{"b":[true],"a":1}', True),
        ('```json\n{"a": 1}\n```', '{"a": 1}', True),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": 1}', '{"a": 1.5}', False),
        ('{"a": 1} and more', '{"a": 1}', False),
        ("", '{"a": 1}', False),
        ('{"a": NaN}', '{"a": NaN}', False),
        ("[" * 100_000, "[]", False),
    ],
)
def test_json_is_compared_by_value(answer: str, expected: str, same: bool) -> None:
    assert match.json_equal(answer, expected) is same


def test_json_is_expected_only_of_objects_and_arrays() -> None:
    assert match.expects_json('{"a": 1}')
    assert match.expects_json("[]")
    assert not match.expects_json("42")
    assert not match.expects_json("yes")


def test_plain_answers_are_compared_to_the_letter() -> None:
    assert match.matches(" Paris ", "Paris")
    assert not match.matches("paris", "Paris")
    assert match.normalised("ＰＡＲＩＳ  city", "paris city")
    assert match.matches('{ "a":1 }', '{"a": 1}')
