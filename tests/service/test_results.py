"""Results files: plain or base64, whatever the columns are called."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.service import results
from fttui.service.types import Job, Metrics

OPENAI = "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.5,0.5,,\n2,1.25,0.75,1.5,0.25\n"
AZURE = (
    "step,train_loss,train_mean_token_accuracy,valid_loss,validation_mean_token_accuracy,"
    "full_valid_loss,full_valid_mean_token_accuracy\n2,1.25,0.75,1.5,0.25,1.75,0.125\n"
)


@pytest.mark.parametrize(
    "wrap", [bytes, base64.b64encode, base64.encodebytes, lambda raw: b"\xef\xbb\xbf" + raw]
)
def test_plain_base64_and_with_a_byte_order_mark(wrap: Any) -> None:
    assert results.parse(wrap(OPENAI.encode())) == [
        Metrics(1, train_loss=1.5, train_accuracy=0.5),
        Metrics(2, train_loss=1.25, train_accuracy=0.75, valid_loss=1.5, valid_accuracy=0.25),
    ]


def test_other_names_other_order_other_ends() -> None:
    found = results.parse(AZURE.replace("\n", "\r\n").encode())[0]
    assert (found.valid_accuracy, found.full_valid_loss, found.full_valid_accuracy) == (
        0.25,
        1.75,
        0.125,
    )
    turned = "Train_Loss , Step\n2.0,3\n1.0,1\n\n,,,\n"
    assert [(row.step, row.train_loss) for row in results.parse(turned.encode())] == [
        (1, 1.0),
        (3, 2.0),
    ]


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"\xff\xfe\x00", b"a,b\n1,2\n", base64.b64encode(b"hello there")]
)
def test_what_is_no_results_file_is_said(raw: bytes) -> None:
    with pytest.raises(Problem, match="cannot be read"):
        results.parse(raw)


async def test_the_first_readable_file_of_a_job(server: Any, provider: Any) -> None:
    server.contents = {"bad": b"<html>", "good": base64.b64encode(OPENAI.encode())}
    found = await results.read(provider, Job("j", result_files=("bad", "good")))
    assert [row.step for row in found] == [1, 2]
    assert await results.read(provider, Job("j")) == []
    with pytest.raises(Problem):
        await results.read(provider, Job("j", result_files=("bad",)))


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("Step;Train Loss;Eval Loss", "3;1.5;1.25", Metrics(3, train_loss=1.5, valid_loss=1.25)),
        ("iter\tloss\tval_acc", "7\t2.0\t0.5", Metrics(7, train_loss=2.0, valid_accuracy=0.5)),
        ('"loss (train)","loss (test)"', "2.0,3.0", Metrics(1, train_loss=2.0, valid_loss=3.0)),
        ("step,mean reward,validation-reward", "4,0.5,0.25",
         Metrics(4, train_reward=0.5, valid_reward=0.25)),
        ("step,full_test_accuracy,lr", "4,0.5,1e-4", Metrics(4, full_valid_accuracy=0.5)),
    ],
)  # fmt: skip
def test_columns_of_any_name_are_found_by_their_words(
    header: str, row: str, expected: Metrics
) -> None:
    assert results.parse(f"{header}\n{row}\n".encode()) == [expected]


async def test_the_file_itself_comes_decoded(server: Any, provider: Any) -> None:
    server.contents = {"good": base64.b64encode(OPENAI.encode())}
    found = await results.fetch(provider, Job("j", result_files=("good",)))
    assert found is not None
    assert (found.file_id, found.text) == ("good", OPENAI)
