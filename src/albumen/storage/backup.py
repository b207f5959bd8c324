"""A directory of backups: a database for each, and the bytes that any of them names, once.

    backups/<moment>/albumen.db        one consistent state of the database
    backups/<moment>/manifest.json     counts, and the SHA-256 of that database
    blobs/a/<sha256>.<ext>             plain photo files, as in the data directory
    damaged/                           files that `verify` found wrong
    tmp/                               being written; emptied by the next backup
    lock                               one backup at a time

Guarantees: a backup appears by one rename, after its database, its manifest and its blobs are on disk; nothing that
it names is changed or removed while it is there. So a backup that is cut off damages none that was made before, and
leaves blobs that the next one need not take again. All is for its owner alone: folders 0700, files 0600 and 0400.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, BinaryIO

from albumen.domain.backups import Manifest, is_backup_name
from albumen.errors import BlobDamaged, StartRefused, StorageFull, StorageUnavailable
from albumen.storage.copies import open_plain, sha256_of
from albumen.storage.files import FULL, blob_keys, blob_path, make_blob_folders, make_durable_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from albumen.domain.photos import BlobKey
    from albumen.storage.copies import Way

DATABASE = "albumen.db"
BLOB_MODE = 0o400
_MANIFEST = "manifest.json"
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700
_OWN = frozenset({"backups", "blobs", "damaged", "tmp", "lock", "lost+found"})
_MOST_MANIFEST_BYTES = 1 << 30


class BackupFolder:
    """A directory of backups; see the module for its guarantees. `writing` comes before anything that changes it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._backups = root / "backups"
        self._blobs = root / "blobs"
        self._damaged = root / "damaged"
        self._tmp = root / "tmp"
        self._lock = root / "lock"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one who writes here; what an earlier backup left half-written goes.

        Raises:
            StartRefused: The directory holds something else, or another backup runs.
            StorageFull, StorageUnavailable: It cannot be written to.
        """
        with reported(self.root):
            self._make()
            with self._lock.open("ab") as lock:
                _take(lock, fcntl.LOCK_EX, self.root)
                shutil.rmtree(self._tmp, ignore_errors=True)
                self._tmp.mkdir(_FOLDER_MODE)
                yield
                shutil.rmtree(self._tmp)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep backups from changing anything here; works on a read-only disk and on a copy of it, too.

        Raises:
            StartRefused: There is no backup, or a backup runs.
            StorageUnavailable: It cannot be read.
        """
        with reported(self.root), ExitStack() as stack:
            if not self.backups():
                raise StartRefused(f"{self.root} holds no backup.")
            if self._lock.exists():
                _take(stack.enter_context(open_plain(self._lock)), fcntl.LOCK_SH, self.root)
            yield

    def backups(self) -> Sequence[str]:
        """Return the names of all backups, the oldest first."""
        if not self._backups.is_dir():
            return []
        return sorted(path.name for path in self._backups.iterdir() if is_backup_name(path.name))

    def database(self, name: str) -> Path:
        """Return the file of a backup's database."""
        return self._backups / name / DATABASE

    def manifest(self, name: str) -> Manifest:
        """Read what a backup says of itself. Raises StartRefused."""
        try:
            with open_plain(self._backups / name / _MANIFEST) as file:
                values = json.loads(file.read(_MOST_MANIFEST_BYTES))
            return Manifest(**{**values, "missing": tuple(values["missing"])})
        except (OSError, BlobDamaged, ValueError, TypeError, KeyError) as exc:
            raise StartRefused(f"The manifest of the backup {name} cannot be read; choose another one.") from exc

    def has_sound_database(self, name: str) -> bool:
        """Read the database of a backup and compare it with its manifest."""
        try:
            return sha256_of(self.database(name)) == self.manifest(name).database_sha256
        except (FileNotFoundError, BlobDamaged, StartRefused):
            return False

    def draft(self) -> Path:
        """Return where to write the database of the next backup."""
        return self._tmp / DATABASE

    def publish(self, name: str, manifest: Manifest) -> None:
        """Make a backup of the draft and of all blobs taken, durably. It is there when this returns."""
        draft = self._tmp / name
        draft.mkdir(_FOLDER_MODE)
        self.draft().rename(draft / DATABASE)
        (draft / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n", "utf-8")
        for path in draft.iterdir():
            path.chmod(_FILE_MODE)
            _sync_file(path)
        for folder in (*self._blobs.iterdir(), self._blobs, draft):
            sync_folder(folder)
        draft.rename(self._backups / name)
        sync_folder(self._backups)

    def remove(self, name: str) -> None:
        """Remove a backup, in one step and for good; its blobs stay."""
        gone = self._tmp / f"removed-{name}"
        (self._backups / name).rename(gone)
        sync_folder(self._backups)
        shutil.rmtree(gone)

    def locate(self, key: BlobKey) -> Path:
        """Return `blobs/a/<sha256>.<ext>`, or its place in a backup of a version before the first release."""
        path, older = self._blobs / blob_path(key), self._blobs / key.sha256[:2] / key.file_name
        return older if older.exists() and not path.exists() else path

    def has(self, key: BlobKey, size: int) -> bool:
        """Tell whether a blob is there, with this size in bytes; its bytes are not read."""
        try:
            return self.locate(key).stat().st_size == size
        except FileNotFoundError:
            return False

    def take(self, key: BlobKey, sources: Sequence[Path], way: Way) -> None:
        """Put a blob here from the first of the sources that has its bytes; durable with the next `publish`.

        Raises:
            BlobDamaged: None has them.
        """
        partial = self._tmp / key.sha256
        for source in sources:
            try:
                way(source, partial, key.sha256)
            except (FileNotFoundError, BlobDamaged):
                continue
            partial.rename(self.locate(key))
            return
        partial.unlink(missing_ok=True)
        raise BlobDamaged("The bytes of this photo are missing or damaged.")

    def is_sound(self, key: BlobKey) -> bool:
        """Read a blob and compare it with its SHA-256; one that is missing, or no plain file, is not sound."""
        try:
            return sha256_of(self.locate(key)) == key.sha256
        except (FileNotFoundError, BlobDamaged):
            return False

    def keys(self) -> Iterator[BlobKey]:
        """Return the keys of all blobs in the order of their digests, lazily."""
        return blob_keys(self._blobs)

    def size(self, key: BlobKey) -> int:
        """Return the bytes that a blob takes."""
        return self.locate(key).stat().st_size

    def remove_blob(self, key: BlobKey) -> None:
        """Remove a blob that no backup names."""
        self.locate(key).unlink(missing_ok=True)

    def set_aside(self, key: BlobKey) -> None:
        """Move a damaged blob to `damaged/`, so that the next backup takes it again; it stays on a read-only disk."""
        source = self.locate(key)
        try:
            self._damaged.mkdir(_FOLDER_MODE, exist_ok=True)
            source.rename(self._damaged / source.name)
        except OSError as exc:
            if exc.errno != errno.EROFS:
                raise

    def _make(self) -> None:
        make_durable_folder(self.root.parent)
        self.root.mkdir(_FOLDER_MODE, exist_ok=True)
        if any(path.name not in _OWN for path in self.root.iterdir()):
            raise StartRefused(f"{self.root} holds something else; name an empty directory, or one of backups.")
        for folder in (self._backups, self._blobs):
            folder.mkdir(_FOLDER_MODE, exist_ok=True)
        strange = sorted(path.name for path in self._backups.iterdir() if not is_backup_name(path.name))
        if strange:  # it may be a backup that was renamed: nobody would know which photos it needs
            raise StartRefused(
                f"{self._backups} holds {strange[0]!r}, which is no name of a backup; move it elsewhere."
            )
        make_blob_folders(self._blobs, _FOLDER_MODE)
        self._lock.touch(_FILE_MODE)
        for folder in (self.root, self.root.parent):
            sync_folder(folder)


@contextmanager
def reported(root: Path) -> Iterator[None]:
    """Turn an operating system's error into one of ours that names the directory of backups."""
    try:
        yield
    except OSError as exc:
        if exc.errno in FULL:
            raise StorageFull(f"No space is left for {root}. Earlier backups are unharmed.", **_room(root)) from exc
        raise StorageUnavailable(f"{root} or the data directory cannot be used.") from exc


def _room(root: Path) -> dict[str, int]:
    """Return the room on the disk of a folder; there may have been none for the folder itself."""
    state = os.statvfs(next(folder for folder in (root, *root.parents) if folder.exists()))
    return {"available": state.f_bavail * state.f_frsize}


def _take(lock: BinaryIO, kind: int, root: Path) -> None:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise StartRefused(f"Another command works on {root}.") from exc


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
