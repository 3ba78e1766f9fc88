"""Looking only where something may be finds the same as looking everywhere."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fttui.dataset.checks import suspects, text
from fttui.dataset.checks.answers import BETWEEN
from fttui.dataset.checks.context import Context

EVERY: list[text.Search] = [
    *(("mail address", text.MAIL), ("M025", text.SPECIAL), ("Q010", text.PLACEHOLDER)),
    *(("IBAN", text.IBAN), (text.ODD_MARK, text.ODD_ONE)),
    *(search for search in text.SECRETS),
    *text.NUMBERS,
]
PIECES = [
    *(
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "378282246310005",
        "123-45-6789",
        "666-12-3456",
    ),
    *("+1 415 555 2671", "+49 (30) 901820 10", "(415) 555-2671", "415-555-2671", "415.555.2671"),
    *("(415)555.2671", "(415) 555 2671", "415.555-2671", "lorem ipsum", "rem ipsum"),
    *("8.8.8.8", "192.0.2.44", "256.1.1.1", "1.2.3.4.5", "GB29 NWBK 6016 1331 9268 19"),
    *("DE89370400440532013000", "sk-" + "a1B" * 9, "AKIA" + "Q" * 16, "ghp_" + "x1" * 20),
    *("github_pat_" + "x1" * 22, "xoxb-1234567890123", "AIza" + "b" * 35, "a@b.co"),
    *("x.y+z@mail.example.org", "-----BEGIN RSA PRIVATE KEY-----", "{{name}}", "[INSERT x]"),
    *("[Your name]", "TODO", "TBD", "Lorem ipsum", "<YOUR NAME>", "<|im_end|>", "\u200b", "\x07"),
    *(
        "Ã©",
        "â€™",
        "\ufeff",
        "\x85",
        "@",
        ".",
        "x",
        " ",
        "-",
        "+",
        "(",
        "1",
        "12",
        "A",
        "é",
        "_",
        "\n",
    ),
]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), max_size=6)


def found(order: list[tuple[str, bool]], searches: list[text.Search]) -> list[Any]:
    context = Context()
    text.check_texts(order, searches, context)
    return sorted({(code, message) for code, _, _, _, message, *_ in context.kept})


def found_in(orders: list[list[tuple[str, bool]]]) -> list[list[Any]]:
    """What is found in each example by searching only where something may be."""
    likely = suspects.suspects(
        [BETWEEN.join([b"", *[said.encode() for said, _ in order]]) for order in orders]
    )
    result: list[list[Any]] = []
    for number, order in enumerate(orders):
        each = [
            found([order[n - 1] for n in numbers], [search])
            for search, numbers in likely.get(number, {}).items()
        ]
        result.append(sorted({one for some in each for one in some}))
    return result


@settings(deadline=None, max_examples=400)
@given(examples=st.lists(TEXTS, max_size=4))
def test_nothing_is_missed(examples: list[list[str]]) -> None:
    orders = [[(said, i % 2 == 1) for i, said in enumerate(texts)] for texts in examples]
    assert found_in(orders) == [found(order, EVERY) for order in orders]


def test_every_piece_by_itself() -> None:
    for piece in PIECES:
        orders = [[], [("", False), (f"See {piece} here", True)], [("", True)]]
        assert found_in(orders) == [found(order, EVERY) for order in orders], piece


def test_what_stands_before_a_number_counts() -> None:
    for said in ("x4111 1111 1111 1111", "0.4111111111111111", "v1.192.0.2.44", "asks-" + "a" * 30):
        assert found([(said, True)], EVERY) == []
