"""Datasets and their running totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from albumen.domain.datasets import Dataset, Day
from albumen.domain.times import from_micros, to_micros
from albumen.errors import DatasetNotFound
from albumen.repository.engine import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping

    from albumen.repository.engine import Transaction

_ADD = statement("""
    INSERT INTO dataset (id, slug, name, created_at)
    SELECT COALESCE(MAX(id), 0) + 1, CAST(:slug AS TEXT), CAST(:name AS TEXT), CAST(:created_at AS BIGINT) FROM dataset
    WHERE TRUE
    ON CONFLICT (slug) DO NOTHING
""")
_RENAME = statement("UPDATE dataset SET name = :name WHERE slug = :slug")
_ID = statement("SELECT id FROM dataset WHERE slug = :slug")
_SELECT = """
    SELECT
        d.slug, d.name, d.created_at,
        (SELECT COALESCE(SUM(t.photos), 0) FROM tally AS t WHERE t.dataset_id = d.id) AS photos,
        (SELECT COALESCE(SUM(t.bytes), 0) FROM tally AS t WHERE t.dataset_id = d.id) AS bytes
    FROM dataset AS d
"""
_PAGE = statement(_SELECT + " WHERE d.slug > :cursor ORDER BY d.slug LIMIT :limit")
_ONE = statement(_SELECT + " WHERE d.slug = :slug")
_DAYS = statement("""
    SELECT day, SUM(photos) AS photos, SUM(bytes) AS bytes
    FROM tally GROUP BY day HAVING SUM(photos) > 0 ORDER BY day DESC
""")
_DAYS_OF = statement("""
    SELECT day, photos, bytes FROM tally WHERE dataset_id = :dataset_id AND photos > 0 ORDER BY day DESC
""")
_TALLY = statement("""
    INSERT INTO tally (dataset_id, day, photos, bytes) VALUES (:dataset_id, :day, :photos, :bytes)
    ON CONFLICT (dataset_id, day) DO UPDATE
    SET photos = tally.photos + excluded.photos, bytes = tally.bytes + excluded.bytes
""")


class DatasetRepository:
    """The aggregate of table `dataset` and table `tally`."""

    def add(self, tx: Transaction, slug: str, name: str, created_at: datetime) -> bool:
        """Add a dataset unless the slug is taken; tell whether it was added."""
        return tx.run(_ADD, {"slug": slug, "name": name, "created_at": to_micros(created_at)}) == 1

    def rename(self, tx: Transaction, slug: str, name: str) -> None:
        """Give a dataset another name. Raises DatasetNotFound."""
        if tx.run(_RENAME, {"slug": slug, "name": name}) == 0:
            raise _no_dataset(slug)

    def get_id(self, tx: Transaction, slug: str) -> int:
        """Return the internal number of a dataset. Raises DatasetNotFound."""
        row = tx.row(_ID, {"slug": slug})
        if row is None:
            raise _no_dataset(slug)
        return int(row["id"])

    def page(self, tx: Transaction, cursor: str, limit: int) -> Sequence[Dataset]:
        """Return at most `limit` datasets by slug, those after the slug `cursor`, with their totals."""
        return [_dataset(row) for row in tx.rows(_PAGE, {"cursor": cursor, "limit": limit})]

    def get(self, tx: Transaction, slug: str) -> Dataset:
        """Return one dataset with its totals. Raises DatasetNotFound."""
        row = tx.row(_ONE, {"slug": slug})
        if row is None:
            raise _no_dataset(slug)
        return _dataset(row)

    def days(self, tx: Transaction) -> Sequence[Day]:
        """Return totals by day of upload, newest first."""
        return [_day(row) for row in tx.rows(_DAYS, {})]

    def days_of(self, tx: Transaction, dataset_id: int) -> Sequence[Day]:
        """Return totals of one dataset by day of upload, newest first."""
        return [_day(row) for row in tx.rows(_DAYS_OF, {"dataset_id": dataset_id})]

    def count(self, tx: Transaction, changes: Sequence[Mapping[str, object]]) -> None:
        """Add `photos` and `bytes` (which may be negative) to the totals of `dataset_id` and `day`."""
        tx.run_many(_TALLY, changes)


def _no_dataset(slug: str) -> DatasetNotFound:
    return DatasetNotFound(f"There is no dataset '{slug}'.", dataset=slug)


def _dataset(row: RowMapping) -> Dataset:
    return Dataset(row["slug"], row["name"], from_micros(row["created_at"]), int(row["photos"]), int(row["bytes"]))


def _day(row: RowMapping) -> Day:
    return Day(row["day"], int(row["photos"]), int(row["bytes"]))
