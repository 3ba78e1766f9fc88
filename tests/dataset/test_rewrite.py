"""Fixes cure what they claim, do nothing twice, and never touch the source; hypothesis finds no crash."""
# ruff: noqa: E501 - tables read better on one line

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fttui.dataset import convert, framing, rewrite, subset
from fttui.dataset.checks import CATALOGUE
from fttui.dataset.formats import read
from fttui.dataset.new_file import new_file
from fttui.dataset.scan import scan
from fttui.dataset.split import split
from fttui.problem import Problem

from .cases import GOOD, ONE, chat, dpo, legacy
from .conftest import as_bytes

SAFE = {code for code, check in CATALOGUE.items() if check.fix_kind == "safe"}


def fixed(path: Path, name: str, **options: Any) -> Path:
    output = path.with_name(name)
    rewrite.fix(path, output, **options)
    return output


@pytest.mark.parametrize(("code", "kind", "line", "path"), ONE, ids=[case[0] for case in ONE])
def test_safe_fixes_cure_and_are_idempotent(
    tmp_path: Path, code: str, kind: str, line: Any, path: str
) -> None:
    source = tmp_path / "data.jsonl"
    lines: list[Any] = [GOOD[kind](i) for i in range(1, 13)]
    lines[5] = line
    source.write_bytes(as_bytes(lines))
    before = source.read_bytes()
    once = fixed(source, "once.jsonl")
    twice = fixed(once, "twice.jsonl")
    assert source.read_bytes() == before
    assert once.read_bytes() == twice.read_bytes()
    report = scan(once, cached=False, workers=0)
    assert not [f for f in report.findings if f.code in SAFE and f.fix], code
    if code in SAFE:
        assert once.read_bytes() != before


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("F010", b"\xef\xbb\xbf" + as_bytes([chat(1)])),
        ("F011", as_bytes([chat(1), chat(2)]).decode().encode("utf-16")),
        ("F014", as_bytes([chat(1), chat(2)]).replace(b"\n", b"\r\n")),
        ("F015", as_bytes([chat(1), chat(2)]).replace(b"\n", b"\r")),
        ("F016", as_bytes([chat(1), chat(2)])[:-1]),
        ("F020", json.dumps([chat(1), chat(2)]).encode()),
        ("F021", b"\n".join(json.dumps(chat(i), indent=1).encode() for i in range(3))),
        (
            "L006",
            as_bytes([legacy(i) | {"prompt": f"Tell me {chr(97 + i) * 3}"} for i in range(12)]),
        ),
        (
            "L007",
            as_bytes([legacy(i) | {"completion": f" sells {chr(97 + i) * 3}"} for i in range(12)]),
        ),
    ],
)
def test_framing_is_put_right(tmp_path: Path, code: str, content: bytes) -> None:
    source = tmp_path / "data.jsonl"
    source.write_bytes(content)
    assert code in scan(source, cached=False).counts
    once = fixed(source, "once.jsonl")
    report = scan(once, cached=False)
    assert code not in report.counts
    assert report.examples >= 1
    assert fixed(once, "twice.jsonl").read_bytes() == once.read_bytes()


@pytest.mark.parametrize("code", sorted(rewrite.ON_REQUEST - {"F017", "F018", "L011"}))
def test_fixes_on_request(tmp_path: Path, code: str) -> None:
    _, kind, line, _ = next(case for case in ONE if case[0] == code)
    source = tmp_path / "data.jsonl"
    lines: list[Any] = [GOOD[kind](i) for i in range(1, 13)]
    lines[5] = line
    source.write_bytes(as_bytes(lines))
    assert code in scan(fixed(source, "safe.jsonl"), cached=False).counts
    once = fixed(source, "asked.jsonl", also=frozenset({code}))
    assert code not in scan(once, cached=False).counts


def test_every_fix_on_request_is_known() -> None:
    asked = {code for code, check in CATALOGUE.items() if check.fix_kind == "ask"}
    assert asked - rewrite.ON_REQUEST == rewrite.CONVERTED


def test_a_cut_line_is_dropped_on_request(tmp_path: Path) -> None:
    source = tmp_path / "data.jsonl"
    source.write_bytes(as_bytes([chat(1), chat(2)])[:-30])
    assert fixed(source, "safe.jsonl").read_bytes().count(b"\n") == 2
    assert fixed(source, "asked.jsonl", also=frozenset({"F017"})).read_bytes() == as_bytes(
        [chat(1)]
    )


def test_archives_only_on_request(tmp_path: Path) -> None:
    source = tmp_path / "data.jsonl"
    source.write_bytes(gzip.compress(as_bytes([chat(1)])))
    with pytest.raises(Problem):
        fixed(source, "no.jsonl")
    assert not (tmp_path / "no.jsonl").exists()
    assert fixed(source, "yes.jsonl", also=frozenset({"F018"})).read_bytes() == as_bytes([chat(1)])


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "data.jsonl"
    source.write_bytes(as_bytes([chat(1)]))
    for taken in (source, tmp_path):
        with pytest.raises(Problem):
            rewrite.fix(source, taken)
    assert list(tmp_path.iterdir()) == [source]


def test_numbers_and_doubled_keys_survive(tmp_path: Path) -> None:
    source = tmp_path / "data.jsonl"
    twice = b'{"messages": [{"role": "User", "role": "user", "content": "x"}]}'
    large = b'{"messages": [{"role": "User", "content": "x"}], "n": 123456789012345678901234567890}'
    source.write_bytes(twice + b"\n" + large + b"\n")
    lines = fixed(source, "out.jsonl", only=frozenset({"M006"})).read_bytes().splitlines()
    assert lines[0] == twice
    assert b"123456789012345678901234567890" in lines[1]
    assert b'"user"' in lines[1]


def test_split_is_stratified_leak_free_and_the_same_each_time(tmp_path: Path) -> None:
    lines = [chat(i, "spam" if i % 4 else "ham") for i in range(200)] + [
        chat(i, "spam" if i % 4 else "ham") for i in range(40)
    ]
    source = tmp_path / "data.jsonl"
    source.write_bytes(as_bytes(lines))
    halves = split(source, tmp_path / "t.jsonl", tmp_path / "v.jsonl", fraction=0.25, seed=3)
    split(source, tmp_path / "t2.jsonl", tmp_path / "v2.jsonl", fraction=0.25, seed=3)
    assert (tmp_path / "t.jsonl").read_bytes() == (tmp_path / "t2.jsonl").read_bytes()
    assert halves.train + halves.validation == 240
    assert halves.classes == {"ham": (15, 60), "spam": (45, 180)}
    report = scan(tmp_path / "t.jsonl", validation=tmp_path / "v.jsonl", cached=False)
    assert report.validation is not None
    assert not {"X001", "X002", "X003"} & report.validation.counts.keys()
    split(source, tmp_path / "t3.jsonl", tmp_path / "v3.jsonl", n=10, seed=4)
    assert 8 <= len((tmp_path / "v3.jsonl").read_bytes().splitlines()) <= 10


def test_sample_and_drop(tmp_path: Path) -> None:
    source = tmp_path / "data.jsonl"
    source.write_bytes(as_bytes([chat(i) for i in range(20)]))
    assert subset.sample(source, tmp_path / "s.jsonl", 5, seed=1).lines == 5
    subset.drop(source, tmp_path / "d.jsonl", [1, 20])
    assert (tmp_path / "d.jsonl").read_bytes() == as_bytes([chat(i) for i in range(1, 19)])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'prompt,completion\n"a, b","c"\n', "a.csv"),
        (b"question\tanswer\na, b\tc\n", "a.tsv"),
        (b'[{"prompt": "a, b", "completion": " c"}]', "a.json"),
        (b'{"instruction": "a, b", "input": "", "output": "c"}\n', "a.jsonl"),
        (
            b'{"conversations": [{"from": "human", "value": "a, b"}, {"from": "gpt", "value": "c"}]}\n',
            "a.jsonl",
        ),
        (b'{"question": "a, b", "answer": "c"}\n', "a.jsonl"),
        (  # a table of Weights & Biases, as its OpenAI integration logs a training file
            b'{"columns":["role: system","role: user","role: assistant"],'
            b'"data":[["Be kind.","a, b","c"]],"ncols":3,"nrows":1}',
            "train_data.table.json",
        ),
        (  # a labelled dataset of LlamaIndex, as its save_json writes it
            b'{\n "examples": [\n  {\n   "query": "a, b",\n   "query_by": {"type": "ai"},\n'
            b'   "reference_contexts": ["d"],\n   "reference_answer": "c"\n  }\n ]\n}',
            "rag.json",
        ),
    ],
)
def test_shapes_become_chat(tmp_path: Path, content: bytes, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    done = convert.convert(source, tmp_path / "out.jsonl", system="Be kind.")
    assert done.written == 1
    looked = convert.convert(source, None, system="Be kind.")
    assert (looked.written, looked.shapes, looked.preview) == (1, done.shapes, done.preview)
    assert list(tmp_path.glob("*out*")) == [tmp_path / "out.jsonl"]
    said = json.loads((tmp_path / "out.jsonl").read_text())
    assert said["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "a, b"},
        {"role": "assistant", "content": "c"},
    ]


def test_two_answers_become_preference(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_bytes(
        as_bytes(
            [
                {"prompt": "Say 1", "chosen": "Good 1.", "rejected": "Poor 1."},
                {**chat(3), "rejected": "No."},
                chat(1),
            ]
        )
    )
    assert convert.likely(source) == "preference"
    done = convert.convert(source, tmp_path / "out.jsonl", to=convert.likely(source))
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert (done.written, done.skipped, done.first_skipped) == (2, 1, [3])
    assert lines[0] == dpo(1)
    assert lines[1]["preferred_output"][0]["content"] == "It is 6."


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8), st.sampled_from(["user", "assistant", "tool", "{}", "[1]", "c1"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["messages", "role", "content", "weight", "name", "tool_calls", "tool_call_id", "function", "arguments", "type", "id", "tools", "functions", "parameters", "properties", "required", "enum", "image_url", "url", "detail", "text", "input", "preferred_output", "non_preferred_output", "prompt", "completion", "function_call", "parallel_tool_calls", "items", "refusal"]),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=25,
)  # fmt: skip
LINES = st.lists(
    st.one_of(
        VALUES.map(json.dumps).map(str.encode),
        st.binary(max_size=40),
        st.text(max_size=40).map(lambda t: t.encode("utf-8", "surrogatepass")),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(lines=LINES, also=st.sampled_from([frozenset(), frozenset(CATALOGUE)]))
def test_nothing_crashes(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], also: frozenset[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    source = folder / "data.jsonl"
    source.write_bytes(b"\n".join(lines))
    for line in lines:
        read(line).turns()
    report = scan(source, cached=False, workers=0, validation=source)
    json.dumps(report.as_dict())
    assert sum(report.counts.values()) >= len({f.code for f in report.findings})
    for change in (
        lambda out: rewrite.fix(source, out, also=also),
        lambda out: convert.convert(source, out),
        lambda out: split(source, out, out.with_suffix(".v")),
    ):
        try:
            change(folder / "out.jsonl")
        except Problem:
            continue
        if change.__code__.co_names[0] == "rewrite":
            first = (folder / "out.jsonl").read_bytes()
            again = list(framing.lines(folder / "out.jsonl", Counter())) if first.strip() else []
            assert (
                b"".join(line + b"\n" for line in again) == first
                or b"\r" in first
                or not first.strip()
            )
        for path in (folder / "out.jsonl", folder / "out.v"):
            path.unlink(missing_ok=True)


def test_no_output_reads_as_an_array(tmp_path: Path) -> None:
    source = tmp_path / "data.jsonl"
    source.write_bytes(b"\x0b\n[]\n")
    with pytest.raises(Problem, match="not written"):
        rewrite.fix(source, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_no_output_begins_with_the_mark_of_another_encoding(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with pytest.raises(Problem, match="not written"), new_file(out) as file:
        file.write(b"\xff\xfe{}\n")
    assert list(tmp_path.iterdir()) == []  # nothing half-written is left


MIXED = [
    data
    for _, kind, line, _ in ONE
    if kind == "chat" and len(data := as_bytes([line])[:-1]) < 5_000
]


def test_a_line_with_a_key_twice_is_a_repeat_as_the_check_says(tmp_path: Path) -> None:
    """J004 is only mended on request; what the check calls the same as an earlier line still goes."""
    good = as_bytes([chat(1)])[:-1]
    twice = b'{"messages": [], ' + good[1:]
    source = tmp_path / "data.jsonl"
    for lines in ([twice, good], [twice, twice], [good, twice]):
        source.write_bytes(b"\n".join(lines))
        once = fixed(source, f"{lines.index(good) if good in lines else 2}.jsonl")
        assert once.read_bytes() == lines[0] + b"\n"
        assert not [f for f in scan(once, cached=False, workers=0).findings if f.code == "Q001"]


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    lines=st.lists(st.sampled_from(MIXED) | st.sampled_from([as_bytes([chat(1)])[:-1], b""])),
    end=st.sampled_from([b"\n", b"\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    also=st.sampled_from([frozenset(), frozenset({"Q001", "M022", "M017", "Q009"})]),
)
def test_a_fixed_file_stays_fixed(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
    end: bytes,
    mark: bytes,
    also: frozenset[str],
) -> None:
    """Whatever is wrong together: a second run changes nothing, and nothing a fix claims to cure is left."""
    source = tmp_path_factory.mktemp("mixed") / "data.jsonl"
    source.write_bytes(mark + end.join(lines))
    try:
        once = fixed(source, "once.jsonl", also=also)
    except Problem:
        return
    twice = fixed(once, "twice.jsonl", also=also) if once.stat().st_size else once
    assert once.read_bytes() == twice.read_bytes()
    report = scan(once, cached=False, workers=0)
    left = [f for f in report.findings if f.fix and (f.code in SAFE or f.code in also)]
    assert not left, left
