"""`fttui convert IN OUT`: other shapes to chat or preference JSONL."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fttui.text import plural


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="IN",
        help="JSONL of any shape, a JSON array, CSV, TSV, Parquet, a W&B table",
    )
    parser.add_argument("output", metavar="OUT", help="the new file (.jsonl)")
    parser.add_argument("--to", choices=["chat", "preference"], default="chat")
    parser.add_argument("--system", default="", help="a system prompt for rows that bring none")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    from fttui.dataset.convert import convert

    done = convert(Path(args.source), Path(args.output), to=args.to, system=args.system)
    if args.json:
        print(
            json.dumps(
                {
                    "file": args.source,
                    "output": args.output,
                    "written": done.written,
                    "skipped": done.skipped,
                    "first_skipped": done.first_skipped,
                    "shapes": dict(done.shapes),
                }
            )
        )
        return 0
    shapes = ", ".join(f"{name} ×{n:,}" for name, n in done.shapes.most_common())
    print(f"{args.output}: {plural(done.written, 'example')} from {shapes}")
    if done.skipped:
        places = ", ".join(map(str, done.first_skipped[:5]))
        print(f"left out: {plural(done.skipped, 'row')} of no known shape (first: {places})")
    return 0
