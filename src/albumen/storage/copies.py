"""Copies of immutable files. Each way makes a new file `partial`, durable, that the caller renames."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from albumen.errors import BlobDamaged, StartRefused
from albumen.storage.files import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path
    from typing import BinaryIO

READ_BYTES = 1 << 20
_FICLONE = 0x40049409
_NO_CLONES = frozenset({errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EIO})


class Way(Protocol):
    """A way to bring the bytes of `source` into the new file `partial`.

    Raises FileNotFoundError without a source, BlobDamaged when its bytes cannot be read or are not those of `sha256`.
    What goes wrong with the new file is an OSError.
    """

    def __call__(self, source: Path, partial: Path, sha256: str) -> None:
        """Make the file, with its bytes on disk."""


class Copying:
    """Reads, compares with the SHA-256, and writes. `mode` are the permissions of the new file, before the umask."""

    def __init__(self, mode: int) -> None:
        self._mode = mode

    def __call__(self, source: Path, partial: Path, sha256: str) -> None:
        """Copy; the bytes are compared before the file is called done."""
        if copy_file(source, partial, self._mode) != sha256:
            raise BlobDamaged("The bytes are not those of the photo.")


class Cloning:
    """Shares blocks with the source where the file system can (Btrfs, XFS), so that nothing is read; copies elsewhere.

    A later change of either file does not touch the other: their blocks part then.
    """

    def __init__(self, mode: int) -> None:
        self._mode = mode
        self._copy = Copying(mode)
        self._can_clone = True

    def __call__(self, source: Path, partial: Path, sha256: str) -> None:
        """Clone, or copy."""
        if not (self._can_clone and self._clone(source, partial)):
            self._copy(source, partial, sha256)

    def _clone(self, source: Path, partial: Path) -> bool:
        with open_plain(source) as reading, _created(partial, self._mode) as writing:
            try:
                fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
            except OSError as exc:
                if exc.errno not in _NO_CLONES:
                    raise
                self._can_clone = exc.errno == errno.EIO  # one bad file of the two; the copy tells which
                return False
            os.fsync(writing.fileno())
        return True


def open_plain(path: Path) -> FileIO:
    """Open a plain file for reading. A directory of backups may have been in the hands of others.

    Raises:
        FileNotFoundError: There is none.
        BlobDamaged: The disk cannot tell where its bytes are. Or something else is there: a pipe would make its reader
            wait for ever, a device never end.
    """
    with _readable():
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb", buffering=0)
    os.close(descriptor)
    raise BlobDamaged(f"{path} is no plain file.")


def link(source: Path, partial: Path, sha256: str) -> None:  # noqa: ARG001 - nothing is read, so nothing is compared
    """Give the same file a second name.

    Raises:
        StartRefused: The two places are not on one file system.
    """
    partial.unlink(missing_ok=True)
    try:
        partial.hardlink_to(source)
    except OSError as exc:
        if exc.errno != errno.EXDEV:
            raise
        raise StartRefused("Hard links need the backup and the data directory on one file system.") from exc


def copy_file(source: Path, partial: Path, mode: int) -> str:
    """Copy into a new file, replacing one that was left there, and make its bytes durable; return their SHA-256.

    Raises:
        FileNotFoundError, BlobDamaged: There is no source, or it cannot be read.
        OSError: The new file cannot be written.
    """
    digest = hashlib.sha256()
    with open_plain(source) as reading, _created(partial, mode) as writing:
        for chunk in chunks_of(reading):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fdatasync(writing.fileno())
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Read a file and return its SHA-256. Raises FileNotFoundError, BlobDamaged."""
    with open_plain(path) as file:
        return digest_of(file)


def digest_of(file: BinaryIO | FileIO) -> str:
    """Read an open file to its end and return its SHA-256. Raises BlobDamaged when it cannot be read."""
    digest = hashlib.sha256()
    for chunk in chunks_of(file):
        digest.update(chunk)
    return digest.hexdigest()


def chunks_of(file: BinaryIO | FileIO) -> Iterator[bytes]:
    """Read an open file to its end, a chunk at a time.

    Raises:
        BlobDamaged: The disk has a place that it cannot read. It costs this file, not all that come after it.
    """
    with _readable():
        while chunk := file.read(READ_BYTES):
            yield chunk


@contextmanager
def _readable() -> Iterator[None]:
    """Raise BlobDamaged for what the disk cannot read."""
    try:
        yield
    except OSError as exc:
        if exc.errno not in UNREADABLE:
            raise
        raise BlobDamaged("The disk cannot read some of the bytes.") from exc


def _created(path: Path, mode: int) -> BinaryIO:
    path.unlink(missing_ok=True)
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode))
