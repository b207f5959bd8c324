"""The trash: photos go there and come back, many in one transaction, and the totals with them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from albumen.repository.datasets import DatasetRepository
    from albumen.repository.engine import Database, Transaction
    from albumen.repository.trash import MovedPhoto, TrashRepository

MOST_MOVED = 1000


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of the photos that were to move: ids, in the order in which they were named.

    `missing` were not where they should have been. `twins` are photos that stay in the trash because their dataset
    holds the same bytes; the value is the id of the photo that it holds.
    """

    done: Sequence[str]
    missing: Sequence[str]
    twins: Mapping[str, str] = field(default_factory=dict)


class Trash:
    """Moves photos. No call takes more than `MOST_MOVED`, so that the database is never busy for long."""

    def __init__(
        self, database: Database, trash: TrashRepository, datasets: DatasetRepository, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._trash = trash
        self._datasets = datasets
        self._clock = clock

    def delete(self, photo_ids: Sequence[str]) -> Moved:
        """Move photos to the trash, each id named once; those that are there already are missing."""
        with self._database.writing() as tx:
            photos = self._trash.live(tx, photo_ids)
            self._trash.delete(tx, [photo.id for photo in photos], self._clock())
            self._count(tx, photos, -1)
        return _told(photo_ids, photos, {})

    def restore(self, photo_ids: Sequence[str]) -> Moved:
        """Take photos out of the trash, each id named once. Of those with the same bytes, the newest comes back."""
        with self._database.writing() as tx:
            trashed = self._trash.trashed(tx, photo_ids)
            twins = _with_twins_among(trashed, self._trash.twins(tx, photo_ids))
            photos = [photo for photo in trashed if photo.id not in twins]
            self._trash.restore(tx, [photo.id for photo in photos])
            self._count(tx, photos, 1)
        return _told(photo_ids, photos, twins)

    def _count(self, tx: Transaction, photos: Sequence[MovedPhoto], sign: int) -> None:
        """Change the totals of every dataset and day that the photos belong to."""
        numbers: Counter[tuple[int, str]] = Counter()
        sizes: Counter[tuple[int, str]] = Counter()
        for photo in photos:
            place = (photo.dataset_id, photo.uploaded_at.date().isoformat())
            numbers[place] += sign
            sizes[place] += sign * photo.bytes
        changes = [
            {"dataset_id": place[0], "day": place[1], "photos": numbers[place], "bytes": sizes[place]}
            for place in numbers
        ]
        self._datasets.count(tx, changes)


def _with_twins_among(trashed: Sequence[MovedPhoto], twins: Mapping[str, str]) -> Mapping[str, str]:
    """Add those that are twins of one another: a dataset holds the same bytes once."""
    found = dict(twins)
    first: dict[tuple[int, str], str] = {}
    for photo in trashed:
        if photo.id not in found:
            kept = first.setdefault((photo.dataset_id, photo.sha256), photo.id)
            if kept != photo.id:
                found[photo.id] = kept
    return found


def _told(asked: Sequence[str], moved: Sequence[MovedPhoto], twins: Mapping[str, str]) -> Moved:
    done = {photo.id for photo in moved}
    missing = [photo_id for photo_id in asked if photo_id not in done and photo_id not in twins]
    return Moved([photo_id for photo_id in asked if photo_id in done], missing, twins)
