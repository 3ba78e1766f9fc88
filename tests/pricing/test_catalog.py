"""Finding models, the user's own prices, and price files that are wrong."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest

from fttui import paths
from fttui.pricing import catalog as prices
from fttui.pricing.catalog import Catalog
from fttui.problem import Problem


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini-2024-07-18"),
        ("gpt-4o-mini", "openai/gpt-4o-mini-2024-07-18"),
        ("GPT-4o-Mini", "openai/gpt-4o-mini-2024-07-18"),
        ("ft:gpt-4o-mini:openai::7p4lURel", "openai/gpt-4o-mini-2024-07-18"),
        (
            "ft:gpt-4o-mini-2024-07-18:my-org:x:9ABel2dg:ckpt-step-88",
            "openai/gpt-4o-mini-2024-07-18",
        ),
        ("gpt-4.1-2025-04-14.ft-0a1b2c3d-mine", "azure/gpt-4.1-2025-04-14"),
        ("azure/gpt-4.1", "azure/gpt-4.1-2025-04-14"),
        ("openai/gpt-oss-20b", "nebius/openai/gpt-oss-20b"),
        ("ft:smollm2-135m-instruct:local:s:id", "local/smollm2-135m-instruct"),
    ],
)
def test_names_that_mean_a_model(catalog: Catalog, name: str, key: str) -> None:
    assert catalog.find(name).key == key


def test_unknown_names_get_suggestions(catalog: Catalog) -> None:
    with pytest.raises(Problem) as caught:
        catalog.find("gpt-4.1-minni")
    assert caught.value.code == "unknown_model"
    assert "gpt-4.1-mini-2025-04-14" in caught.value.remedy
    with pytest.raises(Problem) as caught:
        catalog.find("gpt-4.1", "azur")
    assert (caught.value.code, "azure" in caught.value.remedy) == ("unknown_provider", True)
    with pytest.raises(Problem):
        catalog.find("gpt-6-luna", "azure")
    assert catalog.get("nothing-like-it") is None


def test_cheapest_that_can_still_be_trained(catalog: Catalog, today: date) -> None:
    found = catalog.cheapest("openai", today)
    assert found
    assert found.id == "gpt-4o-mini-2024-07-18"  # nano and babbage cost less, and are gone
    assert catalog.cheapest("openai", date(2027, 2, 1)) is None
    local = catalog.cheapest("local", today)
    assert local
    assert local.free


def test_targets(catalog: Catalog) -> None:
    openai = catalog.target(catalog.find("gpt-4o", "openai"))
    assert (openai.example_limit, openai.max_images, openai.wants_bom, openai.vision) == (
        65_536,
        10,
        False,
        True,
    )
    azure = catalog.target(catalog.find("gpt-4o", "azure"), "dpo")
    assert (azure.max_images, azure.wants_bom, azure.method) == (64, True, "dpo")
    local = catalog.target(catalog.find("smollm2-135m-instruct"))
    assert (local.context, local.min_examples, local.local) == (8192, 10, True)
    assert catalog.target(catalog.find("davinci-002")).legacy


# ------------------------------------------------------------------------------ own prices


def write(text: str) -> Path:
    path = paths.config_dir() / "prices.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_own_prices_are_laid_over_the_shipped(catalog: Catalog) -> None:
    write(
        """
        [[model]]
        provider = "azure"
        id = "gpt-4.1-2025-04-14"
        as_of = 2026-11-20
        source = "our agreement"
        training = 22.00

        [model.tier.regional]
        training = 24

        [[model]]
        provider = "custom"
        id = "our-model"
        title = "Our model"
        methods = ["supervised"]
        training = { amount = 3.50, currency = "EUR" }

        [provider.custom]
        minimum_job = { amount = 4.00, unit = "job" }
        """
    )
    own = prices.load()
    model = own.find("gpt-4.1", "azure")
    assert model.training
    assert (model.training.amount, model.training.source) == (22, "our agreement")
    assert (model.training.as_of, model.training.certain) == (date(2026, 11, 20), True)
    assert model.tuned == catalog.find("gpt-4.1", "azure").tuned  # the rest stays
    regional = model.at("regional").training
    assert regional
    assert regional.amount == 24
    assert model.at("developer") != model
    mine = own.find("our-model")
    assert mine.training
    assert (mine.provider, mine.training.currency, mine.training.source) == (
        "custom",
        "EUR",
        "prices.toml",
    )
    least = own.provider("custom").minimum_job
    assert least
    assert least.amount == 4
    assert own.find("gpt-4o-mini", "openai") == catalog.find("gpt-4o-mini", "openai")


def test_a_changed_file_is_read_again() -> None:
    entry = '[[model]]\nprovider = "azure"\nid = "gpt-4o-2024-08-06"\ntraining = {}\n'
    write(entry.format("1"))
    first = prices.load().find("gpt-4o", "azure").training
    write(entry.format("20.5"))
    second = prices.load().find("gpt-4o", "azure").training
    assert first
    assert second
    assert (first.amount, second.amount) == (1, D("20.5"))


HEAD = '[[model]]\nprovider = "azure"\nid = "gpt-4.1-2025-04-14"\n'
NEW = '[[model]]\nprovider = "custom"\nid = "x"\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD + 'training = "25"\n', 4, "training"),
        (HEAD + "training = true\n", 4, "training"),
        (HEAD + "training = -1\n", 4, "negative"),
        (HEAD + "training = nan\n", 4, "training"),
        (HEAD + "\ntrainnig = 25\n", 5, "did you mean 'training'"),
        (HEAD + "tuned = { input = 1 }\n", 4, "tuned.output"),
        (HEAD + "training = { price = 1 }\n", 4, "training.amount"),
        (HEAD + "training = { amount = 1, unit = 'day' }\n", 4, "training.unit"),
        (HEAD + 'training_ends = "2027"\n', 4, "training_ends"),
        (HEAD + 'methods = "supervised"\n', 4, "methods"),
        (HEAD + 'methods = ["rlhf"]\n', 4, "rlhf"),
        (HEAD + "[model.tier.regional]\ntraining = 'x'\n", 5, "tier.regional.training"),
        (NEW, 1, "title"),
        ('[[model]]\nid = "x"\n', 1, "provider"),
        ('[[model]]\nprovider = "nobody"\nid = "x"\ntitle = "x"\n', 2, "nobody"),
        ("[provider.azure]\nplacement = 'below'\n", 2, "placement"),
        ("[provider.azure]\nfile_max = '512 MB'\n", 2, "file_max"),
        ("model = 3\n", 1, "model"),
        ("modell = 3\n", 1, "modell"),
        (HEAD + "training = \n", 4, "TOML"),
        ("[source]\n" + HEAD + HEAD + "training = 'x'\n", 8, "training"),
    ],
)
def test_wrong_price_files(text: str, line: int, words: str) -> None:
    path = write(text)
    with pytest.raises(Problem) as caught:
        prices.load()
    problem = caught.value
    assert problem.code == "price_file"
    assert f"{path}:{line}:" in problem.what
    assert words in str(problem)
    assert problem.remedy


def test_a_wrong_file_leaves_the_shipped_figures(catalog: Catalog) -> None:
    write("not toml")
    found = prices.load_or_shipped()
    assert found.rows == catalog.rows
    assert found.problem
    assert found.problem.code == "price_file"
    assert prices.shipped().problem is None


def test_binary_is_told_not_raised() -> None:
    write("").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Problem) as caught:
        prices.load()
    assert caught.value.code == "price_file"


def test_pricing_reaches_no_network() -> None:
    code = (
        "import sys, fttui.pricing.catalog as c; assert not c._load.cache_info().currsize; c.load()\n"
        "from fttui.pricing import advice, azure, compare, export, journal, plan, render\n"
        "bad = {'socket', 'ssl', 'http.client', 'urllib.request', 'textual', 'openai', 'httpx', 'numpy'}\n"
        "print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
