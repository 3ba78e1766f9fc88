"""`fttui check FILE`: what a provider would refuse, what would waste money, and the fixes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.text import one_line, plural, size

if TYPE_CHECKING:
    from fttui.dataset.report import Finding, Report
    from fttui.dataset.target import Target

EXIT = {"ok": 0, "warnings": 0, "errors": 1, "unusable": 2}
GLYPH = {"error": "✗", "warning": "!", "note": "·"}
COLOUR = {"error": "31", "warning": "33", "note": "36", "bold": "1", "dim": "2", "ok": "32"}
PROVIDERS = ("openai", "azure")  # named alike here and in the catalogue
SHOWN = 3  # places listed of each code


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", help="the dataset (JSONL)")
    parser.add_argument("--validation", metavar="FILE", help="a validation file to compare with")
    parser.add_argument(
        "--provider", default="openai", help="openai, azure, local … (default: openai)"
    )
    parser.add_argument("--model", default="", help="the model to be trained, by any of its names")
    parser.add_argument("--method", default="", choices=["", "supervised", "dpo", "reinforcement"])
    parser.add_argument(
        "--mute", metavar="CODE", action="append", default=[], help="leave a check out"
    )
    parser.add_argument("--all", action="store_true", help="list every place, not the first three")
    parser.add_argument(
        "--stats", action="store_true", help="lengths, system prompts, labels, largest examples"
    )
    parser.add_argument("--explain", metavar="CODE", help="say what a check means, and exit")
    parser.add_argument("--fix", action="store_true", help="write a copy with every safe fix done")
    parser.add_argument(
        "--also", metavar="CODE", action="append", default=[], help="with --fix: do this fix too"
    )
    parser.add_argument(
        "--only", metavar="CODE", action="append", default=[], help="with --fix: no other fix"
    )
    parser.add_argument("--lines", metavar="LINES", help="with --fix: no other lines (3,7-9)")
    parser.add_argument("--output", metavar="FILE", help="with --fix: where the copy goes")
    parser.add_argument(
        "--dry-run", action="store_true", help="with --fix: only say what would change"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument(
        "--no-cache", action="store_true", help="scan even when the result is known"
    )


def run(args: argparse.Namespace) -> int:
    if args.explain:
        return explain(args.explain)
    if not args.file:
        raise Problem("no file to check", "", "fttui check FILE", code="usage")
    from fttui import config_raw
    from fttui.dataset.checks import CATALOGUE
    from fttui.dataset.scan import scan

    always = config_raw.settings().get("mute")
    muted = frozenset(
        str(code).upper() for code in (*args.mute, *(always if isinstance(always, list) else ()))
    )
    unknown = sorted(muted - CATALOGUE.keys())
    if unknown:
        raise Problem(
            f"no check has the code {unknown[0]}", "", "docs/checks.md lists them all", code="usage"
        )
    target = target_for(args.provider, args.model, args.method)
    report = scan(
        args.file,
        target=target,
        validation=args.validation,
        muted=muted,
        on_progress=_progress(args.json),
        cached=not args.no_cache,
    )
    if args.fix:
        return fix(args, report, target)
    if args.json:
        print(json.dumps(report.as_dict(), ensure_ascii=True))
    else:
        _clear()
        print("\n".join(render(report, args)))
    return exit_code(report)


def exit_code(report: Report) -> int:
    codes = [EXIT[report.verdict]]
    if report.validation is not None:
        codes.append(EXIT[report.validation.verdict])
    return max(codes)


def target_for(provider: str, model: str, method: str) -> Target:
    """The limits of what was chosen: from the catalogue where it knows the model, else the presets."""
    from fttui.dataset.target import preset

    if model:
        try:
            from fttui.pricing import catalog

            known = catalog.load()
            found = known.find(model, provider if provider in PROVIDERS else None)
            return known.target(found, method) if method else known.target(found)
        except (ImportError, AttributeError, TypeError, Problem):
            pass
    return preset(provider, model, method)


def _progress(quiet: bool):  # type: ignore[no-untyped-def]
    if quiet or not sys.stderr.isatty():
        return None

    def show(progress) -> None:  # type: ignore[no-untyped-def]
        share = progress.bytes_done / max(1, progress.bytes_total)
        found = sum(progress.counts.values())
        print(
            f"\r{share:4.0%}  {progress.examples:,} examples  {found:,} findings ",
            end="",
            file=sys.stderr,
        )

    return show


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _painted() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, style: str) -> str:
    return f"\x1b[{COLOUR[style]}m{text}\x1b[0m" if _painted() else text


def render(report: Report, args: argparse.Namespace) -> list[str]:
    """The report for a person, in 80 columns."""
    style = {"ok": "ok", "warnings": "warning"}.get(report.verdict, "error")
    name = one_line(report.file)
    lines = [f"{name}  {facts(report)}", paint(one_line(report.summary), style)]
    lines += groups(report, args.all)
    if report.validation is not None:
        other = report.validation
        lines += [
            "",
            f"{one_line(other.file)}  {facts(other)}",
            other.summary,
            *groups(other, args.all),
        ]
    if args.stats:
        lines += ["", *statistics(report)]
    return lines


def facts(report: Report) -> str:
    tokens = report.tokens
    parts = [report.format, plural(report.examples, "example"), size(report.bytes)]
    if tokens.total:
        about = f", {plural(tokens.estimated, 'text')} estimated" if tokens.estimated else ""
        trained = f"{tokens.trained / tokens.total:.0%} trained"
        parts.append(f"{tokens.total:,} tokens ({trained}{about})")
    return paint(" · ".join(parts), "dim")


def groups(report: Report, everything: bool) -> list[str]:
    """Findings by code, the heavy ones first."""
    from fttui.dataset.checks import CATALOGUE
    from fttui.dataset.report import RANK
    from fttui.dataset.rewrite import ON_REQUEST

    by_code: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_code.setdefault(finding.code, []).append(finding)
    order = sorted(by_code, key=lambda code: (-max(RANK[f.severity] for f in by_code[code]), code))
    lines: list[str] = []
    for code in order:
        found = by_code[code]
        severity = max((f.severity for f in found), key=lambda s: RANK[s])
        check, total = CATALOGUE[code], report.counts[code]
        times = f" ×{total:,}" if total > 1 else ""
        lines += ["", paint(f"{GLYPH[severity]} {code} {severity}: {check.title}{times}", severity)]
        shown = found if everything else found[:SHOWN]
        lines += [_place(report.file, finding) for finding in shown]
        if total > len(shown) and len(found) > len(shown):
            lines.append(f"    … and {len(found) - len(shown):,} more places (--all)")
        if check.fix:
            how = (
                "--fix does it"
                if check.fix_kind == "safe"
                else f"--fix --also {code}"
                if code in ON_REQUEST
                else ""
            )
            lines.append(paint(f"    fix: {check.fix}" + (f" ({how})" if how else ""), "dim"))
    return lines


def _place(file: str, finding: Finding) -> str:
    where = f"{one_line(file)}:{finding.line}" if finding.line else one_line(file)
    path = f" {finding.path}" if finding.path else ""
    return f"  {where}:{path} {one_line(finding.message, 200)}"


def statistics(report: Report) -> list[str]:
    stats, tokens = report.stats, report.tokens
    lines = [paint("what is in it", "bold")]
    for title, values in (
        ("prompt", stats.prompt),
        ("answer", stats.answer),
        ("example", tokens.percentiles((5, 50, 95, 100))),
    ):
        if values:
            told = " · ".join(f"{'max' if p == 100 else f'p{p}'} {n:,}" for p, n in values.items())
            lines.append(f"  {title + ' tokens':<15}{told}")
    if stats.turns:
        lines.append(
            f"  {'messages':<15}{stats.turns['min']} to {stats.turns['max']}, {stats.turns['mean']} on average"
        )
    for text, n, cost in stats.systems[:5]:
        lines.append(f"  {'system prompt':<15}×{n:,}, {cost:,} tokens: {one_line(text, 34)}")
    for label, n in stats.labels[:10]:
        lines.append(f"  {'label':<15}{n:,} × {one_line(label, 40)}")
    for line, n, share in stats.largest[:3]:
        lines.append(f"  {'largest':<15}line {line:,}: {n:,} tokens, {share:.1%} of all")
    peak = max((n for _, _, n in tokens.histogram(10)), default=0)
    for low, high, n in tokens.histogram(10):
        lines.append(f"  {low:>7,}-{high:<7,} {'█' * (-(-n * 40 // peak) if n else 0)} {n:,}")
    return lines


def explain(code: str) -> int:
    from fttui.dataset.checks import CATALOGUE

    check = CATALOGUE.get(code.upper())
    if check is None:
        raise Problem(
            f"no check has the code {code}", "", "docs/checks.md lists them all", code="usage"
        )
    print(f"{check.code} {check.severity}: {check.title}")
    print(f"  {check.why}")
    if check.fix:
        print(f"  fix: {check.fix} ({check.fix_kind})")
    return 0


def fix(args: argparse.Namespace, report: Report, target: Target) -> int:
    """Write the copy, or say what it would change."""
    from fttui.commands.split import line_numbers
    from fttui.dataset import rewrite
    from fttui.dataset.checks import CATALOGUE

    source = Path(args.file)
    output = Path(args.output) if args.output else source.with_name(f"{source.stem}.fixed.jsonl")
    only = frozenset(code.upper() for code in args.only)
    unknown = sorted({code.upper() for code in (*args.only, *args.also)} - CATALOGUE.keys())
    if unknown:
        what = f"no check has the code {one_line(unknown[0], 20)}"
        raise Problem(what, "", "docs/checks.md lists them all", code="usage")
    also = frozenset(code.upper() for code in args.also) | (only & rewrite.ON_REQUEST)
    plan = rewrite.fix(
        source,
        None if args.dry_run else output,
        target=target,
        also=also,
        only=only or None,
        lines=line_numbers(args.lines, "--lines") if args.lines else None,
    )
    if args.json:
        print(
            json.dumps(
                {
                    "file": str(source),
                    "output": None if args.dry_run else str(output),
                    **plan.as_dict(),
                }
            )
        )
        return 0
    for change in plan.preview:
        print(paint(f"{source}:{change.line}: {', '.join(change.codes)}", "bold"))
        print(f"  - {one_line(change.before.decode('utf-8', 'replace'), 74)}")
        print(f"  + {one_line(change.after.decode('utf-8', 'replace'), 74) or '(dropped)'}")
    done = (
        ", ".join(f"{code} ×{n:,}" for code, n in sorted(plan.fixed.items()) if n)
        or "nothing to fix"
    )
    print(f"{'would fix' if args.dry_run else 'fixed'}: {done}")
    if not args.dry_run:
        print(f"written: {output} ({plural(plan.lines, 'line')}); {source} is as it was")
    return 0
