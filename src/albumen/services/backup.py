"""Backups of a store that is in use. The database is copied first, then the blobs that the copy names.

A row is written only after its blob is on disk, and while a backup runs nothing is deleted for good. So every photo
that was acknowledged before the backup began is in it, with its bytes, whatever uploads, `gc` and `scrub` do meanwhile.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen import __version__
from albumen.domain.backups import Manifest, backup_name
from albumen.domain.datasets import DEFAULT_DATASET
from albumen.domain.times import to_rfc3339
from albumen.errors import AlbumenError, BlobDamaged, StartRefused
from albumen.services.inventory import in_steps, stored_in_steps
from albumen.storage.copies import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from albumen.domain.photos import BlobKey
    from albumen.repository.blobs import BlobRepository, StoredBlob
    from albumen.repository.datasets import DatasetRepository
    from albumen.repository.engine import Database
    from albumen.storage.backup import BackupFolder
    from albumen.storage.base import BlobStore
    from albumen.storage.copies import Way

    Progress = Callable[[int], AbstractContextManager[Callable[[int], None]]]
    """Told the bytes of the whole work, it gives a function to call with the bytes of each part."""

STEP = 500
COPIES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was made: `new` blobs of `new_bytes` were taken, the others had been there."""

    name: str
    manifest: Manifest
    new: int
    new_bytes: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """Backups and blobs that were removed."""

    backups: int
    blobs: int


@dataclass(slots=True)
class _Tally:
    new: int = 0
    new_bytes: int = 0


class Backup:
    """Makes backups in one directory of backups, and removes old ones."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: BlobRepository,
        datasets: DatasetRepository,
        store: BlobStore,
        folder: BackupFolder,
        open_copy: Callable[[Path], Database],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._datasets = datasets
        self._store = store
        self._folder = folder
        self._open_copy = open_copy
        self._clock = clock

    def make(self, way: Way, progress: Progress) -> BackedUp:
        """Make a backup; it is on disk when this returns. Blobs that another backup has are not taken again.

        A blob without sound bytes does not stop it; the manifest names it.

        Raises:
            StartRefused: The directory holds something else, backups of another data directory, or another backup runs.
            StorageFull, StorageUnavailable: It cannot be written to, or the database is damaged.
        """
        with self._folder.writing(), self._store.retaining():
            self._database.copy_to(self._folder.draft())
            with closing(self._open_copy(self._folder.draft())) as copy:
                self._refuse_others(copy)
                return self._fill(copy, way, progress)

    def prune(self, keep: int) -> Pruned:
        """Remove all backups but the newest `keep`, and the blobs that no backup names any more.

        Raises:
            StartRefused: A backup that stays is damaged, so that nobody knows what it needs. Nothing is removed.
        """
        with self._folder.writing():
            names = self._folder.backups()
            gone, kept = names[:-keep], names[-keep:]
            self._refuse_damaged(kept)
            for name in gone:
                self._folder.remove(name)
            return Pruned(len(gone), self._remove_unnamed(kept))

    def _refuse_others(self, copy: Database) -> None:
        """Refuse to add to the backups of other photos: those would be pruned in time, one a night."""
        newest = max(self._folder.backups(), default=None)
        if newest is None or (began := self._began(newest)) is None:
            return
        with copy.reading() as tx:
            if self._datasets.get(tx, DEFAULT_DATASET).created_at == began:
                return
        raise StartRefused(
            f"{self._folder.root} holds backups of another data directory, begun {to_rfc3339(began)}. Is the disk with "
            "the photos mounted? If it is, back up into another directory."
        )

    def _began(self, name: str) -> datetime | None:
        """Return when the data directory of a backup was begun; None when its database cannot tell."""
        try:
            with closing(self._open_copy(self._folder.database(name))) as copy, copy.reading() as tx:
                return self._datasets.get(tx, DEFAULT_DATASET).created_at
        except AlbumenError:
            return None

    def _fill(self, copy: Database, way: Way, progress: Progress) -> BackedUp:
        with copy.reading() as tx:
            totals, photos = self._blobs.totals(tx), self._blobs.photos(tx)
        taken = _Tally()
        with progress(totals.bytes) as advance, ThreadPoolExecutor(COPIES_AT_ONCE, "albumen-backup") as pool:
            missing = tuple(
                sha256
                for step in stored_in_steps(copy, self._blobs, STEP)
                for sha256 in self._take_all(step, way, pool, taken, advance)
            )
        draft = self._folder.draft()
        manifest = Manifest(
            albumen=__version__,
            photos=photos,
            blobs=totals.blobs,
            bytes=totals.bytes,
            database_bytes=draft.stat().st_size,
            database_sha256=sha256_of(draft),
            missing=missing,
        )
        name = backup_name(self._clock(), max(self._folder.backups(), default=None))
        self._folder.publish(name, manifest)
        return BackedUp(name, manifest, taken.new, taken.new_bytes)

    def _take_all(
        self,
        step: Sequence[StoredBlob],
        way: Way,
        pool: ThreadPoolExecutor,
        taken: _Tally,
        advance: Callable[[int], None],
    ) -> Sequence[str]:
        """Take the blobs of a step that are not there yet; return the digests of those without sound bytes."""
        new = [blob for blob in step if not self._folder.has(blob.key, blob.bytes)]
        advance(sum(blob.bytes for blob in step) - sum(blob.bytes for blob in new))
        missing = []
        for blob, is_taken in zip(new, pool.map(lambda blob: self._take(blob, way), new), strict=True):
            advance(blob.bytes)
            if is_taken:
                taken.new += 1
                taken.new_bytes += blob.bytes
            else:
                missing.append(blob.key.sha256)
        return missing

    def _take(self, blob: StoredBlob, way: Way) -> bool:
        """Take a blob; False when it has no sound bytes anywhere."""
        try:
            self._folder.take(blob.key, self._store.sources(blob.key), way)
        except BlobDamaged:
            return False
        return True

    def _refuse_damaged(self, names: Sequence[str]) -> None:
        for name in names:
            if not self._folder.has_sound_database(name):
                raise StartRefused(f"The database of the backup {name} is damaged. Nothing was removed.")

    def _remove_unnamed(self, kept: Sequence[str]) -> int:
        with ExitStack() as stack:
            copies = [stack.enter_context(closing(self._open_copy(self._folder.database(name)))) for name in kept]
            return sum(self._remove_step(step, copies) for step in in_steps(self._folder.keys(), STEP))

    def _remove_step(self, step: Sequence[BlobKey], copies: Sequence[Database]) -> int:
        """Remove those blobs of a step that none of the databases names; return how many."""
        digests = [key.sha256 for key in step]
        named = frozenset[str]().union(*(self._named(copy, digests) for copy in copies))
        unnamed = [key for key in step if key.sha256 not in named]
        for key in unnamed:
            self._folder.remove_blob(key)
        return len(unnamed)

    def _named(self, copy: Database, digests: Sequence[str]) -> frozenset[str]:
        with copy.reading() as tx:
            return self._blobs.existing(tx, digests)
