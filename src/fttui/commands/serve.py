"""`fttui serve`: the local server in the foreground."""

from __future__ import annotations

import argparse
from pathlib import Path

from fttui.problem import Problem


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, metavar="N", help="port (default: the last one used, or a free one)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where jobs and files are kept")
    parser.add_argument(
        "--alias",
        action="append",
        default=[],
        metavar="NAME=MODEL",
        help="offer a base model under another name, e.g. gpt-4o-mini-2024-07-18",
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="offer your own weights (a GGUF file) as a base model",
    )
    parser.add_argument(
        "--idle-exit",
        type=float,
        metavar="SECONDS",
        help="end after this long without requests and jobs (default: never)",
    )


def run(args: argparse.Namespace) -> int:
    from fttui.local.trainer import limit_threads

    limit_threads()  # before NumPy: chat must leave cores to a training that runs beside it
    from fttui.local import instance
    from fttui.local.server import serve

    root = instance.folder(args.data)
    if args.idle_exit is not None and not args.idle_exit > 0:
        raise Problem(
            "--idle-exit must be a number of seconds greater than 0.",
            f"It is {args.idle_exit:g}.",
            "Leave it out to serve until stopped.",
            code="usage",
        )

    def ready(url: str) -> None:
        print(f"fttui serves the OpenAI fine-tuning API at {url}")
        print(f"  token   {instance.token_path(root)}")
        print(f"  data    {root}")
        print('  use     eval "$(fttui env)"   points any OpenAI client here')
        print("  Ctrl-C stops it; a running job goes on at the next start.", flush=True)

    serve(
        host=args.host,
        port=args.port,
        data_dir=args.data,
        idle_exit=args.idle_exit,
        aliases=pairs(args.alias, "--alias"),
        models={name: Path(path) for name, path in pairs(args.model, "--model").items()},
        on_ready=ready,
    )
    return 0


def pairs(values: list[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` options as a mapping; Problem for one without a name or a value."""
    found = {}
    for value in values:
        name, sign, target = value.partition("=")
        if not (name and sign and target):
            raise Problem(
                f"{option} {value} is not understood.",
                "It must be NAME=VALUE.",
                f"Write for example {option} my-model=…",
                code="usage",
            )
        found[name] = target
    return found
