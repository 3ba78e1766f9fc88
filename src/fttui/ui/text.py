"""The one way text reaches the screen: never as markup, controls made visible, width measured.

A small vocabulary of style names ("dim", "ok", "error" …) is understood both by `say`, which makes
`Content` for widgets, and by `Palette`, which makes Rich styles for the line-drawn ones.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.app import App
from textual.color import Color, ColorParseError
from textual.content import Content

from fttui.text import clean, one_line

Part = str | tuple[str, str]

STYLES: dict[str, str] = {
    "": "",
    "dim": "$muted",
    "faint": "$faint",
    "bold": "bold",
    "ok": "$text-success",
    "warning": "$text-warning",
    "error": "$text-error",
    "accent": "$text-accent",
    "primary": "$text-primary",
    "link": "$text-accent underline",
    "heading": "$text-primary bold",
    "key": "$text-accent bold",
    "match": "$background on $warning",
    "user": "$text-accent bold",
    "assistant": "$text-success bold",
    "system": "$muted bold",
    "mark": "$text-error bold",
    "chip": "$text-accent on $panel",
}

SEVERITY_GLYPH = {"error": "✗", "warning": "⚠", "note": "·", "ok": "✓"}
SEVERITY_STYLE = {"error": "error", "warning": "warning", "note": "dim", "ok": "ok"}


def say(*parts: Part) -> Content:
    """Content made of plain strings and (text, style name) pairs; every string is cleaned."""
    return Content.assemble(
        *(
            clean(part) if isinstance(part, str) else (clean(part[0]), STYLES.get(part[1], part[1]))
            for part in parts
        )
    )


def fit(text: str, width: int, align: str = "left") -> str:
    """`text` on one line in exactly `width` columns: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    flat = one_line(text, width * 2)
    cells = cell_len(flat)
    if cells > width:
        return set_cell_size(flat, width - 1) + "…"
    pad = " " * (width - cells)
    return pad + flat if align == "right" else flat + pad


class Palette:
    """Style names as Rich styles of the current theme, for widgets that draw their own lines."""

    def __init__(self, app: App[object]) -> None:
        self._variables = app.theme_variables
        self._styles: dict[str, Style] = {}

    def __getitem__(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._build(STYLES.get(name, name))
        return style

    def _build(self, spec: str) -> Style:
        color = background = None
        flags: dict[str, bool] = {}
        on = False
        for word in spec.split():
            if word == "on":
                on = True
            elif word.startswith("$"):
                value = self._color(word[1:])
                color, background = (color, value) if on else (value, background)
            else:
                flags[word] = True
        return Style(color=color, bgcolor=background, **flags)  # type: ignore[arg-type]

    def _color(self, variable: str) -> str | None:
        try:
            return Color.parse(self._variables.get(variable, "")).hex6
        except ColorParseError:
            return None
