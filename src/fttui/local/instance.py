"""The one server of a data directory: its token, its lock, its address, and how others find it."""

from __future__ import annotations

import errno
import fcntl
import http.client
import json
import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fttui import __version__, paths
from fttui.problem import Problem

HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Endpoint:
    """A running server. `started`: this call started it."""

    base_url: str
    token: str
    pid: int
    started: bool = False

    def __repr__(self) -> str:  # the token stays out of logs and tracebacks
        return f"Endpoint({self.base_url!r}, pid={self.pid}, started={self.started})"


def folder(data_dir: Path | None) -> Path:
    return paths.data_dir() if data_dir is None else Path(data_dir).expanduser().absolute()


def token_path(data_dir: Path) -> Path:
    return data_dir / "token"


def token(data_dir: Path) -> str:
    """The data directory's bearer token, made on first use in a file only its owner can read."""
    path = token_path(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileNotFoundError):
        found = path.read_text().strip()
        if found:
            path.chmod(0o600)
            return found
    fresh = path.with_name(f"token.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    made = "sk-local-" + secrets.token_urlsafe(32)
    with os.fdopen(handle, "w") as file:
        file.write(made + "\n")
    fresh.replace(path)
    return made


class Lock:
    """Held while the server lives; released by the system however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, *, wait: bool = False) -> bool:
        """False where somebody else holds it."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def sign(self) -> None:
        """Say who holds it, for whoever finds it taken."""
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def signed(self) -> int | None:
        """The process that signed it last."""
        text = os.pread(self._handle, 20, 0)
        return int(text) if text.isdigit() else None

    def lost(self) -> bool:
        """True where the file was removed or replaced: somebody else could take another."""
        try:
            return not os.path.samestat(os.fstat(self._handle), os.stat(self._path))
        except OSError:
            return True

    def release(self) -> None:
        os.close(self._handle)


def record(data_dir: Path) -> dict[str, Any]:
    """The last server.json, whether that server still runs or not; empty where there is none."""
    try:
        value = json.loads((data_dir / "server.json").read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_record(data_dir: Path, *, host: str, port: int, started: float) -> None:
    fresh = data_dir / "server.json.new"
    fresh.write_text(
        json.dumps(
            {
                "pid": os.getpid(),
                "started": started,
                "host": host,
                "port": port,
                "version": __version__,
            }
        )
    )
    fresh.replace(data_dir / "server.json")


def url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


def running(data_dir: Path | None = None, *, timeout: float = 2.0) -> Endpoint | None:
    """The server that answers for this data directory now, or None. Asks it; no proxy between."""
    root = folder(data_dir)
    last = record(root)
    host, port = last.get("host"), last.get("port")
    if not isinstance(host, str) or not isinstance(port, int):
        return None
    asked = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        asked.request("GET", "/healthz")
        answer = asked.getresponse()
        health = json.loads(answer.read())
        secret = token_path(root).read_text().strip()
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        asked.close()
    if answer.status != 200 or health.get("pid") != last.get("pid"):
        return None  # something else listens there now
    return Endpoint(url(host, port), secret, int(last["pid"]))


def bind(host: str, port: int | None, data_dir: Path) -> socket.socket:
    """A listening socket. None: the last port where it is free, so that clients keep their URL."""
    if host not in HOSTS:
        raise Problem(
            f"The server cannot listen on {host}.",
            "It holds training data and answers on this machine only.",
            "Use --host 127.0.0.1; from another machine, tunnel: ssh -L PORT:127.0.0.1:PORT HOST",
            code="host_not_local",
        )
    last = record(data_dir).get("port")
    if port is None and isinstance(last, int):
        with suppress(OSError):
            return _listen(host, last)
    try:
        return _listen(host, port or 0)
    except OverflowError:
        raise Problem(
            f"There is no port {port}.",
            "Ports are numbers from 0 to 65535.",
            "Choose another one with --port.",
            code="invalid_port",
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Problem(
                f"Port {port} on {host} is in use.",
                "Another program listens there.",
                "Leave --port out for a free one, or choose another.",
                code="port_in_use",
            ) from None
        raise Problem(
            f"The server cannot listen on {host}, port {port or 'any'}.",
            error.strerror or str(error),
            "Choose another --port.",
            code="cannot_listen",
        ) from None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except BaseException:
        found.close()
        raise
    return found
