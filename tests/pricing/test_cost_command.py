"""`fttui cost`: text, JSON, Markdown and CSV, and every refusal in one message."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from fttui import cli
from fttui.commands import cost
from fttui.pricing import catalog, estimate, guide
from fttui.pricing.workload import from_report

ROOT = Path(__file__).resolve().parents[2]


class Day(date):
    """The day the reference was written, so that no test ages."""

    @classmethod
    def today(cls) -> Day:
        return cls(2026, 11, 21)


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "date", Day)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "system", "content": "Answer with the capital's name alone, no more."},
                    {"role": "user", "content": f"Question {n}: what is the capital of France?"},
                    {"role": "assistant", "content": f"Paris {n}"},
                ]
            }
        )
        for n in range(40)
    ]
    path = tmp_path / "capitals.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    code = cli.main(["cost", *(str(arg) for arg in args)])
    done = capsys.readouterr()
    return code, done.out, done.err


def as_json(capsys: pytest.CaptureFixture[str], *args: object) -> dict[str, Any]:
    code, out, err = run(capsys, *args, "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def test_json_has_the_promised_keys_and_the_panes_sums(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fttui.dataset.scan import scan

    made = as_json(capsys, dataset, "--model", "gpt-4o-mini", "--epochs", 2)
    assert {"model", "total", "currency", "lines"} <= made.keys()
    prices = catalog.shipped()
    model = prices.find("gpt-4o-mini", "openai")
    report = scan(dataset, target=prices.target(model))
    assert made["tokens"] == report.tokens.total > 0
    same = from_report(report, model).estimate(model, epochs=2)
    assert D(made["total"]) == same.total == D(report.tokens.total) * 2 * 3 / 10**6
    assert sum(D(line["amount"]) for line in made["lines"]) == D(made["total"])
    assert made["life"]["tuned_days"] == 54


def test_text_is_readable_in_eighty_columns(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(
        capsys,
        dataset,
        "--model",
        "gpt-4.1-mini",
        "--compare",
        "gpt-4.1,gpt-6-luna",
        "--azure",
        "--advice",
    )
    assert code == 0
    assert max(len(line) for line in out.splitlines()) <= 80
    for words in (
        "40 examples",
        "3 epochs (auto, estimated)",
        "lives 54 days",
        "2025-10-31",
        "GPT-6 Luna",
        "77 % input",
        "Not here for long use",
    ):
        assert words in out


def test_default_model_is_the_local_one_without_a_key(
    dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert as_json(capsys, dataset)["model"] == "smollm2-135m-instruct"
    assert as_json(capsys, dataset, "--provider", "openai")["model"] == "gpt-4o-mini-2024-07-18"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert as_json(capsys, dataset)["provider"] == "openai"


def test_the_documented_example(capsys: pytest.CaptureFixture[str]) -> None:
    made = as_json(capsys, "--tokens", 100_000, "--epochs", 3, "--model", "gpt-4o-mini")
    assert (made["total"], made["currency"]) == ("0.90", "USD")


def test_validation_is_counted_and_not_billed(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = as_json(capsys, dataset, "--model", "gpt-4o-mini")
    both = as_json(capsys, dataset, "--model", "gpt-4o-mini", "--validation", dataset)
    assert both["total"] == alone["total"]
    assert len(both["lines"]) == len(alone["lines"]) + 1


def test_tiers_and_hours(capsys: pytest.CaptureFixture[str]) -> None:
    args = ("--tokens", 1_000_000, "--epochs", 1, "--model", "azure/gpt-4.1-nano")
    assert as_json(capsys, *args, "--tier", "regional")["total"] == "1.65"
    assert as_json(capsys, *args, "--tier", "developer")["total"] == "0.75"
    made = as_json(capsys, "--tokens", 1, "--model", "azure/o4-mini", "--hours", "2-4.5")
    assert (made["low"], made["total"]) == ("200.00", "450.00")


def test_comparison_and_exports_agree(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = (dataset, "--model", "gpt-4.1-mini", "--compare", "gpt-4.1", "--requests", 5000)
    plans = as_json(capsys, *args)["comparison"]["plans"]
    assert [p["kind"] for p in plans] == ["base", "base", "tuned"]
    assert plans[0]["model"].startswith("gpt-4.1-2025")  # training is held against the dearest
    code, out, _ = run(capsys, *args, "--csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    for one in plans:
        mine = [D(r["amount"]) for r in rows if r["plan"] == one["label"] and r["part"] == "month"]
        assert sum(mine) == D(one["month"]["total"])
    code, out, _ = run(capsys, *args, "--markdown")
    assert (code, out.startswith("# Cost, 2026-11-21")) == (0, True)


def test_use_is_told_where_training_has_no_price(capsys: pytest.CaptureFixture[str]) -> None:
    args = ("--tokens", 1000, "--model", "azure/gpt-4.1", "--requests", 10)
    made = as_json(capsys, *args)
    assert (made["total"], made["problem"]["code"]) == (None, "no_price")
    code, out, _ = run(capsys, *args)
    assert code == 0
    assert "no training price is known" in out
    assert "$1,224" in out


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--model", "gpt-4.1-minni"), "unknown_model"),
        (("--provider", "opnai"), "unknown_provider"),
        (("--model", "gpt-4.1-nano"), "model_retired"),
        (("--model", "gpt-6-luna"), "not_trainable"),
        (("--model", "azure/gpt-4.1"), "no_price"),
        (("--model", "gpt-4o-mini", "--requests", -1), "negative_quantity"),
        (("--model", "gpt-4o-mini", "--prompt-tokens", -1), "negative_quantity"),
        (("--model", "gpt-4o-mini", "--compare", "gpt-4.1", "--batch", "2"), "share_out_of_range"),
        (("--model", "gpt-4o-mini", "--compare", "gpt-4.1", "--cached", "x"), "usage"),
        (("--model", "gpt-4o-mini", "--compare", "gpt-4.1,gpt-4o,gpt-6-luna"), "too_many_plans"),
        (("--model", "gpt-4o-mini", "--compare", "nothing-like-it"), "unknown_model"),
        (("--model", "gpt-4o-mini", "--epochs", 0), "epochs_out_of_range"),
        (("--model", "gpt-4o-mini", "--method", "dpo"), "method_not_supported"),
        (("--model", "gpt-4o-mini", "--tier", "developer"), "unknown_tier"),
        (("--model", "azure/o4-mini", "--hours", "-2"), "negative_quantity"),
    ],
)
def test_refusals(
    dataset: Path, capsys: pytest.CaptureFixture[str], args: tuple[object, ...], code: str
) -> None:
    args = tuple(f"{a}" for a in args)
    joined = [f"{a}={b}" for a, b in zip(args[::2], args[1::2], strict=True)]
    exit_code, out, _ = run(capsys, dataset, *joined, "--json")
    assert exit_code == 2
    error = json.loads(out.splitlines()[-1])["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["remedy"] or error["why"]


@pytest.mark.parametrize("kind", ["missing", "directory", "empty", "nothing"])
def test_unusable_input(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    path = tmp_path / "x.jsonl"
    if kind == "directory":
        path.mkdir()
    if kind == "empty":
        path.touch()
    code, out, err = run(capsys, *([] if kind == "nothing" else [path]), "--model", "gpt-4o-mini")
    assert (code, out) == (2, "")
    assert err.startswith("fttui: ")
    assert "Traceback" not in err


def test_a_wrong_price_file_is_named(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = catalog.override_files()[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[[model]]\nprovider = "openai"\nid = "x"\ntrainig = 1\n', encoding="utf-8")
    code, _, err = run(capsys, dataset)
    assert code == 2
    assert f"{path}:4" in err or f"{path}:1" in err


def test_the_guide_page_is_what_the_code_says() -> None:
    page = (ROOT / "docs" / "should-i-fine-tune.md").read_text(encoding="utf-8")
    assert page == guide.shipped_page(), (
        "python -m fttui.pricing.guide > docs/should-i-fine-tune.md"
    )


def test_the_price_page_shows_a_file_that_works(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "pricing.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    path = tmp_path / "prices.toml"
    path.write_text(example, encoding="utf-8")
    own = catalog.load(path)
    made = estimate.training(own.find("our-model"), tokens=1_000_000, epochs=1, catalog=own)
    assert (made.total, made.currency, made.certain) == (D("3.50"), "EUR", False)
