"""Which models can be talked to, how they are called on the screen, and what an answer cost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fttui.text import one_line
from fttui.ui.chat.voices import Voice, kind
from fttui.ui.dialogs.choose import Choice

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog
    from fttui.service.types import ModelInfo
    from fttui.state import State
    from fttui.ui.thread import Thread

COLUMNS = 4
RECENT = 8
SHOTS = (3, 10)  # examples shown first, as they are offered
OTHER = "\0other"
LIST = "\0list:"  # and a profile: read which models it has
# Listed beside the chat models by OpenAI-shaped services, and not for talking.
_NO_CHAT = re.compile(
    r"embedding|whisper|tts|dall-e|moderation|image|sora|realtime|transcribe|audio|davinci|babbage"
    r"|computer-use|search|instruct$"
)
_CHAT = re.compile(r"^ft:|\.ft-|smollm|llama|qwen|mistral|phi|gemma", re.IGNORECASE)


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
    listed: Sequence[ModelInfo],
    state: State,
    profile: str,
    thread: Thread,
    today: date,
    others: Sequence[str] = (),
) -> list[Choice]:
    """What the chooser offers: recent ones, those of the thread, all that are listed, then what is
    known of other profiles and, for each of them, to read its list."""
    known = {info.id: info for info in listed}
    order = [
        *recent(state, profile),
        *of_thread(thread),
        *sorted(known, key=lambda name: (not talks(name), -known[name].created)),
        *(() if listed else listing_of(state, profile)),  # the list of last time, until it is read
    ]
    made = [_choice(name, known, bool(listed), today) for name in dict.fromkeys(order)]
    made += _in_the_making(thread)
    made.sort(key=lambda choice: bool(choice.off))
    for other in others:
        names = [
            *(name for name in recent(state, other) if not Voice.of(name).profile),
            *(name for name in listing_of(state, other) if talks(name)),
        ]
        voices = [str(Voice(Voice.of(name).model, other)) for name in dict.fromkeys(names)]
        made += [_choice(name, {}, False, today) for name in voices if name not in order]
    made += [
        Choice(LIST + other, f"models of {other} …", "asks it which it has") for other in others
    ]
    return [*made, Choice(OTHER, "another name …", "type a model or deployment")]


def _choice(name: str, known: Mapping[str, ModelInfo], complete: bool, today: date) -> Choice:
    """complete: `known` holds all that the profile has."""
    voice = Voice.of(name)
    here = not voice.profile
    off = "" if talks(voice.model) else "not a chat model"
    if here and complete and voice.model not in known and kind(voice.model) != "base":
        off = "no longer listed by the provider"
    note = voice.profile or kind(voice.model)
    info = known.get(voice.model) if here else None
    if info is not None and info.deployed:
        note = f"serves {one_line(info.deployed, 44)}"
    if info is not None and info.shutdown_date:
        days = (info.shutdown_date - today).days
        note += f" · ends in {days} days" if days >= 0 else " · has been retired"
    return Choice(name, voice.title, note, off)


def _in_the_making(thread: Thread) -> list[Choice]:
    """The result of the job at hand, while there is none: with the reason."""
    job = thread.job
    if job is None or job.fine_tuned_model:
        return []
    name = f"result of {job.suffix or job.id}"
    if job.ended:
        return [Choice("", name, off=f"the job {job.status}: it left no model")]
    steps = f", step {job.trained_steps} of {job.total_steps}" if job.total_steps else ""
    return [Choice("", name, off=f"not ready: {job.status}{steps}")]


def shown_first(thread: Thread, models: Sequence[str], training: str) -> list[Choice]:
    """The baseline of prompt engineering: the base model with examples of the training file shown first."""
    voices = [Voice.of(name) for name in models]
    bases = [voice for voice in voices if kind(voice.model) == "base"]
    if thread.job is not None and thread.job.model:
        bases.append(Voice(thread.job.model))
    made = {
        str(Voice(base.model, base.profile, count)): count for base in bases[:2] for count in SHOTS
    }
    return [
        Choice(name, Voice.of(name).title, f"shown first, from {training}")
        for name in made
        if name not in models
    ]


def remember_listing(state: State, profile: str, listed: Sequence[ModelInfo]) -> None:
    """What a profile has, so that another one's chooser can offer it without asking."""
    state.remember(f"chat.listed.{profile}", [info.id for info in listed][:500])


def listing_of(state: State, profile: str) -> list[str]:
    return [str(name) for name in state.recall(f"chat.listed.{profile}", [])]


def default_columns(
    listed: Sequence[ModelInfo], state: State, profile: str, thread: Thread
) -> list[str]:
    """Which models to start with: those of the thread beside their base, the last used, or the first."""
    names = {info.id for info in listed}
    mine = of_thread(thread)
    if mine and mine[0] != mine[-1]:
        return [mine[-1], mine[0]]
    kept = [str(name) for name in state.recall(f"chat.columns.{profile}", [])]
    kept = [name for name in kept if not names or name in names or _stays(name)]
    if kept:
        return kept[:COLUMNS]
    if mine:
        return mine[:1]
    if thread.model is not None and (not names or thread.model.id in names):
        return [thread.model.id]
    fit = [info.id for info in listed if talks(info.id)]
    return sorted(fit, key=lambda name: kind(name) != "base")[:1]


def _stays(name: str) -> bool:
    """Worth keeping in its column although the profile does not list it."""
    voice = Voice.of(name)
    return bool(voice.profile) or kind(voice.model) == "base"


def cost(catalog: Catalog, provider: str, model: str, facts: dict[str, Any]) -> tuple[str, str]:
    """(amount as decimal text, currency) of an answer at list prices; ("", "") where none is known."""
    from fttui.pricing.money import exact, product, total

    model = Voice.of(model).model
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
