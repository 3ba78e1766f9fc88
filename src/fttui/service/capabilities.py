"""What each kind of provider can do and how it wants to be asked: data, so that nothing else asks who it is.

Sources: the public spec and the providers' own documentation as of 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from fttui.problem import Problem

MB = 1_000_000
GB = 1000 * MB


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`placement`: hyperparameters go under "method" or on "top". `lacks`: feature → the reason."""

    title: str
    placement: str = "method"
    methods: tuple[str, ...] = ("supervised", "dpo", "reinforcement")
    metadata: bool = True  # jobs keep the metadata they are given, and lists filter by it
    file_limit: int = 512 * MB  # bytes in one upload; larger files go in parts
    total_limit: int = 8 * GB  # bytes in one file, in parts
    part_size: int = 64 * MB
    parts: bool = True  # POST /uploads exists
    wants_bom: bool = False  # training files start with a UTF-8 byte-order mark
    needs_deploy: bool = False  # a tuned model must be deployed before it answers
    paid: bool = True
    extra_fields: tuple[str, ...] = ()  # fields of this provider in a job's body
    lacks: Mapping[str, str] = field(default_factory=dict)

    def can(self, feature: str) -> bool:
        """events · checkpoints · pause · permissions · delete_model · files · models"""
        return feature not in self.lacks


_OPENAI = Capabilities("OpenAI")
_NO_PERMISSIONS = {"permissions": "Only OpenAI shares checkpoints between projects."}
KINDS: Mapping[str, Capabilities] = {
    "openai": _OPENAI,
    "local": Capabilities(
        "this machine",
        methods=("supervised", "dpo"),
        paid=False,
        lacks={"permissions": "A local model belongs to nobody else."},
    ),
    "azure": Capabilities(
        "Azure",
        metadata=False,
        wants_bom=True,
        needs_deploy=True,
        parts=False,
        total_limit=512 * MB,
        extra_fields=("trainingType",),
        lacks={
            **_NO_PERMISSIONS,
            "delete_model": "Azure keeps a tuned model; its deployment is what is deleted.",
        },
    ),
    "nebius": Capabilities(
        "Nebius",
        placement="top",
        methods=("supervised",),
        metadata=False,
        file_limit=5 * GB,
        total_limit=5 * GB,
        parts=False,
        needs_deploy=True,
        extra_fields=(
            "learning_rate",
            "lora",
            "lora_r",
            "lora_alpha",
            "packing",
            "warmup_ratio",
            "context_length",
        ),
        lacks={
            **_NO_PERMISSIONS,
            "pause": "Nebius cannot pause a job, only cancel it.",
            "delete_model": "Nebius removes a model with its deployment.",
        },
    ),
    "custom": Capabilities("custom"),
}


def of(kind: str, overrides: Mapping[str, Any] | None = None) -> Capabilities:
    """The capabilities of a provider kind, with a profile's `overrides` put over them."""
    found = KINDS.get(kind, KINDS["custom"])
    if not overrides:
        return found
    known = {item.name for item in fields(Capabilities)}
    unknown = sorted(set(overrides) - known)
    if unknown:
        raise Problem(
            f"A profile overrides {unknown[0]!r}, which is no capability.",
            f"Known: {', '.join(sorted(known))}.",
            "Correct [profiles.….overrides] in the configuration.",
            code="config",
        )
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in overrides.items()
    }
    return replace(found, **values)
