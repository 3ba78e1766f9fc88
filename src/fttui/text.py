"""Text from outside (a dataset, a model, a provider) made safe to show: nothing in it is obeyed."""

from __future__ import annotations

import re
import unicodedata

# C0, DEL and C1 controls, bidi overrides and isolates, zero-width marks that hide text, lone
# surrogates. Zero-width joiner stays: emoji sequences need it.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)


def _visible(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures block: ESC is shown as ␛
    if code == 0x7F:
        return "␡"
    return f"<{code:04X}>"


def clean(text: str, *, tabs: int = 4) -> str:
    """`text` with every control, bidi and surrogate character made visible; newlines are kept."""
    text = text.replace("\r\n", "\n").replace("\t", " " * tabs)
    return _UNSAFE.sub(_visible, text)


def one_line(text: str, limit: int = 0) -> str:
    """`text` on one line, blanks folded, cut to `limit` characters with an ellipsis (0: not cut)."""
    if limit and len(text) > limit * 8 + 200:  # a 50 MB string is not folded to show one row
        text = text[: limit * 8 + 200]
    flat = " ".join(clean(text).split())
    return flat if not limit or len(flat) <= limit else flat[: max(0, limit - 1)] + "…"


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 error`, `1,204 errors`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def size(count: int) -> str:
    """Bytes as people read them, powers of 1000: `2.1 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float) -> str:
    """`4s`, `3m 20s`, `2h 05m`, `3d 4h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def width(text: str) -> int:
    """Columns `text` takes in a terminal (East Asian wide counts two, combining marks none)."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
