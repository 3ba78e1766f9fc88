"""docs/should-i-fine-tune.md, made of the advice and the catalogue: `python -m fttui.pricing.guide`.

The page is dated by the catalogue, so that it says the same wherever it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fttui.pricing import advice, hosting
from fttui.pricing.catalog import Catalog
from fttui.pricing.compare import openai_against_azure
from fttui.pricing.export import paid_back
from fttui.pricing.lifecycle import life
from fttui.pricing.money import show
from fttui.pricing.use import Traffic
from fttui.pricing.workload import Workload

MODEL = "gpt-4.1-mini-2025-04-14"
MIX = Traffic(1, 750, 250)  # three tokens in for one out, as the break-even table counts


def page(catalog: Catalog, workload: Workload, sample: str) -> str:
    """The whole page for one sample dataset."""
    today = catalog.as_of
    parts = [
        _INTRO.format(today=today),
        _table(advice.HEAD, [_way(way) for way in advice.WAYS]),
        _sources({way.source for way in advice.WAYS}),
        "## The answer for a dataset\n" + _ANSWER.format(sample=sample),
        _for_dataset(catalog, workload, today),
        "## OpenAI or Azure\n" + _AZURE,
        _break_evens(catalog, today),
        _claims(catalog, today),
        "## How long it lives\n" + _LIFE,
        _lives(catalog, today),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_INTRO = """
<!-- Made by `python -m fttui.pricing.guide`; a test compares it with the code. -->
# Should I fine-tune at all?

Usually not first. Write a good prompt, put a few examples into it, and measure. Fine-tuning is for what
is left over: a style or format that a prompt does not hold, a small model that should do a large one's
work, a prompt that is too long to pay for on every request. It does not teach facts that change: that
is what retrieval (RAG) is for. Figures are of {today}; `fttui cost FILE` gives yours.
"""
_ANSWER = """
`fttui cost FILE --advice` fills this in for your file; here it is for the shipped `{sample}`, at
10,000 requests a month shaped like its median example. The tuned model goes without the system prompt.
"""
_AZURE = """
OpenAI asks more for a tuned model's tokens than for its base's and nothing for hosting. Azure asks the
base's price and an hourly fee, used or not. So there is a number of tokens above which Azure is cheaper,
and it depends on the mix: here three tokens in for one out. The Azure token prices are the base's list
prices; `fttui cost --refresh-azure` reads the real meters.
"""
_LIFE = """
A tuned model ends with its base. Before money is spent, fttui says how many days are left.
"""


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _way(way: advice.Way) -> tuple[str, ...]:
    return way.name, way.data, way.changes, way.cost, way.control, way.privacy, way.time


def _sources(keys: set[str]) -> str:
    listed = "; ".join(text for key, text in advice.SOURCES.items() if key in keys)
    return f"Sources: {listed}."


def _for_dataset(catalog: Catalog, workload: Workload, today: date) -> str:
    answer = advice.advise(workload, catalog, catalog.find(MODEL, "openai"), today)
    out = [f"**{answer.verdict}**", ""]
    out += [
        f"- {point.kind}: {point.text} ({advice.SOURCES[point.source]})" for point in answer.points
    ]
    rows = [
        (
            row.plan.label,
            show(row.training.total) if row.training else "–",
            show(row.month.total, row.month.currency) if row.month else "not known",
            paid_back(row),
        )
        for row in (answer.comparison.rows if answer.comparison else ())
    ]
    return "\n".join([*out, "", _table(("Plan", "Training", "Month", "Paid back after"), rows)])


def _pairs(catalog: Catalog) -> list[str]:
    """The models that can be trained with both today."""
    azure = {model.id for model in catalog.models("azure") if model.tuned}
    openai = [model for model in catalog.models("openai") if model.can_train(catalog.as_of)]
    return [model.id for model in openai if model.id in azure]


def _break_evens(catalog: Catalog, today: date) -> str:
    rows = []
    for name in _pairs(catalog):
        sides = openai_against_azure(catalog, name, MIX, today)
        even = sides.break_even
        assert even.tokens_hour is not None
        assert even.input_month is not None
        assert even.output_month is not None
        rows.append(
            (
                sides.openai.title,
                show(even.fixed_month),
                f"{hosting.millions(even.input_month)} in + {hosting.millions(even.output_month)} out",
                hosting.millions(even.tokens_hour),
            )
        )
    head = ("Model", "Azure with no request, a month", "Equal at, a month", "Equal at, an hour")
    return _table(head, rows)


def _claims(catalog: Catalog, today: date) -> str:
    out = [
        "A guide of 2024 says Azure is cheaper above about 2.5 M tokens an hour. With today's prices:",
        "",
    ]
    for name in _pairs(catalog):
        out.append("- " + openai_against_azure(catalog, name, MIX, today).claim.sentence())
    return "\n".join(out)


def _lives(catalog: Catalog, today: date) -> str:
    rows = []
    for model in catalog.models():
        if model.methods and life(model, today).trainable:
            price = model.training
            cost = show(price.amount, price.currency) + f" / {price.unit}" if price else "not known"
            mark = "" if price is None or price.certain else " ?"
            rows.append((model.title, model.provider, cost + mark, life(model, today).text))
    table = _table(("Model", "Provider", "Training", f"As of {today}"), rows)
    return table + "\n\n`?`: sources disagree or none is first-hand; `fttui cost` says which."


def _sample() -> tuple[Workload, str]:
    """The shipped extraction sample, counted."""
    from importlib.resources import as_file, files

    from fttui.dataset.scan import scan
    from fttui.pricing.catalog import load
    from fttui.pricing.workload import from_report

    catalog = load()
    model = catalog.find(MODEL, "openai")
    with as_file(files("fttui") / "samples" / "extraction.jsonl") as path:
        report = scan(path, target=catalog.target(model))
    return from_report(report, model), "extraction.jsonl"


def shipped_page() -> str:
    """The page as it stands in docs/: shipped prices, shipped sample."""
    from fttui.pricing.catalog import shipped

    workload, name = _sample()
    return page(shipped(), workload, name)


if __name__ == "__main__":
    print(shipped_page(), end="")
