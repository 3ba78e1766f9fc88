"""`fttui`: reads the command line and hands over; imports nothing heavy before it knows what is asked."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence

from fttui import __version__
from fttui.problem import Problem

# name → one line of help; each is a module of fttui.commands with `arguments(parser)` and `run(args) -> int`.
COMMANDS: dict[str, str] = {
    "check": "find what a provider would refuse, and what would waste money",
    "split": "split a dataset into training and validation, leak-free, by seed",
    "convert": "turn CSV, ShareGPT, Alpaca, prompt/completion … into chat JSONL",
    "cost": "price a training run, and the use of the model it makes",
    "run": "check, price, upload, train, and sample the result",
    "chat": "talk to a model; reads a prompt or stdin, streams to stdout",
    "eval": "ask models held-out prompts and grade the answers: which is better, how sure",
    "jobs": "list fine-tuning jobs; show, cancel, pause or resume one",
    "watch": "follow a job to its end; the exit code says how it ended",
    "export": "save all of jobs in a folder: settings, metrics, checkpoints, results, data, chats",
    "deployments": "list what is deployed on Azure and its price; deploy, scale or delete",
    "serve": "the local OpenAI-compatible fine-tuning server",
    "env": "start the local server if needed and print the variables that point clients at it",
    "fetch": "download the local base model now, for offline use later",
    "config": "profiles and their keys: list, add, test, remove, without editing a file",
    "doctor": "check profiles, keys, the local engine and this terminal",
}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fttui",
        description="Fine-tune language models from the terminal.",
        epilog="\n".join(
            ["commands (fttui COMMAND --help):"]
            + [f"  {name:<13}{text}" for name, text in COMMANDS.items()]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fttui {__version__}")
    parser.add_argument("file", nargs="?", help="a dataset to open (JSONL)")
    parser.add_argument("--validation", metavar="FILE", help="a validation file to go with it")
    parser.add_argument("--profile", metavar="NAME", help="the provider profile to work on")
    parser.add_argument("--demo", action="store_true", help="open on the shipped sample, locally")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Ctrl-C exits 130 without a traceback."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        if args and args[0] in COMMANDS:
            return _command(args[0], args[1:])
        return _app(build_parser().parse_args(args))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `fttui jobs | head` is not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _command(name: str, argv: list[str]) -> int:
    module = importlib.import_module(f"fttui.commands.{name}")
    parser = argparse.ArgumentParser(prog=f"fttui {name}", description=COMMANDS[name])
    module.arguments(parser)
    args = parser.parse_args(argv)
    try:
        code: int = module.run(args)
    except Problem as problem:
        return report(problem, as_json=getattr(args, "json", False))
    return code


def report(problem: Problem, *, as_json: bool) -> int:
    """Print a problem for a person on stderr, or as the last JSON line on stdout. Exit code 2."""
    if as_json:
        print(json.dumps({"error": problem.as_dict()}, ensure_ascii=False))
    else:
        what, *rest = problem.lines()
        print(f"fttui: {what}", *(f"  {line}" for line in rest), sep="\n", file=sys.stderr)
    return 2


def _app(args: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _without_a_terminal(args)
    from fttui.ui.start import start  # textual is imported here and not before

    try:
        return start(args)
    except Problem as problem:
        return report(problem, as_json=False)


def _without_a_terminal(args: argparse.Namespace) -> int:
    """The demo runs the same loop in plain lines; anything else needs to be asked for by name."""
    if args.demo:
        return _command("run", ["--sample", "extraction", "--profile", "local"])
    problem = Problem(
        "the app needs a terminal",
        "standard input or output is not one",
        "use a command: " + ", ".join(f"fttui {name}" for name in ("check", "cost", "run", "jobs")),
        code="no_terminal",
    )
    return report(problem, as_json=False)
