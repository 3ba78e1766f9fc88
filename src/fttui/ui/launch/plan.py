"""What a launch is made of: which models, methods and fields there are, what is wrong, the orders it becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui.service import sweep
from fttui.text import plural
from fttui.ui.launch import fields as form
from fttui.ui.launch.draft import SPLIT, Draft, new_tag

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.dataset.report import Report
    from fttui.dataset.target import Target
    from fttui.pricing.catalog import Catalog, Model
    from fttui.pricing.records import Hyperparameter, Provider
    from fttui.ui.thread import Thread

SPLITS = ("0.1", "0.2", "0.3")
SUFFIX_COLUMNS = 18  # of a suggested suffix: longer ones are cut in lists
METHOD_OF_FORMAT = {"preference": "dpo", "reinforcement": "reinforcement"}
METHODS: Mapping[str, str] = {
    "supervised": "supervised: learn the answers",
    "dpo": "preference (dpo): the better of two answers",
    "reinforcement": "reinforcement: a grader scores the answers",
}
DATA_OF_METHOD = {"supervised": "chat", "dpo": "preference", "reinforcement": "reinforcement"}


@dataclass(frozen=True)
class Order:
    """One job that was confirmed: everything it needs, nothing to be asked any more.

    varied: what this job of a sweep has of its own, by field; empty for a single one.
    """

    path: Path
    sha256: str
    model: str
    method: str
    tag: str
    validation: Path | None = None
    share: float = 0.0
    seed: int | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    method_fields: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    integrations: tuple[Mapping[str, Any], ...] = ()
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    sent_before: bool = False
    amount: Decimal | None = None
    currency: str = "USD"
    varied: Mapping[str, str] = field(default_factory=dict)


def method_of(report: Report | None) -> str:
    """The method a file is for."""
    return METHOD_OF_FORMAT.get(report.format if report else "", "supervised")


class Desk:
    """What one profile's provider takes. Pure: the same questions get the same answers."""

    def __init__(self, catalog: Catalog, profile: Profile, today: date) -> None:
        self.catalog, self.profile, self.today = catalog, profile, today
        self.home: Provider = catalog.providers.get(profile.provider) or catalog.providers["custom"]

    # -- models and methods

    def models(self, method: str) -> list[Model]:
        """The models of the provider that can be trained so today, the cheapest first."""
        found = [
            model
            for model in self.catalog.models(self.home.id)
            if model.can_train(self.today) and method in model.methods
        ]
        return sorted(found, key=lambda m: m.training.amount if m.training else Decimal(10**9))

    def no_method(self, method: str, report: Report | None = None) -> str:
        """Why one cannot train by `method` here, "" where one can."""
        if method not in self.home.methods:
            can = " and ".join(self.home.methods)
            elsewhere = [
                row.title
                for row in self.catalog.providers.values()
                if method in row.methods and row.id != "custom"
            ]
            tail = f"; {' or '.join(elsewhere)} can" if elsewhere else ""
            return f"{self.home.title} trains by {can} only{tail}"
        if report is not None and report.format in DATA_OF_METHOD.values():
            wanted = DATA_OF_METHOD[method]
            if report.format != wanted:
                return f"it takes {wanted} data, the file is {report.format}"
        return ""

    def base(self, name: str) -> Model | None:
        """The catalogue's entry behind a base, tuned model or checkpoint; None where it has none."""
        return self.catalog.get(name, self.home.id) if name else None

    def model(self, draft: Draft) -> Model | None:
        """The same with the prices of the chosen training type."""
        model = self.base(draft.model)
        kind = draft.text("trainingType") or self._usual("trainingType")
        tier = next((tier.id for tier in self.home.tiers if tier.training_type == kind), "")
        return model.at(tier) if model and tier else model

    def _usual(self, name: str) -> str:
        usual = next((row.default for row in self.home.extra_body if row.name == name), "")
        return str(self.profile.extra_body.get(name, usual))

    def target(self, draft: Draft, method: str) -> Target:
        """What the file is checked for: this model, this method, this grader."""
        from dataclasses import replace

        from fttui.dataset.target import preset

        model = self.base(draft.model)
        if model is not None:
            target = self.catalog.target(model, method)
        else:
            target = preset(self.home.id, draft.model, method)
        grader = draft.text("grader") if method == "reinforcement" else ""
        return replace(target, grader=grader) if grader else target

    # -- fields

    def knobs(self, method: str, model: Model | None) -> Mapping[str, Hyperparameter]:
        """The hyperparameters a model takes by a method, with their ranges."""
        own = model.hyperparameters.get(method) if model else None
        return own or self.home.hyperparameters.get(method, {})

    def fields(self, draft: Draft, method: str) -> tuple[form.Field, ...]:
        return form.of(self.home, method, self.profile, self.knobs(method, self.base(draft.model)))

    def wrong(self, draft: Draft, fields: tuple[form.Field, ...]) -> dict[str, str]:
        """Field → what is wrong with it."""
        found = {} if draft.model else {"model": "choose a base model"}
        path = draft.validation_path
        if path is not None and not path.is_file():
            found["validation"] = f"no such file: {path}"
        for row in fields:
            reason = row.wrong(draft.fields.get(row.name, ""))
            if reason:
                found[row.name] = reason
        many = sweep.too_many(axes(draft, fields))
        if many and not found:
            found[axes(draft, fields)[-1].name] = many
        return found

    # -- the end of it

    def orders(
        self,
        draft: Draft,
        method: str,
        path: Path,
        report: Report,
        prices: list[tuple[Decimal | None, str]],
    ) -> list[Order]:
        """The confirmed launch, one order a job. Call only when nothing is wrong or blocked."""
        fields = self.fields(draft, method)
        rows = sweep.combinations(axes(draft, fields))
        name = sweep.new_name(draft.text("suffix") or path.stem, draft.tag[:6])
        made = []
        for number, varied in enumerate(rows, 1):
            texts = {row.name: draft.text(row.name) for row in fields if not row.off} | varied
            group = len(rows) > 1
            tag = f"{draft.tag}-{number}" if group else draft.tag
            amount, currency = prices[number - 1]
            suffix = texts.get("suffix", "")
            made.append(
                Order(
                    path=path,
                    sha256=report.sha256,
                    model=draft.model,
                    method=method,
                    tag=tag,
                    validation=draft.validation_path,
                    share=draft.share,
                    seed=int(texts["seed"]) if texts.get("seed") else None,
                    hyperparameters=_hyperparameters(fields, texts),
                    method_fields=_method_fields(fields, texts),
                    suffix=sweep.numbered(suffix, number, self.home.suffix_max)
                    if group
                    else suffix,
                    metadata=form.metadata(texts.get("metadata", ""))
                    | (sweep.tags(name, varied) if group else {}),
                    integrations=_integrations(texts),
                    extra_body={
                        row.name: texts.get(row.name) or self._usual(row.name)
                        for row in self.home.extra_body
                    },
                    sent_before=draft.sent,
                    amount=amount,
                    currency=currency,
                    varied=varied,
                )
            )
        return made


def axes(draft: Draft, fields: tuple[form.Field, ...]) -> tuple[sweep.Axis, ...]:
    """The fields in which several values were typed."""
    return sweep.axes(
        {row.name: draft.text(row.name) for row in fields if row.many and not row.off}
    )


def _hyperparameters(fields: tuple[form.Field, ...], texts: Mapping[str, str]) -> dict[str, Any]:
    chosen = {}
    for row in fields:
        if row.knob is not None:
            given = form.value(texts[row.name], row.knob)
            if given != "auto" or row.knob.auto:
                chosen[row.name] = given
    return chosen


def _method_fields(fields: tuple[form.Field, ...], texts: Mapping[str, str]) -> dict[str, Any]:
    rows = [row.name for row in fields if row.kind == "json" and texts.get(row.name)]
    return {name: json.loads(texts[name]) for name in rows}


def _integrations(texts: Mapping[str, str]) -> tuple[Mapping[str, Any], ...]:
    project = texts.get("wandb_project", "")
    if not project:
        return ()
    given = {"project": project, "name": texts.get("wandb_name"),
             "entity": texts.get("wandb_entity"), "tags": form.tags(texts.get("wandb_tags", ""))}  # fmt: skip
    return ({"type": "wandb", "wandb": {name: value for name, value in given.items() if value}},)


# ---- the draft at first, and what stands in its way ----


def fresh(thread: Thread, models: list[Model], suffix_max: int = 64) -> Draft:
    """A first draft, from what the other panes decided; the suffix names the dataset."""
    chosen = thread.model.id if thread.model and thread.model in models else ""
    draft = Draft(model=chosen or (models[0].id if models else ""), tag=new_tag())
    if thread.path is not None:
        name = re.sub(r"[^a-z0-9-]+", "-", thread.path.stem.lower())
        draft.fields["suffix"] = name[: min(suffix_max, SUFFIX_COLUMNS)].strip("-")
    if thread.validation is not None:
        draft.validation = str(thread.validation)
    elif thread.split:
        draft.validation = f"{SPLIT}{thread.split:g}"
    if thread.epochs:
        draft.fields["n_epochs"] = str(thread.epochs)
    return draft


def blocked(thread: Thread, report: Report | None) -> str:
    """Why this dataset cannot be launched now, "" when it can. report: of this very plan."""
    if thread.path is None:
        return "no dataset is open"
    if thread.problem is not None:
        return thread.problem.what
    if report is None:
        return "the dataset is still being checked"
    reason = errors(report)
    if not reason and report.validation is not None:
        reason = errors(report.validation)
        return f"validation: {reason}" if reason else ""
    return reason


def errors(report: Report) -> str:
    """The errors of one file: how many, and the first of them."""
    many = report.severities.get("error", 0)
    if report.verdict != "unusable" and not many:
        return ""
    first = next((found for found in report.findings if found.severity == "error"), None)
    if first is None:
        return report.summary or "the file cannot be used"
    where = f"line {first.line:,}: " if first.line else ""
    rest = f" (and {many - 1:,} more: see Check, 2)" if many > 1 else ""
    return f"{where}{first.message}{rest}"


def grid_text(varied: tuple[sweep.Axis, ...]) -> str:
    """`6 jobs: epochs 1, 3 × seed 1, 2, 3`; "" for a single job."""
    jobs = sweep.count(varied)
    if jobs < 2:
        return ""
    parts = [f"{form.NAMES.get(axis.name, axis.name)} {', '.join(axis.values)}" for axis in varied]
    return f"{plural(jobs, 'job')}: {' × '.join(parts)}"
