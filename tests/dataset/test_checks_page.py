"""The generated page is in step with the catalogue, and the catalogue with the reference."""

from __future__ import annotations

import re
from pathlib import Path

from fttui.dataset.checks import CATALOGUE
from fttui.dataset.checks_page import page

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_catalogue_makes() -> None:
    assert (ROOT / "docs" / "checks.md").read_text("utf-8") == page()


def test_every_code_of_the_reference_is_there_with_its_weight(shared: Path) -> None:
    text = (shared / "reference" / "checks.md").read_text()
    names = {"E": "error", "W": "warning", "I": "note"}
    weights = re.findall(r"\b([FJSMTVPRLKQX]\d{3}) ([EWI])\b", text)
    weights += re.findall(r"^\| ([FJSMT]\d{3}) \| ([EWI])", text, re.M)
    assert len(weights) > 100
    for code, weight in weights:
        if code == "S006":
            continue
        assert CATALOGUE[code].severity == names[weight], code


def test_every_check_says_why() -> None:
    for check in CATALOGUE.values():
        assert check.title
        assert check.why.endswith(".")
        assert check.fix_kind in ("safe", "ask", "none")
