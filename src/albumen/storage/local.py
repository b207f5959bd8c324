"""Blobs as plain files on a local disk.

    blobs/ab/cd/<sha256>.<ext>     final, read-only
    tmp/<process>/…                being received; the folder carries a lock while its process lives
    quarantine/<sha256>.<ext>      deleted or damaged, kept for some days

Guarantees: a file under a final name is whole and durable (its bytes were fdatasync'ed before the rename, its
directory fsync'ed after it, both before `publish` returns); a crash leaves files in `tmp/` only. Needs: one file
system for the whole directory, and one that keeps fsync's promise. Several processes may use one directory.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, cast

from albumen.domain.photos import BlobKey
from albumen.errors import BlobDamaged
from albumen.storage.base import BlobStat
from albumen.storage.files import explain, explained, make_durable_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from albumen.storage.base import Incoming
    from albumen.storage.files import Workspace

_DIGEST_LENGTH = 64
_FAN_OUT = 4


class LocalIncoming:
    """A file in `tmp/` that grows, with its SHA-256."""

    def __init__(self, path: Path, syncer: ThreadPoolExecutor) -> None:
        self._path = path
        self._syncer = syncer
        self._digest = hashlib.sha256()
        self._synced: Future[None] | None = None
        self.size = 0
        with explained():
            self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o444)

    def write(self, chunk: bytes) -> None:
        """Append bytes, all of them."""
        with explained():
            written = os.write(self._descriptor, chunk)
            while written < len(chunk):
                written += os.write(self._descriptor, memoryview(chunk)[written:])
        self._digest.update(chunk)
        self.size += len(chunk)

    @contextmanager
    def reader(self) -> Iterator[BinaryIO]:
        """Open what was written so far, until `seal`; bytes are always appended, wherever the reader stands."""
        with explained(), open(self._descriptor, "rb", buffering=0, closefd=False) as file:
            file.seek(0)
            yield cast("BinaryIO", file)

    def seal(self) -> str:
        """Return the SHA-256 and hand the file to the pool, which runs fdatasync while the next bytes come in."""
        self._synced = self._syncer.submit(_sync_and_close, self._release())
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Remove the file if it is still in `tmp/`."""
        if self._fd is not None:
            os.close(self._release())
        self._path.unlink(missing_ok=True)

    def move(self, target: Path) -> None:
        """Wait until the bytes are on disk, then give the file its final name.

        A file there is replaced: it has the same bytes, unless it was damaged, and then this heals it.
        """
        if self._synced is not None:
            self._synced.result()
        self._path.rename(target)

    @property
    def _descriptor(self) -> int:
        if self._fd is None:
            raise ValueError("the bytes are sealed or discarded")
        return self._fd

    def _release(self) -> int:
        fd, self._fd = self._descriptor, None
        return fd


class LocalBlobStore:
    """One directory on a local disk; see the module for its guarantees."""

    def __init__(self, root: Path, workspace: Workspace, sync_threads: int = 8) -> None:
        self._workspace = workspace
        self._blobs = root / "blobs"
        self._quarantine = root / "quarantine"
        self._gate = root / "sweep.lock"
        self._turn = root / "sweep.turn"
        self._syncer = ThreadPoolExecutor(sync_threads, "albumen-sync")
        self._durable: set[str] = set()  # folders that this process made durable, by the first digits of their blobs
        for folder in (self._blobs, self._quarantine):
            make_durable_folder(folder)

    def receive(self) -> Incoming:
        """Begin a file in this process's folder of `tmp/`."""
        return LocalIncoming(self._workspace.new_path(), self._syncer)

    def publish(self, sealed: Sequence[tuple[Incoming, BlobKey]]) -> None:
        """Rename to the final names, then fsync every directory concerned once.

        A folder that is there may be one that another upload made and has not synced yet, or made and was killed. So
        every process syncs the folders above it once, whoever made it.
        """
        moves = [(cast("LocalIncoming", incoming), self.locate(key)) for incoming, key in sealed]
        unsure = {key.sha256[:_FAN_OUT] for _, key in sealed} - self._durable
        folders = {target.parent for _, target in moves}
        with explained():
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
            for incoming, target in moves:
                incoming.move(target)
            above = {self._blobs / digits[:2] for digits in unsure} | ({self._blobs} if unsure else set())
            list(self._syncer.map(sync_folder, folders | above))
        self._durable |= unsure

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
        """Return `blobs/ab/cd/<sha256>.<ext>`."""
        return self._blobs / key.sha256[:2] / key.sha256[2:4] / f"{key.sha256}.{key.extension}"

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
            sync_folder(source.parent)
            sync_folder(self._quarantine)

    def keys(self) -> Iterator[BlobKey]:
        """Walk the two levels of folders in order."""
        for outer in _sorted_folders(self._blobs):
            for inner in _sorted_folders(outer):
                yield from _keys_in(inner)

    def empty_quarantine(self, before: datetime) -> int:
        """Unlink what lies in quarantine since before a time."""
        with explained():
            old = [path for path in self._quarantine.iterdir() if _modified(path) < before.timestamp()]
            for path in old:
                path.unlink(missing_ok=True)
        return len(old)

    def check(self) -> None:
        """Write a byte and read it back."""
        incoming = self.receive()
        try:
            incoming.write(b"1")
            with incoming.reader() as file:
                file.read()
        finally:
            incoming.discard()

    def close(self) -> None:
        """Wait for pending syncs."""
        self._syncer.shutdown()

    @contextmanager
    def _locked(self, mode: int) -> Iterator[None]:
        """Pass the gate in turn: shared locks that overlap without a pause would keep a sweep out for ever."""
        with explained(), self._gate.open("ab") as gate:
            with self._turn.open("ab") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                fcntl.flock(gate, mode)
            yield


def _sync_and_close(fd: int) -> None:
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)


def _modified(path: Path) -> float:
    """Return when a file was last touched; one that is gone already counts as new."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _sorted_folders(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _keys_in(folder: Path) -> Iterator[BlobKey]:
    for path in sorted(folder.iterdir()):
        digest, _, extension = path.name.partition(".")
        if len(digest) == _DIGEST_LENGTH and extension:
            yield BlobKey(digest, extension)
