"""What every store on a local disk needs: temporary paths that never outlive their process, syncs, plain errors."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import secrets
import shutil
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from albumen.domain.photos import key_of
from albumen.errors import AlbumenError, StorageFull, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from albumen.domain.photos import BlobKey

UNREADABLE = frozenset({errno.EIO, errno.EUCLEAN, errno.EBADMSG})
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

SUBFOLDERS = 16
LOOK_BYTES = 4 << 20
BLOB_FOLDERS = "0123456789abcdef"


class Workspace:
    """A folder of this process in `tmp/`, locked as long as the process lives.

    Files lie in `SUBFOLDERS` folders inside it: threads that make files in one folder wait for each other, which took a
    fifth of the time of an upload of small photos.

    The first use makes it and removes the folders of processes that are gone, so a crash costs no space for long.
    """

    def __init__(self, tmp: Path, check_space: Callable[[], None] | None = None) -> None:
        self._tmp = tmp
        self._check_space = check_space
        self._own: Path | None = None
        self._lock = -1
        self._unlooked = LOOK_BYTES
        self._numbers = itertools.count()
        self._starting = threading.Lock()

    def new_path(self, suffix: str = "") -> str:
        """Return a path that nobody has used. Raises StorageUnavailable; whether there is space, it does not ask."""
        number = next(self._numbers)
        return f"{self._folder()}/{number % SUBFOLDERS:x}/{number}{suffix}"

    def check_space(self) -> None:
        """Raise StorageFull when no more is to be written."""
        if self._check_space is not None:
            self._check_space()
        self._unlooked = 0

    def check_space_sometimes(self) -> None:
        """Do so once in `LOOK_BYTES`: a look at every small photo cost as much as taking its name."""
        if self._unlooked >= LOOK_BYTES:
            self.check_space()

    def count(self, written: int) -> None:
        """Note how many bytes will be written; threads may lose some of each other's, and look a little later."""
        self._unlooked += written

    def open(self) -> None:
        """Make the folder now, removing those of dead processes."""
        self._folder()

    def close(self) -> None:
        """Remove the folder and everything in it."""
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
            os.close(self._lock)
            self._own = None

    def _folder(self) -> Path:
        if self._own is None:
            with self._starting, explained():
                self._own = self._own or self._claim()
        return self._own

    def _claim(self) -> Path:
        """Make and lock a folder; the lock of `tmp/` itself keeps others from taking it for abandoned meanwhile."""
        self._tmp.mkdir(parents=True, exist_ok=True)
        with _locked(self._tmp):
            _remove_abandoned(self._tmp)
            own = self._tmp / f"{os.getpid()}-{secrets.token_hex(4)}"
            own.mkdir()
            for number in range(SUBFOLDERS):
                (own / f"{number:x}").mkdir()
            self._lock = open_folder(own)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        return own


def blob_path(key: BlobKey) -> str:
    """Return where a blob lies in a folder of blobs: `a/<sha256>.<ext>`."""
    return f"{blob_folder(key)}/{key.file_name}"


def blob_folder(key: BlobKey) -> str:
    """Return the folder of a blob, one of `BLOB_FOLDERS`: few, because a group of photos waits for the sync of each."""
    return key.sha256[0]


def blob_keys(root: Path) -> Iterator[BlobKey]:
    """Walk a folder of blobs in order."""
    for folder in (path for name in BLOB_FOLDERS if (path := root / name).is_dir()):
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - a million paths take three times the memory
            key = key_of(name)
            if key is not None:
                yield key


def make_blob_folders(root: Path, mode: int = 0o777) -> None:
    """Make all folders that blobs will ever be in, so that no upload has to.

    Blobs of versions before the first release, which had 256 of them, are moved; several processes may do so at once.
    """
    for name in BLOB_FOLDERS:
        (root / name).mkdir(mode, exist_ok=True)
    for older in root.glob("[0-9a-f][0-9a-f]/"):
        with suppress(FileNotFoundError):
            _move_blobs(older, root / older.name[0])


def _move_blobs(source: Path, target: Path) -> None:
    """Give files new names, make these durable, and only then take the old ones away. Another process may be faster."""
    paths = [path for path in source.iterdir() if key_of(path.name)]
    for path in paths:
        with suppress(FileExistsError, FileNotFoundError):
            (target / path.name).hardlink_to(path)
    sync_folder(target)
    with suppress(OSError):  # a name too many does no harm
        for path in paths:
            path.unlink(missing_ok=True)
        source.rmdir()


def sync_folder(folder: Path | str) -> None:
    """Make the names in a folder durable."""
    fd = open_folder(folder)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_durable_folder(folder: Path) -> None:
    """Make a folder, and those above it, so that a power cut does not take them away again.

    The name of one that is there is synced as well: who made it may have been killed right before doing so.

    Raises:
        OSError: It cannot be made, or not be made durable.
    """
    if folder.is_dir():
        with suppress(PermissionError):  # where we may not look, we made nothing
            sync_folder(folder.parent)
        return
    make_durable_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def explain(exc: OSError) -> AlbumenError:
    """Return the error of ours that an operating system's error stands for."""
    if exc.errno in FULL:
        return StorageFull("No space is left for photos. Nothing half-written remains.")
    return StorageUnavailable("The data directory cannot be used; the server's log tells why.")


@contextmanager
def explained() -> Iterator[None]:
    """Turn an operating system's error into one of ours."""
    try:
        yield
    except OSError as exc:
        raise explain(exc) from exc


def open_folder(folder: Path | str) -> int:
    """Return a descriptor of a folder, to lock, sync or rename in."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    fd = open_folder(folder)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _remove_abandoned(tmp: Path) -> None:
    """Remove the folders whose process is gone: their lock is free."""
    for folder in tmp.iterdir():
        with suppress(FileNotFoundError, NotADirectoryError, BlockingIOError):
            _remove_unlocked(folder)


def _remove_unlocked(folder: Path) -> None:
    fd = open_folder(folder)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(fd)
