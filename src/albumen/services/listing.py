"""What a caller may ask a list for, checked and turned into what the repository looks up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.domain.ids import first_id_at, is_photo_id
from albumen.domain.names import LONGEST_NAME
from albumen.errors import InvalidParameter
from albumen.repository.listing import PageQuery

if TYPE_CHECKING:
    from datetime import datetime

    from albumen.repository.datasets import DatasetRepository
    from albumen.repository.engine import Transaction

MOST_PER_PAGE = 1000
DEFAULT_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """What to list: of one dataset or all, whose name contains a text, from the trash or not, within a span of time.

    The span holds what was uploaded from `since` on and before `before`, to the millisecond. It and `cursor` go by
    the time within the ids, which is the time of the upload.
    """

    dataset: str | None = None
    name: str | None = None
    cursor: str | None = None
    limit: int = DEFAULT_PER_PAGE
    trash: bool = False
    since: datetime | None = None
    before: datetime | None = None


def check_limit(limit: int) -> None:
    """Raise InvalidParameter for a limit of a page that is not allowed."""
    if not 1 <= limit <= MOST_PER_PAGE:
        raise InvalidParameter("limit", f"a number from 1 to {MOST_PER_PAGE}")


def check_page(listing: Listing) -> None:
    """Raise InvalidParameter for a limit, a cursor or a search that is not allowed."""
    check_limit(listing.limit)
    if listing.cursor is not None and not is_photo_id(listing.cursor):
        raise InvalidParameter("cursor", "a cursor from an earlier page")
    if listing.name is not None and len(listing.name) > LONGEST_NAME:
        raise InvalidParameter("name", f"at most {LONGEST_NAME} characters")


def page_query(tx: Transaction, datasets: DatasetRepository, listing: Listing, limit: int) -> PageQuery:
    """Return what the repository looks up, `limit` rows of it. Raises DatasetNotFound."""
    dataset_id = datasets.get_id(tx, listing.dataset) if listing.dataset else None
    since = None if listing.since is None else first_id_at(listing.since)
    return PageQuery(limit, _start(listing), dataset_id, listing.name or None, listing.trash, since)


def _start(listing: Listing) -> str | None:
    """Return the id below which the list begins: the earlier of cursor and moment."""
    starts = [] if listing.before is None else [first_id_at(listing.before)]
    return min([*starts, listing.cursor] if listing.cursor else starts, default=None)
