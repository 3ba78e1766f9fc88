"""`fttui split FILE`: training and validation, stratified and leak-free, by seed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

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
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    from fttui.dataset.split import split

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
