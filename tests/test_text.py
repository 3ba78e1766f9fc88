from hypothesis import given
from hypothesis import strategies as st

from fttui.text import clean, duration, one_line, plural, size


def test_escape_codes_are_shown_not_obeyed() -> None:
    assert clean("\x1b[31mred\x07") == "␛[31mred␇"
    assert clean("a\u202eb\ud800c") == "a<202E>b<D800>c"
    assert clean("tab\tend\r\nline\rover") == "tab    end\nline␍over"


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    kept = clean(text)
    assert not any((ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) <= 0x9F for c in kept)
    kept.encode("utf-8")  # no lone surrogate is left


@given(st.text(), st.integers(2, 40))
def test_one_line_is_one_line_of_the_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line


def test_numbers_as_people_read_them() -> None:
    assert plural(1, "error") == "1 error"
    assert plural(1204, "error") == "1,204 errors"
    assert size(2_100_000) == "2.1 MB"
    assert [duration(s) for s in (4, 200, 7500, 273_600)] == ["4s", "3m 20s", "2h 05m", "3d 4h"]
