"""Blobs as plain files on a local disk.

    blobs/a/<sha256>.<ext>         final, read-only; 16 folders, made when the store is opened
    tmp/<process>/…                being received; the folder carries a lock while its process lives
    quarantine/<sha256>.<ext>      deleted or damaged, kept for some days

Guarantees: a file under a final name is whole and durable (its bytes were fdatasync'ed before the rename, its
directory fsync'ed after it, both before `publish` returns); a crash leaves files in `tmp/` only. Needs: one file
system for the whole directory, and one that keeps fsync's promise. Several processes may use one directory.
"""

from __future__ import annotations

import errno
import fcntl
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Semaphore
from typing import TYPE_CHECKING, BinaryIO, cast

from albumen.domain.budget import Budget
from albumen.errors import BlobDamaged, Busy, StorageUnavailable
from albumen.storage.base import BlobMissing, BlobStat
from albumen.storage.files import (
    UNREADABLE,
    blob_folder,
    blob_keys,
    blob_path,
    explain,
    explained,
    make_blob_folders,
    make_durable_folder,
    open_folder,
    sync_folder,
)
from albumen.storage.incoming import HELD_BYTES, LocalReceiver

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from albumen.domain.photos import BlobKey
    from albumen.storage.base import Incoming
    from albumen.storage.files import Workspace
    from albumen.storage.incoming import LocalIncoming

BUSY_SECONDS = 10.0
CHECK_SECONDS = 1.0
LOOK_SECONDS = 0.01


class LocalBlobStore:
    """One directory on a local disk; see the module for its guarantees.

    Who cannot pass the gate for `busy_seconds`, as when a sweep was suspended, gets Busy.
    """

    def __init__(
        self, root: Path, workspace: Workspace, sync_threads: int = 8, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self._workspace = workspace
        self._busy_seconds = busy_seconds
        self._blobs = root / "blobs"
        self._quarantine = root / "quarantine"
        self._gate = root / "sweep.lock"
        self._turn = root / "sweep.turn"
        self._retention = root / "backup.lock"
        self._pool = ThreadPoolExecutor(sync_threads, "albumen-sync")
        self._in_flight = Semaphore(sync_threads)
        self._budget = Budget(HELD_BYTES)
        self._folders: dict[str, int] = {}
        self._opening = Lock()
        self._make_folders()

    def receiver(self) -> LocalReceiver:
        """Begin to take in the files of one request."""
        return LocalReceiver(self._workspace, self._pool, self._in_flight, self._budget)

    def publish(self, sealed: Sequence[tuple[Incoming, BlobKey]]) -> None:
        """Wait until the bytes are durable, rename to the final names, then fsync every folder concerned once."""
        for incoming, _ in sealed:
            incoming.sha256()
        with explained():
            folders = {self._folder(key) for _, key in sealed}
            for incoming, key in sealed:
                cast("LocalIncoming", incoming).move(key.file_name, self._folder(key))
            for folder in folders:
                os.fsync(folder)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Share the gate with other uploads; a sweep waits for those before it."""
        with self._locked(fcntl.LOCK_SH, self._busy_seconds):
            yield

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """Have the gate alone; uploads wait with their commit."""
        with self._locked(fcntl.LOCK_EX, self._busy_seconds):
            yield

    def open(self, key: BlobKey) -> BinaryIO:
        """Open the file."""
        with _explained_for_one():
            return self.locate(key).open("rb")

    def locate(self, key: BlobKey) -> Path:
        """Return `blobs/a/<sha256>.<ext>`."""
        return Path(self._target(key))

    def stat(self, key: BlobKey) -> BlobStat | None:
        """Return the size and the time of the file."""
        try:
            found = self.locate(key).stat()
        except OSError as exc:
            if exc.errno in {errno.ENOENT, *UNREADABLE}:
                return None
            raise explain(exc) from exc
        return BlobStat(found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def delete(self, *keys: BlobKey) -> None:
        """Move the files to quarantine and note the time there, then fsync every folder concerned once.

        For a sync of each file, uploads would wait for a sweep longer than they may.
        """
        with _explained_for_one():
            folders: set[Path] = set()
            try:
                for source in map(self.locate, keys):
                    if self._set_aside(source):
                        folders.add(source.parent)
            finally:
                self._sync_moves_from(folders)

    def withdraw(self, key: BlobKey) -> None:
        """Unlink the file. If a power cut brings it back, `gc` finds it."""
        with explained():
            self.locate(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[BlobKey]:
        """Walk the folders in order."""
        return blob_keys(self._blobs)

    def empty_quarantine(self, before: datetime) -> int:
        """Unlink what lies in quarantine since before a time, unless a backup may need it."""
        with explained(), self._retention.open("ab") as retention:
            if not _take(retention):
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

    def check_space(self) -> None:
        """Compare the free space with the floor."""
        self._workspace.check_space()

    def check(self) -> None:
        """Make a byte durable, look for the folder of the blobs, and pass the gate within a second."""
        if not self._blobs.is_dir():
            raise StorageUnavailable("The folder of the photos is missing.")
        self.check_space()
        incoming = self.receiver().receive()
        try:
            incoming.write(b"1")
            incoming.seal()
            incoming.sha256()
        finally:
            incoming.discard()
        with self._locked(fcntl.LOCK_SH, min(CHECK_SECONDS, self._busy_seconds)):
            pass

    def close(self) -> None:
        """Wait for pending syncs and close the folders."""
        self._pool.shutdown()
        while self._folders:
            os.close(self._folders.popitem()[1])

    def _target(self, key: BlobKey) -> str:
        return f"{self._blobs}/{blob_path(key)}"

    def _folder(self, key: BlobKey) -> int:
        """Return the open folder of a blob; it stays open, since opening and closing cost as much as the sync."""
        name = blob_folder(key)
        if name not in self._folders:
            with self._opening:
                if name not in self._folders:
                    self._folders[name] = open_folder(self._blobs / name)
        return self._folders[name]

    def _set_aside(self, source: Path) -> bool:
        """Move a file to quarantine; tell whether it was there."""
        try:
            os.utime(source)  # first: in quarantine it must not look old for a moment, `empty_quarantine` may run
            source.rename(self._quarantine / source.name)
        except FileNotFoundError:
            return False
        return True

    def _sync_moves_from(self, folders: Collection[Path]) -> None:
        """Make moves to quarantine durable: there first, for a power cut between the two must not lose both names."""
        if folders:
            for folder in (self._quarantine, *folders):
                sync_folder(folder)

    def _make_folders(self) -> None:
        """Make all folders that blobs will ever be in, durably, so that no upload has to."""
        with explained():
            for folder in (self._blobs, self._quarantine):
                make_durable_folder(folder)
            make_blob_folders(self._blobs)
            sync_folder(self._blobs)

    @contextmanager
    def _locked(self, mode: int, seconds: float) -> Iterator[None]:
        """Pass the gate in turn: shared locks that overlap without a pause would keep a sweep out for ever."""
        deadline = time.monotonic() + seconds
        with explained(), _opened(self._gate) as gate:
            with _opened(self._turn) as turn:
                _lock(turn, fcntl.LOCK_EX, deadline)
                _lock(gate, mode, deadline)
            yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a file to lock it, made when it is not there; a file object costs several system calls more."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _explained_for_one() -> Iterator[None]:
    """Turn an operating system's error into one of ours, where it may be of one photo alone."""
    try:
        yield
    except FileNotFoundError as exc:
        raise BlobMissing("The bytes of this photo are missing; it can be uploaded again.") from exc
    except OSError as exc:
        if exc.errno in UNREADABLE:
            raise BlobDamaged("The disk cannot read this photo; it can be restored from a backup.") from exc
        raise explain(exc) from exc


def _lock(file: int, mode: int, deadline: float) -> None:
    """Take a lock, looking again and again: the system would wait for it without an end. Raises Busy."""
    while not _take(file, mode):
        if time.monotonic() >= deadline:
            raise Busy("Another process kept the store of photos for too long. Try again.")
        time.sleep(LOOK_SECONDS)


def _take(file: BinaryIO | int, mode: int = fcntl.LOCK_EX) -> bool:
    """Take a lock, alone unless `mode` says otherwise, if no other is in its way; tell whether it was taken."""
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _modified(path: Path) -> float:
    """Return when a file was last touched; one that is gone already counts as new."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf
