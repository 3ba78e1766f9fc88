"""`fttui split FILE`: training and validation, stratified and leak-free, by seed; or only some of its lines."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fttui.problem import Problem
from fttui.text import one_line, plural


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the dataset (JSONL)")
    parser.add_argument(
        "--fraction", type=float, default=0.2, help="share of validation (default: 0.2)"
    )
    parser.add_argument("--n", type=int, help="examples of validation, instead of a share")
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same split")
    parser.add_argument("--train", metavar="FILE", help="default: FILE.train.jsonl")
    parser.add_argument("--validation", metavar="FILE", help="default: FILE.validation.jsonl")
    parser.add_argument("--sample", type=int, metavar="N", help="write N examples, chosen by seed")
    parser.add_argument(
        "--drop",
        metavar="LINES",
        help="write all but these lines (3,7-9), or those with these findings (M010,Q001)",
    )
    parser.add_argument("--output", metavar="FILE", help="with --sample or --drop: where it goes")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    from fttui.dataset.split import split

    if args.sample is not None or args.drop is not None:
        return _some(args)
    source = Path(args.file)
    train = Path(args.train) if args.train else source.with_name(f"{source.stem}.train.jsonl")
    validation = (
        Path(args.validation)
        if args.validation
        else source.with_name(f"{source.stem}.validation.jsonl")
    )
    halves = split(source, train, validation, fraction=args.fraction, n=args.n, seed=args.seed)
    if args.json:
        print(
            json.dumps(
                {
                    "file": str(source),
                    "train": str(train),
                    "validation": str(validation),
                    "train_examples": halves.train,
                    "validation_examples": halves.validation,
                    "classes": {name: list(pair) for name, pair in halves.classes.items()},
                    "seed": args.seed,
                }
            )
        )
        return 0
    print(f"{train}: {plural(halves.train, 'example')}")
    print(f"{validation}: {plural(halves.validation, 'example')}")
    for name, (taken, size) in sorted(halves.classes.items()):
        print(f"  {one_line(name, 40)}: {taken:,} of {size:,} to validation")
    if halves.groups:
        print(f"{plural(halves.groups, 'group')} of equal or same-prompt examples kept on one side")
    return 0


def _some(args: argparse.Namespace) -> int:
    """A copy with some of the lines: a sample, or all but those named."""
    from fttui.dataset import subset

    source = Path(args.file)
    if args.sample is not None and args.drop is not None:
        raise Problem("--sample and --drop exclude each other", "", "use one, then the other")
    name = "sample" if args.sample is not None else "dropped"
    output = Path(args.output) if args.output else source.with_name(f"{source.stem}.{name}.jsonl")
    if args.sample is not None:
        if args.sample < 1:
            raise Problem(f"--sample {args.sample} is no sample", "", "use 1 or more")
        plan = subset.sample(source, output, args.sample, args.seed)
    else:
        plan = subset.drop(source, output, _dropped(source, args.drop))
    if args.json:
        print(json.dumps({"file": str(source), "output": str(output), "examples": plan.lines}))
    else:
        print(f"{output}: {plural(plan.lines, 'example')}")
    return 0


def _dropped(source: Path, text: str) -> set[int]:
    """`M010,3,7-9` as line numbers: the lines, and those with a finding of the codes."""
    from fttui.dataset import affected
    from fttui.dataset.checks import CATALOGUE
    from fttui.dataset.scan import scan

    parts = [part.strip() for part in text.split(",")]
    codes = [part.upper() for part in parts if part[:1].isalpha()]
    numbers = [part for part in parts if not part[:1].isalpha()]
    lines = line_numbers(",".join(numbers), "--drop") if numbers else set()
    unknown = [code for code in codes if code not in CATALOGUE]
    if unknown:
        what = f"no check has the code {one_line(unknown[0], 20)}"
        raise Problem(what, "", "docs/checks.md lists them all", code="usage")
    if not codes:
        return lines
    report = scan(source)
    for code in codes:
        if code not in report.counts:
            raise Problem(f"no example has {code}", f"{source} is without it", "", code=code)
        if reason := affected.why_not(report, code):
            raise Problem(f"{code} names no examples to drop", reason, "name lines", code=code)
        found, complete = affected.lines_with(source, report, code)
        if not complete:
            why = f"{len(found):,} of {report.counts[code]:,} places of it are known by line"
            raise Problem(f"not all examples with {code} are known", why, "name lines", code=code)
        lines.update(found)
    return lines


def line_numbers(text: str, option: str) -> set[int]:
    """`3,7-9` as line numbers. option: what to call it in a complaint."""
    lines: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()) or int(first) < 1:
            what = f"{option} {one_line(text, 40)} names no lines"
            raise Problem(what, "lines are numbers from 1", "write them as 3,7-9")
        if last and int(last) - int(first) > 10_000_000:
            raise Problem(f"{option} names too many lines", "", "use a smaller range")
        lines.update(range(int(first), int(last or first) + 1))
    return lines
