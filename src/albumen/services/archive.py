"""What is done with backups later: check them, and restore one into a new data directory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.domain.photos import key_of
from albumen.errors import BlobDamaged, StartRefused
from albumen.services.inventory import in_steps, stored_in_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from albumen.domain.backups import Manifest
    from albumen.domain.photos import BlobKey
    from albumen.repository.blobs import BlobRepository, StoredBlob
    from albumen.repository.engine import Database
    from albumen.services.backup import Progress
    from albumen.storage.backup import BackupFolder
    from albumen.storage.restore import RestoreFolder

STEP = 500
READS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class BadBlob:
    """A blob of a backup without sound bytes: whether they are `missing`, else they are damaged."""

    sha256: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found: names of all backups, and of those with a damaged database; blobs read, and the bad ones."""

    backups: Sequence[str]
    damaged: Sequence[str]
    blobs: int
    bad: Sequence[BadBlob]


@dataclass(frozen=True, slots=True)
class Restored:
    """What `restore` brought back, and the blobs that it could not."""

    name: str
    manifest: Manifest
    bad: Sequence[BadBlob]


class Archive:
    """Reads one directory of backups."""

    def __init__(self, folder: BackupFolder, blobs: BlobRepository, open_copy: Callable[[Path], Database]) -> None:
        self._folder = folder
        self._blobs = blobs
        self._open_copy = open_copy

    def verify(self, progress: Progress) -> Verified:
        """Read every database and every blob and compare them with their SHA-256.

        Damaged blobs are set aside, so that the next backup takes them again; missing ones it takes anyway.

        Raises:
            StartRefused: There is no backup, or a backup runs.
        """
        with self._folder.reading():
            names = self._folder.backups()
            damaged = [name for name in names if not self._folder.has_sound_database(name)]
            missing = {sha256 for name in names if name not in damaged for sha256 in self._missing(name)}
            read, bad = self._read_all(progress)
        return Verified(names, damaged, read, [*bad, *(BadBlob(sha256, missing=True) for sha256 in sorted(missing))])

    def restore(self, target: RestoreFolder, wanted: str | None, progress: Progress) -> Restored:
        """Copy a backup, the newest unless one is named, into a new data directory, comparing every SHA-256.

        Blobs without sound bytes do not stop it. Cut off, it goes on from there when it is called again.

        Raises:
            StartRefused: No such backup, its database is damaged, or the data directory is not empty.
            StorageFull, StorageUnavailable: The data directory cannot be written to.
        """
        with self._folder.reading(), target.writing():
            name = self._choose(wanted)
            manifest = self._folder.manifest(name)
            if not self._take_database(name, manifest, target):
                raise StartRefused(f"The database of the backup {name} is damaged. {self._others(name)}")
            with closing(self._open_copy(self._folder.database(name))) as copy, progress(manifest.bytes) as advance:
                bad = list(self._restore_all(copy, target, advance))
            target.finish()
        return Restored(name, manifest, bad)

    def _choose(self, wanted: str | None) -> str:
        names = self._folder.backups()
        if wanted is not None and wanted not in names:
            raise StartRefused(f"There is no backup {wanted}. {self._others(wanted)}")
        return wanted or names[-1]

    def _others(self, name: str) -> str:
        others = [other for other in self._folder.backups() if other != name]
        return f"There are: {', '.join(others)}." if others else "There is no other."

    def _take_database(self, name: str, manifest: Manifest, target: RestoreFolder) -> bool:
        """Copy the database; False when there is none, or it is another than it was."""
        try:
            return target.take_database(self._folder.database(name)) == manifest.database_sha256
        except (BlobDamaged, FileNotFoundError):
            return False

    def _stored(self, copy: Database) -> Iterator[Sequence[StoredBlob]]:
        """Yield what a backup names. Raises StartRefused for names that lead anywhere else: they become paths."""
        for step in stored_in_steps(copy, self._blobs, STEP):
            if any(key_of(blob.key.file_name) is None for blob in step):
                raise StartRefused("The database of the backup names files that are no photos; others have changed it.")
            yield step

    def _restore_all(self, copy: Database, target: RestoreFolder, advance: Callable[[int], None]) -> Iterator[BadBlob]:
        with ThreadPoolExecutor(READS_AT_ONCE, "albumen-restore") as pool:
            for step in self._stored(copy):
                for blob, bad in zip(step, pool.map(lambda blob: self._restore(blob, target), step), strict=True):
                    advance(blob.bytes)
                    if bad is not None:
                        yield bad

    def _restore(self, blob: StoredBlob, target: RestoreFolder) -> BadBlob | None:
        if target.has(blob.key, blob.bytes):
            return None
        try:
            target.take(blob.key, self._folder.locate(blob.key))
        except (BlobDamaged, FileNotFoundError) as exc:
            return BadBlob(blob.key.sha256, missing=isinstance(exc, FileNotFoundError))
        return None

    def _missing(self, name: str) -> Iterator[str]:
        """Yield the digests of blobs that a backup names and that are not there."""
        with closing(self._open_copy(self._folder.database(name))) as copy:
            for step in self._stored(copy):
                yield from (blob.key.sha256 for blob in step if not self._folder.locate(blob.key).exists())

    def _read_all(self, progress: Progress) -> tuple[int, Sequence[BadBlob]]:
        """Read every blob; return how many there are, and the damaged ones."""
        count, bad = 0, []
        total = sum(map(self._folder.size, self._folder.keys()))
        with progress(total) as advance, ThreadPoolExecutor(READS_AT_ONCE, "albumen-verify") as pool:
            for step in in_steps(self._folder.keys(), STEP):
                for key, is_sound in zip(step, pool.map(self._folder.is_sound, step), strict=True):
                    advance(self._folder.size(key))
                    count += 1
                    if not is_sound:
                        bad.append(self._set_aside(key))
        return count, bad

    def _set_aside(self, key: BlobKey) -> BadBlob:
        self._folder.set_aside(key)
        return BadBlob(key.sha256, missing=False)
