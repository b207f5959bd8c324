"""One decoder process seen from its parent: started, asked, ended or killed. Imports no image library."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from albumen.imaging.task import MAX_REPLY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

_START_SECONDS = 30.0
_END_SECONDS = 5.0
_READ_BYTES = 4096
# glibc keeps one arena per thread and libvips starts one thread per core: both multiply memory. Large pictures that
# need random access go to memory, where the limit holds, and not to a temporary file.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    "VIPS_BLOCK_UNTRUSTED": "1",
    "VIPS_CONCURRENCY": "1",
    "VIPS_DISC_THRESHOLD": "1t",
}
# A Python that finds its own libraries through this variable cannot start without it.
_KEPT_VARIABLES = ("LD_LIBRARY_PATH",)


class DecoderEnded(Exception):
    """The process ended before it answered."""


class DecoderTooSlow(Exception):
    """The process did not answer in time."""


class DecoderChild:
    """A child process that answers a line with a line. One caller at a time.

    It ends by itself when its standard input closes, so also when the parent is killed.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        """Start the process and wait until it is ready.

        Raises:
            OSError: The system has no process, memory or descriptor left.
            DecoderEnded, DecoderTooSlow: The process did not come up.
        """
        self.asked = 0
        self.idle_since = time.monotonic()
        # The arguments are fixed; the environment is not ours but clean: no password reaches a decoder.
        # -P and -s: neither the working directory nor the user's own site-packages may bring code in.
        self._process = subprocess.Popen(  # noqa: S603 - fixed argv
            [sys.executable, "-s", "-P", "-m", "albumen.imaging.decoder", json.dumps(dict(limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            bufsize=0,
        )
        try:
            self._read_line(_START_SECONDS)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    def ask(self, line: bytes, seconds: float) -> bytes:
        """Send a line and return the line that answers it, each with its newline.

        Raises:
            DecoderEnded: The process ended, closed its pipe or wrote more than a reply may have.
            DecoderTooSlow: No answer within `seconds`. The process must be killed.
        """
        self.asked += 1
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            self._process.stdin.write(line)
        except BrokenPipeError as exc:
            raise DecoderEnded("gone before the task") from exc
        return self._read_line(seconds)

    def end(self) -> None:
        """Let the idle process end by itself; kill it when it does not."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def kill(self) -> None:
        """End the process whatever it does, even when it is stopped."""
        self._process.kill()
        self._reap()

    def _read_line(self, seconds: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        descriptor, deadline, line = self._process.stdout.fileno(), time.monotonic() + seconds, b""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while not line.endswith(b"\n"):
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise DecoderTooSlow(f"no answer within {seconds:g} s")
            chunk = os.read(descriptor, _READ_BYTES)
            line += chunk
            if not chunk or len(line) > MAX_REPLY_BYTES:
                raise DecoderEnded("ended during the task")
        return line

    def _reap(self) -> None:
        with self._process:
            pass  # leaving closes the pipes and waits


def _environment() -> dict[str, str]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**_ENVIRONMENT, **kept, "PYTHONPATH": path}
