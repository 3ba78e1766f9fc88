"""What the checks must know about the service and model a file is meant for."""

from __future__ import annotations

from dataclasses import dataclass, replace

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """Limits of the chosen service. `model` and `method` empty: not chosen, the file decides.

    Figures: shared with the pricing catalogue; OpenAI's fine-tuning best practices (example limits,
    July 2026), vision guide (images), Azure's fine-tuning how-to (BOM, images, last role).
    """

    provider: str = "openai"
    title: str = "OpenAI"
    model: str = ""
    method: str = ""  # "supervised" | "dpo" | "reinforcement" | "" (as the file)
    encoding: str = "o200k_base"
    example_limit: int = 65_536  # tokens of one example; what is beyond is cut from the end
    context: int = 128_000
    min_examples: int = 10
    max_images: int = 10
    vision: bool = True  # whether the model takes images in training
    max_image_bytes: int = 10 * MB
    max_image_examples: int = 50_000
    max_reinforcement: int = 50_000
    max_reinforcement_validation: int = 1_000
    upload_limit: int = 512 * MB
    wants_bom: bool = False
    strict_turns: bool = False  # two assistant messages in a row are refused
    preferred_roles: tuple[str, ...] = ("assistant",)
    legacy: bool = False  # the model takes prompt/completion, not chat
    grader: str = ""  # a grader's template, to see whether every line has the fields it reads
    local: bool = False  # trains here: nothing is uploaded

    def with_model(self, model: str, method: str = "") -> Target:
        """The same service with the limits of `model` (any name; `ft:` and snapshots resolved)."""
        from fttui.dataset.tokens import base_model, encoding_for

        base = base_model(model)
        return replace(
            self,
            model=model,
            method=method or self.method,
            encoding=encoding_for(model),
            example_limit=_limit(base),
            legacy=base in ("babbage-002", "davinci-002"),
            vision=not base or base.startswith(VISION),
        )


# Models whose training takes images (OpenAI's vision fine-tuning guide; Azure lists gpt-4.1 too).
VISION = ("gpt-4o-2024-08-06", "gpt-4o", "gpt-4.1")
NO_VISION = ("gpt-4o-mini", "gpt-4.1-mini", "gpt-4.1-nano")

# Longest prefix wins. Tokens of one training example (OpenAI fine-tuning best practices L119-129).
EXAMPLE_LIMITS = {
    "gpt-4.1": 65_536,
    "gpt-4o": 65_536,
    "gpt-3.5-turbo": 16_385,
    "gpt-3.5-turbo-0613": 4_096,
    "babbage-002": 16_384,
    "davinci-002": 16_384,
}

OPENAI = Target()
AZURE = Target(
    provider="azure",
    title="Azure OpenAI",
    max_images=64,
    wants_bom=True,
    strict_turns=True,
    preferred_roles=("assistant", "tool"),
)
LOCAL = Target(
    provider="local",
    title="the local engine",
    example_limit=2_048,
    context=8_192,
    min_examples=10,  # as the cloud: what trains here trains there
    vision=False,
    local=True,
)
PRESETS = {"openai": OPENAI, "azure": AZURE, "local": LOCAL}


def _limit(base: str) -> int:
    best = max((name for name in EXAMPLE_LIMITS if base.startswith(name)), key=len, default="")
    return EXAMPLE_LIMITS.get(best, OPENAI.example_limit)


def preset(provider: str = "openai", model: str = "", method: str = "") -> Target:
    """The limits of a service by name; an unknown one is treated as OpenAI-compatible."""
    target = PRESETS.get(provider) or replace(OPENAI, provider=provider, title=provider)
    if model and provider != "local":
        target = target.with_model(model, method)
        if target.model.startswith(NO_VISION):
            target = replace(target, vision=False)
    return replace(target, method=METHODS.get(method, method)) if method else target


METHODS = {"sft": "supervised", "preference": "dpo", "rft": "reinforcement"}
