"""Every provider and model row of the reference is in the catalogue; a frozen copy, and the page itself."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest

from fttui.pricing.catalog import Catalog, Model
from fttui.pricing.records import Rates

# id: training, tuned (in, cached, out), tuned batch (in, cached, out), base, base batch (in, out)
OPENAI = {
    "gpt-4.1-2025-04-14": (
        "25.00",
        "3.00 0.75 12.00",
        "1.50 0.50 6.00",
        "2.00 0.50 8.00",
        "1.00 4.00",
    ),
    "gpt-4.1-mini-2025-04-14": (
        "5.00",
        "0.80 0.20 3.20",
        "0.40 0.10 1.60",
        "0.40 0.10 1.60",
        "0.20 0.80",
    ),
    "gpt-4.1-nano-2025-04-14": (
        "1.50",
        "0.20 0.05 0.80",
        "0.10 0.025 0.40",
        "0.10 0.025 0.40",
        "0.05 0.20",
    ),
    "gpt-4o-2024-08-06": (
        "25.00",
        "3.75 1.875 15.00",
        "2.225 0.90 12.50",
        "2.50 1.25 10.00",
        "1.25 5.00",
    ),
    "gpt-4o-mini-2024-07-18": (
        "3.00",
        "0.30 0.15 1.20",
        "0.15 0.075 0.60",
        "0.15 0.075 0.60",
        "0.075 0.30",
    ),
    "gpt-3.5-turbo-0125": ("8.00", "3.00 – 6.00", "1.50 – 3.00", "0.50 – 1.50", "0.25 0.75"),
    "gpt-3.5-turbo-1106": ("8.00", "3.00 – 6.00", "1.50 – 3.00", "1.00 – 2.00", "0.50 1.00"),
    "gpt-3.5-turbo-0613": ("8.00", "3.00 – 6.00", "1.50 – 3.00", "1.50 – 2.00", "– –"),
    "gpt-4-0613": ("–", "30 – 60", "– – –", "30 – 60", "15 30"),
    "davinci-002": ("6.00", "12 – 12", "6 – 6", "2 – 2", "1 1"),
    "babbage-002": ("0.40", "1.60 – 1.60", "0.80 – 0.90", "0.40 – 0.40", "0.20 0.20"),
    "o4-mini-2025-04-16": ("100", "4 1 16", "2 0.50 8", "1.10 0.275 4.40", "0.55 2.20"),
}
NEWER = {
    "gpt-6-luna": "0.10 0.01 0.50",
    "gpt-5.6-luna": "0.20 0.02 1.20",
    "gpt-5.6-terra": "2 0.20 12",
    "gpt-5.6-sol": "4 0.40 20",
}
LIMITS = {  # base context, tuned context, one example
    "gpt-4.1-2025-04-14": (1_047_576, 128_000, 65_536),
    "gpt-4.1-mini-2025-04-14": (1_047_576, 128_000, 65_536),
    "gpt-4.1-nano-2025-04-14": (1_047_576, 128_000, 65_536),
    "gpt-4o-2024-08-06": (128_000, 128_000, 65_536),
    "gpt-4o-mini-2024-07-18": (128_000, 128_000, 65_536),
    "gpt-3.5-turbo-0125": (16_385, None, 16_385),
    "gpt-3.5-turbo-1106": (16_385, None, 16_385),
    "gpt-3.5-turbo-0613": (16_385, None, 4_096),
}
# Azure: training ends, tuned ends, base ends
AZURE_DATES = {
    "gpt-4.1-2025-04-14": ("2027-04-14", "2027-10-14", "2027-04-14"),
    "gpt-4.1-mini-2025-04-14": ("2027-04-14", "2027-10-14", "2027-04-14"),
    "gpt-4.1-nano-2025-04-14": ("2027-04-14", "2027-10-14", "2027-04-14"),
    "gpt-4o-2024-08-06": ("2027-04-01", "2027-10-01", "2027-04-14"),
    "gpt-4o-mini-2024-07-18": ("2027-04-01", "2027-10-01", "2027-04-14"),
    "o4-mini-2025-04-16": ("2027-04-16", "2027-10-16", None),
}
AZURE_METHODS = {
    "gpt-4o-mini-2024-07-18": ("supervised",),
    "gpt-4o-2024-08-06": ("supervised", "dpo"),
    "gpt-4.1-2025-04-14": ("supervised", "dpo"),
    "gpt-4.1-mini-2025-04-14": ("supervised", "dpo"),
    "gpt-4.1-nano-2025-04-14": ("supervised", "dpo"),
    "o4-mini-2025-04-16": ("reinforcement",),
    "gpt-5-2025-08-07": ("reinforcement",),
    "Ministral-3B": ("supervised",),
    "Qwen-32B": ("supervised",),
    "Llama-3.3-70B": ("supervised",),
    "gpt-oss-20b": ("supervised",),
}


def money(text: str) -> D | None:
    return None if text in ("–", "") else D(text)


def triple(rates: Rates | None, batch: bool = False) -> tuple[D | None, ...]:
    assert rates is not None
    if batch:
        return rates.batch_input, rates.batch_cached, rates.batch_output
    return rates.input, rates.cached, rates.output


def split(text: str) -> tuple[D | None, ...]:
    return tuple(money(part) for part in text.split())


@pytest.mark.parametrize("name", OPENAI)
def test_openai_rows(catalog: Catalog, name: str) -> None:
    training, tuned, batch, base, base_batch = OPENAI[name]
    model = catalog.find(name, "openai")
    assert (model.training.amount if model.training else None) == money(training)
    assert triple(model.tuned) == split(tuned)
    assert triple(model.tuned, batch=True) == split(batch)
    assert triple(model.base) == split(base)
    assert model.base is not None
    assert (model.base.batch_input, model.base.batch_output) == split(base_batch)


@pytest.mark.parametrize("name", NEWER)
def test_newer_models_are_there_to_compare(catalog: Catalog, name: str) -> None:
    model = catalog.find(name)
    assert triple(model.base) == split(NEWER[name])
    assert model.methods == ()


@pytest.mark.parametrize("name", LIMITS)
def test_limits(catalog: Catalog, name: str) -> None:
    model = catalog.find(name, "openai")
    assert (model.context, model.tuned_context, model.example_limit) == LIMITS[name]


def test_data_sharing_rates_of_o4_mini(catalog: Catalog) -> None:
    shared = catalog.find("o4-mini", "openai").tuned_shared
    assert triple(shared) == (2, D("0.50"), 8)
    assert triple(shared, batch=True) == (1, D("0.25"), 4)


@pytest.mark.parametrize("name", AZURE_DATES)
def test_azure_dates(catalog: Catalog, name: str) -> None:
    model = catalog.find(name, "azure")
    found = (model.training_ends, model.tuned_ends, model.base_ends)
    assert found == tuple(date.fromisoformat(d) if d else None for d in AZURE_DATES[name])


@pytest.mark.parametrize("name", AZURE_METHODS)
def test_azure_models_and_methods(catalog: Catalog, name: str) -> None:
    assert catalog.find(name, "azure").methods == AZURE_METHODS[name]


def test_azure_prices(catalog: Catalog) -> None:
    nano = catalog.find("gpt-4.1-nano", "azure")
    for tier, training, tuned, hosting in (
        ("global", "1.50", ("0.10", "0.40"), "1.70"),
        ("regional", "1.65", ("0.11", "0.44"), "1.70"),
        ("developer", "0.75", ("0.10", "0.40"), "0"),
    ):
        at = nano.at(tier)
        assert at.training
        assert at.tuned
        assert at.hosting_hour
        assert (at.training.amount, at.hosting_hour.amount) == (D(training), D(hosting))
        assert (at.tuned.input, at.tuned.output) == tuple(D(t) for t in tuned)
    mini = catalog.find("gpt-4.1-mini", "azure")
    assert mini.training
    assert (mini.training.amount, mini.training.currency) == (D("4.4"), "EUR")
    regional = mini.at("regional").training
    assert regional
    assert (regional.amount, regional.as_of) == (D("5.8"), date(2026, 8, 27))
    seen = {(s.kind, s.tier): s.price.amount for s in mini.seen}
    assert seen == {("hosting", "global"): D("1.4937"), ("training", "regional"): D("5.3")}
    o4 = catalog.find("o4-mini", "azure").training
    assert o4
    assert (o4.amount, o4.unit) == (100, "hour")
    cap = catalog.provider("azure").reinforcement_cap
    assert cap
    assert cap.amount == 5000


def test_azure_hosts_at_1_70_an_hour(catalog: Catalog) -> None:
    for name in ("gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini", "o4-mini"):
        for tier in ("global", "regional"):
            host = catalog.find(name, "azure").at(tier).hosting_hour
            assert host
            assert host.amount == D("1.70")


def test_nebius(catalog: Catalog) -> None:
    home = catalog.provider("nebius")
    assert (home.placement, home.file_max, home.can("pause")) == ("top-level", 5_000_000_000, False)
    assert home.base_url == "https://api.tokenfactory.nebius.com/v1/"
    prices = {m.training.amount for m in catalog.models("nebius") if m.training}
    assert prices == {D("0.40"), D("2.80")}
    ranges = home.hyperparameters["supervised"]
    assert (ranges["n_epochs"].min, ranges["n_epochs"].max) == (1, 20)
    assert ranges["batch_size"].max == 32
    assert (ranges["context_length"].min, ranges["context_length"].max) == (8192, 131072)
    assert {"lora", "lora_r", "lora_alpha", "packing", "warmup_ratio", "learning_rate"} <= set(
        ranges
    )


def test_openai_hyperparameters(catalog: Catalog) -> None:
    ranges = catalog.provider("openai").hyperparameters
    assert ranges["supervised"]["n_epochs"].refuses(51)
    assert not ranges["supervised"]["n_epochs"].refuses("auto")
    assert ranges["supervised"]["batch_size"].refuses(257)
    assert ranges["dpo"]["beta"].refuses(0)
    assert not ranges["dpo"]["beta"].refuses(2)
    assert ranges["reinforcement"]["compute_multiplier"].refuses("0.00001")
    assert ranges["reinforcement"]["reasoning_effort"].refuses("max")


def test_provider_rules(catalog: Catalog) -> None:
    azure, openai = catalog.provider("azure"), catalog.provider("openai")
    assert (azure.bom, azure.image_max, azure.needs_deploy) == (True, 64, True)
    assert (azure.file_tokens_max, azure.jobs_max, azure.deployments_max) == (
        2_000_000_000,
        100,
        10,
    )
    assert (openai.bom, openai.image_max, openai.checkpoints_kept) == (False, 10, 3)
    assert azure.extra_body[0].name == "trainingType"
    assert {tier.id for tier in azure.tiers} == {"global", "regional", "developer"}
    assert not catalog.provider("litellm").can("events")


def test_every_figure_has_a_date_and_a_source(catalog: Catalog) -> None:
    for model in catalog.models():
        for at in (model, *(model.at(tier) for tier in model.tiers)):
            for price in (at.training, at.tuned, at.base, at.hosting_hour):
                if price is not None:
                    assert price.source, model.key
                    assert date(2024, 1, 1) < price.as_of <= catalog.as_of, model.key
                    assert price.certain or price.note, model.key


def test_conflicts_are_marked(catalog: Catalog) -> None:
    for name in ("gpt-4.1", "gpt-4o-mini"):
        training = catalog.find(name, "openai").training
        assert training
        assert not training.certain
        assert "2025" in training.note
    assert catalog.find("gpt-4o-2024-11-20").methods == ()


# ---------------------------------------------------------------- the page itself, where it is here


@pytest.fixture(scope="session")
def page(shared: Path) -> str:
    return (shared / "reference" / "providers.md").read_text(encoding="utf-8")


def rows_under(page: str, head: str) -> list[list[str]]:
    """The cells of the table whose head starts with `head`."""
    lines = page.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(head))
    out = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        out.append([cell.strip().replace("*", "") for cell in line.strip("|").split("|")])
    return out


def figures(cell: str) -> list[D | None]:
    return [
        money("–" if part.strip() == "–" else re.sub(r"[^0-9.].*", "", part.strip()))
        for part in cell.split("(")[0].split("/")
    ]


def test_the_price_table_of_the_page(catalog: Catalog, page: str) -> None:
    rows = rows_under(page, "| base snapshot |")
    names = {row[0].split(" ")[0] for row in rows} - {"any"}
    assert names == set(OPENAI)
    for row in rows:
        model = catalog.get(row[0].split(" ")[0], "openai")
        if model is None:
            assert row[0].startswith("any GPT-5")
            continue
        training = re.search(r"\d+(\.\d+)?", row[1])
        expected = D(training.group()) if training else None
        assert (model.training.amount if model.training else None) == expected, row[0]
        assert list(triple(model.tuned)) == figures(row[2]), row[0]
        if row[3] != "–":
            assert list(triple(model.tuned, batch=True)) == figures(row[3]), row[0]
        assert list(triple(model.base)) == figures(row[4]), row[0]
        shutdown = re.findall(r"\d{4}-\d{2}-\d{2}", row[7])
        if shutdown:
            assert model.tuned_ends == date.fromisoformat(shutdown[-1]), row[0]


def test_the_break_even_of_the_page(page: str) -> None:
    line = next(line for line in page.splitlines() if "Break-even** [COMPUTED]" in line)
    for expected in (
        "$1,224",
        "~525 M in +175 M out",
        "~1.31 B + 437 M",
        "~420 M + 140 M",
        "~3.5 B + 1.17 B",
    ):
        assert expected in line


def test_azure_retirement_of_the_page(catalog: Catalog, page: str) -> None:
    rows = rows_under(page, "| base | new training ends")
    found = {row[0]: re.search(r"\d{4}-\d{2}-\d{2}", row[1]) for row in rows}
    assert len(found) == 3
    for row in rows:
        name = {"gpt-4.1": "gpt-4.1", "gpt-4o": "gpt-4o", "o4-mini": "o4-mini"}[
            row[0].split(" ")[0]
        ]
        model: Model = catalog.find(name, "azure")
        day = re.search(r"\d{4}-\d{2}-\d{2}", row[1])
        assert day
        assert model.training_ends == date.fromisoformat(day.group())
        assert model.tuned_ends == date.fromisoformat(row[2])
