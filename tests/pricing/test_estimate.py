"""Training bills: the documented examples to the cent, and what must hold for any numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fttui.pricing import estimate, journal
from fttui.pricing.catalog import Catalog, shipped
from fttui.pricing.money import cents, exact, show
from fttui.pricing.records import PER_HOUR, Price
from fttui.problem import Problem

PRICED = [m for m in shipped().models() if m.training is not None and m.methods]


@pytest.mark.parametrize(("name", "dollars"), [("gpt-4o-mini", "0.90"), ("gpt-3.5-turbo", "2.40")])
def test_the_documented_example(catalog: Catalog, name: str, dollars: str) -> None:
    """100,000 tokens × 3 epochs, as OpenAI's guide counts."""
    made = estimate.training(catalog.find(name, "openai"), tokens=100_000, epochs=3)
    assert made.total == D(dollars)
    assert made.as_dict()["total"] == dollars


def test_the_formula_of_the_guide(catalog: Catalog) -> None:
    """base cost per 1k tokens × number of tokens in the input file × number of epochs."""
    model = catalog.find("gpt-3.5-turbo-0125")
    per_1k = D("0.008")
    for tokens, epochs in ((1_000, 1), (123_456, 4), (7, 25)):
        expected = per_1k * tokens / 1000 * epochs
        assert estimate.training(model, tokens=tokens, epochs=epochs).total == expected


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [
        (0, 3),
        (1, 25),
        (4, 25),
        (5, 20),
        (10, 10),
        (33, 3),
        (34, 3),
        (8_333, 3),
        (8_334, 2),
        (25_001, 1),
    ],
)
def test_auto_epochs(examples: int, epochs: int) -> None:
    assert estimate.auto_epochs(examples) == epochs


def test_auto_is_marked_as_an_estimate(catalog: Catalog) -> None:
    made = estimate.training(catalog.find("gpt-4o-mini"), tokens=1000, examples=10)
    assert (made.epochs, made.epochs_auto, made.certain) == (10, True, False)
    assert any("estimate" in note for note in made.notes)


def test_json_shape(catalog: Catalog) -> None:
    made = estimate.training(
        catalog.find("gpt-4o-mini"), tokens=12_345, epochs=1, validation_tokens=9
    )
    body = json.loads(json.dumps(made.as_dict()))
    assert {"model", "total", "currency", "lines"} <= body.keys()
    for line in body["lines"]:
        assert {"label", "quantity", "unit", "price", "amount"} <= line.keys()
        assert all(isinstance(line[key], str) for key in ("quantity", "price", "amount"))
        assert D(line["quantity"]) * D(line["price"]) == D(line["amount"])
    assert sum(D(line["amount"]) for line in body["lines"]) == D(body["total"])


def test_validation_tokens(catalog: Catalog) -> None:
    free = estimate.training(
        catalog.find("gpt-4o-mini"), tokens=1000, epochs=1, validation_tokens=500
    )
    assert free.total == free.upper == D("0.003")
    assert any("not billed" in line.note for line in free.lines)
    unknown = estimate.training(
        catalog.find("Qwen/Qwen3-8B"), tokens=1_000_000, epochs=2, validation_tokens=500_000
    )
    assert (unknown.total, unknown.upper) == (D("0.80"), D("1.20"))
    paid = replace(catalog.provider("nebius"), validation_billed="yes")
    billed = replace(catalog, providers={**catalog.providers, "nebius": paid})
    known = estimate.training(
        catalog.find("Qwen/Qwen3-8B"),
        tokens=1_000_000,
        epochs=2,
        validation_tokens=500_000,
        catalog=billed,
    )
    assert known.total == D("1.20")


def test_truncation() -> None:
    assert estimate.truncate([10, 70_000, 65_536], 65_536) == (10 + 65_536 * 2, 70_000 - 65_536, 1)
    assert estimate.truncate([10, 20], None) == (30, 0, 0)


def test_minimum_charge(catalog: Catalog) -> None:
    source = catalog.find("gpt-4o-mini").training
    assert source
    least = Price(D(4), "job", "USD", source.as_of, "test")
    home = replace(catalog.provider("openai"), minimum_job=least)
    own = replace(catalog, providers={**catalog.providers, "openai": home})
    model = catalog.find("gpt-4o-mini", "openai")
    assert estimate.training(model, tokens=1000, epochs=1, catalog=own).total == 4
    assert estimate.training(model, tokens=2_000_000, epochs=1, catalog=own).total == 6


def test_reinforcement_by_the_hour(catalog: Catalog) -> None:
    model = catalog.find("o4-mini", "azure")
    made = estimate.training(model, tokens=0, method="reinforcement", hours=(2, D("3.5")))
    assert (made.low, made.total) == (200, 350)
    assert estimate.training(
        model, tokens=0, method="reinforcement", hours=D("1.23456")
    ).total == D("123.46")
    capped = estimate.training(model, tokens=0, method="reinforcement", hours=80)
    assert capped.total == 5000
    assert "assumed" in estimate.training(model, tokens=0, method="reinforcement").lines[0].note


def test_what_cannot_be_priced(catalog: Catalog) -> None:
    cases = [
        ("no_price", "azure/gpt-4.1", {"tokens": 1}),
        ("no_price", "gpt-4-0613", {"tokens": 1}),
        ("negative_quantity", "gpt-4o-mini", {"tokens": -1}),
        ("negative_quantity", "gpt-4o-mini", {"tokens": 1, "validation_tokens": -1}),
        ("epochs_out_of_range", "gpt-4o-mini", {"tokens": 1, "epochs": 0}),
        ("epochs_out_of_range", "gpt-4o-mini", {"tokens": 1, "epochs": 51}),
        ("epochs_out_of_range", "Qwen/Qwen3-8B", {"tokens": 1, "epochs": 21}),
        ("method_not_supported", "gpt-4o-mini", {"tokens": 1, "method": "dpo"}),
        ("method_not_supported", "gpt-6-luna", {"tokens": 1}),
    ]
    for code, name, numbers in cases:
        with pytest.raises(Problem) as caught:
            estimate.training(catalog.find(name), **numbers)
        assert caught.value.code == code, name


@given(
    st.sampled_from(PRICED),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.integers(1, 20),
    st.integers(0, 10**9),
)
def test_any_bill(
    floats: Any, model: Any, tokens: int, more: int, epochs: int, validation: int
) -> None:
    def bill(count: int, times: int) -> estimate.Estimate:
        return estimate.training(
            model,
            tokens=count,
            epochs=times,
            method=model.methods[0],
            validation_tokens=validation,
            hours=D(count) / 10**9,
        )

    made = bill(tokens, epochs)
    assert made.total == sum(line.amount for line in made.lines)
    assert made.low <= made.total <= made.upper
    assert bill(tokens + more, epochs).total >= made.total
    if epochs < 20 and model.training.unit != PER_HOUR:
        assert bill(tokens, epochs + 1).total >= made.total
    assert floats(made) == []
    assert floats(made.as_dict()) == []
    for line in made.lines:
        if line.unit == "1M tokens":
            assert line.amount == line.quantity * line.price


def test_no_float_in_the_catalogue(floats: Any, catalog: Catalog) -> None:
    assert floats(catalog) == []
    assert floats([1.0]) == ["[0]"]  # the walk sees one


def test_billed_against_estimated(floats: Any, catalog: Catalog) -> None:
    made = estimate.training(catalog.find("gpt-4o-mini"), tokens=100_000, epochs=3)
    done = journal.against_bill(made, 310_000)
    assert (done.billed, done.difference, done.percent) == (D("0.93"), D("0.03"), D("3.3"))
    assert floats(done.as_dict()) == []
    with pytest.raises(Problem):
        journal.billed_amount(made.model, -1)


def test_the_journal_never_adds_currencies() -> None:
    entries = [
        journal.Spend("2026-10", "openai", "a", "training", D("1.10")),
        journal.Spend("2026-11", "openai", "a", "training", D("2.20")),
        journal.Spend("2026-11", "azure", "b", "hosting", D("5"), "EUR"),
    ]
    assert journal.spent(entries) == {("", "EUR"): D(5), ("", "USD"): D("3.30")}
    assert journal.spent(entries, "month")[("2026-11", "USD")] == D("2.20")


def test_money_as_text() -> None:
    assert [exact(D(t)) for t in ("0.9", "1E+2", "0.00125", "3")] == [
        "0.90",
        "100.00",
        "0.00125",
        "3.00",
    ]
    assert [show(D(t)) for t in ("1224", "0.0034", "0", "-2.5", "0.00000001")] == [
        "$1,224.00",
        "$0.0034",
        "$0.00",
        "-$2.50",
        "<$0.0001",
    ]
    assert cents(D("0.125")) == D("0.13")
