"""Monthly use, hosting, break-even, days left, plans side by side."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fttui.pricing import advice, export, hosting, lifecycle, plan, render
from fttui.pricing.catalog import Catalog, Model, shipped
from fttui.pricing.compare import openai_against_azure
from fttui.pricing.plan import Plan
from fttui.pricing.use import Traffic, monthly, payback
from fttui.pricing.workload import Workload
from fttui.problem import Problem

WITH_BASE = [m for m in shipped().models() if m.base is not None]


def test_small_tuned_small_and_large(catalog: Catalog) -> None:
    """The table of three: base small, tuned small, large base, for a million requests."""
    traffic = Traffic(1_000_000, 500, 100)
    small = catalog.find("gpt-4o-mini", "openai")
    large = catalog.find("gpt-4o", "openai")
    assert monthly(small, "base", traffic).total == D("135.00")  # 500 M × 0.15 + 100 M × 0.60
    assert monthly(small, "tuned", traffic).total == D("270.00")
    assert monthly(large, "base", traffic).total == D("2250.00")


def test_batch_and_cached(catalog: Catalog) -> None:
    model = catalog.find("gpt-4.1", "openai")
    half = Traffic(1_000_000, 1, 1, cached_share=D("0.5"), batch_share=D("0.5"))
    # tuned: a quarter each of 3.00, 0.75, 1.50, 0.50 in; half each of 12 and 6 out
    assert monthly(model, "tuned", half).total == D("5.75") / 4 + D(9)
    no_price = monthly(catalog.find("gpt-3.5-turbo-0613"), "base", half)
    assert no_price.total == D("3.50")
    assert len(no_price.notes) == 2


def test_hosting_is_due_without_a_request(catalog: Catalog) -> None:
    azure = catalog.find("gpt-4o-mini", "azure")
    nothing = monthly(azure, "tuned", Traffic(0, 500, 100))
    assert nothing.total == nothing.fixed == D("1224.00")  # 1.70 × 720
    assert nothing.per_request is None
    assert (
        monthly(catalog.find("gpt-4.1-nano", "azure").at("developer"), "tuned", Traffic(0)).total
        == 0
    )


def test_microsofts_sample_bill(catalog: Catalog) -> None:
    """1.70 × 720 + 198 of tokens = 1,422."""
    azure = catalog.find("gpt-4.1", "azure")
    assert monthly(azure, "tuned", Traffic(1_000_000, 59, 10)).total == D("1422.00")


@pytest.mark.parametrize(
    ("name", "million_in", "million_out"),
    [
        ("gpt-4.1", 525, 175),
        ("gpt-4.1-mini", 1311, 437),
        ("gpt-4o", 420, 140),
        ("gpt-4o-mini", 3497, 1166),
    ],
)
def test_break_even_table(
    catalog: Catalog, today: date, name: str, million_in: int, million_out: int
) -> None:
    even = openai_against_azure(catalog, name, Traffic(1, 3, 1), today).break_even
    assert even.fixed_month == D("1224.00")
    assert even.input_month is not None
    assert even.output_month is not None
    assert (even.input_month / 10**6).quantize(D(1)) == million_in
    assert (even.output_month / 10**6).quantize(D(1)) == million_out


def test_at_the_break_even_both_bills_are_equal(catalog: Catalog, today: date) -> None:
    sides = openai_against_azure(catalog, "gpt-4.1", Traffic(174_857_143, 3, 1), today)
    assert abs(sides.month_openai.total - sides.month_azure.total) < D("0.01")
    more = openai_against_azure(catalog, "gpt-4.1", Traffic(200_000_000, 3, 1), today)
    assert (sides.cheaper, more.cheaper) == ("azure", "azure")
    assert openai_against_azure(catalog, "gpt-4.1", Traffic(1000, 3, 1), today).cheaper == "openai"


def test_the_claim_of_two_and_a_half_million(catalog: Catalog, today: date) -> None:
    sides = openai_against_azure(catalog, "gpt-4.1-mini", Traffic(1, 3, 1), today)
    assert sides.claim.needed == D("0.68")
    share = sides.claim.input_share
    assert share is not None
    again = hosting.break_even(sides.break_even.premium, D("1.70"), share).tokens_hour
    assert again is not None
    assert again.quantize(D(1)) == 2_500_000
    assert "77 % input" in sides.claim.sentence()
    none = openai_against_azure(catalog, "gpt-4.1", Traffic(1, 3, 1), today).claim
    assert none.input_share is None
    assert "no mix" in none.sentence()


def test_no_premium_never_breaks_even() -> None:
    assert hosting.break_even(hosting.Premium(D(0), D(0)), D("1.70"), D("0.5")).tokens_month is None


def test_payback(catalog: Catalog) -> None:
    traffic = Traffic(10_000, 1_000, 100, saved_prompt_tokens=900)
    model = catalog.find("gpt-4o-mini", "openai")
    base, tuned = monthly(model, "base", traffic), monthly(model, "tuned", traffic)
    assert (base.total, tuned.total) == (D("2.10"), D("1.50"))
    back = payback(D("0.90"), base, tuned)
    assert (back.requests, back.months) == (15_000, D("1.5"))
    never = payback(D("0.90"), tuned, base)
    assert (never.requests, never.months, never.saving_month) == (None, None, D("-0.60"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"requests": -1},
        {"prompt_tokens": -1},
        {"answer_tokens": -5},
        {"saved_prompt_tokens": -1},
        {"cached_share": D("1.1")},
        {"batch_share": D("-0.1")},
    ],
)
def test_bad_traffic(catalog: Catalog, wrong: dict[str, int]) -> None:
    with pytest.raises(Problem):
        monthly(catalog.find("gpt-4o-mini"), "base", Traffic(**wrong))


counts = st.integers(0, 10**7)
shares = st.decimals(0, 1, places=3)


@given(st.sampled_from(WITH_BASE), counts, counts, counts, shares, shares, st.integers(0, 10**6))
def test_any_month(
    floats: Any,
    model: Model,
    requests: int,
    prompt: int,
    answer: int,
    cached: D,
    batch: D,
    more: int,
) -> None:
    kind = "tuned" if model.tuned else "base"
    traffic = Traffic(requests, prompt, answer, cached, batch)
    made = monthly(model, kind, traffic)
    assert made.total == sum(line.amount for line in made.lines)
    for bigger in (
        Traffic(requests + more, prompt, answer, cached, batch),
        Traffic(requests, prompt + more, answer, cached, batch),
        Traffic(requests, prompt, answer + more, cached, batch),
    ):
        assert monthly(model, kind, bigger).total >= made.total
    assert floats(made) == []
    assert floats(made.as_dict()) == []


# -------------------------------------------------------------------------------- days left


def test_days_left(catalog: Catalog, today: date) -> None:
    left = lifecycle.life(catalog.find("gpt-4.1", "openai"), today)
    assert (left.training_days, left.tuned_days, left.level) == (46, 54, "soon")
    assert left.text.startswith("a model trained today lives 54 days")
    last = lifecycle.life(catalog.find("gpt-4.1", "openai"), date(2027, 1, 6))
    assert (last.tuned_days, last.level, last.trainable) == (8, "urgent", True)
    after = lifecycle.life(catalog.find("gpt-4.1", "openai"), date(2027, 1, 7))
    assert (after.level, after.trainable, after.answers) == ("over", False, True)
    dead = lifecycle.life(catalog.find("gpt-4.1", "openai"), date(2027, 1, 14))
    assert not dead.answers
    assert dead.text.startswith("retired")


@pytest.mark.parametrize(
    ("days", "level"), [(91, "ok"), (90, "soon"), (15, "soon"), (14, "urgent")]
)
def test_levels(catalog: Catalog, days: int, level: str) -> None:
    day = date(2027, 1, 6) - timedelta(days=days)
    assert lifecycle.life(catalog.find("gpt-4.1", "openai"), day).level == level


def test_banner_and_where_to_retrain(catalog: Catalog, today: date) -> None:
    model = catalog.find("gpt-4.1-mini", "openai")
    shown = lifecycle.banner(catalog, model, today)
    assert shown is not None
    assert "azure (lives 327 days)" in shown.detail
    homes = [other.provider for other in lifecycle.where_to_retrain(catalog, model, today)]
    assert homes[:2] == ["azure", "local"]
    assert lifecycle.banner(catalog, catalog.find("smollm2-135m-instruct"), today) is None


def test_the_providers_own_date_wins(catalog: Catalog, today: date) -> None:
    day = today + timedelta(days=5)
    own = catalog.with_shutdowns({"gpt-4.1-2025-04-14": day}, "openai")
    left = lifecycle.life(own.find("gpt-4.1", "openai"), today)
    assert (left.tuned_days, left.training_days, left.level) == (5, 5, "urgent")
    assert lifecycle.life(own.find("gpt-4.1", "azure"), today).tuned_days == 327


def test_what_cannot_be_trained_any_more(catalog: Catalog, today: date) -> None:
    for name, code in (("gpt-4.1-nano", "model_retired"), ("gpt-6-luna", "not_trainable")):
        with pytest.raises(Problem) as caught:
            lifecycle.check_trainable(catalog.find(name, "openai"), today)
        assert caught.value.code == code
    lifecycle.check_trainable(catalog.find("gpt-4.1-nano", "azure"), today)


# ------------------------------------------------------------------------------------ plans


def four(catalog: Catalog, today: date) -> plan.Comparison:
    work = Workload(examples=200, tokens=1_000_000, prompt_tokens=800, answer_tokens=100)
    traffic = Traffic(50_000, 800, 100)
    small = catalog.find("gpt-4.1-mini", "openai")
    return plan.compare(
        [
            Plan(catalog.find("gpt-4.1", "openai"), "base", traffic),
            Plan(small, "tuned", traffic, work, 3),
            Plan(catalog.find("gpt-4.1-nano", "azure"), "tuned", traffic, work, 3),
            Plan(catalog.find("gpt-4.1", "azure"), "tuned", traffic, work, 3),
        ],
        catalog,
        today,
    )


def test_plans_side_by_side(catalog: Catalog, today: date) -> None:
    large, tuned, azure, unknown = four(catalog, today).rows
    assert large.month
    assert tuned.month
    assert (large.month.total, tuned.month.total) == (D("120"), D("48"))
    assert tuned.training_total == 15
    assert tuned.payback
    assert tuned.payback.requests == 10_417  # 15 / ((120 - 48) / 50,000), upwards
    assert tuned.pays_in_time is True
    assert tuned.cumulative(3) == [15, 63, None, None]  # it dies after 54 days
    assert azure.cumulative(3)[3] is not None
    assert [problem.code for problem in unknown.problems] == ["no_price"]
    assert unknown.training_total is None
    assert unknown.month is not None


def test_crossing(catalog: Catalog, today: date) -> None:
    rows = four(catalog, today).rows
    months = plan.crossing(rows[0], rows[1])
    assert months is not None
    assert months == D(15) / D(72) or abs(months - D(15) / D(72)) < D("1e-20")
    assert plan.crossing(rows[0], rows[3]) is None
    assert plan.crossing(rows[1], rows[0]) == months


def test_earned_back_too_late_is_said(catalog: Catalog, today: date) -> None:
    work = Workload(examples=200, tokens=50_000_000)
    traffic = Traffic(1_000, 800, 100)
    rows = plan.compare(
        [
            Plan(catalog.find("gpt-4.1", "openai"), "base", traffic),
            Plan(catalog.find("gpt-4.1-mini", "openai"), "tuned", traffic, work, 3),
        ],
        catalog,
        today,
    ).rows
    assert rows[1].pays_in_time is False
    assert "after its end" in export.paid_back(rows[1])


def test_currencies_are_not_added(catalog: Catalog, today: date) -> None:
    work = Workload(examples=200, tokens=1_000_000)
    row = plan.compare(
        [Plan(catalog.find("gpt-4.1-mini", "azure"), "tuned", Traffic(), work, 3)], catalog, today
    ).rows[0]
    assert row.training
    assert row.month
    assert (row.training.currency, row.month.currency) == ("EUR", "USD")
    assert row.training_total is None
    assert set(row.cumulative()) == {None}


def test_too_many_plans(catalog: Catalog, today: date) -> None:
    one = Plan(catalog.find("gpt-4.1", "openai"), "base", Traffic())
    with pytest.raises(Problem):
        plan.compare([one] * 5, catalog, today)
    with pytest.raises(Problem):
        plan.compare([], catalog, today)


def test_exports_agree(floats: Any, catalog: Catalog, today: date) -> None:
    shown = four(catalog, today)
    body = json.loads(export.json(shown))
    assert floats(shown.as_dict()) == []
    rows = list(csv.DictReader(io.StringIO(export.csv(shown))))
    for n, row in enumerate(shown.rows):
        mine = [r for r in rows if r["plan"] == row.plan.label and r["part"] == "month"]
        assert row.month
        assert sum(D(r["amount"]) for r in mine) == row.month.total
        assert D(body["plans"][n]["month"]["total"]) == row.month.total
    text = export.markdown(shown)
    assert text.startswith("# Cost, 2026-11-21")
    for row in shown.rows:
        assert f"## {row.plan.label}" in text
    assert "$120.00" in text


def test_text_fits_eighty_columns(catalog: Catalog, today: date) -> None:
    shown = four(catalog, today)
    lines = render.comparison(shown)
    sides = openai_against_azure(catalog, "gpt-4.1", Traffic(), today)
    lines += render.table(sides.rows, ("", "OpenAI", "Azure"))
    for row in shown.rows:
        lines += render.training(row.training, "OpenAI") if row.training else []
        lines += render.month(row.month) if row.month else []
        lines += render.life(row.life)
    assert len(lines) > 40
    assert max(len(line) for line in lines) <= 80


# ----------------------------------------------------------------------------------- advice


@pytest.mark.parametrize(
    ("examples", "name", "begins"),
    [
        (5, "gpt-4.1-mini", "Not yet"),
        (500, "gpt-4.1-nano", "Not on"),
        (500, "gpt-4.1-mini", "Not here for long use"),
        (20, "azure/gpt-4.1-nano", "Try prompting"),
        (500, "azure/gpt-4.1-nano", "Only for quality"),
        (500, "local/smollm2", "Yes"),
    ],
)
def test_advice(
    floats: Any, catalog: Catalog, today: date, examples: int, name: str, begins: str
) -> None:
    work = Workload(
        examples=examples,
        tokens=examples * 100,
        prompt_tokens=80,
        answer_tokens=20,
        system_tokens=examples * 40,
    )
    answer = advice.advise(work, catalog, catalog.find(name), today)
    assert answer.verdict.startswith(begins)
    assert all(point.source in advice.SOURCES for point in answer.points)
    assert any("40 % of the tokens (40 an example)" in point.text for point in answer.points)
    assert floats(answer.as_dict()) == []


def test_every_way_names_its_source() -> None:
    assert len(advice.WAYS) == 6
    assert all(way.source in advice.SOURCES for way in advice.WAYS)
