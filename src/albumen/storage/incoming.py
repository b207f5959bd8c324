"""Bytes on their way into a local store: held in memory while they are few, then a durable file in `tmp/`.

The thread that reads a request makes no system call for a photo of usual size; the pool makes the file, hashes it and
syncs it while the next photo comes in. Imports nothing of Albumen but `files` and the budget.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from bisect import bisect_right
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from albumen.storage.files import explain, explained

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import ThreadPoolExecutor
    from threading import Semaphore

    from albumen.domain.budget import Budget
    from albumen.storage.base import Incoming
    from albumen.storage.files import Workspace

Item = TypeVar("Item")

POOL_BYTES = 4 << 20
HELD_BYTES = 32 << 20
TASKS = 4
_CHUNK_COST = 128  # what Python takes for a chunk beside its bytes: many tiny ones must not cost more than they say
_MOST_CHUNKS = 64  # that are read as they came; a photo of usual size comes in a few
_VECTORS = 1024  # IOV_MAX of Linux
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC


class Held:
    """The chunks of one file that are in memory, within a budget."""

    def __init__(self, budget: Budget) -> None:
        self.chunks: list[bytes] = []
        self._budget = budget
        self._cost = 0

    def add(self, chunk: bytes) -> bool:
        """Keep a chunk, unless that is too much; tell whether it was kept."""
        cost = len(chunk) + _CHUNK_COST
        if self._cost + cost > POOL_BYTES or not self._budget.take(cost):
            return False
        self._cost += cost
        self.chunks.append(chunk)
        return True

    def join(self) -> None:
        """Make one chunk of very many: whoever reads here and there walks through all of them each time."""
        if len(self.chunks) > _MOST_CHUNKS:
            self.chunks = [b"".join(self.chunks)]

    def release(self) -> None:
        """Let go of the chunks. Harmless when repeated."""
        cost, self._cost, self.chunks = self._cost, 0, []
        self._budget.give_back(cost)


class ChunkReader:
    """Reads chunks as a file, copying only what is asked for. The chunks must not change meanwhile."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks
        self._starts = list(itertools.accumulate(map(len, chunks), initial=0))
        self._at = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place and return it, counted from the start."""
        self._at = offset + (0, self._at, self._starts[-1])[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes, or all up to the end; fewer only there."""
        rest = max(self._starts[-1] - self._at, 0)
        left = rest if size < 0 else min(size, rest)
        index = bisect_right(self._starts, self._at) - 1
        pieces = []
        while left:
            start = self._at - self._starts[index]
            piece = self._chunks[index][start : start + left]
            pieces.append(piece)
            self._at += len(piece)
            left -= len(piece)
            index += 1
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class LocalIncoming:
    """The bytes of one photo, in memory up to `POOL_BYTES`, else in a file that grows.

    A larger one is written and hashed as it comes, and so is every one when those of this process hold too many bytes
    (slow clients, many of them).
    """

    def __init__(self, path: str, receiver: LocalReceiver, budget: Budget) -> None:
        self._path = path
        self._receiver = receiver
        self._digest = hashlib.sha256()
        self._held: Held | None = Held(budget)
        self._fd: int | None = None
        self._is_sealed = False
        self._has_file = False
        self._is_final = False
        self._is_dropped = False
        self._failure: Exception | None = None
        self.task: Future[None] | None = None
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Take bytes, all of them."""
        if self._is_sealed:
            raise ValueError("the bytes are sealed")
        self.size += len(chunk)
        if self._held is not None and self._held.add(chunk):
            return
        self._receiver.check_space()
        with explained():
            self._make_file()
            self._append([chunk])

    @contextmanager
    def reader(self) -> Iterator[BinaryIO]:
        """Open what came so far, until `seal`; bytes are always appended, wherever the reader stands."""
        if self._held is not None:
            self._held.join()
            yield cast("BinaryIO", ChunkReader(self._held.chunks))
            return
        with explained(), open(self._descriptor, "rb", buffering=0, closefd=False) as file:
            file.seek(0)
            yield cast("BinaryIO", file)

    def seal(self) -> None:
        """Leave the bytes to the receiver, which makes them durable while the next ones come in."""
        self._is_sealed = True
        self._receiver.add(self)

    def sha256(self) -> str:
        """Wait until the bytes are hashed and durable; return their SHA-256."""
        if self.task is None:
            self.settle()
        else:
            self.task.result()
        if isinstance(self._failure, OSError):
            raise explain(self._failure) from self._failure
        if self._failure is not None:
            raise self._failure
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Let go of the memory and the file, now or when the task that works on them sees it."""
        self._is_dropped = True
        if self.task is None:
            self._let_go()
        self._remove()

    def settle(self) -> None:
        """Complete the file, once; `sha256` tells a failure."""
        try:
            self._complete()
        except Exception as exc:  # noqa: BLE001 - `sha256` raises it; the files after this one in the task go on
            self._failure = exc
        if self._is_dropped:
            self._remove()

    def move(self, target: str, folder: int) -> None:
        """Give the durable file its final name in a folder that is open.

        A file there is replaced: it has the same bytes, unless it was damaged, and then this heals it.
        """
        os.rename(self._path, target, dst_dir_fd=folder)
        self._is_final = True

    def _complete(self) -> None:
        """Make the file if there is none, make it durable and close it."""
        if self._held is None and self._fd is None:
            return
        try:
            self._make_file()
            os.fdatasync(self._descriptor)
        finally:
            self._let_go()

    def _make_file(self) -> None:
        """Write what is in memory to a new file."""
        if self._held is not None:
            self._fd = os.open(self._path, _CREATE, 0o444)
            self._has_file = True
            held, self._held = self._held, None
            try:
                self._append(held.chunks)
            finally:
                held.release()

    def _append(self, chunks: Sequence[bytes]) -> None:
        """Write chunks and hash them."""
        views = [memoryview(chunk) for chunk in chunks]
        while views:
            views = _after(views, os.writev(self._descriptor, views[:_VECTORS]))
        for chunk in chunks:
            self._digest.update(chunk)

    def _remove(self) -> None:
        """Remove the file from `tmp/`; what cannot be removed now goes with the folder of the process."""
        if self._has_file and not self._is_final:
            with suppress(OSError):
                Path(self._path).unlink()

    @property
    def _descriptor(self) -> int:
        if self._fd is None:
            raise ValueError("the bytes are durable or discarded")
        return self._fd

    def _let_go(self) -> None:
        fd, self._fd = self._fd, None
        held, self._held = self._held, None
        if held is not None:
            held.release()
        if fd is not None:
            os.close(fd)


class LocalReceiver:
    """The files of one request.

    Small ones go to the pool several at a time, because waking a thread costs more than they do. The store admits one
    share per thread of the pool; beyond that, and beyond the budget, the request waits or writes its bytes itself.
    """

    def __init__(self, workspace: Workspace, pool: ThreadPoolExecutor, in_flight: Semaphore, budget: Budget) -> None:
        self._workspace = workspace
        self._pool = pool
        self._in_flight = in_flight
        self._budget = budget
        self._waiting: list[LocalIncoming] = []
        self._bytes = 0

    def receive(self) -> Incoming:
        """Begin to take bytes in; their file will be in this process's folder of `tmp/`."""
        self._workspace.check_space_sometimes()
        return LocalIncoming(self._workspace.new_path(), self, self._budget)

    def check_space(self) -> None:
        """Raise StorageFull when no more is to be written."""
        self._workspace.check_space()

    def add(self, incoming: LocalIncoming) -> None:
        """Take sealed bytes; hand a batch to the pool as soon as enough of them wait."""
        self._waiting.append(incoming)
        self._bytes += incoming.size
        self._workspace.count(incoming.size)
        if self._bytes >= POOL_BYTES:
            self.flush()

    def flush(self) -> None:
        """Begin to make durable what is sealed; waits while the pool holds too many bytes of this process."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        for share in shares(waiting):
            self._in_flight.acquire()
            task: Future[None] = Future()
            task.add_done_callback(lambda _: self._in_flight.release())
            try:
                self._pool.submit(_settle_all, task, share)
            except RuntimeError:  # no thread can be started, but the share may stand in the queue all the same
                if task.cancel():  # else a thread that there was took it: then nobody else may touch its files
                    raise
            for incoming in share:
                incoming.task = task


def shares(items: Sequence[Item]) -> Sequence[Sequence[Item]]:
    """Deal items out to at most `TASKS` tasks."""
    return [items[start::TASKS] for start in range(min(TASKS, len(items)))]


def _settle_all(task: Future[None], share: Sequence[LocalIncoming]) -> None:
    """Complete the files of a share, unless its task was cancelled."""
    if task.set_running_or_notify_cancel():
        try:
            for incoming in share:
                incoming.settle()
        finally:
            task.set_result(None)


def _after(views: Sequence[memoryview], written: int) -> list[memoryview]:
    """Return what is left of `views` after so many bytes of them."""
    for index, view in enumerate(views):
        if written < len(view):
            return [view[written:], *views[index + 1 :]]
        written -= len(view)
    return []
