"""Which models can be talked to, how they are called on the screen, and what an answer cost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fttui.ui.dialogs.choose import Choice

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog
    from fttui.service.types import ChatSettings, ModelInfo
    from fttui.state import State
    from fttui.ui.thread import Thread

COLUMNS = 3
RECENT = 8
OTHER = "\0other"
_CHECKPOINT = re.compile(r":ckpt-step-(\d+)$")
# Listed beside the chat models by OpenAI-shaped services, and not for talking.
_NO_CHAT = re.compile(
    r"embedding|whisper|tts|dall-e|moderation|image|sora|realtime|transcribe|audio|davinci|babbage"
    r"|computer-use|search|instruct$"
)
_CHAT = re.compile(r"^ft:|\.ft-|smollm|llama|qwen|mistral|phi|gemma", re.IGNORECASE)


@dataclass(frozen=True)
class Talk:
    """How a model is talked to, kept per model. system None: the dataset's, where one is open."""

    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None

    @classmethod
    def recall(cls, state: State, model: str, provider: str = "") -> Talk:
        """What was kept for a model, else what suits its provider."""
        kept = state.recall(f"chat.settings.{model}")
        if kept is None:
            return USUAL.get(provider, cls())
        known = {name: kept[name] for name in cls.__dataclass_fields__ if name in kept}
        return cls(**known)

    def remember(self, state: State, model: str) -> None:
        state.remember(f"chat.settings.{model}", asdict(self))

    def settings(self) -> ChatSettings:
        from fttui.service.types import ChatSettings

        return ChatSettings(
            temperature=self.temperature, max_tokens=self.max_tokens, seed=self.seed
        )

    def words(self) -> str:
        """`temp 0.2 · max 400 · seed 1`, or "" where everything is the provider's choice."""
        said = (
            ("temp", self.temperature),
            ("max", self.max_tokens),
            ("seed", self.seed),
        )
        return " · ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in said
            if value is not None
        )


# A small model rambles: the likeliest words, and an end. Everywhere else the provider decides.
USUAL = {"local": Talk(temperature=0.0, max_tokens=512)}


def system_of(talk: Talk, thread: Thread) -> tuple[str, bool]:
    """(the system prompt in force, whether it is the dataset's)."""
    if talk.system is not None:
        return talk.system, False
    report = thread.report
    if report is not None and report.stats.systems:
        text, examples, _ = report.stats.systems[0]
        if examples * 2 > report.examples:
            return text, True
    return "", False


def short(model: str) -> str:
    """A name for a column's title: what tells this model from the others comes first."""
    step = _CHECKPOINT.search(model)
    body = _CHECKPOINT.sub("", model)
    if body.startswith("ft:"):
        parts = (body.split(":") + [""] * 5)[1:5]
        base, _, suffix, made = parts
        name = f"{suffix or 'tuned'} {made}".strip()
        return f"{name}{f' step {step[1]}' if step else ''} ← {base}"
    return model


def kind(model: str) -> str:
    if _CHECKPOINT.search(model):
        return "checkpoint"
    return "tuned" if model.startswith("ft:") or ".ft-" in model else "base"


def talks(model: str) -> bool:
    """False for models that are plainly not for chat."""
    return bool(_CHAT.search(model)) or not _NO_CHAT.search(model)


def recent(state: State, profile: str) -> list[str]:
    return [str(name) for name in state.recall(f"chat.recent.{profile}", [])]


def used(state: State, profile: str, models: Iterable[str]) -> None:
    """Models were asked: they come first next time."""
    names = [*models, *recent(state, profile)]
    state.remember(f"chat.recent.{profile}", list(dict.fromkeys(names))[:RECENT])


def of_thread(thread: Thread) -> list[str]:
    """The models of the work at hand: the checkpoint, the result, the base."""
    found = []
    if thread.checkpoint is not None and thread.checkpoint.model:
        found.append(thread.checkpoint.model)
    if thread.job is not None:
        found += [thread.job.fine_tuned_model, thread.job.model]
    return list(dict.fromkeys(name for name in found if name))


def choices(
    listed: Sequence[ModelInfo], state: State, profile: str, thread: Thread, today: date
) -> list[Choice]:
    """What the chooser offers: recent ones, those of the thread, then all that are listed."""
    known = {info.id: info for info in listed}
    order = [
        *recent(state, profile),
        *of_thread(thread),
        *sorted(known, key=lambda name: (not talks(name), -known[name].created)),
    ]
    gone = {name for name in order if listed and name not in known}
    made = []
    for name in dict.fromkeys(order):
        info = known.get(name)
        off = "" if talks(name) else "not a chat model"
        if name in gone and kind(name) != "base":
            off = "no longer listed by the provider"
        note = kind(name)
        if info is not None and info.shutdown_date:
            days = (info.shutdown_date - today).days
            note += f" · ends in {days} days" if days >= 0 else " · has ended"
        made.append(Choice(name, short(name), note, off))
    made.sort(key=lambda choice: bool(choice.off))
    return [*made, Choice(OTHER, "another name …", "type a model or deployment")]


def default_columns(
    listed: Sequence[ModelInfo], state: State, profile: str, thread: Thread
) -> list[str]:
    """Which models to start with: those of the thread beside their base, the last used, or the first."""
    names = {info.id for info in listed}
    mine = of_thread(thread)
    if mine and mine[0] != mine[-1]:
        return [mine[-1], mine[0]]
    kept = [str(name) for name in state.recall(f"chat.columns.{profile}", [])]
    kept = [name for name in kept if not names or name in names or kind(name) == "base"]
    if kept:
        return kept[:COLUMNS]
    if mine:
        return mine[:1]
    if thread.model is not None and (not names or thread.model.id in names):
        return [thread.model.id]
    fit = [info.id for info in listed if talks(info.id)]
    return sorted(fit, key=lambda name: kind(name) != "base")[:1]


def cost(catalog: Catalog, provider: str, model: str, facts: dict[str, Any]) -> tuple[str, str]:
    """(amount as decimal text, currency) of an answer at list prices; ("", "") where none is known."""
    from fttui.pricing.money import exact, product, total

    row = catalog.get(model, provider)
    prompt, answer = facts.get("prompt_tokens"), facts.get("tokens")
    if row is None or prompt is None or answer is None:
        return "", ""
    rates = row.base if kind(model) == "base" else row.tuned
    if rates is None:
        return "", ""
    cached = min(int(facts.get("cached_tokens") or 0), prompt) if rates.cached is not None else 0
    amounts = [
        product(Decimal(prompt - cached), rates.input),
        product(Decimal(cached), rates.cached or Decimal(0)),
        product(Decimal(answer), rates.output),
    ]
    return exact(total(amounts).scaleb(-6)), rates.currency
