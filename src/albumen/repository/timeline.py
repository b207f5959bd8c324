"""How photos lie in time: how many came on each day, and ids at even distances by which a client can jump.

The counts of a whole dataset are in its tally (`datasets.py`); here are those that nobody keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from albumen.domain.datasets import Day
from albumen.domain.times import to_day
from albumen.repository.listing import shaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from albumen.repository.engine import Transaction
    from albumen.repository.listing import PageQuery

_DAYS = shaped(
    "SELECT p.uploaded_at / 86400000000 AS day, COUNT(*) AS photos FROM photo AS p",  # microseconds of a day
    " GROUP BY day ORDER BY day DESC",
)
_MARKS = shaped(
    """
    SELECT counted.id FROM (
        SELECT p.id, ROW_NUMBER() OVER (ORDER BY p.id DESC) AS position FROM photo AS p
    """,
    " ORDER BY p.id DESC LIMIT :limit) AS counted WHERE counted.position % :every = 0",
)


class TimelineRepository:
    """Reads table `photo` in the order of its indexes."""

    def days(self, tx: Transaction, query: PageQuery) -> Sequence[Day]:
        """Count the photos of each day of upload (UTC), newest first. Reads every one of them; `limit` is not used."""
        rows = tx.rows(_DAYS[query.shape], query.values())
        return [Day(to_day(int(row["day"])), int(row["photos"])) for row in rows]

    def marks(self, tx: Transaction, query: PageQuery, every: int) -> Sequence[str]:
        """Return the id of every so-manieth photo, newest first. Reads `limit` photos at most."""
        rows = tx.rows(_MARKS[query.shape], {**query.values(), "every": every})
        return sorted((row["id"] for row in rows), reverse=True)
