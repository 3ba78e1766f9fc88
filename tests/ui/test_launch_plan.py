"""What a launch is made of, without a screen: fields, graders, grids, orders, the bodies they become."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jobs_help import make_job

from fttui.config import Profile
from fttui.dataset import scan
from fttui.pricing import catalog
from fttui.service import jobs, sweep
from fttui.service.provider import Provider
from fttui.service.types import LaunchSpec
from fttui.ui.jobs.curves import Series
from fttui.ui.jobs.track import Track
from fttui.ui.launch import compare, fields, grader, plan, price
from fttui.ui.launch.draft import Draft

TODAY = date(2026, 11, 21)


def desk(provider: str, **more: Any) -> plan.Desk:
    profile = Profile(provider, provider, base_url="https://api.example.com/v1", **more)
    return plan.Desk(catalog.shipped(), profile, TODAY)


def wrong(
    provider: str, method: str = "supervised", model: str = "", **typed: str
) -> dict[str, str]:
    at = desk(provider)
    draft = Draft(model=model or at.models(method)[0].id, fields=typed)
    return at.wrong(draft, at.fields(draft, method))


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    path = tmp_path / "chat.jsonl"
    rows = (
        {"messages": [{"role": "user", "content": f"q {n}"}, {"role": "assistant", "content": "a"}]}
        for n in range(12)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def ordered(at: plan.Desk, draft: Draft, method: str, path: Path) -> list[plan.Order]:
    report = scan.scan(path, workers=0)
    rows = sweep.combinations(plan.axes(draft, at.fields(draft, method)))
    return at.orders(draft, method, path, report, [(Decimal(1), "USD")] * len(rows))


def body(at: plan.Desk, order: plan.Order) -> dict[str, Any]:
    spec = LaunchSpec(
        order.model, "file-1", method=order.method, hyperparameters=order.hyperparameters,
        method_fields=order.method_fields, suffix=order.suffix, seed=order.seed,
        metadata=order.metadata, integrations=order.integrations, extra_body=order.extra_body,
        tag=order.tag,
    )  # fmt: skip
    return jobs.body(Provider(at.profile), spec)


# -- the table of fields


def names(provider: str, method: str) -> list[str]:
    at = desk(provider)
    return [row.name for row in at.fields(Draft(model="x"), method) if not row.off]


def test_every_provider_and_method_has_its_own_fields() -> None:
    assert "beta" in names("openai", "dpo")
    assert "beta" not in names("openai", "supervised")
    reinforcement = names("azure", "reinforcement")
    assert reinforcement[:2] == ["grader", "response_format"]
    assert {"compute_multiplier", "reasoning_effort", "eval_interval", "eval_samples"} <= set(
        reinforcement
    )
    assert "trainingType" in reinforcement
    assert "wandb_project" not in reinforcement
    nebius = names("nebius", "supervised")
    assert {"lora", "lora_r", "lora_alpha", "packing", "suffix", "seed", "wandb_project"} <= set(
        nebius
    )
    assert "metadata" not in nebius  # it keeps none, and says so


def test_what_a_provider_lacks_is_said_in_its_row() -> None:
    rows = {row.name: row for row in desk("local").fields(Draft(model="x"), "supervised")}
    assert rows["wandb_project"].off == "not offered by this machine"
    assert "wandb_name" not in rows
    assert "only; Azure OpenAI" in desk("local").no_method("reinforcement")
    assert desk("local").no_method("dpo") == ""


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"n_epochs": "51"}, "auto or 1 to 50"),
        ({"n_epochs": "1, 2, 0"}, "auto or 1 to 50"),
        ({"n_epochs": "auto, 3"}, ""),
        ({"learning_rate_multiplier": "0"}, "above 0"),
        ({"seed": "1, x"}, "a whole number"),
        ({"seed": str(2**31)}, "a whole number"),
        ({"suffix": "x" * 65}, "at most 64"),
        ({"metadata": "team=a, run=7"}, ""),
        ({"metadata": "team"}, "no key=value"),
        ({"metadata": "fttui_sweep=mine"}, "fttui's own"),
        ({"metadata": ", ".join(f"k{n}=v" for n in range(14))}, "at most 13"),
        ({"metadata": "k" * 65 + "=v"}, "64"),
        ({"wandb_tags": ", ".join(f"t{n}" for n in range(51))}, "at most 50"),
        ({"n_epochs": "1,2,3,4,5,6,7", "seed": "1,2,3,4,5,6,7"}, "49 jobs are more than the 48"),
    ],
)
def test_what_is_wrong_is_named(typed: dict[str, str], said: str) -> None:
    found = wrong("openai", **typed)
    assert (next(iter(found.values()), "") == "") == (said == "")
    assert said in next(iter(found.values()), "")


def test_reinforcement_needs_its_grader() -> None:
    assert "grader" in wrong("azure", "reinforcement")
    assert wrong("azure", "reinforcement", grader=grader.start("string_check")) == {}


def test_a_refused_parameter_finds_its_row() -> None:
    rows = frozenset({"n_epochs", "beta", "suffix", "wandb_project", "dataset", "grader", "model"})
    assert fields.row_of("method.dpo.hyperparameters.beta", rows) == "beta"
    assert fields.row_of("hyperparameters.n_epochs", rows) == "n_epochs"
    assert fields.row_of("training_file", rows) == "dataset"
    assert fields.row_of("integrations[0].wandb.project", rows) == "wandb_project"
    assert fields.row_of("method.reinforcement.grader.operation", rows) == "grader"
    assert fields.row_of("nothing.known", rows) == ""


# -- orders, and the bodies they become


def test_everything_typed_reaches_the_request(chat: Path) -> None:
    at = desk("openai")
    draft = Draft(
        model="gpt-4.1-mini-2025-04-14",
        fields={
            "n_epochs": "3", "suffix": " mine ", "seed": "7", "metadata": "team=a",
            "wandb_project": "proj", "wandb_tags": "one, two",
        },
    )  # fmt: skip
    (order,) = ordered(at, draft, "supervised", chat)
    assert body(at, order) == {
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-1",
        "method": {
            "type": "supervised",
            "supervised": {
                "hyperparameters": {
                    "n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": "auto"
                }
            },
        },
        "suffix": "mine",
        "seed": 7,
        "metadata": {"team": "a", "fttui_launch": draft.tag},
        "integrations": [{"type": "wandb", "wandb": {"project": "proj", "tags": ["one", "two"]}}],
    }  # fmt: skip


def test_azure_gets_a_training_type_and_the_grader_under_the_method(chat: Path) -> None:
    at = desk("azure")
    text = grader.start("string_check")
    draft = Draft(model="o4-mini-2025-04-16", fields={"grader": text, "reasoning_effort": "low"})
    (order,) = ordered(at, draft, "reinforcement", chat)
    sent = body(at, order)
    assert sent["trainingType"] == "GlobalStandard"
    assert sent["method"]["reinforcement"]["grader"] == json.loads(text)
    assert sent["method"]["reinforcement"]["hyperparameters"]["reasoning_effort"] == "low"
    draft.fields["trainingType"] = "Developer"
    assert body(at, ordered(at, draft, "reinforcement", chat)[0])["trainingType"] == "Developer"
    own = desk("azure", extra_body={"trainingType": "Standard"})  # the profile's own choice
    (order,) = ordered(own, Draft(model="gpt-4.1-nano-2025-04-14"), "supervised", chat)
    assert body(own, order)["trainingType"] == "Standard"


def test_nebius_gets_its_fields_on_top(chat: Path) -> None:
    at = desk("nebius")
    draft = Draft(
        model="Qwen/Qwen3-8B",
        fields={"n_epochs": "2", "lora": "yes", "lora_r": "16", "learning_rate": "1e-5"},
    )
    (order,) = ordered(at, draft, "supervised", chat)
    sent = body(at, order)
    assert sent["hyperparameters"] == {
        "n_epochs": 2, "lora": True, "lora_r": 16, "learning_rate": 1e-5
    }  # fmt: skip
    assert "method" not in sent
    assert "metadata" not in sent


def test_the_training_type_sets_the_price() -> None:
    at = desk("azure")
    draft = Draft(model="gpt-4.1-nano-2025-04-14", fields={"trainingType": "Developer"})
    cheap = at.model(draft)
    draft.fields["trainingType"] = "Standard"
    dear = at.model(draft)
    assert cheap is not None and dear is not None  # noqa: PT018
    assert cheap.training is not None and dear.training is not None  # noqa: PT018
    assert cheap.training.amount < dear.training.amount


def test_a_tuned_model_is_priced_as_its_base() -> None:
    at = desk("openai")
    model = at.model(Draft(model="ft:gpt-4.1-mini-2025-04-14:org:mine:abc:ckpt-step-88"))
    assert model is not None
    assert model.id == "gpt-4.1-mini-2025-04-14"


# -- grids


def test_values_are_read_in_order_and_once() -> None:
    assert sweep.values(" 1e-4, 2e-4,1, 1.0, low, LOW,") == ["1e-4", "2e-4", "1", "low"]
    assert sweep.axes({"a": "1", "b": "", "c": "1,2"}) == (sweep.Axis("c", ("1", "2")),)
    assert sweep.combinations(()) == [{}]


def test_a_grid_becomes_orders_of_one_group(chat: Path) -> None:
    at = desk("openai")
    draft = Draft(
        model="gpt-4.1-mini-2025-04-14",
        fields={"n_epochs": "1, 2", "seed": "1,2", "suffix": "x" * 64, "metadata": "team=a"},
    )
    orders = ordered(at, draft, "supervised", chat)
    assert [(order.hyperparameters["n_epochs"], order.seed) for order in orders] == [
        (1, 1), (1, 2), (2, 1), (2, 2)
    ]  # fmt: skip
    assert len({order.tag for order in orders}) == 4
    assert len({order.metadata[sweep.SWEEP] for order in orders}) == 1
    assert orders[3].metadata[sweep.VARIED] == "n_epochs=2 seed=2"
    assert orders[3].metadata["team"] == "a"
    assert all(len(order.suffix) == 64 for order in orders)
    assert orders[3].suffix.endswith("-4")
    again = ordered(at, draft, "supervised", chat)
    assert [order.tag for order in again] == [order.tag for order in orders]  # found, not doubled
    assert again[0].metadata == orders[0].metadata


def test_a_sweep_is_priced_as_one() -> None:
    from fttui.pricing.workload import Workload

    model = catalog.shipped().find("gpt-4.1-mini", "openai")
    work = Workload(examples=100, tokens=1_000_000)
    one = price.quote(model, work, method="supervised", epochs=("1",))
    both = price.quote(model, work, method="supervised", epochs=("1", "3"))
    assert one.amount == 5
    assert both.amount == 20
    assert [amount for amount, _ in both.each] == [5, 15]
    assert "for all 2 jobs" in "".join(p if isinstance(p, str) else p[0] for p in both.parts)
    assert price.quote(None, work, method="supervised").amount is None


# -- graders


@pytest.mark.parametrize("kind", list(grader.STARTS))
def test_every_shape_to_start_from_is_a_good_one(kind: str) -> None:
    text = grader.start(kind, "expected")
    assert grader.fault(text) is None
    assert "answer'" not in text
    assert "expected" in text
    assert grader.words(text).startswith(kind)


@pytest.mark.parametrize(
    ("change", "line", "column", "said"),
    [
        (('"operation": "eq"', '"operation": "is"'), 8, 7, "same: operation is 'is'"),
        (("fuzzy_match", "cosine"), 15, 7, "near: evaluation_metric"),
        (("0.3 * near", "0.3 * far"), 20, 3, "calculate_output uses 'far'"),
        (("{{sample.output_text}}", "{{smple.text}}"), 9, 7, "same: input"),
        (('"type": "string_check"', '"type": "exact"'), 6, 7, "inside multi it is one of"),
        (('"name": "both",', '"name": "both"'), 4, 3, "no JSON"),
        (('"multi"', '"multy"'), 2, 3, "type is 'multy'"),
    ],
)
def test_a_mistake_in_a_grader_is_found_where_it_is(
    change: tuple[str, str], line: int, column: int, said: str
) -> None:
    found = grader.fault(grader.start("multi").replace(*change))
    assert found is not None
    assert said in found.text
    assert (found.line, found.column) == (line, column)


def test_code_is_read_but_not_run(tmp_path: Path) -> None:
    text = grader.start("python")
    assert "no function grade" in grader.wrong(text.replace("def grade", "def judge"))
    assert "line 2 of the code" in grader.wrong(text.replace("return 1.0", "retur 1.0"))
    mark = tmp_path / "ran"
    evil = {
        "type": "python",
        "name": "x",
        "source": f"open({str(mark)!r}, 'w')\ndef grade(a, b): ...",
    }
    assert grader.fault(json.dumps(evil)) is None
    assert not mark.exists()


def test_an_answer_format_is_a_schema() -> None:
    assert grader.format_fault(json.dumps(grader.FORMAT_START)) is None
    assert "name and a schema" in grader.wrong_format('{"type": "json_schema"}')
    assert "type must be" in grader.wrong_format('{"type": "xml"}')


def test_reinforcement_data_with_its_validation_file_lacks_none(tmp_path: Path) -> None:
    def write(name: str, word: str) -> Path:
        path = tmp_path / name
        rows = ({"messages": [{"role": "user", "content": f"{word} {n}"}], "answer": str(n)}
                for n in range(12))  # fmt: skip
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    at = desk("azure")
    draft = Draft(model="o4-mini-2025-04-16", fields={"grader": grader.start("string_check")})
    target = at.target(draft, "reinforcement")
    train, held = write("train.jsonl", "q"), write("held.jsonl", "other")
    alone = scan.scan(train, target=target, workers=0)
    both = scan.scan(train, target=target, validation=held, workers=0)
    assert "R007" in alone.counts
    assert "R007" not in both.counts
    draft.fields["grader"] = grader.start("string_check", "expected")  # no line has such a field
    lacking = scan.scan(train, target=at.target(draft, "reinforcement"), validation=held, workers=0)
    assert "R005" in lacking.counts


# -- results side by side


def track(number: int, varied: str, losses: list[float], status: str = "succeeded") -> Track:
    metadata = {"fttui_sweep": "s-1", "fttui_varied": varied, "fttui_launch": f"t-{number}"}
    made = Track(make_job(0, status, f"job-{number}", metadata=metadata, trained_tokens=1_000_000))
    made.kind = "openai"
    made.curves.series["full_valid"] = Series.of([(10.0 * n, v) for n, v in enumerate(losses, 1)])
    made.curves.series["train"] = Series.of([(1.0, 2.0)])
    return made


def test_the_best_is_the_lowest_and_the_reason_names_the_next() -> None:
    tracks = [
        track(2, "n_epochs=2 seed=1", [0.9, 0.5, 0.7]),
        track(1, "n_epochs=1 seed=1", [0.8]),
        track(3, "n_epochs=3 seed=1", [0.5], "failed"),
    ]
    rows = compare.results(tracks, catalog.shipped())
    assert [row.track.name for row in rows] == ["job-1", "job-2", "job-3"]
    top = compare.best(rows)
    assert top is not None
    assert (top.track.name, top.best, top.best_step, top.final) == ("job-2", 0.5, 20, 0.7)
    judge = compare.judge_of(tracks)
    reason = compare.reason(rows, judge)
    assert "0.500 at step 20; next: epochs 1 · seed 1, 0.800" in reason
    assert compare.total(rows) == "$15.00"
    columns, cells = compare.table(compare.ranked(rows), judge, {})
    assert [column.name for column in columns][:2] == ["epochs", "seed"]
    assert cells[0][:2] == ["2", "1"]
    shown = compare.fitting(columns, cells, 40)
    assert 0 in shown  # what was varied stays when it is narrow
    assert len(shown) < len(columns)


def test_equal_results_go_to_the_cheaper_and_jobs_of_no_sweep_show_what_differs() -> None:
    one, two = track(1, "", [0.5]), track(2, "", [0.5])
    for number, row in enumerate((one, two), 1):
        row.job = make_job(number, trained_tokens=3_000_000 // number, seed=number)
    rows = compare.results([one, two], catalog.shipped())
    assert [row.varied for row in rows] == [{"seed": "2"}, {"seed": "1"}]
    top = compare.best(rows)
    assert top is not None
    assert top.track is two


def test_the_key_of_weights_and_biases_goes_only_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the environment, at the moment of sending: no order and no draft ever holds it."""
    from types import SimpleNamespace

    from fttui.ui.launch import run

    row = {"type": "wandb", "wandb": {"project": "p"}}

    def sent(provider: str) -> Any:
        feed = SimpleNamespace(provider=SimpleNamespace(profile=desk(provider).profile))
        return run._with_key(feed, row)  # type: ignore[arg-type]

    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    assert sent("nebius") is row
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert sent("nebius")["wandb"] == {"project": "p", "api_key": "secret"}
    assert sent("openai") is row
    assert "api_key" not in row["wandb"]
