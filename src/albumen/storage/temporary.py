"""Folders in the system's temporary directory that do not stay for ever when their process is killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

YOUNG_SECONDS = 60.0


@contextmanager
def locked_folder(prefix: str) -> Iterator[Path]:
    """Make a folder for the length of a block, after removing ours of that prefix whose process is gone."""
    parent = Path(tempfile.gettempdir())
    for path in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            _remove_abandoned(path)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as folder:
        lock = _open(Path(folder))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Path(folder)
        finally:
            os.close(lock)


def _remove_abandoned(path: Path) -> None:
    """Remove a folder that nobody holds; a young one may be about to get its lock. Raises OSError when it is held."""
    found = path.lstat()
    if found.st_uid != os.getuid() or time.time() - found.st_mtime < YOUNG_SECONDS:
        return
    lock = _open(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path)
    finally:
        os.close(lock)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
