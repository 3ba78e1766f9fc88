"""`--ascii`: what fttui itself draws, in ASCII. One glyph for one, so that nothing moves.

Done where the screen is written, so that no widget need know. Letters of the user's own text stay.
"""

from __future__ import annotations

from textual.driver import Driver

_BLOCKS = {
    0x2500: "-", 0x2501: "-", 0x2502: "|", 0x2503: "|", 0x254C: "-", 0x254D: "-", 0x254E: "|", 0x254F: "|", 0x2571: "/",
    **dict.fromkeys(range(0x2504, 0x250C), "-"),
    **dict.fromkeys(range(0x250C, 0x254C), "+"),
    0x2550: "=", 0x2551: "|",
    **dict.fromkeys(range(0x2552, 0x256D), "+"),
    **dict.fromkeys(range(0x256D, 0x2571), "+"),
    **dict(zip(range(0x2581, 0x2589), "..:-=+*#", strict=True)),  # ▁ … █
    **dict.fromkeys(range(0x2589, 0x2591), "|"),
    0x2580: "#", 0x2591: ".", 0x2592: ":", 0x2593: "#", 0x2594: "-", 0x2595: "|",
    **dict.fromkeys(range(0x2596, 0x25A0), "+"),
    **dict.fromkeys(range(0x2400, 0x2422), "~"),  # pictures of control characters
    0x2800: " ", **dict.fromkeys(range(0x2801, 0x2900), "*"),  # dots of a chart
}  # fmt: skip
_GLYPHS = {
    "▸": ">", "▶": ">", "►": ">", "▹": ">", "◂": "<", "▾": "v", "▿": "v", "▼": "v", "▴": "^", "▵": "^",
    "✓": "+", "✔": "+", "✗": "x", "✘": "x", "⚠": "!", "ℹ": "i",
    "▲": "!", "△": "!", "●": "*", "○": "o", "◌": "o", "◐": "o", "◆": "*", "◇": "o", "■": "#", "□": "o",
    "◉": "*", "⏸": "=", "⏵": ">", "★": "*", "☆": "o", "•": "*", "·": ".", "…": ".", "→": ">", "←": "<",
    "↑": "^", "↓": "v", "↳": ">", "⏎": "<", "×": "x", "–": "-", "—": "-", "−": "-", "≤": "<", "≥": ">",
    "≈": "~", "±": "~", "Σ": "S", "€": "E", "“": '"', "”": '"', "‘": "'", "’": "'", "⟨": "<", "⟩": ">",
    "\N{BROKEN BAR}": "|", "\N{NO-BREAK SPACE}": " ", "↩": "<", "⇥": ">", "�": "?", "‖": "=", "⊘": "x", "≠": "!",
    "≡": "=", "◀": "<", "☐": "o", "☑": "x", "⚙": "*", "✕": "x", "⧗": "~", "ⁿ": "n", "²": "2", "£": "L",
}  # fmt: skip
TABLE = _BLOCKS | {ord(glyph): plain for glyph, plain in _GLYPHS.items()}


def plain(driver: type[Driver]) -> type[Driver]:
    """The same driver, writing our glyphs as ASCII."""

    class Plain(driver):  # type: ignore[misc, valid-type]
        def write(self, data: str) -> None:
            super().write(data.translate(TABLE))

    return Plain
