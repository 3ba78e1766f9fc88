"""The catalogue of checks, read from catalogue.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

_SEVERITY = {"E": "error", "W": "warning", "N": "note"}


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of finding. fix_kind: safe (done by "fix all"), ask (one by one), none."""

    code: str
    severity: str  # the usual one; a finding may weigh more or less, its message says why
    title: str
    why: str
    fix: str
    fix_kind: str
    evidence: str
    group: str


def _load() -> dict[str, Check]:
    groups = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text("utf-8"))
    return {
        code: Check(
            code,
            _SEVERITY[entry["s"]],
            entry["title"],
            entry["why"],
            entry.get("fix", ""),
            entry.get("kind", "none"),
            entry["ev"],
            group["title"],
        )
        for group in groups.values()
        for code, entry in group.items()
        if code != "title"
    }


CATALOGUE: dict[str, Check] = _load()
SEVERITY = {code: check.severity for code, check in CATALOGUE.items()}
