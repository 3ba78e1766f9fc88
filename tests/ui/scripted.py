"""A server that speaks just enough of /v1 and whose streams end exactly as a test wants them to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

HEAD = "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n"


@dataclass
class Script:
    """One model's answer. end: "stop" and such, "cut" (connection closed), "hang" (says no more),
    "error" (an error inside the stream), or a status such as "429". gate: waited for half way.
    first: statuses that are answered before, one a request, each to be tried again at once."""

    pieces: Sequence[str] = ("Hello",)
    end: str = "stop"
    delay: float = 0.0
    usage: tuple[int, int] | None = (10, 5)
    gate: asyncio.Event | None = None
    first: list[str] = field(default_factory=list)


@dataclass
class Scripted:
    """models: name → script; asked: every chat request's body, in order."""

    models: dict[str, Script]
    asked: list[dict[str, Any]] = field(default_factory=list)
    gone: int = 0  # clients that left in the middle
    url: str = ""
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Scripted:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(line.split(":")[1]) for line in head.split("\r\n")
                 if line.lower().startswith("content-length:")), 0,
            )  # fmt: skip
            body = json.loads(await reader.readexactly(length)) if length else {}
            if head.split()[1].endswith("/models"):
                self._json(writer, {"data": [{"id": name} for name in self.models]})
            elif "/chat/" not in head:
                self._json(writer, {"object": "list", "data": [], "has_more": False})
            else:
                self.asked.append(body)
                await self._chat(writer, self.models[body["model"]])
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone += 1
        finally:
            writer.close()

    def _json(self, writer: asyncio.StreamWriter, obj: Any, status: str = "200 OK") -> None:
        writer.write(HEAD.format(status=status, kind="application/json").encode())
        writer.write(json.dumps(obj).encode())

    async def _chat(self, writer: asyncio.StreamWriter, script: Script) -> None:
        if script.first:
            error = {"message": "come back soon"}
            status = f"{script.first.pop(0)} Later\r\nretry-after: 1"
            self._json(writer, {"error": error}, status)
            return
        if script.end.isdigit():
            error = {"message": f"refused with [{script.end}]", "code": "scripted"}
            self._json(writer, {"error": error}, f"{script.end} Refused")
            return
        writer.write(HEAD.format(status="200 OK", kind="text/event-stream").encode())
        for place, piece in enumerate(script.pieces):
            if script.gate is not None and place == len(script.pieces) // 2:
                await script.gate.wait()
            await self._event(writer, {"choices": [{"delta": {"content": piece}}]})
            if script.delay:
                await asyncio.sleep(script.delay)
        if script.end == "hang":
            await asyncio.sleep(60)
        elif script.end == "error":
            await self._event(writer, {"error": {"message": "the engine stopped"}})
        elif script.end != "cut":
            await self._event(writer, {"choices": [{"delta": {}, "finish_reason": script.end}]})
            if script.usage:
                prompt, answer = script.usage
                usage = {"prompt_tokens": prompt, "completion_tokens": answer}
                await self._event(writer, {"choices": [], "usage": usage})
            writer.write(b"data: [DONE]\n\n")

    @staticmethod
    async def _event(writer: asyncio.StreamWriter, obj: Any) -> None:
        writer.write(b"data: " + json.dumps(obj).encode() + b"\n\n")
        await writer.drain()
