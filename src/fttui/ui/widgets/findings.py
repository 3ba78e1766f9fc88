"""What a check found, grouped by code, as rows and as explanations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fttui.text import clean, plural
from fttui.ui.text import SEVERITY_GLYPH, SEVERITY_STYLE, Part, fit
from fttui.ui.widgets.text_view import Line, wrap

if TYPE_CHECKING:
    from fttui.dataset.report import Finding, Report

RANK = {"error": 0, "warning": 1, "note": 2}
EVIDENCE = {
    "S": "the API's published schema",
    "G": "OpenAI's guides",
    "O": "OpenAI's own validator, as seen",
    "A": "Azure's documentation or issues",
    "J": "our judgement",
}
WEIGHT = {
    "error": "error: the service would refuse this",
    "warning": "warning: accepted, but it costs money or quality",
    "note": "note: worth knowing",
}
FIX_KIND = {
    "safe": "safe — f does it, F does all of these, in a copy",
    "ask": "needs a decision",
    "none": "by hand — E in Data opens the line",
}


@dataclass
class Group:
    """All findings of one code in one file. count is exact; of `places` some may be left out."""

    code: str
    severity: str
    title: str
    count: int
    places: list[Finding] = field(default_factory=list)
    validation: bool = False
    muted: bool = False

    def matches(self, words: Sequence[str]) -> bool:
        text = f"{self.severity} {self.code} {self.title} {'validation' * self.validation}".lower()
        return all(word.lower() in text for word in words)


def groups(
    report: Report | None,
    counts: dict[str, int] | None,
    validation: Report | None,
    muted: frozenset[str],
) -> list[Group]:
    """The groups of a report (or of the counts so far), the worst first, the muted last."""
    found = _of(report, counts or {}, False)
    if validation is not None:
        found += _of(validation, {}, True)
    known = {group.code for group in found}
    found = [group for group in found if group.code not in muted]
    found.sort(key=lambda g: (RANK.get(g.severity, 3), g.validation, -g.count, g.code))
    from fttui.dataset.checks import CATALOGUE

    for code in sorted(muted):
        check = CATALOGUE.get(code)
        if check is not None:
            count = report.counts.get(code, 0) if report is not None and code in known else 0
            found.append(Group(code, check.severity, check.title, count, muted=True))
    return found


def _of(report: Report | None, counts: dict[str, int], validation: bool) -> list[Group]:
    from fttui.dataset.checks import CATALOGUE

    places: dict[str, list[Finding]] = {}
    for finding in report.findings if report is not None else ():
        places.setdefault(finding.code, []).append(finding)
    found = []
    for code, count in (report.counts if report is not None else counts).items():
        mine = places.get(code, [])
        check = CATALOGUE.get(code)
        usual = check.severity if check is not None else "note"
        severity = min((f.severity for f in mine), key=lambda s: RANK.get(s, 3), default=usual)
        title = check.title if check is not None else code
        found.append(Group(code, severity, title, count, mine, validation))
    return found


MARK = "┃"


def group_row(group: Group, width: int, marked: bool = False) -> list[Part]:
    """` ✗ M010  Empty answer                1  line 5`; marked: all of its examples are."""
    if group.muted:
        return [(f" – {group.code}  {fit(group.title, width - 16)}  muted", "faint")]
    style = SEVERITY_STYLE.get(group.severity, "dim")
    where = _where(group)
    room = max(8, width - 30)
    return [
        *_edge(f"{SEVERITY_GLYPH.get(group.severity, '·')} {group.code}  ", style, marked),
        (fit(group.title, room), ""),
        (f" {group.count:>7,}  ", "bold" if group.severity == "error" else ""),
        (fit(where, 11), "dim"),
    ]


def _edge(text: str, style: str, marked: bool) -> list[Part]:
    """The start of a row: the mark, or a blank in the colour of what follows (fewer bytes)."""
    return [(MARK, "accent"), (text, style)] if marked else [(f" {text}", style)]


def _where(group: Group) -> str:
    if group.validation:
        return "validation"
    line = group.places[0].line if group.places else 0
    return f"line {line:,}" if line else "whole file" if group.places else ""


def place_row(finding: Finding, width: int, marked: bool = False) -> list[Part]:
    """`   731  messages[2].content  assistant answer is empty`."""
    where = f"{finding.line:>8,}  " if finding.line else "    file  "
    room = max(8, width - len(where) - 1)
    path = f"{finding.path}  " if finding.path else ""
    if len(path) > room // 2:
        path = ""
    return [
        *_edge(where, "dim", marked),
        (clean(path), "faint"),
        (fit(finding.message, room - len(path)), ""),
    ]


def explanation(group: Group, finding: Finding | None, width: int) -> list[Line]:
    """Why it matters, how sure we are, what to do."""
    from fttui.dataset.checks import CATALOGUE
    from fttui.dataset.rewrite import CONVERTED, ON_REQUEST

    check = CATALOGUE.get(group.code)
    style = SEVERITY_STYLE.get(group.severity, "dim")
    lines: list[Line] = []
    if finding is not None:
        where = f"line {finding.line:,}: " if finding.line else ""
        lines += [[(piece, style)] for piece in wrap(clean(where + finding.message), width)]
        lines.append([])
    if check is None:
        return lines
    lines += [[piece] for piece in wrap(clean(check.why), width)]
    lines.append([])
    fix = (finding.fix if finding is not None else "") or check.fix
    kind = FIX_KIND.get(check.fix_kind, "")
    if check.fix_kind == "ask" and group.code in ON_REQUEST | CONVERTED:
        kind += " of yours — f does it, in a copy"
    evidence = ", ".join(EVIDENCE.get(letter, letter) for letter in check.evidence.split())
    facts = (
        ("Weight", WEIGHT.get(group.severity, "")),
        ("Fix", f"{fix}: {kind}" if fix else kind),
        ("Evidence", evidence),
    )
    for label, text in facts:
        for number, piece in enumerate(wrap(clean(text), max(10, width - 12))):
            lines.append([(f"{label if not number else '':<12}", "faint"), (piece, "dim")])
    shown, count = len(group.places), group.count
    if shown and sum(place.count for place in group.places) < count:
        lines.append(
            [(f"{plural(count, 'place')} in all, the first {shown:,} are listed", "faint")]
        )
    return lines
