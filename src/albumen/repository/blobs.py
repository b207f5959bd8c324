"""Blobs as housekeeping sees them: which the store must hold, and which no photo needs any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam

from albumen.domain.photos import BlobKey
from albumen.repository.engine import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from albumen.repository.engine import Transaction

_UNUSED = statement("""
    SELECT b.sha256, b.extension FROM blob AS b
    WHERE b.sha256 > :after AND NOT EXISTS (SELECT 1 FROM photo AS p WHERE p.sha256 = b.sha256)
    ORDER BY b.sha256 LIMIT :limit
""")
_STILL_UNUSED = statement("""
    SELECT b.sha256 FROM blob AS b
    WHERE b.sha256 IN :digests AND NOT EXISTS (SELECT 1 FROM photo AS p WHERE p.sha256 = b.sha256)
""").bindparams(bindparam("digests", expanding=True))
_STORED = statement("""
    SELECT sha256, extension, bytes FROM blob WHERE sha256 > :after ORDER BY sha256 LIMIT :limit
""")
_EXISTING = statement("SELECT sha256 FROM blob WHERE sha256 IN :digests").bindparams(
    bindparam("digests", expanding=True)
)
_NAMED = statement("""
    SELECT p.id, p.name, d.slug FROM photo AS p JOIN dataset AS d ON d.id = p.dataset_id
    WHERE p.sha256 = :sha256
""")
_TOTALS = statement("SELECT COUNT(*) AS blobs, COALESCE(SUM(bytes), 0) AS bytes FROM blob")
_PHOTOS = statement("SELECT COUNT(*) AS photos FROM photo WHERE deleted_at IS NULL")
_DROP_DERIVATION = statement("DELETE FROM derivation WHERE sha256 = :sha256")
_DROP_BLOB = statement("DELETE FROM blob WHERE sha256 = :sha256")


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob that the database expects in the store."""

    key: BlobKey
    bytes: int


class PhotoPlace(NamedTuple):
    """Where a photo is found: its dataset, its name there, its id."""

    dataset: str
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class BlobTotals:
    """How much the store should hold."""

    blobs: int
    bytes: int


class BlobRepository:
    """Table `blob`, seen from the store's side."""

    def unused(self, tx: Transaction, after: str, limit: int) -> Sequence[BlobKey]:
        """Return up to `limit` blobs that no photo refers to, not even one in the trash, those after `after`.

        They come in the order of their digests. Reads all rows between them, a million in 0.3 s: not for a write.
        """
        rows = tx.rows(_UNUSED, {"after": after, "limit": limit})
        return [BlobKey(row["sha256"], row["extension"]) for row in rows]

    def drop_unused(self, tx: Transaction, digests: Sequence[str]) -> frozenset[str]:
        """Forget those of these blobs that no photo refers to, and their background work; return which they were."""
        dropped = frozenset(row["sha256"] for row in tx.rows(_STILL_UNUSED, {"digests": list(digests)}))
        values = [{"sha256": sha256} for sha256 in dropped]
        tx.run_many(_DROP_DERIVATION, values)
        tx.run_many(_DROP_BLOB, values)
        return dropped

    def stored(self, tx: Transaction, after: str, limit: int) -> Sequence[StoredBlob]:
        """Return up to `limit` blobs in the order of their digests, those after `after`."""
        rows = tx.rows(_STORED, {"after": after, "limit": limit})
        return [StoredBlob(BlobKey(row["sha256"], row["extension"]), row["bytes"]) for row in rows]

    def existing(self, tx: Transaction, digests: Sequence[str]) -> frozenset[str]:
        """Return which of these digests the database knows."""
        return frozenset(row["sha256"] for row in tx.rows(_EXISTING, {"digests": list(digests)}))

    def places(self, tx: Transaction, sha256: str) -> Sequence[PhotoPlace]:
        """Return the photos that have these bytes, the oldest first, those in the trash as well."""
        rows = tx.rows(_NAMED, {"sha256": sha256})
        return sorted((PhotoPlace(row["slug"], row["name"], row["id"]) for row in rows), key=lambda place: place.id)

    def totals(self, tx: Transaction) -> BlobTotals:
        """Count all blobs; reads the whole table."""
        row = tx.row(_TOTALS, {})
        return BlobTotals(int(row["blobs"]), int(row["bytes"])) if row else BlobTotals(0, 0)

    def photos(self, tx: Transaction) -> int:
        """Count the photos that refer to blobs, without those in the trash; reads a whole index."""
        row = tx.row(_PHOTOS, {})
        return int(row["photos"]) if row else 0
