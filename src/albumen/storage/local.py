"""Blobs as plain files on a local disk.

    blobs/ab/<sha256>.<ext>        final, read-only; 256 folders, made when the store is opened
    tmp/<process>/…                being received; the folder carries a lock while its process lives
    quarantine/<sha256>.<ext>      deleted or damaged, kept for some days

Guarantees: a file under a final name is whole and durable (its bytes were fdatasync'ed before the rename, its
directory fsync'ed after it, both before `publish` returns); a crash leaves files in `tmp/` only. Needs: one file
system for the whole directory, and one that keeps fsync's promise. Several processes may use one directory.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import math
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Semaphore
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from albumen.domain.photos import BlobKey
from albumen.errors import BlobDamaged, StorageUnavailable
from albumen.storage.base import BlobStat
from albumen.storage.files import explain, explained, make_durable_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from albumen.storage.base import Incoming
    from albumen.storage.files import Workspace

Item = TypeVar("Item")

POOL_BYTES = 4 << 20
UNHASHED_BYTES = 32 << 20
MEMORY_BYTES = 512 << 10
SYNC_TASKS = 4
_DIGEST_LENGTH = 64
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC


class Budget:
    """So many bytes that all files of a process may hold in memory together."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = Lock()

    def take(self, count: int) -> bool:
        """Take some, unless there are not so many left; tell whether they were taken."""
        with self._lock:
            if count > self._left:
                return False
            self._left -= count
            return True

    def give_back(self, count: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._left += count


class LocalIncoming:
    """A file in `tmp/` that grows, with its SHA-256.

    A file of up to `POOL_BYTES` is hashed when it is synced, in the pool, so that the next bytes come in meanwhile.
    When the files of this process hold too many such bytes (slow clients, many of them), it is hashed while written.
    """

    def __init__(self, path: str, receiver: LocalReceiver, budget: Budget) -> None:
        self._path = path
        self._receiver = receiver
        self._budget = budget
        self._digest = hashlib.sha256()
        self._unhashed: list[bytes] | None = []
        self._is_sealed = False
        self._is_final = False
        self.task: Future[None] | None = None
        self.size = 0
        with explained():
            self._fd: int | None = os.open(path, _CREATE, 0o444)

    def write(self, chunk: bytes) -> None:
        """Append bytes, all of them."""
        if self._is_sealed:
            raise ValueError("the bytes are sealed")
        with explained():
            written = os.write(self._descriptor, chunk)
            while written < len(chunk):
                written += os.write(self._descriptor, memoryview(chunk)[written:])
        self.size += len(chunk)
        self._hash_later(chunk)

    @contextmanager
    def reader(self) -> Iterator[BinaryIO]:
        """Open what was written so far, until `seal`; bytes are always appended, wherever the reader stands.

        A small file is read from memory: every system call lets another thread run first.
        """
        if self._unhashed is not None and self.size <= MEMORY_BYTES:
            yield io.BytesIO(b"".join(self._unhashed))
            return
        with explained(), open(self._descriptor, "rb", buffering=0, closefd=False) as file:
            file.seek(0)
            yield cast("BinaryIO", file)

    def seal(self) -> None:
        """Leave the file to the receiver, which hashes and syncs it while the next bytes come in."""
        self._is_sealed = True
        self._receiver.add(self)

    def sha256(self) -> str:
        """Wait until the bytes are hashed and durable; return their SHA-256."""
        with explained():
            if self.task is None:
                self.complete()
            else:
                self.task.result()
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Remove the file if it is still in `tmp/`."""
        if self.task is None:
            self._budget.give_back(sum(map(len, self._unhashed or [])))
            self._unhashed = None
        if self._fd is not None and self.task is None:
            os.close(self._release())
        if not self._is_final:
            Path(self._path).unlink(missing_ok=True)

    def complete(self) -> None:
        """Hash what is not hashed, make the bytes durable and close the file, once."""
        self._hash_now()
        if self._fd is None:
            return
        fd = self._release()
        try:
            os.fdatasync(fd)
        finally:
            os.close(fd)

    def move(self, target: str) -> None:
        """Give the durable file its final name.

        A file there is replaced: it has the same bytes, unless it was damaged, and then this heals it.
        """
        os.rename(self._path, target)  # noqa: PTH104 - hot: strings are enough
        self._is_final = True

    def _hash_later(self, chunk: bytes) -> None:
        if self._unhashed is None:
            self._digest.update(chunk)
        elif self.size > POOL_BYTES or not self._budget.take(len(chunk)):
            self._hash_now()
            self._digest.update(chunk)
        else:
            self._unhashed.append(chunk)

    def _hash_now(self) -> None:
        unhashed, self._unhashed = self._unhashed or [], None
        for chunk in unhashed:
            self._digest.update(chunk)
        self._budget.give_back(sum(map(len, unhashed)))

    @property
    def _descriptor(self) -> int:
        if self._fd is None:
            raise ValueError("the bytes are durable or discarded")
        return self._fd

    def _release(self) -> int:
        fd, self._fd = self._descriptor, None
        return fd


class LocalReceiver:
    """The files of one request.

    Small ones go to the pool several at a time, because waking a thread costs more than they do. The store admits one
    share per thread of the pool, so what waits there to be hashed stays below `sync_threads` times `POOL_BYTES`; a
    request itself holds less than two batches more.
    """

    def __init__(self, workspace: Workspace, pool: ThreadPoolExecutor, in_flight: Semaphore, budget: Budget) -> None:
        self._workspace = workspace
        self._pool = pool
        self._in_flight = in_flight
        self._budget = budget
        self._waiting: list[LocalIncoming] = []
        self._bytes = 0

    def receive(self) -> Incoming:
        """Begin a file in this process's folder of `tmp/`."""
        return LocalIncoming(self._workspace.new_path(), self, self._budget)

    def add(self, incoming: LocalIncoming) -> None:
        """Take a sealed file; hand a batch to the pool as soon as enough of them wait."""
        self._waiting.append(incoming)
        self._bytes += incoming.size
        if self._bytes >= POOL_BYTES:
            self.flush()

    def flush(self) -> None:
        """Begin to make durable what is sealed; waits while the pool holds too many bytes of this process."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        for share in _shares(waiting):
            self._in_flight.acquire()
            task = self._pool.submit(_complete_all, share)
            task.add_done_callback(lambda _: self._in_flight.release())
            for incoming in share:
                incoming.task = task


class LocalBlobStore:
    """One directory on a local disk; see the module for its guarantees."""

    def __init__(self, root: Path, workspace: Workspace, sync_threads: int = 8) -> None:
        self._workspace = workspace
        self._blobs = root / "blobs"
        self._quarantine = root / "quarantine"
        self._gate = root / "sweep.lock"
        self._turn = root / "sweep.turn"
        self._retention = root / "backup.lock"
        self._pool = ThreadPoolExecutor(sync_threads, "albumen-sync")
        self._in_flight = Semaphore(sync_threads)
        self._budget = Budget(UNHASHED_BYTES)
        self._make_folders()

    def receiver(self) -> LocalReceiver:
        """Begin to take in the files of one request."""
        return LocalReceiver(self._workspace, self._pool, self._in_flight, self._budget)

    def publish(self, sealed: Sequence[tuple[Incoming, BlobKey]]) -> None:
        """Wait until the bytes are durable, rename to the final names, then fsync every folder concerned once."""
        for incoming, _ in sealed:
            incoming.sha256()
        moves = [(cast("LocalIncoming", incoming), self._target(key)) for incoming, key in sealed]
        with explained():
            for incoming, target in moves:
                incoming.move(target)
            folders = list({os.path.dirname(target) for _, target in moves})  # noqa: PTH120 - hot: strings are enough
            list(self._pool.map(_sync_folders, _shares(folders)))

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Share the gate with other uploads; a sweep waits for those before it."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """Have the gate alone; uploads wait with their commit."""
        with self._locked(fcntl.LOCK_EX):
            yield

    def open(self, key: BlobKey) -> BinaryIO:
        """Open the file."""
        try:
            return self.locate(key).open("rb")
        except FileNotFoundError as exc:
            raise BlobDamaged("The bytes of this photo are missing; it can be uploaded again.") from exc
        except OSError as exc:
            raise explain(exc) from exc

    def locate(self, key: BlobKey) -> Path:
        """Return `blobs/ab/<sha256>.<ext>`."""
        return Path(self._target(key))

    def stat(self, key: BlobKey) -> BlobStat | None:
        """Return the size and the time of the file."""
        try:
            found = self.locate(key).stat()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise explain(exc) from exc
        return BlobStat(found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def delete(self, key: BlobKey) -> None:
        """Move the file to quarantine and note the time there."""
        source = self.locate(key)
        with explained():
            try:
                os.utime(source)  # first: in quarantine it must not look old for a moment, `empty_quarantine` may run
                source.rename(self._quarantine / source.name)
            except FileNotFoundError:
                return
            sync_folder(self._quarantine)  # first: a power cut between the two must not lose both names
            sync_folder(source.parent)

    def withdraw(self, key: BlobKey) -> None:
        """Unlink the file. If a power cut brings it back, `gc` finds it."""
        with explained():
            self.locate(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[BlobKey]:
        """Walk the folders in order."""
        for folder in sorted(path for path in self._blobs.iterdir() if path.is_dir()):
            yield from _keys_in(folder)

    def empty_quarantine(self, before: datetime) -> int:
        """Unlink what lies in quarantine since before a time, unless a backup may need it."""
        with explained(), self._retention.open("ab") as retention:
            if not _is_free(retention):
                return 0
            old = [path for path in self._quarantine.iterdir() if _modified(path) < before.timestamp()]
            for path in old:
                path.unlink(missing_ok=True)
        return len(old)

    @contextmanager
    def retaining(self) -> Iterator[None]:
        """Keep `gc` from emptying the quarantine."""
        with ExitStack() as stack:
            with explained():
                retention = stack.enter_context(self._retention.open("ab"))
                fcntl.flock(retention, fcntl.LOCK_SH)
            yield

    def sources(self, key: BlobKey) -> Sequence[Path]:
        """Return the file, that in quarantine, and the first again: an upload may have put it back meanwhile."""
        path = self.locate(key)
        return [path, self._quarantine / path.name, path]

    def check(self) -> None:
        """Write a byte and read it back, and look for the folder of the blobs."""
        if not self._blobs.is_dir():
            raise StorageUnavailable("The folder of the photos is missing.")
        incoming = self.receiver().receive()
        try:
            incoming.write(b"1")
            with incoming.reader() as file:
                file.read()
        finally:
            incoming.discard()

    def close(self) -> None:
        """Wait for pending syncs."""
        self._pool.shutdown()

    def _target(self, key: BlobKey) -> str:
        return f"{self._blobs}/{key.sha256[:2]}/{key.sha256}.{key.extension}"

    def _make_folders(self) -> None:
        """Make all folders that blobs will ever be in, durably, so that no upload has to."""
        with explained():
            for folder in (self._blobs, self._quarantine):
                make_durable_folder(folder)
            for number in range(256):
                (self._blobs / f"{number:02x}").mkdir(exist_ok=True)
            sync_folder(self._blobs)

    @contextmanager
    def _locked(self, mode: int) -> Iterator[None]:
        """Pass the gate in turn: shared locks that overlap without a pause would keep a sweep out for ever."""
        with explained(), self._gate.open("ab") as gate:
            with self._turn.open("ab") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                fcntl.flock(gate, mode)
            yield


def _shares(items: Sequence[Item]) -> Sequence[Sequence[Item]]:
    """Deal items out to at most `SYNC_TASKS` tasks."""
    return [items[start::SYNC_TASKS] for start in range(min(SYNC_TASKS, len(items)))]


def _complete_all(incoming: Sequence[LocalIncoming]) -> None:
    """Complete them in turn, and those after one that failed as well: each closes its file."""
    with ExitStack() as stack:
        for one in reversed(incoming):
            stack.callback(one.complete)


def _sync_folders(folders: Sequence[str]) -> None:
    for folder in folders:
        sync_folder(folder)


def _is_free(lock: BinaryIO) -> bool:
    """Take a lock alone, unless others share it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _modified(path: Path) -> float:
    """Return when a file was last touched; one that is gone already counts as new."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _keys_in(folder: Path) -> Iterator[BlobKey]:
    for path in sorted(folder.iterdir()):
        digest, _, extension = path.name.partition(".")
        if len(digest) == _DIGEST_LENGTH and extension:
            yield BlobKey(digest, extension)
