"""Is the configured concurrency kept busy? 500 prompts against a server that answers at once.

Run: python tests/bench/bench_eval.py. Prints one line a figure with its bound; exits 1 if one fails.
The server is another process. Busy: the time questions are out, all lanes together, over lanes × wall.
Answers come from a cache in a second run, which shows what all but the asking takes.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

from fttui.config import Profile
from fttui.evaluate import cases, spec
from fttui.service.eval_plan import Contestant, Plan
from fttui.service.eval_store import Store
from fttui.service.evaluation import Evaluation
from fttui.service.provider import Provider
from fttui.service.types import ChatSettings

PROMPTS = 500
LANES = (4, 8, 16)  # 4 is the default; one lane alone has nothing to overlap: 90 %
ANSWER = '{"city": "Oxford", "items": ["cushions", "vases"], "quantity": 60}'


def serve(port: Connection) -> None:
    """Answers every request with the same stream, at once, over connections that stay."""
    chunk = {"choices": [{"index": 0, "delta": {"content": ANSWER}, "finish_reason": None}]}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
           "usage": {"prompt_tokens": 40, "completion_tokens": 20}}  # fmt: skip
    body = f"data: {json.dumps(chunk)}\n\ndata: {json.dumps(end)}\n\ndata: [DONE]\n\n".encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = head.encode() + body

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = int(request.split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(size)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(one, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def dataset(path: Path) -> Path:
    with path.open("w", encoding="utf-8") as out:
        for number in range(PROMPTS):
            turns = [{"role": "user", "content": f"Order {number}: 60 cushions to Oxford, please."},
                     {"role": "assistant", "content": ANSWER.replace("60", str(number))}]  # fmt: skip
            out.write(json.dumps({"messages": turns}) + "\n")
    return path


async def measure(url: str, data: Path, store_at: Path, lanes: int) -> tuple[float, float]:
    """(share of lanes busy, seconds)."""
    provider = Provider(Profile("bench", "custom", url))
    await provider.ready()
    plan = Plan(
        cases.read(data), (Contestant("m", "m", provider),),
        (spec.parse("json"), spec.parse("rouge_l")), ChatSettings(temperature=0.0), concurrency=lanes,
    )  # fmt: skip
    store = Store(store_at, resume=True)
    evaluation = Evaluation(plan, store, on_progress=lambda now: None)
    started = perf_counter()
    outcome = await evaluation.run()
    wall = perf_counter() - started
    store.close()
    await provider.close()
    assert outcome.complete
    return evaluation.busy / (wall * lanes), wall


def report(name: str, value: float, bound: float, unit: str, *, least: bool) -> bool:
    good = value >= bound if least else value <= bound
    print(
        f"{'ok  ' if good else 'FAIL'} {name:<52} {value:9.2f} {unit} (bound {bound:g})", flush=True
    )
    return good


def main() -> int:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}/v1"
    good = []
    with tempfile.TemporaryDirectory() as folder:
        data = dataset(Path(folder) / "data.jsonl")
        for lanes in LANES:
            at = Path(folder) / f"{lanes}.jsonl"
            busy, wall = asyncio.run(measure(url, data, at, lanes))
            name = f"{PROMPTS} prompts, {lanes} at once ({PROMPTS / wall:,.0f}/s)"
            good.append(report(name, 100 * busy, 95, "% busy", least=True))
            _, known = asyncio.run(measure(url, data, at, lanes))
        good.append(report("the same from what is kept, against asking", known / wall, 0.5, "x",
                           least=False))  # fmt: skip
    server.terminate()
    server.join()
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(main())
