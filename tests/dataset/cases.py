"""For every check: the smallest lines that have it, where it is found, and nothing for good lines."""
# ruff: noqa: E501 - tables read better on one line

from __future__ import annotations

import json
import struct
import zlib
from base64 import b64encode
from typing import Any

S = {"role": "system", "content": "Be brief."}
U = {"role": "user", "content": "Weather in Oslo?"}
A = {"role": "assistant", "content": "Rain."}
FUNCTION = {
    "name": "look",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
TOOL = {"type": "function", "function": FUNCTION}


def msgs(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


def chat(i: int, answer: str = "") -> dict[str, Any]:
    return msgs(
        S,
        {"role": "user", "content": f"What is {i} and {i}?"},
        {"role": "assistant", "content": answer or f"It is {2 * i}."},
    )


def dpo(i: int, good: str = "", bad: str = "") -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": f"Say {i}"}]},
        "preferred_output": [{"role": "assistant", "content": good or f"Good {i}."}],
        "non_preferred_output": [{"role": "assistant", "content": bad or f"Poor {i}."}],
    }


def rft(i: int, **more: Any) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "developer", "content": "A number."},
            {"role": "user", "content": f"{i}+{i}?"},
        ],
        "answer": 2 * i,
        **more,
    }


def legacy(i: int) -> dict[str, Any]:
    return {"prompt": f"Company {i}\n\n###\n\n", "completion": f" sells item {i} END"}


def call(name: str = "look", arguments: Any = '{"city":"Oslo"}', **more: Any) -> dict[str, Any]:
    return {
        "id": "c1",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
        **more,
    }


def calling(*calls: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": list(calls)}


def result(name: str = "c1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": "7"}


def png(colour: int = 2) -> bytes:
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, colour, 0, 0, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts
    )


def uri(data: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{b64encode(data).decode()}"


def image(url: Any, n: int = 1, role: str = "user", **more: Any) -> dict[str, Any]:
    part = {"type": "image_url", "image_url": {"url": url, **more}}
    return msgs({"role": role, "content": [{"type": "text", "text": "What?"}, *[part] * n]}, A)


GOOD = {"chat": chat, "dpo": dpo, "rft": rft, "legacy": legacy}

# One bad line as line 6 of twelve: code, format of the others, the line, the JSON path of the finding.
ONE: list[tuple[str, str, Any, str]] = [
    ("F012", "chat", json.dumps(chat(5, "x@y")).encode().replace(b"@", b"\xe9"), ""),
    ("F013", "chat", json.dumps(chat(5, "x@y")).encode().replace(b"@", b"\0"), ""),
    ("F024", "chat", chat(5, "a\u2028b"), ""),
    ("F025", "chat", repr(chat(5)), ""),
    ("F026", "chat", json.dumps(chat(5)) + ",", ""),
    ("F027", "chat", json.dumps(chat(5)).replace('"', "”"), ""),
    ("J001", "chat", '{"messages": oops}', ""),
    ("J002", "chat", "[1, 2]", ""),
    ("J003", "chat", "  ", ""),
    ("J004", "chat", '{"messages": [], "messages": ' + json.dumps(chat(50)["messages"]) + "}", "messages"),
    ("J005", "rft", json.dumps(rft(5, score=1)).replace("1}", "NaN}"), ""),
    ("J006", "chat", json.dumps(chat(5, "x@y")).replace("@", "\\ud83d"), ""),
    ("J007", "chat", "[" * 200 + "]" * 200, ""),
    ("J008", "rft", json.dumps(rft(5, score=2**70)), ""),
    ("J009", "chat", json.dumps(chat(50)) + json.dumps(chat(51)), ""),
    ("J010", "chat", json.dumps(chat(5, "x@y")).replace("@", "\t"), ""),
    ("S001", "chat", {"instruction": "a", "output": "b"}, ""),
    ("S002", "chat", legacy(5), ""),
    ("S004", "chat", {**chat(5), "id": 1}, "id"),
    ("M002", "chat", {"messages": json.dumps([U, A])}, "messages"),
    ("M003", "chat", {"messages": []}, "messages"),
    ("M004", "chat", msgs("hi", A), "messages[0]"),
    ("M005", "chat", msgs({"content": "x"}, A), "messages[0]"),
    ("M006", "chat", msgs({"role": "human", "content": "x"}, A), "messages[0].role"),
    ("M007", "chat", msgs(U, {"role": "assistant"}), "messages[1].content"),
    ("M008", "chat", msgs(U, {"role": "assistant", "content": None}), "messages[1].content"),
    ("M009", "chat", msgs(U, {"role": "assistant", "content": 42}), "messages[1].content"),
    ("M010", "chat", msgs(U, {"role": "assistant", "content": " "}), "messages[1].content"),
    ("M011", "chat", msgs(U, {**A, "when": 1}), "messages[1].when"),
    ("M012", "chat", msgs({**U, "name": "Bob S!"}, A), "messages[0].name"),
    ("M013", "chat", msgs(U, {**A, "weight": True}), "messages[1].weight"),
    ("M014", "chat", msgs({**U, "weight": 1}, A), "messages[0].weight"),
    ("M015", "chat", msgs(U, {**A, "weight": 0}), "messages"),
    ("M016", "chat", msgs(S, U), "messages"),
    ("M017", "chat", msgs(U, A, U), "messages[2]"),
    ("M018", "chat", msgs(S, A), "messages"),
    ("M019", "chat", msgs(U, S, A), "messages[1]"),
    ("M020", "chat", msgs(U, A, A), "messages[2]"),
    ("M022", "chat", chat(5, " Rain."), "messages[2].content"),
    ("M025", "chat", chat(5, "ok<|im_end|>"), ""),
    ("M026", "chat", msgs(U, {"role": "assistant", "content": ["a"]}), "messages[1].content[0]"),
    ("T001", "chat", msgs(U, A, tools={"a": 1}), "tools"),
    ("T002", "chat", msgs(U, A, tools=[FUNCTION]), "tools[0]"),
    ("T003", "chat", msgs(U, A, tools=[{"type": "function", "function": {"name": "a b"}}]), "tools[0].function.name"),
    ("T004", "chat", msgs(U, A, tools=[TOOL, TOOL]), "tools[1].function.name"),
    ("T005", "chat", msgs(U, A, tools=[{"type": "function", "function": {"name": "a", "parameters": "x"}}]), "tools[0].function.parameters"),
    ("T006", "chat", msgs(U, A, tools=[{"type": "function", "function": {"name": f"f{i}"}} for i in range(129)]), "tools"),
    ("T007", "chat", msgs(U, calling(call())), "messages"),
    ("T008", "chat", msgs(U, calling(call("nope")), tools=[TOOL]), "messages[1].tool_calls[0].function.name"),
    ("T009", "chat", msgs(U, calling(call(arguments={"city": "Oslo"})), tools=[TOOL]), "messages[1].tool_calls[0].function.arguments"),
    ("T010", "chat", msgs(U, calling(call(arguments="[1]")), tools=[TOOL]), "messages[1].tool_calls[0].function.arguments"),
    ("T011", "chat", msgs(U, calling(call(arguments='{"x":1}')), tools=[TOOL]), "messages[1].tool_calls[0].function.arguments"),
    ("T012", "chat", msgs(U, calling({"type": "function", "function": {"name": "look", "arguments": '{"city":"a"}'}}), tools=[TOOL]), "messages[1].tool_calls[0].id"),
    ("T013", "chat", msgs(U, result(), A, tools=[TOOL]), "messages[1].tool_call_id"),
    ("T014", "chat", msgs(U, calling(call()), U, A, tools=[TOOL]), "messages[1].tool_calls"),
    ("T016", "chat", msgs(U, calling(call(type="func")), tools=[TOOL]), "messages[1].tool_calls[0].type"),
    ("T017", "chat", msgs(U, A, functions=[FUNCTION]), "functions"),
    ("T018", "chat", msgs(U, A, tools=[TOOL], parallel_tool_calls="no"), "parallel_tool_calls"),
    ("T019", "chat", msgs(U, A, tools=[TOOL], functions=[FUNCTION]), "functions"),
    ("T020", "chat", msgs(U, {**A, "tool_calls": []}, tools=[TOOL]), "messages[1].tool_calls"),
    ("T021", "chat", msgs({**U, "tool_calls": [call()]}, A, tools=[TOOL]), "messages[0].tool_calls"),
    ("V001", "chat", msgs({"role": "user", "content": [{"type": "image_url", "image_url": "https://e.org/a.png"}]}, A), "messages[0].content[0].image_url"),
    ("V002", "chat", image("file:///etc/passwd"), "messages[0].content[1].image_url.url"),
    ("V003", "chat", image("data:image/png;base64,@@"), "messages[0].content[1].image_url.url"),
    ("V004", "chat", image(uri(b"GIF89a")), "messages[0].content[1].image_url.url"),
    ("V005", "chat", image(uri(png() + b"\0" * 10_000_001)), "messages[0].content[1].image_url.url"),
    ("V006", "chat", image(uri(png()), 11), "messages"),
    ("V007", "chat", image(uri(png()), detail="max"), "messages[0].content[1].image_url.detail"),
    ("V008", "chat", image(uri(png(3))), "messages[0].content[1].image_url.url"),
    ("V009", "chat", image(uri(png()), role="system"), "messages[0].content[1]"),
    ("V011", "chat", image("https://e.org/a.png"), "messages[0].content[1].image_url.url"),
    ("P001", "dpo", {**dpo(5), "input": "x"}, "input"),
    ("P003", "dpo", {**dpo(5), "preferred_output": []}, "preferred_output"),
    ("P004", "dpo", {**dpo(5), "preferred_output": [U]}, "preferred_output[0].role"),
    ("P005", "dpo", dpo(5, "x", "x"), "non_preferred_output"),
    ("P006", "dpo", {("preferred_completion" if k == "preferred_output" else k): v for k, v in dpo(5).items()}, "preferred_completion"),
    ("P007", "dpo", {"prompt": "a", "chosen": "b", "rejected": "c"}, ""),
    ("P008", "dpo", {**dpo(5), "input": {"messages": image("https://e.org/a.png")["messages"][:1]}}, "input.messages"),
    ("P009", "dpo", {**dpo(5), "input": {"messages": [U, A]}}, "input.messages[1]"),
    ("P010", "dpo", {**dpo(5), "non_preferred_output": [{"role": "assistant", "content": ""}]}, "non_preferred_output[0].content"),
    ("P012", "dpo", {**dpo(5), "score": 1}, "score"),
    ("P014", "dpo", dpo(5, "So be it", "so  be it"), "non_preferred_output"),
    ("R001", "rft", {**rft(5), "messages": [U, A]}, "messages[1]"),
    ("R002", "rft", {**rft(5), "messages": [S, U]}, "messages[0].role"),
    ("R004", "rft", {"messages": rft(5)["messages"]}, ""),
    ("R008", "rft", {**image("https://e.org/a.png"), "messages": image("https://e.org/a.png")["messages"][:1], "answer": 1}, "messages"),
    ("L001", "legacy", {"prompt": "x"}, "completion"),
    ("L002", "legacy", {**legacy(5), "completion": 5}, "completion"),
    ("L003", "legacy", {**legacy(5), "completion": ""}, "completion"),
    ("L004", "legacy", {**legacy(5), "meta": 1}, "meta"),
    ("L005", "legacy", {**legacy(5), "completion": "sells END"}, ""),
    ("L014", "legacy", {"Prompt": legacy(5)["prompt"], "completion": legacy(5)["completion"]}, "Prompt"),
    ("L013", "legacy", {**legacy(5), "completion": " word" * 17_000 + " END"}, ""),
    ("K001", "chat", chat(5, "word " * 66_000), ""),
    ("K002", "chat", chat(5, "word " * 60_000), ""),
    ("K003", "chat", msgs({"role": "user", "content": "word " * 66_000}, A), ""),
    ("K004", "chat", msgs({"role": "user", "content": "word " * 2_000}, A), ""),
    ("Q001", "chat", chat(1), ""),
    ("Q002", "chat", chat(1, "Who knows?"), ""),
    ("Q003", "chat", chat(1, "It is   2 ."), ""),
    ("Q007", "chat", chat(5, "key AKIAIOSFODNN7EXAMPLE"), ""),
    ("Q008", "chat", chat(5, "cafÃ© noir"), ""),
    ("Q009", "chat", chat(5, "pay\u200bpal"), ""),
    ("Q010", "chat", chat(5, "Dear {{name}}"), ""),
    ("Q011", "chat", chat(5, "```python\nx = 1"), ""),
    ("Q012", "chat", msgs({"role": "system", "content": "be  brief"}, U, A), ""),
    ("Q016", "chat", chat(5, "As an AI language model I cannot know."), ""),
    ("Q017", "chat", msgs({"role": "user", "content": "What is the weather?"}, {"role": "assistant", "content": "what is the weather?"}), ""),
]  # fmt: skip
