"""`fttui fetch`: download the local base model now, so that everything works offline later."""

from __future__ import annotations

import argparse
import json
import sys
import time

from fttui.local import models
from fttui.problem import Problem
from fttui.text import size


def arguments(parser: argparse.ArgumentParser) -> None:
    known = ", ".join(models.KNOWN)
    parser.add_argument("model", nargs="?", default=models.DEFAULT, help=f"one of: {known}")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 with the file in place; a Problem otherwise."""
    here = models.locate(args.model) is not None
    line = _Line(quiet=args.json)
    try:
        path = models.fetch(args.model, on_progress=line.update)
    finally:
        line.end()
    if not path.is_file():
        why = f"{models.OVERRIDE} points at it" if models.KNOWN.get(args.model) else ""
        raise Problem(f"{path} is not there", why, code="model_unreadable")
    if args.json:
        found = {"model": args.model, "path": str(path), "bytes": path.stat().st_size}
        print(json.dumps(found | {"downloaded": not here}, ensure_ascii=False))
        return 0
    known = models.KNOWN.get(args.model)
    title = f"{known.title} ({known.licence})" if known else args.model
    print(f"{title}: {'already here' if here else 'fetched'}, {size(path.stat().st_size)}")
    print(path)
    return 0


class _Line:
    """Progress on stderr: one line rewritten on a terminal, a line every quarter elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._tty = sys.stderr.isatty()
        self._started = time.monotonic()
        self._quarter = 0
        self._open = False

    def update(self, done: int, total: int) -> None:
        if self._quiet or not total:
            return
        percent = 100 * done // total
        if self._tty:
            pace = done / max(time.monotonic() - self._started, 0.1)
            text = f"{percent:3d} %  {size(done)} of {size(total)}  {size(int(pace))}/s"
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            self._open = True
        elif percent // 25 > self._quarter:
            self._quarter = percent // 25
            print(f"{percent} % of {size(total)}", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._open:
            print(file=sys.stderr)
