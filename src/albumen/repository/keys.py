"""API keys."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from albumen.domain.access import Key, Role
from albumen.domain.times import from_micros, to_micros
from albumen.repository.engine import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping

    from albumen.repository.engine import Transaction

_ADD = statement("""
    INSERT INTO api_key (id, name, role, digest, created_at) VALUES (:id, :name, :role, :digest, :created_at)
""")
_ONE = statement("SELECT id, name, role, digest, created_at, revoked_at, used_on FROM api_key WHERE id = :id")
_ALL = statement("""
    SELECT id, name, role, digest, created_at, revoked_at, used_on FROM api_key ORDER BY created_at, id
""")
_ANY = statement("SELECT id FROM api_key LIMIT 1")
_REVOKE = statement("UPDATE api_key SET revoked_at = :at WHERE id = :id AND revoked_at IS NULL")
_NOTE_USE = statement("UPDATE api_key SET used_on = :day WHERE id = :id AND (used_on IS NULL OR used_on < :day)")


class KeyRepository:
    """The aggregate of table `api_key`."""

    def add(self, tx: Transaction, key: Key) -> None:
        """Insert a key."""
        values = {"id": key.id, "name": key.name, "role": key.role.label, "digest": key.digest}
        tx.run(_ADD, {**values, "created_at": to_micros(key.created_at)})

    def find(self, tx: Transaction, key_id: str) -> Key | None:
        """Return a key, revoked or not, or None."""
        row = tx.row(_ONE, {"id": key_id})
        return _key(row) if row else None

    def all(self, tx: Transaction) -> Sequence[Key]:
        """Return all keys, the oldest first."""
        return [_key(row) for row in tx.rows(_ALL, {})]

    def exist(self, tx: Transaction) -> bool:
        """Tell whether a key was ever made, revoked ones too."""
        return tx.row(_ANY, {}) is not None

    def revoke(self, tx: Transaction, key_id: str, at: datetime) -> bool:
        """Revoke a key; tell whether there was one to revoke."""
        return tx.run(_REVOKE, {"id": key_id, "at": to_micros(at)}) == 1

    def note_uses(self, tx: Transaction, days: Mapping[str, date]) -> None:
        """Note the day of a use for each key of that id, unless a later one is noted."""
        tx.run_many(_NOTE_USE, [{"id": key_id, "day": day.isoformat()} for key_id, day in days.items()])


def _key(row: RowMapping) -> Key:
    revoked_at = None if row["revoked_at"] is None else from_micros(row["revoked_at"])
    used_on = None if row["used_on"] is None else date.fromisoformat(row["used_on"])
    role = Role[row["role"].upper()]
    return Key(row["id"], row["name"], role, row["digest"], from_micros(row["created_at"]), revoked_at, used_on)
