"""What a provider can do and how it wants to be asked: read from the catalogue, so that nothing else asks who it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.pricing.records import Provider as Row

MB = 1_000_000
FILE_LIMIT = 512 * MB  # bytes; the public API's limit for one upload
UNKNOWN = "custom"  # the catalogue's row for a provider it does not know

# Features that are dimmed where they are missing, and what they are called in the reason.
FEATURES = {
    "jobs": "has no fine-tuning jobs",
    "events": "shows no events of a job",
    "checkpoints": "keeps no checkpoints",
    "cancel": "cannot cancel a job",
    "pause": "cannot pause a job",
    "permissions": "does not share checkpoints between projects",
    "delete": "does not delete tuned models",
    "download": "does not give out the weights of its models",
}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`placement`: hyperparameters go under "method" or on "top". `lacks`: feature → the reason.
    `unverified`: documented or hoped for, but never seen to work. Sizes in bytes."""

    title: str
    placement: str = "method"
    methods: tuple[str, ...] = ("supervised", "dpo", "reinforcement")
    metadata: bool = True  # jobs keep the metadata they are given, and lists filter by it
    file_limit: int = FILE_LIMIT  # in one upload; larger files go in parts
    total_limit: int = FILE_LIMIT  # in one file, in parts
    part_size: int = 64 * MB  # the public API's limit for one part
    parts: bool = True  # POST /uploads exists
    wants_bom: bool = False  # training files start with a UTF-8 byte-order mark
    needs_deploy: bool = False  # a tuned model must be deployed before it answers
    deploy_note: str = ""  # how a tuned model is made to answer, where that is not done from here
    status_map: Mapping[str, str] = field(default_factory=dict)  # its word for a status → the API's
    extra_body: Mapping[str, Any] = field(default_factory=dict)  # what it wants in every new job
    lacks: Mapping[str, str] = field(default_factory=dict)
    unverified: frozenset[str] = frozenset()
    settled: frozenset[str] = (
        frozenset()
    )  # features the configuration decides; nothing learned counts

    def can(self, feature: str) -> bool:
        """One of FEATURES."""
        return feature not in self.lacks

    @property
    def tags(self) -> bool:
        """A job's metadata can be relied on to find it again."""
        return self.metadata and "metadata" not in self.unverified


def of(kind: str, overrides: Mapping[str, Any] | None = None) -> Capabilities:
    """The capabilities of a provider kind, with a profile's `overrides` put over them."""
    from fttui.pricing.catalog import load_or_shipped

    rows = load_or_shipped().providers
    found = _from_row(rows.get(kind) or rows[UNKNOWN])
    return _override(found, overrides) if overrides else found


def _from_row(row: Row) -> Capabilities:
    limit = row.file_max or FILE_LIMIT
    return Capabilities(
        title=row.title,
        placement="top" if row.placement == "top-level" else "method",
        methods=row.methods,
        metadata=row.can("metadata"),
        file_limit=limit,
        total_limit=row.upload_max or limit,
        parts=row.can("uploads"),
        wants_bom=row.bom,
        needs_deploy=row.needs_deploy,
        deploy_note=row.deploy_note,
        status_map=row.status_map,
        extra_body={extra.name: extra.default for extra in row.extra_body if extra.default},
        lacks={
            name: f"{row.title} {words}."
            for name, words in FEATURES.items()
            if name != "jobs" and not row.can(name)
        },
        unverified=row.unverified,
    )


def _override(found: Capabilities, overrides: Mapping[str, Any]) -> Capabilities:
    """Fields by name, and features by name: true, false, or the reason why not."""
    known = {item.name for item in fields(Capabilities)} - {"settled"}
    unknown = sorted(set(overrides) - known - set(FEATURES))
    if unknown:
        raise Problem(
            f"A profile overrides {unknown[0]!r}, which is no capability.",
            f"Known: {', '.join(sorted(known | set(FEATURES)))}.",
            "Correct [profiles.….overrides] in the configuration.",
            code="config",
        )
    said = {name: value for name, value in overrides.items() if name in FEATURES}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in overrides.items()
        if name not in said
    }
    made = replace(found, **values)
    lacks = {name: reason for name, reason in made.lacks.items() if name not in said}
    for name, value in said.items():
        if value is not True:
            lacks[name] = value or f"The configuration says that it {FEATURES[name]}."
    return replace(
        made,
        lacks=lacks,
        settled=frozenset(FEATURES if "lacks" in values else said),
        unverified=made.unverified - frozenset(said),
    )
