"""A small fine-tuning service on a real socket, with faults on demand.

It keeps files and jobs, answers as OpenAI, Azure or Nebius would (`style`), and remembers every
request. Faults are queued per method and path and used up in order.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Request:
    method: str
    path: str  # without the base path
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Fault:
    """What goes wrong. `done`: the request is carried out first, only its answer is lost."""

    status: int = 0  # answer with this …
    body: bytes | str | dict[str, Any] = b""
    headers: dict[str, str] = field(default_factory=dict)
    reset_after: int = -1  # close with RST after reading so many bytes of the body
    stall: bool = False  # never answer
    endless: bool = False  # begin an answer that never ends
    cut: bool = False  # announce more than is sent, then close
    pause: float = 0.0  # seconds before each line of the body
    done: bool = False


def error(message: str, code: str | None = None, **extra: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, "type": "invalid_request_error", **extra}}


class FaultServer:
    def __init__(self, style: str = "openai", base: str = "/v1") -> None:
        self.style, self.base = style, base
        self.requests: list[Request] = []
        self.faults: list[tuple[str, str, Fault]] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.checkpoints: dict[str, list[dict[str, Any]]] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.answers: list[str] = []  # pieces of the next streamed chat answers
        self.fixed: dict[tuple[str, str], Any] = {}  # (method, path) → body, before anything else
        self.released = asyncio.Event()  # ends what stalls
        self._count = 0
        self._writers: set[asyncio.StreamWriter] = set()

    # ---- life ----

    async def __aenter__(self) -> FaultServer:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{self.base}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.released.set()
        self.server.close()
        for writer in list(self._writers):
            writer.close()
        await asyncio.sleep(0)

    def fail(self, method: str, path: str, fault: Fault, times: int = 1) -> None:
        """The next `times` requests to a path that matches (a regular expression) go wrong."""
        self.faults += [(method, path, fault)] * times

    async def until(self, condition: Callable[[], Any], seconds: float = 10) -> None:
        """Wait for a condition, with a deadline."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    def count(self, method: str, path: str) -> int:
        return len(self.seen(method, path))

    def seen(self, method: str, path: str) -> list[Request]:
        return [r for r in self.requests if r.method == method and re.fullmatch(path, r.path)]

    # ---- one connection ----

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rows = head.split("\r\n")
        method, target, _ = first.split(" ")
        headers = {
            k.strip().lower(): v.strip() for k, _, v in (r.partition(":") for r in rows) if k
        }
        parts = urlsplit(target)
        query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        path = unquote(parts.path).removeprefix(self.base)
        fault = self._fault(method, path)
        length = int(headers.get("content-length", 0))
        if fault and fault.reset_after >= 0:
            self.requests.append(Request(method, path, query, headers, b""))
            await reader.readexactly(min(length, fault.reset_after))
            self._reset(writer)
            return False
        body = await reader.readexactly(length)
        request = Request(method, path, query, headers, body)
        self.requests.append(request)
        if fault is None or fault.done:
            status, answer = self._answer(request)
        if fault is not None:
            return await self._go_wrong(fault, writer)
        kind = "text/event-stream" if isinstance(answer, str) else "application/json"
        raw = (
            answer
            if isinstance(answer, bytes)
            else (answer.encode() if isinstance(answer, str) else json.dumps(answer).encode())
        )
        await self._send(writer, status, raw, {"content-type": kind})
        return True

    def _fault(self, method: str, path: str) -> Fault | None:
        for place, (verb, pattern, fault) in enumerate(self.faults):
            if verb == method and re.fullmatch(pattern, path):
                del self.faults[place]
                return fault
        return None

    @staticmethod
    def _reset(writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _go_wrong(self, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        if fault.stall:
            await self.released.wait()
            return False
        raw = fault.body
        if isinstance(raw, dict):
            raw = json.dumps(raw).encode()
        raw = raw.encode() if isinstance(raw, str) else raw
        kind = {"content-type": "application/json"} | fault.headers
        if fault.endless:
            await self._send(writer, 200, raw, kind, length=1_000_000_000)
            while not self.released.is_set():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
            return False
        if fault.cut:
            await self._send(writer, fault.status or 200, raw, kind, length=len(raw) + 1000)
            return False
        if fault.pause:
            await self._send(writer, fault.status, b"", kind, length=len(raw))
            for line in raw.splitlines(keepends=True):
                await asyncio.sleep(fault.pause)
                writer.write(line)
                await writer.drain()
            return True
        await self._send(writer, fault.status, raw, kind)
        return True

    @staticmethod
    async def _send(
        writer: asyncio.StreamWriter,
        status: int,
        raw: bytes,
        headers: dict[str, str],
        length: int = -1,
    ) -> None:
        headers = {**headers, "content-length": str(len(raw) if length < 0 else length)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + raw)
        await writer.drain()

    # ---- the service ----

    def _id(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count:04d}"

    def _answer(self, r: Request) -> tuple[int, Any]:
        if (r.method, r.path) in self.fixed:
            return 200, self.fixed[(r.method, r.path)]
        for verb, pattern, route in self._routes():
            found = re.fullmatch(pattern, r.path)
            if verb == r.method and found:
                answer = route(r, *found.groups())
                return answer if isinstance(answer, tuple) else (200, answer)
        return 404, error(f"Invalid URL ({r.method} {r.path})")

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        job = r"/fine_tuning/jobs/([^/]+)"
        return [
            ("POST", "/files", self._post_file),
            ("GET", "/files", lambda r: self._page(r, list(self.files.values()))),
            ("GET", "/files/([^/]+)/content", lambda r, i: self.contents[i]),
            (
                "GET",
                "/files/([^/]+)",
                lambda r, i: self.files.get(i) or (404, error("No such file")),
            ),
            ("DELETE", "/files/([^/]+)", self._delete_file),
            ("POST", "/uploads", self._post_upload),
            ("POST", "/uploads/([^/]+)/parts", self._post_part),
            ("POST", "/uploads/([^/]+)/complete", self._complete),
            ("POST", "/uploads/([^/]+)/cancel", self._cancel_upload),
            ("POST", "/fine_tuning/jobs", self._post_job),
            ("GET", "/fine_tuning/jobs", self._list_jobs),
            ("GET", job, lambda r, i: self.jobs.get(i) or (404, error("No such job", "not_found"))),
            ("POST", f"{job}/(cancel|pause|resume)", self._act),
            ("GET", f"{job}/events", lambda r, i: self._page(r, self.events.get(i, []))),
            ("GET", f"{job}/checkpoints", lambda r, i: self._page(r, self.checkpoints.get(i, []))),
            ("GET", "/models", lambda r: {"object": "list", "data": []}),
            ("POST", "/chat/completions", self._chat),
        ]

    @staticmethod
    def _page(r: Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
        rows = list(reversed(rows))  # newest first
        ids = [row["id"] for row in rows]
        start = ids.index(r.query["after"]) + 1 if r.query.get("after") in ids else 0
        limit = int(r.query.get("limit", 20))
        part = rows[start : start + limit]
        more = len(rows) > start + limit
        return {
            "object": "list",
            "data": part,
            "has_more": more,
            "last_id": part[-1]["id"] if part else None,
        }

    def _post_file(self, r: Request) -> Any:
        boundary = re.search(r"boundary=(\S+)", r.headers["content-type"])[1].encode()
        parts = [p for p in r.body.split(b"--" + boundary) if b"\r\n\r\n" in p]
        by_name = {re.search(rb'name="(\w+)"', p)[1]: p for p in parts}
        head, _, content = by_name[b"file"].partition(b"\r\n\r\n")
        name = re.search(rb'filename="([^"]*)"', head)[1].decode()
        return self._keep(name, content.removesuffix(b"\r\n"))

    def _keep(self, name: str, content: bytes) -> dict[str, Any]:
        file_id = self._id("file")
        self.contents[file_id] = content
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "filename": name,
            "created_at": int(time.time()),
            "purpose": "fine-tune",
            "status": "processed",
        }
        return self.files[file_id]

    def _delete_file(self, r: Request, file_id: str) -> Any:
        if self.files.pop(file_id, None) is None:
            return 404, error("No such file")
        return {"id": file_id, "object": "file", "deleted": True}

    def _post_upload(self, r: Request) -> Any:
        upload_id = self._id("upload")
        self.uploads[upload_id] = {"id": upload_id, "status": "pending", "parts": {}, **r.json}
        return {"id": upload_id, "object": "upload", "status": "pending"}

    def _post_part(self, r: Request, upload_id: str) -> Any:
        part_id = self._id("part")
        content = r.body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        self.uploads[upload_id]["parts"][part_id] = content
        return {"id": part_id, "object": "upload.part", "upload_id": upload_id}

    def _complete(self, r: Request, upload_id: str) -> Any:
        upload = self.uploads[upload_id]
        content = b"".join(upload["parts"][i] for i in r.json["part_ids"])
        if len(content) != upload["bytes"]:
            return 400, error(f"Expected {upload['bytes']} bytes, got {len(content)}")
        upload["status"] = "completed"
        return {
            "id": upload_id,
            "status": "completed",
            "file": self._keep(upload["filename"], content),
        }

    def _cancel_upload(self, r: Request, upload_id: str) -> Any:
        self.uploads[upload_id]["status"] = "cancelled"
        return {"id": upload_id, "status": "cancelled"}

    def _post_job(self, r: Request) -> Any:
        body = r.json
        refusal = self._refused(body)
        if refusal:
            return 400, error(refusal)
        job = {
            "id": self._id("ftjob"),
            "object": "fine_tuning.job",
            "status": "queued",
            "created_at": int(time.time()),
            "result_files": [],
            "error": {},
            **body,
        }
        if self.style != "openai":
            job.pop("metadata", None)
        self.jobs[job["id"]] = job
        return job

    def _refused(self, body: dict[str, Any]) -> str:
        if self.style == "nebius" and ("method" in body or "metadata" in body):
            return "Only one of 'method' or 'hyperparameters' must be provided"
        if self.style == "azure" and body.get("trainingType") != "GlobalStandard":
            return "The model does not support fine-tuning with Standard TrainingType"
        return ""

    def _list_jobs(self, r: Request) -> Any:
        wanted = {k[9:-1]: v for k, v in r.query.items() if k.startswith("metadata[")}
        rows = [
            job
            for job in self.jobs.values()
            if all((job.get("metadata") or {}).get(k) == v for k, v in wanted.items())
        ]
        return self._page(r, rows)

    def _act(self, r: Request, job_id: str, verb: str) -> Any:
        status = {"cancel": "cancelled", "pause": "paused", "resume": "queued"}[verb]
        self.jobs[job_id]["status"] = status
        return self.jobs[job_id]

    def _chat(self, r: Request) -> Any:
        pieces = self.answers or ["Hello", " there", "."]
        if not r.json.get("stream"):
            message = {"role": "assistant", "content": "".join(pieces)}
            return {"choices": [{"message": message, "finish_reason": "stop"}]}
        usage = {"prompt_tokens": 5, "completion_tokens": len(pieces)}
        return sse(
            *(chunk(piece) for piece in pieces), chunk("", "stop"), {"choices": [], "usage": usage}
        )


def chunk(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def sse(*objects: dict[str, Any] | str, done: bool = True) -> str:
    rows = [row if isinstance(row, str) else json.dumps(row) for row in objects]
    return "".join(f"data: {row}\n\n" for row in [*rows, *(["[DONE]"] if done else [])])
