"""Fixes, always into a new file that appears whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fttui.dataset import framing, repair, repair_ask, repair_tools
from fttui.dataset.checks import file as file_checks
from fttui.dataset.checks import legacy
from fttui.dataset.checks.answers import digest
from fttui.dataset.checks.context import Context, Facts
from fttui.dataset.checks.line import canonical
from fttui.dataset.formats import recognise
from fttui.dataset.new_file import new_file
from fttui.dataset.repair import Fix
from fttui.dataset.syntax import dump, load, small_numbers
from fttui.dataset.syntax import repair as repair_line
from fttui.dataset.target import OPENAI, Target

HABITS = 200  # lines that say what a file is
PREVIEW = 20  # changes shown

# The safe fixes of an example, in the order they are done: shapes first, then what is in them.
SAFE: tuple[tuple[str, Fix], ...] = (
    ("M002", repair.double_encoded),
    ("P006", repair.preference_names),
    ("L014", repair.legacy_names),
    ("M006", repair.roles),
    ("T017", repair_tools.deprecated),
    ("T020", repair_tools.empty_calls),
    ("M011", repair.message_keys),
    ("S004", repair.extra_keys),
    ("P012", repair.extra_preference_keys),
    ("L004", repair.extra_legacy_keys),
    ("M012", repair.names),
    ("M013", repair.weights),
    ("M014", repair.misplaced_weights),
    ("M026", repair.string_parts),
    ("V001", repair.image_urls),
    ("V007", repair.image_detail),
    ("T002", repair_tools.wrap_functions),
    ("T004", repair_tools.same_tools),
    ("T009", repair_tools.arguments),
    ("T016", repair_tools.call_types),
    ("T012", repair_tools.call_ids),
    ("T018", repair_tools.parallel),
    ("R002", repair.reinforcement_roles),
    ("M017", repair.cut_tail),
    ("M022", repair.trim),
    ("L005", repair.leading_blank),
)
# Done only when asked for by code.
ASK: tuple[tuple[str, Fix], ...] = (
    ("M008", repair_ask.drop_null_turns),
    ("M009", repair_ask.text_content),
    ("M019", repair_ask.instructions_first),
    ("M020", repair_ask.merge_answers),
    ("T007", repair_ask.declare_tools),
    ("L011", repair_ask.lower_case),
    ("Q007", repair_ask.redact),
    ("M025", repair.strip_special),
    ("Q008", repair.ungarble),
    ("Q009", repair.strip_hidden),
)
# Every code `also` understands: those above, and repairs of lines and framing.
ON_REQUEST = frozenset(code for code, _ in ASK) | {
    "F012",
    "F013",
    "F017",
    "F018",
    "J004",
    "J005",
    "J008",
    "M010",
}

CONVERTED = frozenset({"F022", "S001", "P007"})  # what a conversion mends


@dataclass(slots=True)
class Change:
    """One line of a rewrite: before and after (empty: dropped). line is 1-based in the source."""

    line: int
    codes: tuple[str, ...]
    before: bytes
    after: bytes


@dataclass(slots=True)
class Plan:
    """What a rewrite did, or would do."""

    lines: int = 0  # written
    fixed: Counter[str] = field(default_factory=Counter)
    preview: list[Change] = field(default_factory=list)  # the first changes

    def as_dict(self) -> dict[str, Any]:
        return {"lines": self.lines, "fixed": {k: v for k, v in sorted(self.fixed.items()) if v}}


def fix(
    source: Path,
    output: Path | None,
    *,
    target: Target = OPENAI,
    also: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
    lines: Collection[int] | None = None,
    on_progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Plan:
    """Copy `source` to `output` with every safe fix done; output None only looks.

    also: codes of fixes that are done only on request; only: no others than these. lines: the numbers
    (1-based, physical) of the lines to be fixed, the others are copied as they are; how lines end is
    put right everywhere. on_progress gets the lines looked at so far.
    """
    plan = Plan()
    watch = (on_progress, cancelled)
    if output is None:
        for _ in fixed_lines(source, plan, target, also, only, lines, watch, look=True):
            pass
        return plan
    made = fixed_lines(source, plan, target, also, only, lines, watch)
    with new_file(output, instead_of=(source,)) as file:
        for line in made:
            file.write(line + b"\n")
    return plan


Watch = tuple[Callable[[int], None] | None, Callable[[], bool] | None]  # on_progress, cancelled
ASK_EVERY = 64  # lines between two looks at `cancelled`
TELL_EVERY = 1_024  # lines between two calls of on_progress
_T = TypeVar("_T")


def watched(
    numbered: Iterable[tuple[int, _T]],
    on_progress: Callable[[int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> Iterator[tuple[int, _T]]:
    """The same pairs; now and then progress is told and `Cancelled` raised when it is so."""
    from fttui.dataset.scan import Cancelled

    for number, item in numbered:
        if not number % ASK_EVERY and cancelled is not None and cancelled():
            raise Cancelled
        if not number % TELL_EVERY and on_progress is not None:
            on_progress(number)
        yield number, item
    if cancelled is not None and cancelled():
        raise Cancelled


def fixed_lines(
    source: Path,
    plan: Plan,
    target: Target,
    also: frozenset[str],
    only: frozenset[str] | None,
    chosen: Collection[int] | None = None,
    watch: Watch = (None, None),
    look: bool = False,
) -> Iterator[bytes]:
    """The lines of `source`, fixed; `plan` grows. look: only as far as anything may change."""
    fixer = _Fixer(source, target, also, only)
    numbered = enumerate(framing.lines(source, plan.fixed, also=also, target=target), 1)
    last = max(chosen, default=0) if chosen is not None else 0
    for number, raw in watched(numbered, *watch):
        if chosen is not None and number not in chosen:
            if number < last:
                fixer.remember(raw)
            elif look:
                return
            plan.lines += 1
            yield raw
            continue
        lines, codes = fixer.line(raw)
        plan.fixed.update(codes)
        if codes and len(plan.preview) < PREVIEW:
            plan.preview.append(
                Change(number, tuple(codes), raw[:4_000], b"\n".join(lines)[:4_000])
            )
        plan.lines += len(lines)
        yield from lines


class _Fixer:
    def __init__(
        self, source: Path, target: Target, also: frozenset[str], only: frozenset[str] | None
    ) -> None:
        self.also = also
        chosen = SAFE + tuple(item for item in ASK if item[0] in also)
        self.fixes = [
            (code, f) for code, f in chosen if only is None or code in only or code in also
        ]
        self.only = only
        self.seen: set[int] = set()
        self.hint, self.separator, self.ending = _habits(source, target, also)

    def line(self, raw: bytes) -> tuple[list[bytes], list[str]]:
        """(lines to write, codes of the fixes done)."""
        if not raw.strip():
            return ([], ["J003"]) if self._may("J003") else ([raw], [])
        obj = load(raw)
        if obj is not None:
            if "J008" in self.also and (text := small_numbers(obj)) is not None:
                new, codes = self._object(dump(text), text)
                return ([new] if new is not None else []), ["J008", *codes]
            new, codes = self._object(raw, obj)
            return ([new] if new is not None else []), codes
        if (obj := load(raw, doubled=True)) is not None:
            if "J004" in self.also:
                new, codes = self._object(dump(obj), obj)
                return ([new] if new is not None else []), ["J004", *codes]
            # Which of the two counts is not ours to say; the same line again says nothing new.
            return ([], ["Q001"]) if self._is_repeated(obj) else ([raw], [])
        lines, codes = repair_line(raw, self.also)
        if not codes:
            return ([], ["F017"]) if "F017" in self.also and _is_cut(raw) else ([raw], [])
        if not all(self._may(code) for code in codes):
            return [raw], []
        whole: list[bytes] = []
        for line in lines:
            again = load(line)
            new, more = self._object(line, again) if again is not None else (line, [])
            whole += [new] if new is not None else []
            codes = codes + more
        return whole, codes

    def remember(self, raw: bytes) -> None:
        """A line that is left as it is: one that is to be fixed may repeat it."""
        if self._may("Q001") and (obj := load(raw, doubled=True)) is not None:
            self.seen.add(digest(canonical(obj)))

    def _may(self, code: str) -> bool:
        return self.only is None or code in self.only or code in self.also

    def _object(self, raw: bytes, obj: dict[str, Any]) -> tuple[bytes | None, list[str]]:
        codes: list[str] = []
        for _ in range(3):  # one fix can make room for another
            before = len(codes)
            kind = recognise(obj, self.hint if "messages" in obj else "")[0]
            codes += [code for code, change in self.fixes if change(obj, kind)]
            if len(codes) == before:
                break
        codes += self._legacy(obj, kind)
        if "M010" in self.also and repair.is_empty(obj):
            return None, [*codes, "M010"]
        if self._is_repeated(obj):
            return None, [*codes, "Q001"]
        return (dump(obj) if codes else raw), codes

    def _is_repeated(self, obj: dict[str, Any]) -> bool:
        """Whether an earlier line said the same, and such lines are to go."""
        if not self._may("Q001"):
            return False
        key = digest(canonical(obj))
        known = key in self.seen
        self.seen.add(key)
        return known

    def _legacy(self, obj: dict[str, Any], kind: str) -> list[str]:
        if kind != "completion":
            return []
        codes = []
        prompt, completion = obj.get("prompt"), obj.get("completion")
        if self.separator and isinstance(prompt, str) and prompt and self._may("L006"):
            obj["prompt"] = prompt + self.separator
            codes.append("L006")
        if self.ending and isinstance(completion, str) and completion.strip() and self._may("L007"):
            obj["completion"] = obj["completion"] + self.ending
            codes.append("L007")
        return codes


def _is_cut(raw: bytes) -> bool:
    context = Context()
    from fttui.dataset.checks.line import parse

    parse(raw, context, last=True)
    return bool(context.counts["F017"])


def _objects(raw: bytes, also: frozenset[str]) -> list[tuple[bytes, dict[str, Any]]]:
    """(line, object) of what a line will be when its JSON is mended."""
    obj = load(raw, doubled="J004" in also)
    if obj is not None:
        return [(raw, obj)]
    lines, codes = repair_line(raw, also)
    found = [(line, load(line)) for line in lines] if codes else []
    return [(line, obj) for line, obj in found if obj is not None]


def _habits(source: Path, target: Target, also: frozenset[str]) -> tuple[str, str, str]:
    """(format hint, separator to add, ending to add) from a first pass over the file.

    A repeated line has one vote: it goes, and must not decide what becomes of the others.
    """
    facts, asked, answered = Facts(), 0, 0
    seen: set[int] = set()
    context = Context(target)
    context.facts = facts
    legacy_fix = False
    for i, raw in enumerate(
        framing.lines(source, Counter(), target=target, also=frozenset({"F018"}))
    ):
        if i >= HABITS and not legacy_fix:
            break
        for line, obj in _objects(raw, also):
            kind = recognise(obj)[0]
            if kind == "completion":
                legacy_fix = True
                repair.legacy_names(obj, kind)
                repair.leading_blank(obj, kind)
                legacy.check_completion(obj, context)
            elif kind in ("chat", "reinforcement"):
                key = digest(canonical(obj))
                if key in seen:
                    continue
                seen.add(key)
                open_end = file_checks.hint(line) == "reinforcement"
                asked, answered = asked + open_end, answered + (not open_end)
    wide = {code: message for code, _, message, _ in legacy.file_wide(facts)}
    separator = ending = ""
    if "L006" in wide:
        separator = next(
            (s for s in legacy.SEPARATORS if not facts.n[f"inside:{s}"]), "\n\n###\n\n"
        )
    if "L007" in wide:
        ending = legacy.ENDINGS[0]
    return ("reinforcement" if asked > answered else "chat"), separator, ending
