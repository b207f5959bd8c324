"""What an operator runs: collect garbage, scrub the store, look at its state. Safe beside a running server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.errors import BlobDamaged
from albumen.services.inventory import expired_in_steps, in_steps, stored_in_steps, unused_in_steps
from albumen.storage.base import BlobMissing
from albumen.storage.copies import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta

    from albumen.domain.photos import BlobKey
    from albumen.repository.blobs import BlobRepository, BlobTotals, PhotoPlace, StoredBlob
    from albumen.repository.derivations import DerivationRepository
    from albumen.repository.engine import Database
    from albumen.repository.trash import TrashRepository
    from albumen.storage.base import BlobStore
    from albumen.storage.previews import PreviewStore

STEP = 500


@dataclass(frozen=True, slots=True)
class Collected:
    """What `collect` did, in numbers of photos, blobs and files. `missing` blobs have rows but no bytes."""

    purged: int
    unused: int
    orphans: int
    previews: int
    missing: int
    emptied: int


@dataclass(frozen=True, slots=True)
class Checked:
    """One blob that `scrub` read: whether its bytes are `sound`, else whether they are `missing`.

    A damaged one that is `stuck` lies where it lay: the disk did not let it be moved to quarantine.
    """

    blob: StoredBlob
    sound: bool
    missing: bool = False
    stuck: bool = False


class Housekeeping:
    """Keeps rows and bytes in step. Deletion is row, then blob; a blob goes to quarantine, not away."""

    def __init__(
        self,
        *,
        database: Database,
        trash: TrashRepository,
        blobs: BlobRepository,
        derivations: DerivationRepository,
        store: BlobStore,
        previews: PreviewStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._trash = trash
        self._blobs = blobs
        self._derivations = derivations
        self._store = store
        self._previews = previews
        self._clock = clock

    def collect(self, trash: timedelta, quarantine: timedelta) -> Collected:
        """Delete for good what is in the trash for longer than `trash`, and all bytes that no photo needs.

        Bytes stay in quarantine for `quarantine`.
        """
        return Collected(
            purged=self._purge(self._clock() - trash),
            unused=sum(self._drop_unused(step) for step in unused_in_steps(self._database, self._blobs, STEP)),
            orphans=sum(self._remove_orphans(step) for step in in_steps(self._store.keys(), STEP)),
            previews=sum(self._remove_previews(step) for step in in_steps(self._previews.digests(), STEP)),
            missing=sum(self._store.stat(blob.key) is None for blob in self._expected()),
            emptied=self._store.empty_quarantine(self._clock() - quarantine),
        )

    def totals(self) -> BlobTotals:
        """Count the blobs and bytes that the store should hold."""
        with self._database.reading() as tx:
            return self._blobs.totals(tx)

    def places(self, sha256: str) -> Sequence[PhotoPlace]:
        """Return the photos that need a blob, those in the trash as well."""
        with self._database.reading() as tx:
            return self._blobs.places(tx, sha256)

    def waiting(self) -> int:
        """Return how many blobs wait for background work."""
        with self._database.reading() as tx:
            return self._derivations.pending(tx)

    def scrub(self) -> Iterator[Checked]:
        """Read and hash every blob; a bad or unreadable one goes to quarantine, so that wrong bytes are never served.

        Uploading the photo again puts sound bytes in its place. One that `collect` took away meanwhile counts as sound.
        """
        for blob in self._expected():
            yield self._check(blob)

    def _check(self, blob: StoredBlob) -> Checked:
        try:
            is_sound = self._is_sound(blob.key) or self._is_healed(blob.key)
        except BlobMissing:
            is_needed = self._is_needed(blob.key)
            return Checked(blob, sound=not is_needed, missing=is_needed)
        except BlobDamaged:
            return Checked(blob, sound=False, stuck=True)
        return Checked(blob, sound=is_sound)

    def _is_needed(self, key: BlobKey) -> bool:
        with self._database.reading() as tx:
            return bool(self._blobs.existing(tx, [key.sha256]))

    def _is_healed(self, key: BlobKey) -> bool:
        """Look again while no upload can put sound bytes there; send the damaged ones to quarantine."""
        with self._store.sweeping():
            is_sound = self._is_sound(key)
            if not is_sound:
                self._store.delete(key)
        return is_sound

    def _is_sound(self, key: BlobKey) -> bool:
        """Read a blob; one that the disk cannot read is not sound. Raises BlobMissing."""
        try:
            with self._store.open(key) as file:
                return digest_of(file) == key.sha256
        except BlobMissing:
            raise
        except BlobDamaged:
            return False

    def _purge(self, before: datetime) -> int:
        """Delete photos for good in steps, so that no upload waits for long; one that was restored meanwhile stays."""
        purged = 0
        for step in expired_in_steps(self._database, self._trash, before, STEP):
            with self._database.writing() as tx:
                purged += self._trash.purge(tx, step, before)
        return purged

    def _expected(self) -> Iterator[StoredBlob]:
        for step in stored_in_steps(self._database, self._blobs, STEP):
            yield from step

    def _drop_unused(self, keys: Sequence[BlobKey]) -> int:
        """Remove those that no photo refers to: an upload may have brought one again since they were found."""
        with self._store.sweeping():
            with self._database.writing() as tx:
                dropped = self._blobs.drop_unused(tx, [key.sha256 for key in keys])
            unused = [key for key in keys if key.sha256 in dropped]
            self._store.delete(*unused)
            for key in unused:
                self._previews.delete(key.sha256)
        return len(unused)

    def _remove_orphans(self, keys: Sequence[BlobKey]) -> int:
        """Remove those bytes that have no row. Nobody is between blob and row while we sweep."""
        with self._store.sweeping():
            with self._database.reading() as tx:
                existing = self._blobs.existing(tx, [key.sha256 for key in keys])
            orphans = [key for key in keys if key.sha256 not in existing]
            self._store.delete(*orphans)
        return len(orphans)

    def _remove_previews(self, digests: Sequence[str]) -> int:
        """Remove previews of photos that are gone: one that was being made meanwhile is left behind."""
        with self._database.reading() as tx:
            existing = self._blobs.existing(tx, digests)
        gone = [sha256 for sha256 in digests if sha256 not in existing]
        for sha256 in gone:
            self._previews.delete(sha256)
        return len(gone)
