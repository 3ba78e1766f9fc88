"""The safe fixes before they are done: what changes, where the copy goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Label, Static

from fttui.text import clean, plural
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.text_view import Line, TextView

if TYPE_CHECKING:
    from fttui.dataset.rewrite import Change, Plan

AROUND = 24  # characters kept before what changes


def copy_name(path: Path) -> Path:
    """A name beside `path` that is free: `train.fixed.jsonl`, `train.fixed-2.jsonl` …"""
    stem = path.name.removesuffix(".jsonl")
    names = (f"{stem}.fixed{f'-{n}' if n > 1 else ''}.jsonl" for n in range(1, 10_000))
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())


class FixDialog(Dialog[str]):
    """Answers the path to write the fixed copy to, or None."""

    DEFAULT_CSS = """
    FixDialog > #box { width: 100; }
    FixDialog #counts { height: auto; max-height: 8; }
    FixDialog TextView { height: 10; margin: 1 0; background: $background; }
    FixDialog.-short TextView { height: 4; }
    FixDialog #complaint { color: $text-error; height: auto; display: none; }
    FixDialog #complaint.-on { display: block; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    def __init__(self, source: Path, plan: Plan) -> None:
        super().__init__()
        self._source, self._plan = source, plan

    def compose(self) -> ComposeResult:
        total = plural(sum(self._plan.fixed.values()), "safe fix", "safe fixes")
        with Vertical(id="box"):
            yield Label(say(f"{total} for {self._source.name}"), classes="title")
            yield Static(say(*self._counts()), id="counts")
            yield TextView(self._preview)
            yield Label(say(("The file itself stays as it is. A copy is written to", "dim")))
            yield Input(value=str(copy_name(self._source)), compact=True)
            yield Static("", id="complaint")
            keys = "enter write the copy   ↑ ↓ look through the changes   esc leave"
            yield Label(say((keys, "dim")), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False
        self.query_one(Input).focus()

    def _counts(self) -> list[Part]:
        from fttui.dataset.checks import CATALOGUE

        parts: list[Part] = []
        done = [(code, count) for code, count in self._plan.fixed.most_common() if count]
        for code, count in done[:7]:
            check = CATALOGUE.get(code)
            title, how = (check.title, check.fix) if check is not None else (code, "")
            parts += [
                (f"{count:>8,} × ", "bold"),
                (f"{code}  ", "accent"),
                f"{title}",
                (f"  → {how}", "dim"),
                "\n",
            ]
        rest = len(done) - 7
        return [*parts, (f"         and {rest} more kinds", "dim")] if rest > 0 else parts[:-1]

    def _preview(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for change in self._plan.preview:
            codes = " ".join(change.codes)
            before, after = excerpts(change)
            lines.append([(f"line {change.line:,}", "bold"), (f"  {codes}", "faint")])
            lines.append([("- ", "error"), (fit(before, width - 2), "dim")])
            shown = fit(after, width - 2) if after else "(the line is dropped)"
            lines += [[("+ ", "ok"), shown], []]
        return lines

    def on_key(self, event: events.Key) -> None:
        view = self.query_one(TextView)
        steps = {"up": -1, "down": 1, "pageup": -8, "pagedown": 8}
        if event.key in steps and not view.has_focus:
            view.action_go(steps[event.key])
            event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        path = Path(event.value.strip()).expanduser()
        complaint = ""
        if path.exists():
            complaint = f"{path.name} exists already; nothing is overwritten"
        elif not path.parent.is_dir():
            complaint = f"there is no folder {path.parent}"
        box = self.query_one("#complaint", Static)
        box.set_class(bool(complaint), "-on")
        box.update(say(f"✗ {complaint}"))
        if not complaint:
            self.dismiss(str(path))


def excerpts(change: Change) -> tuple[str, str]:
    """Before and after, from a little before the first difference on."""
    before, after = _plain(change.before), _plain(change.after)
    if not after:
        return clean(before[:400]), ""
    same = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    start = max(0, (min(len(before), len(after)) if same is None else same) - AROUND)
    lead = "…" if start else ""
    return (
        lead + clean(before[start : start + 400]),
        lead + clean(after[start : start + 400]),
    )


def _plain(raw: bytes) -> str:
    """A line as text; JSON without its blanks, so that only what means something differs."""
    import orjson

    try:
        raw = orjson.dumps(orjson.loads(raw))
    except (orjson.JSONDecodeError, TypeError):
        pass
    return raw.decode("utf-8", "backslashreplace")
