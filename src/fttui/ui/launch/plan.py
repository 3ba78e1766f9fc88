"""What a launch is made of: the draft as typed, what is wrong with it, its price, the order it becomes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem
from fttui.text import plural
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.dataset.report import Report
    from fttui.pricing.catalog import Catalog, Model
    from fttui.pricing.records import Hyperparameter
    from fttui.ui.thread import Thread

SPLITS = ("0.1", "0.2", "0.3")
SPLIT = "split:"
SUFFIX_COLUMNS = 18  # of a suggested suffix: longer ones are cut in lists
METHOD_OF_FORMAT = {"preference": "dpo", "reinforcement": "reinforcement"}
NAMES = {
    "n_epochs": "epochs",
    "batch_size": "batch size",
    "learning_rate_multiplier": "lr multiplier",
}


@dataclass
class Draft:
    """As typed; every field is text. tag: what makes this launch findable; sent: it went out once.

    validation: "" none, "split:0.2" a part held out, else the path of a file.
    """

    model: str = ""
    validation: str = ""
    hyperparameters: dict[str, str] = field(default_factory=dict)
    suffix: str = ""
    seed: str = ""
    tag: str = field(default_factory=lambda: uuid.uuid4().hex)
    sent: bool = False

    @classmethod
    def recall(cls, kept: Any) -> Draft | None:
        """A draft that was kept; None where there is none or it is of another shape."""
        if not isinstance(kept, dict) or set(kept) != set(cls.__dataclass_fields__):
            return None
        return cls(**kept)

    def keep(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def share(self) -> float:
        """The part held out for validation, 0 without a split."""
        return (
            float(self.validation.removeprefix(SPLIT)) if self.validation.startswith(SPLIT) else 0.0
        )

    @property
    def validation_path(self) -> Path | None:
        return Path(self.validation) if self.validation and not self.share else None


@dataclass(frozen=True)
class Order:
    """A launch that was confirmed: everything it needs, nothing to be asked any more."""

    path: Path
    sha256: str
    validation: Path | None
    share: float
    seed: int | None
    model: str
    method: str
    hyperparameters: Mapping[str, Any]
    suffix: str
    tag: str
    sent_before: bool
    amount: Decimal | None
    currency: str


def key(path: Path) -> str:
    """The name a dataset's draft is kept under."""
    return f"launch:{path.absolute()}"


def fresh(thread: Thread, models: list[Model], suffix_max: int = 64) -> Draft:
    """A first draft, from what the other panes decided; the suffix names the dataset."""
    chosen = thread.model.id if thread.model and thread.model in models else ""
    draft = Draft(model=chosen or (models[0].id if models else ""))
    if thread.path is not None:
        name = re.sub(r"[^a-z0-9-]+", "-", thread.path.stem.lower())
        draft.suffix = name[: min(suffix_max, SUFFIX_COLUMNS)].strip("-")
    if thread.validation is not None:
        draft.validation = str(thread.validation)
    elif thread.split:
        draft.validation = f"{SPLIT}{thread.split:g}"
    if thread.epochs:
        draft.hyperparameters["n_epochs"] = str(thread.epochs)
    return draft


def method(report: Report | None) -> str:
    return METHOD_OF_FORMAT.get(report.format if report else "", "supervised")


def trainable(catalog: Catalog, profile: Profile, today: date) -> list[Model]:
    """The models of the profile's provider that can be trained today, the cheapest first."""
    home = profile.provider if profile.provider in catalog.providers else "custom"
    models = [model for model in catalog.models(home) if model.can_train(today)]
    return sorted(models, key=lambda m: m.training.amount if m.training else Decimal(10**9))


def knobs(catalog: Catalog, profile: Profile, method_: str) -> Mapping[str, Hyperparameter]:
    """The hyperparameters the provider takes for a method, with their ranges."""
    home = catalog.providers.get(profile.provider) or catalog.providers.get("custom")
    return dict(home.hyperparameters.get(method_, {})) if home else {}


def value(text: str, knob: Hyperparameter) -> Any:
    """A typed value as it is sent; "" means auto. Text that is no number stays text (and is refused)."""
    word = text.strip().lower()
    if word in ("", "auto"):
        return "auto"
    if knob.kind == "bool":
        return {"true": True, "yes": True, "false": False, "no": False}.get(word, word)
    if knob.kind == "choice":
        return word
    try:
        return int(word) if knob.kind == "int" else float(word)
    except ValueError:
        return word


def wrong(draft: Draft, ranges: Mapping[str, Hyperparameter], suffix_max: int) -> dict[str, str]:
    """Field → what is wrong with it."""
    found = {}
    for name, knob in ranges.items():
        given = value(draft.hyperparameters.get(name, ""), knob)
        if given == "auto":
            continue  # left out, or the provider's own choice
        reason = knob.refuses(given)
        if reason:
            found[name] = reason
    if draft.seed.strip() and not draft.seed.strip().isdigit():
        found["seed"] = "a whole number, or empty"
    if len(draft.suffix) > suffix_max:
        found["suffix"] = f"at most {suffix_max} characters"
    path = draft.validation_path
    if path is not None and not path.expanduser().is_file():
        found["validation"] = f"no such file: {path}"
    if not draft.model:
        found["model"] = "choose a base model"
    return found


def blocked(thread: Thread, draft: Draft) -> str:
    """Why this dataset cannot be launched now, "" when it can."""
    if thread.path is None:
        return "no dataset is open"
    if thread.problem is not None:
        return thread.problem.what
    report = thread.report
    if report is None:
        return "the dataset is still being checked"
    reason = _errors(report)
    used = thread.validation is not None and draft.validation_path == thread.validation
    if not reason and used and report.validation is not None:
        reason = _errors(report.validation)
        return f"validation: {reason}" if reason else ""
    return reason


def _errors(report: Report) -> str:
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


@dataclass(frozen=True)
class Quote:
    """amount None: no price is known. parts: what to show. exact: counted for this very plan."""

    parts: tuple[Part, ...]
    amount: Decimal | None = None
    currency: str = "USD"
    exact: bool = True

    @property
    def money(self) -> str:
        if self.amount is None:
            return ""
        sign = "$" if self.currency == "USD" else f"{self.currency} "
        return f"{sign}{self.amount:,.2f}"


def quote(
    catalog: Catalog, model: Model | None, report: Report | None, draft: Draft, method_: str
) -> Quote:
    """The price of the plan in one line."""
    if model is None:
        return Quote((("choose a model", "dim"),))
    if report is None:
        return Quote((("the tokens are still being counted …", "dim"),))
    if model.free:
        return Quote((("free", "ok"), (" · trains on this machine", "dim")), Decimal(0))
    from fttui.pricing import estimate

    kept, cut, cut_examples = estimate.truncate(report.tokens.per_example, model.example_limit)
    left = Decimal(1) - Decimal(str(draft.share))
    typed = draft.hyperparameters.get("n_epochs", "").strip()
    validation = report.validation.tokens.total if report.validation and not draft.share else 0
    try:
        found = estimate.training(
            model,
            tokens=int(kept * left),
            examples=int(report.examples * left),
            epochs=int(typed) if typed.isdigit() else None,
            method=method_,
            validation_tokens=int(kept * (1 - left)) if draft.share else validation,
            truncated_tokens=cut,
            truncated_examples=cut_examples,
            catalog=catalog,
        )
    except Problem as problem:
        return Quote(((f"price unknown: {problem.why or problem.what}", "warning"),))
    exact = not draft.share and not found.epochs_auto and report.tokens.encoding == model.encoding
    made = Quote((), found.total, found.currency, exact)
    about = "" if exact else "≈ "
    auto = " (auto, estimated)" if found.epochs_auto else ""
    epochs = plural(found.epochs, "epoch") + auto
    price = model.training
    each = f" × {price.amount:g} {price.currency}/1M, {price.as_of}" if price else ""
    parts: list[Part] = [
        (f"{about}{made.money}", "bold"),
        (f" · {int(kept * left):,} tokens × {epochs}{each}", "dim"),
    ]
    return Quote(tuple(parts), found.total, found.currency, exact)


def lifetime(model: Model | None, today: date) -> list[Part]:
    """How long the tuned model will answer."""
    if model is None:
        return []
    from fttui.pricing import lifecycle

    life = lifecycle.life(model, today)
    style = {"ok": "dim", "soon": "warning"}.get(life.level, "error")
    return [(f"{'' if life.level == 'ok' else '⚠ '}{life.text}", style)]


def order(
    draft: Draft, thread: Thread, ranges: Mapping[str, Hyperparameter], price: Quote
) -> Order:
    """The confirmed launch. Call only when nothing is `wrong` or `blocked`."""
    assert thread.path is not None
    assert thread.report is not None
    chosen: dict[str, Any] = {}
    for name, knob in ranges.items():
        given = value(draft.hyperparameters.get(name, ""), knob)
        if given != "auto" or knob.auto:
            chosen[name] = given
    path = draft.validation_path
    return Order(
        path=thread.path,
        sha256=thread.report.sha256,
        validation=path.expanduser() if path else None,
        share=draft.share,
        seed=int(draft.seed) if draft.seed.strip() else None,
        model=draft.model,
        method=method(thread.report),
        hyperparameters=chosen,
        suffix=draft.suffix.strip(),
        tag=draft.tag,
        sent_before=draft.sent,
        amount=price.amount,
        currency=price.currency,
    )
