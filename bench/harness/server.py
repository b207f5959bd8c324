"""`albumen serve` under test: on a free port, with a data directory of its own, ended by its process id."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from harness.processes import free_port, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
START_SECONDS = 30.0
REQUEST_SECONDS = 120.0


class UnexpectedAnswer(Exception):
    """The server answered with another status than the scenario needs."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers. `start_seconds` is the time from starting the process to its first answer."""

    port: int
    pid: int
    start_seconds: float

    @property
    def address(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that is kept open between requests. The caller closes it."""
        return http.client.HTTPConnection(HOST, self.port, timeout=REQUEST_SECONDS)

    def resident_bytes(self) -> int:
        """Return the resident memory of the server and all its child processes together."""
        parent = psutil.Process(self.pid)
        return sum(_resident(process) for process in (parent, *parent.children(recursive=True)))


@contextmanager
def serving(data: Path, **settings: str) -> Iterator[Server]:
    """Run `albumen serve` on `data`. `settings` are lower-case names of settings, such as derive="false"."""
    port = free_port()
    command = [sys.executable, "-m", "albumen", "serve", "--host", HOST, "--port", str(port), "--data", str(data)]
    log = data.with_name(f"{data.name}.log")
    started = time.monotonic()
    with running(command, log, _environment(settings)) as process:
        wait_until(lambda: is_live(port), process, log, seconds=START_SECONDS)
        yield Server(port, process.pid, time.monotonic() - started)


def is_live(port: int) -> bool:
    """Tell whether `GET /health/live` answers 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def get(connection: http.client.HTTPConnection, target: str) -> bytes:
    """Return the body of `GET target` over a kept connection.

    Raises:
        UnexpectedAnswer: Any status but 200.
    """
    connection.request("GET", target)
    response = connection.getresponse()
    body = response.read()
    if response.status != http.client.OK:
        raise UnexpectedAnswer(f"GET {target}: {response.status} {body[:500]!r}")
    return body


def put_photo(server: Server, photo: bytes, name: str) -> str:
    """Upload one photo and return its id."""
    connection = server.connect()
    try:
        connection.request("POST", f"/upload?name={name}", photo, {"Content-Type": "image/jpeg"})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != http.client.CREATED:
        raise UnexpectedAnswer(f"POST /upload: {response.status} {body[:500]!r}")
    return str(json.loads(body)["photos"][0]["id"])


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """The environment without the settings of whoever runs the benchmark."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ALBUMEN_")}
    return inherited | {f"ALBUMEN_{name}".upper(): value for name, value in settings.items()}


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
