"""The OpenAI-compatible fine-tuning server of this machine: put together, started, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from fttui import __version__
from fttui.local import api_chat, api_files, api_jobs, api_models, api_uploads, instance
from fttui.local.bases import Bases
from fttui.local.context import Context
from fttui.local.errors import HANDLERS
from fttui.local.guard import Guard
from fttui.local.speaker import Speaker
from fttui.local.store import Store
from fttui.local.supervisor import Supervisor
from fttui.problem import Problem

log = logging.getLogger("fttui.local")

ENDING = 25.0  # seconds a server before this one has to end: its trainer finishes a step
LOOK = 2.0  # seconds between looks at whether the server is still wanted
_ROUTES = [
    *api_files.ROUTES,
    *api_uploads.ROUTES,
    *api_jobs.ROUTES,
    *api_models.ROUTES,
    *api_chat.ROUTES,
]


def build(context: Context, *, lifespan: Callable[[Starlette], object] | None = None) -> Starlette:
    """The application, without its guard."""
    started = time.time()

    async def health(_: Request) -> Response:
        return JSONResponse(
            {"status": "ok", "version": __version__, "pid": os.getpid(), "started": started}
        )

    app = Starlette(
        routes=[Route("/healthz", health), Mount("/v1", routes=_ROUTES)],
        exception_handlers=HANDLERS,
        lifespan=lifespan,  # type: ignore[arg-type]
    )
    app.router.redirect_slashes = False
    app.state.context = context
    return app


class _Server(uvicorn.Server):
    """Ends quietly on SIGINT and SIGTERM, and says when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: object = None) -> None:
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if not self.should_exit:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def serve(
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    data_dir: Path | None = None,
    idle_exit: float | None = None,
    aliases: Mapping[str, str] | None = None,
    models: Mapping[str, Path] | None = None,
    on_ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until told to stop, or until idle for `idle_exit` seconds. Blocks.

    `on_ready(base_url)` is called once it listens. Problem where it cannot start.
    """
    root = instance.folder(data_dir)
    lock = _own(root)
    try:
        secret = instance.token(root)
        bases = Bases(models or {}, aliases or {})
        sock = instance.bind(host, port, root)
        _log_to(root / "server.log")
        store = Store(root)
    except OSError as error:
        lock.release()
        raise _unusable(root, error) from error
    except BaseException:
        lock.release()
        raise
    real_port = sock.getsockname()[1]

    def ready() -> None:
        instance.write_record(root, host=host, port=real_port, started=time.time())
        on_ready(instance.url(host, real_port))

    try:
        context = Context(store, bases, Supervisor(store, bases), Speaker())
        with asyncio.Runner() as runner:
            runner.run(_run(context, secret, sock, idle_exit, lock, ready))
    finally:
        sock.close()
        store.close()
        lock.release()


async def _run(
    context: Context,
    secret: str,
    sock: object,
    idle_exit: float | None,
    lock: instance.Lock,
    ready: Callable[[], None],
) -> None:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        jobs = asyncio.create_task(context.supervisor.run())
        log.info("server %s started, pid %d", __version__, os.getpid())
        yield
        await context.supervisor.close()
        await jobs
        context.speaker.close()
        log.info("server ended")

    guard = Guard(build(context, lifespan=lifespan), secret)
    config = uvicorn.Config(
        guard,
        log_config=None,
        access_log=False,
        lifespan="on",
        loop="asyncio",
        http="h11",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    server = _Server(config, ready)
    limit = idle_exit or math.inf
    watcher = asyncio.create_task(_end_when(server, guard, context, limit, lock))
    await server.serve(sockets=[sock])  # type: ignore[list-item]
    watcher.cancel()


async def _end_when(
    server: uvicorn.Server, guard: Guard, context: Context, limit: float, lock: instance.Lock
) -> None:
    """End the server when nobody asked and nothing trained for `limit` seconds, or when its data
    directory was removed: a server started there later would be a second one."""
    while guard.idle() < limit:
        await asyncio.sleep(max(0.1, min(LOOK, limit / 4)))
        if lock.lost():
            log.warning("the data directory was removed, ending")
            break
        if limit < math.inf and context.supervisor.busy():
            guard.touch()
    else:
        log.info("idle for %.0f s, ending", limit)
    server.should_exit = True


def _own(root: Path) -> instance.Lock:
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = instance.Lock(root / "server.lock")
    except OSError as error:
        raise _unusable(root, error) from error
    deadline = time.monotonic() + ENDING
    other = None
    while not lock.take():
        other = instance.running(root)
        if other or time.monotonic() > deadline:
            break
        time.sleep(0.1)  # one that is ending lets go soon
    else:
        lock.sign()
        return lock
    pid = other.pid if other else lock.signed()
    lock.release()
    where = f"at {other.base_url}" if other else "but does not answer: it is starting or ending"
    raise Problem(
        "The server is running already.",
        f"Process {pid or 'unknown'} serves {root}, {where}.",
        "Use that one, end it"
        + (f" with `kill {pid}`" if pid else "")
        + ", or give this one a data directory of its own with --data.",
        code="already_running",
    )


def _unusable(root: Path, error: OSError) -> Problem:
    return Problem(
        f"The data directory {root} cannot be used.",
        error.strerror or str(error),
        "Check its permissions and the free space, or choose another with --data.",
        code="data_dir_unusable",
    )


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


def _log_to(path: Path) -> None:
    """One JSON object a line, rotated at 1 MB, two old ones kept. No bodies, no headers."""
    handler = RotatingFileHandler(path, maxBytes=2**20, backupCount=2, encoding="utf-8")
    handler.setFormatter(_JsonLines())
    for name, level in (("fttui.local", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
