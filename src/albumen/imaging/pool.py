"""Decoder processes for the parent: previews, metadata and placeholders of hostile photos, at a bounded cost.

Decoding runs in child processes with limits of memory, time and file size: a photo that crashes, hangs or swells the
decoder costs one process and one `DecoderLost`. This module and all that it imports stay free of image libraries.
See docs/adr/0003-decoding-in-child-processes.md.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from albumen.errors import Busy, PreviewFailed, StorageFull, StorageUnavailable, Unavailable
from albumen.imaging.child import DecoderChild, DecoderEnded, DecoderTooSlow
from albumen.imaging.task import Derived, Failure, PreviewWish, Task, read_reply, task_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["DecoderLost", "DecoderPool", "Derived", "Load", "PreviewWish"]

_MESSAGES = {
    "photo": "The photo is damaged or of a kind that cannot be decoded.",
    "memory": "Decoding the photo needs more memory than is allowed.",
}
_log = structlog.get_logger(__name__)


class DecoderLost(PreviewFailed):
    """The decoder ended or was too slow: because of the photo, or of a machine without memory or time at the moment.

    Only trying again tells which.
    """


@dataclass(frozen=True, slots=True)
class Load:
    """How many decoders wait for a task, and how many work, or start."""

    idle: int
    busy: int


class DecoderPool:
    """At most `processes` decoders, started when they are first needed and used again.

    Thread-safe; a call blocks its thread while all decoders are busy. A decoder that does not answer within `seconds`
    or that ends is replaced; each one ends after `tasks_per_process` tasks, so that what a C library leaks does not
    stay, and after `idle_seconds` without one, so that a server at rest has its memory back. `memory_bytes` is what one
    may take beyond its own start. The decoders end with the process that holds the pool.
    """

    def __init__(
        self,
        *,
        processes: int,
        seconds: float = 30,
        memory_bytes: int = 2_000_000_000,
        niceness: int = 0,
        tasks_per_process: int = 1000,
        idle_seconds: float = 30,
    ) -> None:
        self._processes = processes
        self._seconds = seconds
        self._limits = {
            "memory_bytes": memory_bytes,
            "cpu_seconds": math.ceil(seconds) + 1,
            "niceness": niceness,
        }
        self._tasks_per_process = tasks_per_process
        self._idle_seconds = idle_seconds
        self._slots = threading.Semaphore(processes)
        self._busy = 0
        self._lock = threading.Lock()
        self._idle: list[DecoderChild] = []
        self._alarm: threading.Timer | None = None
        self._is_closed = False

    def load(self) -> Load:
        """Return how things are now. Waits for nothing."""
        return Load(idle=len(self._idle), busy=self._busy)

    def previews(self, source: Path, media_type: str, wishes: Sequence[PreviewWish]) -> None:
        """Decode the photo once and write every wish to its target, synced to disk. Targets are overwritten.

        Raises:
            PreviewFailed: The photo cannot be decoded within the limits. Targets may be half-written: remove them.
            DecoderLost: As `PreviewFailed`, but it may work another time.
            StorageFull: There is no space for the previews.
            StorageUnavailable: They cannot be written.
            Busy: No decoder can be started, or the pool is closed.
        """
        self._run(Task("previews", source, media_type, tuple(wishes)))

    def derive(self, source: Path, media_type: str, wishes: Sequence[PreviewWish]) -> Derived:
        """Do what `previews` does, and read metadata and placeholder with the same decoding.

        Raises:
            PreviewFailed, DecoderLost, StorageFull, StorageUnavailable, Busy: As `previews`.
        """
        derived = self._run(Task("derive", source, media_type, tuple(wishes)))
        if derived is None:
            raise PreviewFailed(_MESSAGES["photo"])
        return derived

    def close(self) -> None:
        """Refuse new tasks, wait for those in flight (each has its time limit) and end the decoders."""
        self._is_closed = True
        for _ in range(self._processes):
            self._slots.acquire()
        with self._lock:
            idle, self._idle = self._idle, []
            if self._alarm is not None:
                self._alarm.cancel()
        for child in idle:
            child.end()
        self._slots.release(self._processes)

    def _run(self, task: Task) -> Derived | None:
        with self._slots, self._counted():
            child = self._take()
            try:
                reply = read_reply(child.ask(task_line(task), self._seconds))
            except BaseException as exc:
                # Killed whatever happened: an answer that comes late would be taken for that of the next task.
                child.kill()
                explained = self._explained(exc, task)
                if explained is None:
                    raise
                raise explained from exc
            self._give_back(child)
        if isinstance(reply, Failure):
            raise _failed(reply, task)
        return reply

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def _take(self) -> DecoderChild:
        """Return an idle decoder that still lives, or a new one. The one used last is the one with warm caches."""
        while (child := self._pop_idle()) is not None:
            if child.is_alive():
                return child
            child.kill()
        try:
            return DecoderChild(self._limits)
        except (OSError, DecoderEnded, DecoderTooSlow) as exc:
            _log.error("decoder_start_failed", reason=str(exc))
            raise Busy("No decoder can be started now. Try again later.") from exc

    def _pop_idle(self) -> DecoderChild | None:
        if self._is_closed:
            raise Busy("The server is shutting down. Try again later.")
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, child: DecoderChild) -> None:
        if child.asked >= self._tasks_per_process:
            child.end()
            return
        child.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(child)
            self._set_alarm()

    def _set_alarm(self) -> None:
        """Have the unused ones ended in time, by a thread that lives as long as one is idle. The lock is held."""
        if self._alarm is None and self._idle and not self._is_closed:
            self._alarm = threading.Timer(self._idle_seconds, self._end_unused)
            self._alarm.daemon = True
            self._alarm.start()

    def _end_unused(self) -> None:
        with self._lock:
            latest = time.monotonic() - self._idle_seconds
            unused = [child for child in self._idle if child.idle_since <= latest]
            self._idle = [child for child in self._idle if child.idle_since > latest]
            self._alarm = None
            self._set_alarm()
        for child in unused:
            child.end()

    def _explained(self, exc: BaseException, task: Task) -> PreviewFailed | None:
        """Return the error of ours that tells how a task ended, None when it is no matter of the decoder."""
        explained: PreviewFailed
        match exc:
            case DecoderTooSlow():
                explained = DecoderLost(f"Decoding the photo takes longer than {self._seconds:g} s.")
            case DecoderEnded():
                explained = DecoderLost("The photo crashed its decoder, or needs more than the decoder may use.")
            case ValueError():
                explained = PreviewFailed(_MESSAGES["photo"])
            case _:
                return None
        _log.warning("decoder_lost", photo=task.source.name, media_type=task.media_type, reason=str(exc))
        return explained


def _failed(failure: Failure, task: Task) -> PreviewFailed | Unavailable:
    _log.warning("decoding_failed", photo=task.source.name, media_type=task.media_type, reason=failure.reason)
    if failure.kind == "full":
        return StorageFull("There is no space for the preview.")
    if failure.kind == "disk":
        return StorageUnavailable("The preview cannot be written; the server's log tells why.")
    return PreviewFailed(_MESSAGES.get(failure.kind, _MESSAGES["photo"]))
