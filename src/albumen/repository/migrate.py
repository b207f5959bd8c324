"""Bring the schema up to date: numbered SQL files, all in one transaction, remembered in `schema_version`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from albumen.errors import StartRefused
from albumen.repository.engine import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from albumen.repository.engine import Database, Transaction

_CREATE = statement("""
    CREATE TABLE IF NOT EXISTS schema_version (
        version INTEGER PRIMARY KEY,
        subject TEXT    NOT NULL
    )
""")
_CURRENT = statement("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version")
_REMEMBER = statement("INSERT INTO schema_version (version, subject) VALUES (:version, :subject)")

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change of the schema."""

    version: int
    subject: str
    sql: str


def known_migrations() -> Sequence[Migration]:
    """Return every migration that this version of Albumen carries, in order."""
    folder = resources.files("albumen.repository") / "migrations"
    found = ((_FILE_NAME.fullmatch(item.name), item) for item in folder.iterdir())
    return sorted(
        (Migration(int(match[1]), match[2], item.read_text("utf-8")) for match, item in found if match),
        key=lambda migration: migration.version,
    )


def migrate(database: Database) -> Sequence[Migration]:
    """Apply what is missing and return it. Safe to run from several processes at once.

    Raises:
        StartRefused: The schema is newer than this version of Albumen knows.
    """
    migrations = known_migrations()
    with database.writing() as tx:
        tx.run(_CREATE, {})
        current = _current_version(tx)
        _refuse_newer(current, migrations[-1].version)
        missing = [migration for migration in migrations if migration.version > current]
        for migration in missing:
            _apply(tx, migration)
    return missing


def schema_version(database: Database) -> int:
    """Return the version of the schema in the database; 0 before the first migration."""
    with database.writing() as tx:
        tx.run(_CREATE, {})
        return _current_version(tx)


def _current_version(tx: Transaction) -> int:
    row = tx.row(_CURRENT, {})
    return int(row["version"]) if row else 0


def _refuse_newer(current: int, newest: int) -> None:
    if current > newest:
        raise StartRefused(
            f"The database has schema {current}, this version of Albumen knows {newest}. "
            "Install the newer version again, or restore a backup made before the upgrade."
        )


def _apply(tx: Transaction, migration: Migration) -> None:
    for sql in _split(migration.sql):
        tx.script(sql)
    tx.run(_REMEMBER, {"version": migration.version, "subject": migration.subject})


def _split(sql: str) -> Sequence[str]:
    """Cut a file into statements: each ends with a semicolon at the end of a line; comments go."""
    lines = [line for line in sql.splitlines() if not line.lstrip().startswith("--")]
    return [part.strip() for part in re.split(r";\s*$", "\n".join(lines), flags=re.MULTILINE) if part.strip()]
