from pathlib import Path

from fttui.ui.keys_page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "keys.md"


def test_the_documented_keys_are_the_ones_in_force() -> None:
    assert PAGE.read_text() == page(), "run: python -m fttui.ui.keys_page > docs/keys.md"
