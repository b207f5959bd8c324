"""Background work per blob, and its results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam

from albumen.domain.photos import Blob, Metadata, PhotoHeader, Position
from albumen.domain.times import from_micros, to_micros
from albumen.repository.engine import statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping

    from albumen.repository.engine import Transaction

_ASK = statement("""
    INSERT INTO derivation (sha256, state, attempts, leased_until) VALUES (:sha256, 'pending', 0, 0)
    ON CONFLICT (sha256) DO UPDATE SET state = 'pending', attempts = 0, leased_until = 0, reason = NULL
    WHERE derivation.state = 'failed'
""")
_RETRY = statement("""
    UPDATE derivation SET state = 'pending', attempts = 0, leased_until = 0, reason = NULL WHERE state = 'failed'
""")
_RELEASE = statement("""
    UPDATE derivation SET leased_until = 0 WHERE state = 'pending' AND leased_until > :longest
""")
_CLAIM = statement("""
    UPDATE derivation SET leased_until = :until, attempts = attempts + 1
    WHERE sha256 IN (
        SELECT sha256 FROM derivation WHERE state = 'pending' AND leased_until < :now
        ORDER BY leased_until LIMIT :limit
    )
    RETURNING sha256, attempts
""")
_BLOBS = statement("""
    SELECT sha256, bytes, media_type, extension, width, height, frames FROM blob WHERE sha256 IN :digests
""").bindparams(bindparam("digests", expanding=True))
_FINISH = statement("""
    UPDATE derivation SET state = :state, leased_until = 0, reason = :reason WHERE sha256 = :sha256
""")
_DESCRIBE = statement("""
    UPDATE blob SET taken_at = :taken_at, camera = :camera, lens = :lens, latitude = :latitude,
                    longitude = :longitude, placeholder = :placeholder
    WHERE sha256 = :sha256
""")
_DETAILS = statement("""
    SELECT b.taken_at, b.camera, b.lens, b.latitude, b.longitude, v.state
    FROM blob AS b LEFT JOIN derivation AS v ON v.sha256 = b.sha256 WHERE b.sha256 = :sha256
""")
_PENDING = statement("SELECT COUNT(*) AS waiting FROM derivation WHERE state = 'pending'")
_IS_WAITING = statement("""
    SELECT sha256 FROM derivation WHERE state = 'pending' AND leased_until < :now
    UNION ALL
    SELECT sha256 FROM derivation WHERE state = 'pending' AND leased_until > :longest
    LIMIT 1
""")

LONGEST_LEASE = timedelta(hours=1)  # one that lasts longer was given before the clock jumped back


@dataclass(frozen=True, slots=True)
class Task:
    """A blob to work on, and the how-manieth attempt this is."""

    blob: Blob
    attempt: int


@dataclass(frozen=True, slots=True)
class Description:
    """What the background work found out about a blob, and its state: pending, done or failed."""

    metadata: Metadata
    state: str


class DerivationRepository:
    """The aggregate of table `derivation`, with the derived columns of `blob`."""

    def ask(self, tx: Transaction, digests: Iterable[str]) -> None:
        """Ask for work on blobs that had none, or whose work failed: their bytes may be sound now."""
        tx.run_many(_ASK, [{"sha256": sha256} for sha256 in digests])

    def retry(self, tx: Transaction) -> int:
        """Ask again for all work that failed; return on how many blobs."""
        return tx.run(_RETRY, {})

    def claim(self, tx: Transaction, now: datetime, until: datetime, limit: int) -> Sequence[Task]:
        """Lease up to `limit` pending blobs until a time; a lease that ran out is claimed again."""
        tx.run(_RELEASE, {"longest": _longest(now)})
        claimed = tx.rows(_CLAIM, {"now": to_micros(now), "until": to_micros(until), "limit": limit})
        attempts = {row["sha256"]: int(row["attempts"]) for row in claimed}
        blobs = tx.rows(_BLOBS, {"digests": list(attempts)})
        return [Task(_blob(row), attempts[row["sha256"]]) for row in blobs]

    def finish(self, tx: Transaction, sha256: str, metadata: Metadata, placeholder: str) -> None:
        """Store what was derived and mark the work as done."""
        tx.run(_DESCRIBE, {"sha256": sha256, "placeholder": placeholder, **_metadata_values(metadata)})
        tx.run(_FINISH, {"sha256": sha256, "state": "done", "reason": None})

    def fail(self, tx: Transaction, sha256: str, reason: str) -> None:
        """Remember that nothing can be derived from a blob, and why."""
        tx.run(_FINISH, {"sha256": sha256, "state": "failed", "reason": reason})

    def describe(self, tx: Transaction, sha256: str) -> Description:
        """Return what is known of a blob that exists."""
        row = tx.row(_DETAILS, {"sha256": sha256})
        if row is None:
            return Description(Metadata(), "pending")
        return Description(_metadata(row), row["state"] or "pending")

    def is_waiting(self, tx: Transaction, now: datetime) -> bool:
        """Tell whether a pending blob can be claimed."""
        return tx.row(_IS_WAITING, {"now": to_micros(now), "longest": _longest(now)}) is not None

    def pending(self, tx: Transaction) -> int:
        """Return how many blobs wait for background work."""
        row = tx.row(_PENDING, {})
        return int(row["waiting"]) if row else 0


def _longest(now: datetime) -> int:
    """Return the latest end of a lease that was given by a clock that goes right."""
    return to_micros(now + LONGEST_LEASE)


def _blob(row: RowMapping) -> Blob:
    header = PhotoHeader(row["media_type"], row["extension"], row["width"], row["height"], row["frames"])
    return Blob(row["sha256"], row["bytes"], header)


def _metadata_values(metadata: Metadata) -> dict[str, object]:
    position = metadata.position
    taken_at = metadata.taken_at
    return {
        "taken_at": None if taken_at is None else to_micros(taken_at.replace(tzinfo=UTC)),
        "camera": metadata.camera,
        "lens": metadata.lens,
        "latitude": position.latitude if position else None,
        "longitude": position.longitude if position else None,
    }


def _metadata(row: RowMapping) -> Metadata:
    taken_at = None if row["taken_at"] is None else from_micros(row["taken_at"]).replace(tzinfo=None)
    has_position = row["latitude"] is not None and row["longitude"] is not None
    position = Position(row["latitude"], row["longitude"]) if has_position else None
    return Metadata(taken_at, row["camera"], row["lens"], position)
