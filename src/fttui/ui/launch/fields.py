"""The fields of the launch form as a table: which a provider and a method have, and what each refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fttui.service import sweep
from fttui.ui.launch import grader

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.pricing.records import Hyperparameter, Provider

NAMES: Mapping[str, str] = {
    "n_epochs": "epochs",
    "batch_size": "batch size",
    "learning_rate": "learning rate",
    "learning_rate_multiplier": "lr multiplier",
    "compute_multiplier": "compute",
    "eval_interval": "eval interval",
    "eval_samples": "eval samples",
    "reasoning_effort": "reasoning",
    "context_length": "context",
    "lora_r": "LoRA rank",
    "lora_alpha": "LoRA alpha",
    "lora_dropout": "LoRA dropout",
    "lora": "LoRA",
    "max_grad_norm": "max grad norm",
    "trainingType": "training type",
    "custom_llm_provider": "provider behind",
}
# The API's own limits (public specification 2.3.0).
METADATA_PAIRS, METADATA_KEY, METADATA_VALUE = 16, 64, 512
OWN_PAIRS = 3  # of them fttui's: the launch, the sweep, what is varied
OWN_PREFIX = "fttui_"
WANDB_TAGS, WANDB_TAG = 50, 64
SEED_MOST = 2**31 - 1


@dataclass(frozen=True)
class Field:
    """One row of the form. kind: "line" typed, "choice" picked, "json" written in an editor.

    check: one value → what is wrong with it, "" for nothing. many: several values make a sweep.
    off: why this provider lacks it. under: the field that must be filled for this one to show.
    required: it may not be empty. usual: what stands in it when nothing was typed.
    """

    name: str
    label: str
    check: Callable[[str], str]
    kind: str = "line"
    hint: str = ""
    placeholder: str = ""
    choices: tuple[str, ...] = ()
    usual: str = ""
    many: bool = False
    knob: Hyperparameter | None = None
    off: str = ""
    under: str = ""
    required: bool = False

    def wrong(self, text: str) -> str:
        """What is wrong with what was typed, "" for nothing."""
        if self.off:
            return ""
        if not text.strip():
            return "needed: enter opens its editor" if self.required else ""
        for one in sweep.values(text) if self.many else [text]:
            reason = self.check(one)
            if reason:
                return reason
        return ""

    def values(self, text: str) -> list[str]:
        """Every value that was typed; one empty one for none."""
        return (sweep.values(text) if self.many else [text.strip()]) or [""]


def of(
    home: Provider, method: str, profile: Profile, knobs: Mapping[str, Hyperparameter]
) -> tuple[Field, ...]:
    """The fields a provider has for a method, in the order of the form."""
    return (
        *(_json_fields() if method == "reinforcement" else ()),
        *(_knob(name, knob) for name, knob in knobs.items()),
        *_own(home),
        *_extras(home, profile),
        *_wandb(home),
    )


def _json_fields() -> Iterator[Field]:
    yield Field("grader", "grader", grader.wrong, "json", required=True)
    yield Field("response_format", "answer format", grader.wrong_format, "json",
                hint="a JSON schema, or none")  # fmt: skip


def _knob(name: str, knob: Hyperparameter) -> Field:
    def check(text: str) -> str:
        given = value(text, knob)
        return "" if given == "auto" else knob.refuses(given)

    return Field(
        name,
        NAMES.get(name, name.replace("_", " ")),
        check,
        hint=knob.range_text(),
        placeholder="auto" if knob.auto else "not set",
        choices=knob.choices or (("true", "false") if knob.kind == "bool" else ()),
        many=True,
        knob=knob,
    )


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


# ---- what every provider has, or lacks ----


def _own(home: Provider) -> Iterator[Field]:
    def lacks(feature: str) -> str:
        return "" if home.can(feature) else f"not taken by {home.title}"

    def suffix(text: str) -> str:
        most = home.suffix_max
        return f"at most {most} characters" if len(text.strip()) > most else ""

    yield Field("suffix", "suffix", suffix, hint="names the model", placeholder="none",
                off=lacks("suffix"))  # fmt: skip
    yield Field("seed", "seed", _seed, hint="same number, same run", placeholder="any", many=True,
                off=lacks("seed"))  # fmt: skip
    yield Field("metadata", "metadata", _metadata, hint="key=value, …",
                placeholder="none", off=lacks("metadata"))  # fmt: skip


def _seed(text: str) -> str:
    word = text.strip()
    if word.isascii() and word.isdigit() and int(word) <= SEED_MOST:
        return ""
    return f"a whole number, 0 to {SEED_MOST:,}, or empty"


def metadata(text: str) -> dict[str, str]:
    """`key=value, key=value` as a mapping; a part without = has an empty value."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): given.strip() for name, _, given in pairs}


def _metadata(text: str) -> str:
    for part in text.split(","):
        name, sign, _ = part.partition("=")
        if part.strip() and not (sign and name.strip()):
            return f"{part.strip()!r} is no key=value"
    found = metadata(text)
    if len(found) > METADATA_PAIRS - OWN_PAIRS:
        return f"at most {METADATA_PAIRS - OWN_PAIRS} pairs"
    for name, given in found.items():
        if len(name) > METADATA_KEY or len(given) > METADATA_VALUE:
            return f"keys up to {METADATA_KEY}, values up to {METADATA_VALUE} characters"
        if name.startswith(OWN_PREFIX):
            return f"{OWN_PREFIX}… is fttui's own"
    return ""


def _extras(home: Provider, profile: Profile) -> Iterator[Field]:
    for extra in home.extra_body:
        yield Field(
            extra.name,
            NAMES.get(extra.name, extra.name),
            lambda text: "",
            "choice",
            hint=extra.note,
            choices=extra.choices,
            usual=str(profile.extra_body.get(extra.name, extra.default)),
        )


def _wandb(home: Provider) -> Iterator[Field]:
    off = "" if home.can("wandb") else f"not offered by {home.title}"
    key = "; the key: WANDB_API_KEY" if home.can("wandb_key") else ""
    project = f"Weights & Biases{key}"
    rows = (
        ("wandb_project", "W&B project", project, ""),
        ("wandb_name", "W&B run", "its name there", "wandb_project"),
        ("wandb_entity", "W&B entity", "a user or a team", "wandb_project"),
        ("wandb_tags", "W&B tags", f"up to {WANDB_TAGS}, with commas", "wandb_project"),
    )
    for name, label, hint, under in rows:
        if not off or not under:
            check = _wandb_tags if name == "wandb_tags" else _anything
            yield Field(name, label, check, hint=hint, placeholder="none", off=off, under=under)


def _anything(text: str) -> str:
    return ""


def _wandb_tags(text: str) -> str:
    found = tags(text)
    if len(found) > WANDB_TAGS or any(len(tag) > WANDB_TAG for tag in found):
        return f"at most {WANDB_TAGS} tags of {WANDB_TAG} characters"
    return ""


def tags(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


# ---- what a provider refused ----

# The last word of the parameter an answer names → the row of the form, where they differ.
ROWS: Mapping[str, str] = {
    "training_file": "dataset",
    "validation_file": "validation",
    "type": "method",
    "project": "wandb_project",
    "entity": "wandb_entity",
    "tags": "wandb_tags",
    "name": "wandb_name",
    "integrations": "wandb_project",
}


def row_of(param: str, names: frozenset[str]) -> str:
    """The row a refused parameter stands in: `method.dpo.hyperparameters.beta` → `beta`; "" for none."""
    words = [word for word in param.replace("[", ".").replace("]", "").split(".") if word]
    for word in reversed(words):
        row = ROWS.get(word, word)
        if row in names:
            return row
    return ""
