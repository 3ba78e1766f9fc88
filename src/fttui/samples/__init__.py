"""The datasets that ship with fttui, each with a held-out part. Written for it; all people are made up.

extraction: order e-mails to strict JSON. style: answers as railway station announcements.
"""

from __future__ import annotations

from pathlib import Path

NAMES = ("extraction", "style")
_FOLDER = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """The training file of a sample: one of NAMES."""
    return _FOLDER / f"{_known(name)}.jsonl"


def heldout(name: str) -> Path:
    """Its held-out examples, never trained on."""
    return _FOLDER / f"{_known(name)}-heldout.jsonl"


def _known(name: str) -> str:
    if name not in NAMES:
        raise ValueError(f"no sample {name!r}; there are {', '.join(NAMES)}")
    return name
