"""How photos lie in time, so that a client can size a whole scroll area and jump to any place of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.errors import InvalidParameter
from albumen.services.listing import check_page, page_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from albumen.domain.datasets import Day
    from albumen.repository.datasets import DatasetRepository
    from albumen.repository.engine import Database, Transaction
    from albumen.repository.listing import PageQuery
    from albumen.repository.timeline import TimelineRepository
    from albumen.services.listing import Listing

LEAST_STEP = 100
MOST_STEP = 10_000
DEFAULT_STEP = 1000
# What one answer may read. On two slow cores this takes 0.1 s, whatever the size of the set.
MOST_READ = 100_000


@dataclass(frozen=True, slots=True)
class Marks:
    """Ids, newest first, that lie `every` photos apart, and the cursor to go on from when there may be more."""

    every: int
    marks: Sequence[str]
    next: str | None


class Timeline:
    """Counts photos by day and marks places among them."""

    def __init__(
        self,
        database: Database,
        datasets: DatasetRepository,
        timeline: TimelineRepository,
        *,
        most_read: int = MOST_READ,
    ) -> None:
        self._database = database
        self._datasets = datasets
        self._timeline = timeline
        self._most_read = most_read

    def days(self, listing: Listing) -> Sequence[Day]:
        """Return how many photos came on each day (UTC), newest first; of `listing` the span and the cursor are unused.

        Outside the trash and without a name they are read from the running totals; else every photo is looked at, and
        bytes are not added up. Raises InvalidParameter, DatasetNotFound.
        """
        check_page(listing)
        with self._database.reading() as tx:
            query = page_query(tx, self._datasets, listing, limit=0)
            if query.trash or query.name is not None:
                return self._timeline.days(tx, query)
            return self._totals(tx, query)

    def marks(self, listing: Listing, every: int) -> Marks:
        """Return the ids of the photos number `every`, 2 `every`, … of a list, of its first 100,000 photos at most.

        Each is a cursor: the page that begins there begins with the next photo. Raises InvalidParameter,
        DatasetNotFound.
        """
        check_page(listing)
        if not LEAST_STEP <= every <= MOST_STEP:
            raise InvalidParameter("every", f"a number from {LEAST_STEP} to {MOST_STEP}")
        read = self._most_read - self._most_read % every
        with self._database.reading() as tx:
            marks = self._timeline.marks(tx, page_query(tx, self._datasets, listing, read), every)
        return Marks(every, marks, marks[-1] if len(marks) == read // every else None)

    def _totals(self, tx: Transaction, query: PageQuery) -> Sequence[Day]:
        if query.dataset_id is None:
            return self._datasets.days(tx)
        return self._datasets.days_of(tx, query.dataset_id)
