"""Child processes that are always ended, by their own ids, and waiting for them to listen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

STOP_SECONDS = 20.0


class NotReady(Exception):
    """A server did not answer in time, or ended before it did."""


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, its output in `log`; end the whole group afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
        )
    try:
        yield process
    finally:
        _stop(process)


def wait_until(
    answers: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, *, seconds: float, pause: float = 0.005
) -> None:
    """Return as soon as `answers` is true.

    Raises:
        NotReady: The process ended first, or it took longer than `seconds`; carries the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReady(f"{log.name}: {log.read_text('utf-8', 'replace')[-2000:]}")
        time.sleep(pause)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):  # the usual case: everyone in the group has gone
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(STOP_SECONDS)
