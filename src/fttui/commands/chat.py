"""`fttui chat MODEL [PROMPT]`: one answer to a prompt or to stdin, or a conversation where neither is given."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem
from fttui.text import clean, duration

if TYPE_CHECKING:
    from fttui.service.chat import ChatResult, ChatStream
    from fttui.service.provider import Provider, Wait
    from fttui.service.types import ChatSettings

PROMPT_LIMIT = 10_000_000  # characters read from a pipe: more is a mistake, not a prompt


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a base model, a tuned model or a checkpoint")
    parser.add_argument("prompt", nargs="?", help="what to say; without it stdin is read")
    parser.add_argument("--system", metavar="TEXT", help="the system message")
    parser.add_argument("--temperature", type=float, metavar="T", help="0: always the likeliest")
    parser.add_argument("--top-p", type=float, metavar="P", help="the likeliest words, up to P")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="the longest answer")
    parser.add_argument("--seed", type=int, metavar="S", help="the same seed, the same answer")
    parser.add_argument("--stop", action="append", default=[], metavar="TEXT",
                        help="end before this text (may be repeated)")  # fmt: skip
    parser.add_argument("--no-wait", action="store_true",
                        help="fail at once where the service is busy or the model is not ready")  # fmt: skip
    parser.add_argument("--profile", metavar="NAME", help="the provider profile to ask")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")


def run(args: argparse.Namespace) -> int:
    prompt = args.prompt
    if prompt is None and not sys.stdin.isatty():
        prompt = _piped().strip()
        if not prompt:
            raise Problem(
                "There is nothing to say.",
                "No prompt was given and stdin is empty.",
                'Write: fttui chat MODEL "your prompt"',
                code="no_prompt",
            )
    if prompt is None and args.json:
        raise Problem(
            "--json needs a prompt.",
            "",
            'Write: fttui chat MODEL "your prompt" --json',
            code="no_prompt",
        )
    return _talk(args) if prompt is None else _once(args, prompt)


def _piped() -> str:
    """What is on stdin; bytes that are no UTF-8 become question marks in diamonds."""
    raw = getattr(sys.stdin, "buffer", None)
    if raw is None:
        return sys.stdin.read(PROMPT_LIMIT)
    return bytes(raw.read(PROMPT_LIMIT)).decode("utf-8-sig", "replace")


def _settings(args: argparse.Namespace) -> ChatSettings:
    from fttui.service.types import ChatSettings

    return ChatSettings(
        temperature=args.temperature,
        top_p=args.top_p,
        max_tokens=args.max_tokens,
        seed=args.seed,
        stop=tuple(args.stop),
    )


def _system(args: argparse.Namespace) -> list[dict[str, Any]]:
    return [{"role": "system", "content": args.system}] if args.system else []


def _provider(args: argparse.Namespace) -> Provider:
    from fttui import config
    from fttui.service.provider import Provider

    return Provider(config.load().profile(args.profile))


def _once(args: argparse.Namespace, prompt: str) -> int:
    messages = [*_system(args), {"role": "user", "content": prompt}]
    provider = _provider(args)
    stream = _stream(provider, args, messages)

    async def ask() -> None:
        try:
            await _say(stream, show=not args.json)
        finally:
            await provider.close()

    failed: Problem | None = None
    try:
        asyncio.run(ask())
    except Problem as problem:
        failed = problem
    if failed and not args.json:
        raise failed
    if args.json:  # also when it failed: with what had arrived
        error = {"error": failed.as_dict()} if failed else {}
        print(
            json.dumps(
                {"model": args.model, **stream.result.as_dict(), **error}, ensure_ascii=False
            )
        )
    return 2 if failed else 0


def _stream(
    provider: Provider, args: argparse.Namespace, messages: list[dict[str, Any]]
) -> ChatStream:
    from fttui.service import chat

    on_wait = None if args.no_wait else _waiting
    return chat.stream(provider, args.model, messages, _settings(args), on_wait=on_wait)


def _waiting(wait: Wait) -> None:
    why = clean(wait.problem.why or wait.problem.what)
    print(f"fttui: {why} Asked again in {duration(wait.seconds)}.", file=sys.stderr, flush=True)


async def _say(stream: ChatStream, *, show: bool) -> ChatResult:
    """Write the answer as it comes. On a terminal, control characters are written as signs."""
    async with stream:
        try:
            async for chunk in stream:
                if show:
                    _write(chunk.text or chunk.refusal)
        finally:
            if show and stream.result.pieces:
                _write("\n")
    result = stream.result
    if show:
        for call in result.tool_calls:
            print(clean(f"{call['name']}({call['arguments']})"))
        for note in [*result.notes, *_ENDS.get(result.end, ())]:
            print(f"fttui: {note}", file=sys.stderr)
    return result


_ENDS = {
    "length": ("the answer was cut at max tokens or at the end of the context",),
    "content_filter": ("the answer was stopped by the provider's content filter",),
}


def _write(text: str) -> None:
    sys.stdout.write(clean(text, tabs=8) if sys.stdout.isatty() else text)
    sys.stdout.flush()


# ---- a conversation ----

_HELP = "ctrl-c stops an answer; an empty line, ctrl-d or ctrl-c at the prompt leaves"


def _talk(args: argparse.Namespace) -> int:
    print(f"{args.model}: {_HELP}", file=sys.stderr)
    messages = _system(args)
    with asyncio.Runner() as runner:
        provider = _provider(args)
        try:
            while (said := _ask_person()) is not None:
                messages.append({"role": "user", "content": said})
                answer = _turn(runner, provider, args, messages)
                if answer is None:
                    messages.pop()
                else:
                    messages.append(answer)
        finally:
            runner.run(provider.close())
    return 0


def _ask_person() -> str | None:
    try:
        return input("> ").strip() or None
    except (EOFError, KeyboardInterrupt):
        print()
        return None


def _turn(
    runner: asyncio.Runner,
    provider: Provider,
    args: argparse.Namespace,
    messages: list[dict[str, Any]],
) -> dict[str, Any] | None:
    """One answer; stopped or failed: None, and the conversation goes on without it."""
    try:
        return runner.run(_say(_stream(provider, args, messages), show=True)).message
    except KeyboardInterrupt:
        print("(stopped)", file=sys.stderr)
    except Problem as problem:
        print(*problem.lines(), sep="\n  ", file=sys.stderr)
    return None
