"""The shipped samples: well-formed, held-out really held out, answers that can be read off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fttui import samples


def examples(path: Any) -> list[list[dict[str, str]]]:
    return [json.loads(line)["messages"] for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("name", "train", "held"), [("extraction", 60, 12), ("style", 40, 12)])
def test_sizes_and_shape(name: str, train: int, held: int) -> None:
    every = [examples(samples.path(name)), examples(samples.heldout(name))]
    assert len(every[0]) >= train
    assert len(every[1]) >= held
    for messages in [*every[0], *every[1]]:
        assert [message["role"] for message in messages] == ["system", "user", "assistant"]
        assert all(message["content"].strip() == message["content"] for message in messages)
    asked = [{messages[1]["content"] for messages in part} for part in every]
    assert len(asked[0]) == len(every[0])
    assert not asked[0] & asked[1]


def test_extraction_answers_stand_in_the_mail() -> None:
    for messages in [
        *examples(samples.path("extraction")),
        *examples(samples.heldout("extraction")),
    ]:
        answer = json.loads(messages[2]["content"])
        assert list(answer) == ["customer", "item", "quantity", "city"]
        assert type(answer["quantity"]) is int
        assert all(str(value) in messages[1]["content"] for value in answer.values())


def test_held_out_people_items_and_cities_are_new() -> None:
    def values(path: Any, key: str) -> set[str]:
        return {json.loads(messages[2]["content"])[key] for messages in examples(path)}

    for key in ("customer", "item", "city"):
        train, held = (
            values(which("extraction"), key) for which in (samples.path, samples.heldout)
        )
        assert not train & held, key


def test_unknown_sample() -> None:
    with pytest.raises(ValueError, match="extraction"):
        samples.path("../etc")
