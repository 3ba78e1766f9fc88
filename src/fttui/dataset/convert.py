"""Other shapes to chat JSONL, and answers in pairs to preference JSONL. Always into a new file."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from fttui.dataset import framing
from fttui.dataset.checks import file as file_checks
from fttui.dataset.checks.messages import likely_role
from fttui.dataset.formats import recognise
from fttui.dataset.new_file import new_file
from fttui.dataset.rewrite import PREVIEW, watched
from fttui.dataset.syntax import dump, load
from fttui.dataset.syntax import repair as repair_line
from fttui.dataset.target import OPENAI
from fttui.problem import Problem

csv.field_size_limit(64_000_000)
Row = dict[str, Any]

# Column names for the three parts of an example, the likeliest first.
QUESTION = (
    "prompt",
    "question",
    "instruction",
    "input",
    "query",
    "user",
    "source",
    "text",
    "title",
)
ANSWER = (
    "completion",
    "answer",
    "output",
    "response",
    "assistant",
    "reply",
    "target",
    "label",
    "category",
    "ideal",
    "reference_answer",
)
SYSTEM = ("system", "system_prompt", "context")
ROLE_COLUMN = "role:"  # "role: user": how a Weights & Biases table of a training file names it
_BEFORE = b"\xef\xbb\xbf \t\r\n"  # what may stand before an object: a mark, blanks
FIRST = 50  # rows that say what a file holds
WHOLE_BYTES = 1 << 29  # a file that is one JSON object is read whole, up to here


@dataclass(slots=True)
class Converted:
    """What a conversion wrote, and the rows it could make nothing of (first twenty, by number)."""

    written: int = 0
    skipped: int = 0
    first_skipped: list[int] = field(default_factory=list)
    shapes: Counter[str] = field(default_factory=Counter)
    preview: list[tuple[int, Row, Row]] = field(
        default_factory=list
    )  # the first: number, before, after


def convert(
    source: Path,
    output: Path | None,
    *,
    to: str = "chat",
    system: str = "",
    on_progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Converted:
    """Write `source` (JSONL of any known shape, a JSON array, CSV, TSV, Parquet, a table
    of Weights & Biases, a labelled dataset of LlamaIndex) as `to` JSONL; output None only looks.

    to: "chat" or "preference". system: a system prompt put first where a row brings none. Rows that fit
    no shape are counted and left out. on_progress gets the rows looked at so far.
    """
    done = Converted()
    made = _converted(watched(rows(source), on_progress, cancelled), done, to, system)
    if output is None:
        for _ in made:
            pass
        _refuse_nothing(source, done, to)
        return done
    with new_file(output, instead_of=(source,)) as file:
        for example in made:
            file.write(dump(example) + b"\n")
        _refuse_nothing(source, done, to)
    return done


def _converted(
    numbered: Iterator[tuple[int, Row | None]], done: Converted, to: str, system: str
) -> Iterator[Row]:
    """The examples the rows make; `done` grows."""
    turn: Callable[[Row, str], tuple[str, Row | None]] = preference if to == "preference" else chat
    for number, row in numbered:
        shape, example = turn(row, system) if row is not None else ("", None)
        if example is None:
            done.skipped += 1
            if len(done.first_skipped) < 20:
                done.first_skipped.append(number)
            continue
        done.written += 1
        done.shapes[shape] += 1
        if len(done.preview) < PREVIEW:
            done.preview.append((number, row or {}, example))
        yield example


def _refuse_nothing(source: Path, done: Converted, to: str) -> None:
    if not done.written:
        raise Problem(
            f"nothing in {source} could be converted to {to}",
            f"{done.skipped:,} rows of no known shape",
            "rename the columns to prompt and completion"
            if to == "chat"
            else "rows need prompt, chosen and rejected",
            code="S001",
        )


def likely(source: Path) -> str:
    """What a file is best turned into: "preference" where most of its first rows hold two answers."""
    first = [row for _, row in islice(rows(source), FIRST) if row is not None]
    pairs = sum(preference(row)[1] is not None for row in first)
    return "preference" if 2 * pairs > len(first) else "chat"


def rows(source: Path) -> Iterator[tuple[int, Row | None]]:
    """(number from 1, row) of any readable file; None for a row that cannot be read."""
    opened = file_checks.open_file(os.fspath(source), OPENAI)
    head = opened.head
    if opened.fd >= 0:
        os.close(opened.fd)
    codes = {found.code: found.message for found in opened.found}
    if "Parquet" in codes.get("F019", ""):
        yield from _parquet(source)
    elif "F022" in codes or source.suffix.lower() in (".csv", ".tsv"):
        if opened.fd < 0:
            raise framing.problem(source, opened)
        yield from _table(source, head)
    elif (whole := _whole(source, head)) is not None:
        yield from enumerate(whole, 1)
    else:
        for number, raw in enumerate(framing.lines(source, Counter(), also=frozenset({"F018"})), 1):
            if raw.strip():
                yield number, _line(raw)


def _whole(source: Path, head: bytes) -> list[Row | None] | None:
    """The rows of a file that is one JSON object: a table of Weights & Biases (columns and data), or
    a labelled dataset of LlamaIndex (examples). None where it is something else."""
    if source.suffix.lower() != ".json" or not head.lstrip(_BEFORE).startswith(b"{"):
        return None
    if source.stat().st_size > WHOLE_BYTES:
        return None
    obj = load(source.read_bytes().lstrip(_BEFORE))
    if obj is None:
        return None
    columns, data, examples = obj.get("columns"), obj.get("data"), obj.get("examples")
    if type(columns) is list and type(data) is list:
        return [
            dict(zip(map(str, columns), row, strict=False)) if type(row) is list else None
            for row in data
        ]
    if type(examples) is list:
        return [row if type(row) is dict else None for row in examples]
    return None


def _line(raw: bytes) -> Row | None:
    obj = load(raw)
    if obj is not None:
        return obj
    lines, codes = repair_line(raw, frozenset())
    return load(lines[0]) if codes and len(lines) == 1 else None


def _table(source: Path, head: bytes) -> Iterator[tuple[int, Row | None]]:
    first = head.lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace")
    separator = max((",", "\t", ";"), key=first.count)
    with open(source, encoding="utf-8-sig", errors="replace", newline="") as file:
        clean = (line.replace("\0", "") for line in file)
        try:
            for number, row in enumerate(csv.DictReader(clean, delimiter=separator), 2):
                yield (
                    number,
                    {
                        str(k): v
                        for k, v in row.items()
                        if isinstance(k, str) and isinstance(v, str)
                    },
                )
        except csv.Error as failure:
            raise Problem(
                f"{source} is no readable table", str(failure), "save it again as CSV", code="F022"
            ) from failure


def _parquet(source: Path) -> Iterator[tuple[int, Row | None]]:
    try:
        import pyarrow.parquet as parquet  # type: ignore[import-not-found, unused-ignore]
    except ImportError as failure:
        raise Problem(
            f"{source} is a Parquet file",
            "reading it takes pyarrow, which is not installed",
            "pip install pyarrow",
            code="F019",
        ) from failure
    number = 0
    try:
        for batch in parquet.ParquetFile(source).iter_batches(1_000):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except OSError as failure:
        raise Problem(
            f"{source} cannot be read", str(failure), "write the Parquet file again", code="F019"
        ) from failure


def chat(row: Row, system: str = "") -> tuple[str, Row | None]:
    """(name of the shape, chat example) of a row, None when it has no known shape."""
    if type(row.get("messages")) is list and row["messages"]:
        return "chat", {
            k: row[k] for k in ("messages", "tools", "parallel_tool_calls", "functions") if k in row
        }
    kind, _ = recognise(row)
    if kind == "preference":
        return "preference", _chosen(row)
    talk = row.get("conversations", row.get("conversation"))
    if type(talk) is list:
        return "ShareGPT", _talk(talk, row, system)
    body = row.get("body")
    if type(body) is dict and type(body.get("messages")) is list:
        return "Batch API", None  # requests have no answer to learn
    low = {str(key).strip().lower(): value for key, value in row.items()}
    if any(key.startswith(ROLE_COLUMN) for key in low):
        return "W&B table", _roles(low, system)
    return _columns(low, system)


def _roles(low: Row, system: str) -> Row | None:
    """A row whose columns are messages: "role: system", "role: user", "role: assistant"."""
    messages = [
        {"role": role, "content": value}
        for key, value in low.items()
        if key.startswith(ROLE_COLUMN)
        and isinstance(value, str)
        and (role := likely_role(key.removeprefix(ROLE_COLUMN).strip()))
    ]
    return _with_system(messages, system) if messages else None


def _talk(talk: list[Any], row: Row, system: str) -> Row | None:
    messages = []
    for turn in talk:
        if type(turn) is not dict:
            return None
        role = likely_role(turn.get("from", turn.get("role")))
        text = turn.get("value", turn.get("content"))
        if not role or not isinstance(text, str):
            return None
        messages.append({"role": role, "content": text})
    first = row.get("system") if isinstance(row.get("system"), str) else system
    return _with_system(messages, first or "") if messages else None


def _columns(low: Row, system: str) -> tuple[str, Row | None]:
    if isinstance(low.get("instruction"), str):
        question = low["instruction"]
        if isinstance(low.get("input"), str) and low["input"].strip():
            question = f"{question}\n\n{low['input']}"
        answer, shape = _first(low, ("output", "response", "completion", "answer")), "Alpaca"
    else:
        names = [name for name in QUESTION if isinstance(low.get(name), str)]
        question = low[names[0]] if names else None
        answer = _first(low, ANSWER)
        shape = f"{names[0]}/answer" if names else ""
    if (
        not isinstance(question, str)
        or answer is None
        or not question.strip()
        or not answer.strip()
    ):
        return "", None
    messages = [
        {"role": "user", "content": question.strip()},
        {"role": "assistant", "content": answer.strip()},
    ]
    return shape, _with_system(messages, _first(low, SYSTEM) or system)


def _first(low: Row, names: tuple[str, ...]) -> str | None:
    for name in names:
        value = low.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
    return None


def _with_system(messages: list[Row], system: str) -> Row:
    if system and messages[0]["role"] not in ("system", "developer"):
        messages = [{"role": "system", "content": system}, *messages]
    return {"messages": messages}


def _chosen(row: Row) -> Row | None:
    shape, pair = preference(row)
    if pair is None or not shape:
        return None
    return {"messages": [*pair["input"]["messages"], *pair["preferred_output"]]}


def preference(row: Row, system: str = "") -> tuple[str, Row | None]:
    """(name of the shape, preference example) of a row that holds two answers, None otherwise."""
    good = _answer(row, ("preferred_output", "preferred_completion", "chosen", "preferred"))
    bad = _answer(
        row, ("non_preferred_output", "non_preferred_completion", "rejected", "non_preferred")
    )
    asked = _asked(row)
    if (
        type(row.get("messages")) is list
        and asked
        and bad
        and not good
        and asked[-1].get("role") == "assistant"
    ):
        asked, good = asked[:-1], asked[-1]
    if not good or not bad or not asked:
        return "", None
    if asked[-1:] == [good]:
        asked = asked[:-1]
    inner = row.get("input")
    source: Row = inner if type(inner) is dict else {}
    conversation = _with_system(asked, system)["messages"]
    return "two answers", {
        "input": {**source, "messages": conversation},
        "preferred_output": [good],
        "non_preferred_output": [bad],
    }


def _answer(row: Row, names: tuple[str, ...]) -> Row | None:
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return {"role": "assistant", "content": value}
        if type(value) is list and value and type(value[-1]) is dict:
            last: Row = value[-1]
            return last
    return None


def _asked(row: Row) -> list[Row]:
    source = row.get("input")
    value = (
        source.get("messages") if type(source) is dict else row.get("messages", row.get("prompt"))
    )
    if isinstance(value, str) and value.strip():
        return [{"role": "user", "content": value}]
    if type(value) is list and value and all(type(m) is dict and "role" in m for m in value):
        return list(value)
    question = row.get("question", row.get("instruction", source))
    return [{"role": "user", "content": question}] if isinstance(question, str) and question else []
