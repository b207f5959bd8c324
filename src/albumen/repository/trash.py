"""Photos on their way to the trash and back, many at once: a constant number of statements for any number of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam

from albumen.domain.times import from_micros, to_micros
from albumen.repository.engine import statement
from albumen.repository.listing import AFTER_ALL_IDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import BindParameter, RowMapping

    from albumen.repository.engine import Transaction

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_LIVE = statement("""
    SELECT p.id, p.dataset_id, p.sha256, p.uploaded_at, b.bytes FROM photo AS p JOIN blob AS b ON b.sha256 = p.sha256
    WHERE p.id IN :ids AND p.deleted_at IS NULL ORDER BY p.id DESC
""").bindparams(_IDS)
_TRASHED = statement("""
    SELECT p.id, p.dataset_id, p.sha256, p.uploaded_at, b.bytes FROM photo AS p JOIN blob AS b ON b.sha256 = p.sha256
    WHERE p.id IN :ids AND p.deleted_at IS NOT NULL ORDER BY p.id DESC
""").bindparams(_IDS)
_TWINS = statement("""
    SELECT p.id, live.id AS twin FROM photo AS p
    JOIN photo AS live ON live.dataset_id = p.dataset_id AND live.sha256 = p.sha256 AND live.deleted_at IS NULL
    WHERE p.id IN :ids AND p.deleted_at IS NOT NULL
""").bindparams(_IDS)
_DELETE = statement("UPDATE photo SET deleted_at = :at WHERE id IN :ids AND deleted_at IS NULL").bindparams(_IDS)
_RESTORE = statement("UPDATE photo SET deleted_at = NULL WHERE id IN :ids AND deleted_at IS NOT NULL").bindparams(_IDS)
_EXPIRED = statement("""
    SELECT id FROM photo WHERE deleted_at IS NOT NULL AND id < :cursor AND deleted_at < :before
    ORDER BY id DESC LIMIT :limit
""")
_PURGE = statement("DELETE FROM photo WHERE id IN :ids AND deleted_at < :before").bindparams(_IDS)


@dataclass(frozen=True, slots=True)
class MovedPhoto:
    """What the totals and the rule of one photo per dataset need of a photo that moves."""

    id: str
    dataset_id: int
    sha256: str
    uploaded_at: datetime
    bytes: int


class TrashRepository:
    """The column `deleted_at` of table `photo`."""

    def live(self, tx: Transaction, photo_ids: Sequence[str]) -> Sequence[MovedPhoto]:
        """Return those of the photos that are not in the trash, newest first."""
        return [_moved(row) for row in tx.rows(_LIVE, {"ids": photo_ids})]

    def trashed(self, tx: Transaction, photo_ids: Sequence[str]) -> Sequence[MovedPhoto]:
        """Return those of the photos that are in the trash, newest first."""
        return [_moved(row) for row in tx.rows(_TRASHED, {"ids": photo_ids})]

    def twins(self, tx: Transaction, photo_ids: Sequence[str]) -> Mapping[str, str]:
        """Return, for those in the trash whose dataset holds the same bytes outside of it, the id of that photo."""
        return {row["id"]: row["twin"] for row in tx.rows(_TWINS, {"ids": photo_ids})}

    def delete(self, tx: Transaction, photo_ids: Sequence[str], at: datetime) -> int:
        """Move photos to the trash; return how many were not there yet."""
        return tx.run(_DELETE, {"ids": photo_ids, "at": to_micros(at)})

    def restore(self, tx: Transaction, photo_ids: Sequence[str]) -> int:
        """Take photos out of the trash; return how many were there."""
        return tx.run(_RESTORE, {"ids": photo_ids})

    def expired(self, tx: Transaction, before: datetime, cursor: str | None, limit: int) -> Sequence[str]:
        """Return up to `limit` photos that went to the trash before a time, newest first, those before `cursor`.

        Reads all of the trash between them: not for a write.
        """
        values = {"before": to_micros(before), "cursor": cursor or AFTER_ALL_IDS, "limit": limit}
        return [row["id"] for row in tx.rows(_EXPIRED, values)]

    def purge(self, tx: Transaction, photo_ids: Sequence[str], before: datetime) -> int:
        """Delete for good those of the photos that went to the trash before a time; return how many."""
        return tx.run(_PURGE, {"ids": photo_ids, "before": to_micros(before)})


def _moved(row: RowMapping) -> MovedPhoto:
    return MovedPhoto(row["id"], row["dataset_id"], row["sha256"], from_micros(row["uploaded_at"]), row["bytes"])
