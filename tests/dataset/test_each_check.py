"""Every check finds its smallest bad example at the right place, and is silent on good ones."""
# ruff: noqa: E501 - tables read better on one line

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import Any

import pytest

from fttui.dataset.checks import CATALOGUE
from fttui.dataset.target import AZURE, OPENAI

from .cases import GOOD, ONE, A, S, U, chat, dpo, image, legacy, msgs, png, rft, uri
from .test_files import MEANWHILE, PLACES


def good(kind: str) -> list[Any]:
    return [GOOD[kind](i) for i in range(1, 13)]


@pytest.mark.parametrize(("code", "kind", "line", "path"), ONE, ids=[case[0] for case in ONE])
def test_one_bad_line(check: Any, code: str, kind: str, line: Any, path: str) -> None:
    lines = good(kind)
    assert code not in check(lines).counts
    lines[5] = line
    report = check(lines)
    found = report.of(code)
    assert [(f.line, f.path) for f in found][:1] == [(6, path)]
    assert report.rows[5].severity or code in ("J003", "F024")
    assert found[0].severity in ("error", "warning", "note")
    assert code not in check(lines, muted=frozenset({code})).counts


LABELS = [
    msgs(U | {"content": f"Ticket number {i}"}, A | {"content": "spam" if i % 9 else "ham"})
    for i in range(60)
]
LONG = " It goes on and on with a great many words until it is finished." * 5

# Whole files: code, content, line, options.
WHOLE: list[tuple[str, Any, int, dict[str, Any]]] = [
    ("F005", b"\n  \n", 0, {}),
    ("F006", good("chat"), 0, {"target": replace(OPENAI, upload_limit=10)}),
    ("F007", good("chat"), 0, {"name": "data.txt"}),
    ("F010", b"\xef\xbb\xbf" + b'{"messages": []}\n', 1, {}),
    ("F011", '{"messages": []}\n'.encode("utf-16-le") * 5, 0, {}),
    ("F014", b'{"messages": []}\r\n' * 3, 1, {}),
    ("F015", b'{"messages": []}\r' * 3, 1, {}),
    ("F016", b'{"messages": []}\n{"messages": []}', 2, {}),
    ("F017", b'{"messages": []}\n{"messages": [{"role": "us', 2, {}),
    ("F018", gzip.compress(b'{"messages": []}\n'), 0, {}),
    ("F019", b"PAR1" + bytes(40), 1, {}),
    ("F020", b'[{"messages": []}, {"messages": []}]', 1, {}),
    ("F021", b'{\n "messages": []\n}\n{\n "messages": []\n}\n', 1, {}),
    ("F022", b"prompt,completion\na,b\n", 1, {}),
    ("S003", good("chat"), 0, {"target": replace(OPENAI, method="dpo")}),
    ("S005", [chat(1)], 0, {}),
    ("S006", good("rft"), 0, {"target": replace(OPENAI, max_reinforcement=5)}),
    ("S007", [{"messages": rft(i)["messages"]} for i in range(12)], 0, {}),
    ("M021", good("rft")[:0] + [msgs({"role": "developer", "content": "x"}, U, A)] * 2, 1, {"target": replace(OPENAI, model="gpt-4.1-mini")}),
    ("V010", [image(uri(png()))] * 3, 0, {"target": replace(OPENAI, max_image_examples=2)}),
    ("V012", [image(uri(png()))] * 3, 1, {"target": replace(OPENAI, model="gpt-4.1-nano", vision=False)}),
    ("P013", [dpo(i, "A much longer answer", "Short") for i in range(25)], 0, {}),
    ("R003", [{"messages": rft(i)["messages"]} for i in range(12)], 0, {}),
    ("R007", good("rft"), 0, {"target": replace(OPENAI, method="reinforcement")}),
    ("R005", [*good("rft"), {"messages": rft(1)["messages"]}], 13, {"target": replace(OPENAI, grader="{{item.answer}}")}),
    ("L006", [legacy(i) | {"prompt": f"Tell me {chr(97 + i) * 3}"} for i in range(12)], 0, {}),
    ("L007", [legacy(i) | {"completion": f" sells {chr(97 + i) * 3}"} for i in range(12)], 0, {}),
    ("L008", [legacy(i) | {"prompt": f"a\n\n###\n\nb{i}\n\n###\n\n"} for i in range(12)], 0, {}),
    ("L009", [legacy(i) | {"prompt": f"{'The very same long beginning of a prompt '}{chr(97 + i)}\n\n###\n\n"} for i in range(12)], 0, {}),
    ("L010", [legacy(i) | {"completion": f" The answer to that is {chr(97 + i)} END"} for i in range(12)], 0, {}),
    ("L011", [legacy(i) | {"completion": f" SELLS {chr(65 + i)} END"} for i in range(12)], 0, {}),
    ("L012", [legacy(i) | {"completion": " yes END"} for i in range(12)], 0, {}),
    ("L015", [legacy(i) | {"completion": " yes" if i % 2 else " no"} for i in range(12)], 0, {}),
    ("K006", [chat(i) for i in range(150)] + [chat(200, "word " * 900)], 151, {}),
    ("Q004", [chat(i, "The very same long answer to every one of these questions." if i % 2 else f"Other {i}.") for i in range(40)], 2, {}),
    ("Q005", LABELS, 0, {}),
    ("Q006", [chat(i, f"I'm sorry, but I can't help with {i}." if i % 3 == 0 else f"Fine {i}.") for i in range(30)], 1, {}),
    ("Q011", [chat(i, f"{i}{LONG}") for i in range(40)] + [chat(99, f"99{LONG} and then the")], 41, {}),
    ("Q013", [chat(i, f'{{"label": {i}}}') for i in range(40)] + [chat(99, "nine")], 41, {}),
    ("Q014", [msgs(U | {"content": f"Please tell me about the number {i}."}, A | {"content": f"The answer to number {i} is rather long, in words."}) for i in range(40)] + [msgs(U | {"content": "Please tell me about this number."}, A | {"content": "Это довольно длинный ответ на русском языке"})], 41, {}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "content", "line", "options"), WHOLE, ids=[c[0] for c in WHOLE])
def test_whole_file(check: Any, code: str, content: Any, line: int, options: Any) -> None:
    report = check(content, **options)
    assert [f.line for f in report.of(code)][:1] == [line]


def test_azure_differs(check: Any) -> None:
    lines = [*good("chat"), msgs(U, A, A), image("https://e.org/a.png", 12)]
    here, there = check(lines), check(lines, target=AZURE)
    assert here.of("M020")[0].severity == "warning"
    assert there.of("M020")[0].severity == "error"
    assert "V006" in here.counts
    assert "V006" not in there.counts
    bom = b"\xef\xbb\xbf" + b'{"messages": []}\n'
    assert "F010" not in check(bom, target=AZURE).counts


BETWEEN = {"X001", "X002", "X003", "X004", "X005", "X007"}  # what `test_two_files` asserts


def test_two_files(check: Any, tmp_path: Any) -> None:
    from .conftest import as_bytes

    other = tmp_path / "validation.jsonl"
    other.write_bytes(as_bytes([chat(1), chat(2, "Four?"), chat(3, "It  is 6"), legacy(1)]))
    report = check(good("chat"), validation=other)
    assert report.validation is not None
    places = {f.code: f.line for f in report.validation.findings}
    assert {"X001": 1, "X002": 2, "X003": 3, "X005": 0}.items() <= places.items()
    other.write_bytes(as_bytes([rft(i) for i in range(12)]))
    report = check(good("chat"), validation=other)
    assert report.validation is not None
    assert "X004" in report.validation.counts
    other.write_bytes(
        as_bytes(
            [
                LABELS[1],
                *[msgs(U | {"content": f"T {i}"}, A | {"content": "offer"}) for i in range(9)],
            ]
        )
    )
    report = check(LABELS, validation=other)
    assert report.validation is not None
    assert "X007" in report.validation.counts


def test_no_check_is_without_a_test() -> None:
    """Every code has a case in a table whose test asserts that very code at its place."""
    cases = (*ONE, *WHOLE, *PLACES, *MEANWHILE)
    assert {case[0] for case in cases} | BETWEEN == CATALOGUE.keys()


def test_good_files_have_nothing(check: Any) -> None:
    for kind in GOOD:
        report = check(good(kind))
        assert (report.verdict, report.findings) == ("ok", []), kind
    report = check(
        [
            msgs(
                S,
                {**U, "content": f"Q {i}"},
                {**A, "weight": i % 2},
                {**U, "content": "And?"},
                {**A, "content": f"No {i}."},
            )
            for i in range(12)
        ]
    )
    assert report.findings == []
