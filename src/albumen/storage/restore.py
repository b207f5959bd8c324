"""A data directory that is being filled from a backup.

Blobs come to their final places. The database waits in `restoring/` inside the directory and is renamed into place
last. So the directory has a database only when all is there; until then Albumen refuses to work with it, and the same
command run again goes on where it was cut off.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from albumen.errors import StartRefused
from albumen.storage.backup import DATABASE, reported
from albumen.storage.copies import Copying, copy_file
from albumen.storage.files import blob_path, make_blob_folders, make_durable_folder, open_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from albumen.domain.photos import BlobKey

STAGE = "restoring"
_BLOB_MODE = 0o444
_DATABASE_MODE = 0o644
_FOLDER_MODE = 0o700


class RestoreFolder:
    """A new data directory. Made for its owner alone; one that is there and empty keeps its mode."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stage = data / STAGE
        self._blobs = data / "blobs"
        self._copy = Copying(_BLOB_MODE)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one who restores into this directory.

        Raises:
            StartRefused: It is not empty, or another restore runs.
            StorageFull, StorageUnavailable: It cannot be written to.
        """
        with reported(self._data):
            make_durable_folder(self._data.parent)
            self._data.mkdir(_FOLDER_MODE, exist_ok=True)
            sync_folder(self._data.parent)
            lock = open_folder(self._data)
            try:
                self._claim(lock)
                yield
            finally:
                os.close(lock)

    def take_database(self, source: Path) -> str:
        """Copy the database; return the SHA-256 of the bytes that were copied."""
        return copy_file(source, self._stage / DATABASE, _DATABASE_MODE)

    def has(self, key: BlobKey, size: int) -> bool:
        """Tell whether an earlier run brought this blob, compared with its SHA-256 and `size` bytes long."""
        try:
            return self._locate(key).stat().st_size == size
        except FileNotFoundError:
            return False

    def take(self, key: BlobKey, source: Path) -> None:
        """Copy a blob and compare it with its SHA-256.

        Raises:
            BlobDamaged: The bytes are others. They are not kept.
            FileNotFoundError: There are none.
        """
        partial = self._stage / key.sha256
        try:
            self._copy(source, partial, key.sha256)
            partial.rename(self._locate(key))
        finally:
            partial.unlink(missing_ok=True)

    def finish(self) -> None:
        """Make everything durable, then put the database into its place."""
        for folder in (*self._blobs.iterdir(), self._blobs, self._data):
            sync_folder(folder)
        (self._stage / DATABASE).rename(self._data / DATABASE)
        sync_folder(self._data)
        shutil.rmtree(self._stage)

    def _claim(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise StartRefused(f"Another restore into {self._data} runs.") from exc
        found = {path.name for path in self._data.iterdir()} - {"lost+found"}
        if found not in ({STAGE, "blobs"}, {STAGE}, set()):
            raise StartRefused(f"{self._data} is not empty. Restore into a new directory.")
        make_durable_folder(self._stage)  # before anything else comes: it tells that the rest is ours
        self._blobs.mkdir(exist_ok=True)
        make_blob_folders(self._blobs)

    def _locate(self, key: BlobKey) -> Path:
        return self._blobs / blob_path(key)


def is_unfinished(data: Path) -> bool:
    """Tell whether a restore into this directory was cut off, or still runs."""
    return (data / STAGE).is_dir() and not (data / DATABASE).exists()
