"""The differences between databases, all of them. Everything else in this package is portable SQL.

SQLite comes from `pysqlite3`, which carries a newer library than Python 3.11 on Debian does: versions before 3.51.3
can corrupt a WAL database that two connections write (https://sqlite.org/wal.html, "the WAL-reset bug").
"""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import pysqlite3
import structlog
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from albumen.errors import AlbumenError, Busy, StartRefused, StorageFull, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection
    from sqlalchemy.exc import DBAPIError

FIRST_SAFE_SQLITE = (3, 51, 3)
POOLED_CONNECTIONS = 8
EXTRA_CONNECTIONS = 24
WRITE = "albumen_write"
CONTAINS = "INSTR({text}, {part}) > 0"  # STRPOS in PostgreSQL; LIKE takes the product of both lengths for each row

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA wal_autocheckpoint = 4000",  # 16 MB: uploads change the same pages of indexes again and again
)
_STRANGE_ENTRIES = """
    SELECT type, name
    FROM sqlite_schema
    WHERE NOT (
        type = 'table' AND sql LIKE 'CREATE TABLE %'
        OR type = 'index' AND (sql IS NULL OR sql LIKE 'CREATE INDEX %' OR sql LIKE 'CREATE UNIQUE INDEX %')
    )
    LIMIT 1
"""
_COMPUTED_COLUMNS = """
    SELECT 'column', entry.name || '.' || field.name
    FROM sqlite_schema AS entry, pragma_table_xinfo(entry.name) AS field
    WHERE entry.type = 'table' AND field.hidden <> 0
    LIMIT 1
"""

log = structlog.get_logger()


def open_sqlite(path: Path | None, busy_seconds: float) -> Engine:
    """Return an engine for the database file, or for one in memory when `path` is None.

    The engine connects lazily, so that processes forked before the first query share nothing.
    """
    _warn_of_affected_version()
    # In parts: within one text, `?` and `%` in the name of a folder would mean something.
    url = URL.create("sqlite+pysqlite", database=str(path) if path else None)
    arguments = {"timeout": busy_seconds, "check_same_thread": False}
    if path is None:
        engine = create_engine(url, module=pysqlite3, poolclass=StaticPool, connect_args=arguments)
    else:
        engine = create_engine(
            url,
            module=pysqlite3,
            poolclass=QueuePool,
            pool_size=POOLED_CONNECTIONS,
            max_overflow=EXTRA_CONNECTIONS,
            pool_timeout=busy_seconds,
            connect_args=arguments,
        )
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def open_sqlite_copy(path: Path) -> Engine:
    """Return an engine that reads a database which nobody ever changes; nothing is written beside it.

    Connecting raises StartRefused for one that would run something while it is read: a view may never end.
    """

    def connect() -> Any:  # noqa: ANN401 - a driver's connection has no type
        address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro&immutable=1"
        connection = pysqlite3.connect(address, uri=True, check_same_thread=False)
        try:
            connection.isolation_level = None
            connection.execute("PRAGMA trusted_schema = OFF")
            _refuse_strange_schema(connection)
        except Exception:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite+pysqlite://", module=pysqlite3, poolclass=NullPool, creator=connect)
    event.listen(engine, "begin", _begin)
    return engine


def _refuse_strange_schema(connection: Any) -> None:  # noqa: ANN401 - a driver's connection has no type
    """Refuse what no version of Albumen has made: anything but plain tables and indexes, and columns that compute."""
    for query in (_STRANGE_ENTRIES, _COMPUTED_COLUMNS):
        found = connection.execute(query).fetchone()
        if found is not None:
            raise StartRefused(f"The database of the backup has a strange {found[0]}, {found[1]!r}; others changed it.")


def probe_write(engine: Engine, seconds: float) -> None:
    """Take the write lock and give it back. Raises Busy after `seconds`, StorageFull, StorageUnavailable."""
    with _explained(), closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {int(1000 * seconds)}")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {patience}")


def copy_sqlite(engine: Engine, target: Path) -> None:
    """Write one consistent state of the database to a new file, by SQLite's online backup, and check its pages.

    Readers and writers go on meanwhile: the copy is one read transaction. The caller makes the file durable.
    """
    with _explained(), closing(engine.raw_connection()) as source, closing(pysqlite3.connect(str(target))) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        cast("Any", source.driver_connection).backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StorageUnavailable(f"The database is damaged ({verdict}); restore it from an earlier backup.")


def sqlite_version() -> str:
    """Return the version of the SQLite library in use."""
    return str(pysqlite3.sqlite_version)


def translate(exc: DBAPIError) -> AlbumenError:
    """Turn a driver's error into one of ours. The one place that knows what drivers say."""
    return _explain(exc.orig)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn an error of the driver into one of ours where SQLAlchemy stands aside, as it does for raw connections."""
    try:
        yield
    except pysqlite3.Error as exc:
        raise _explain(exc) from exc


def _explain(error: BaseException | None) -> AlbumenError:
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        return Busy("The database was busy for too long. Try again.")
    if "full" in text:
        return StorageFull("No space is left for the database.")
    return StorageUnavailable("The database cannot be used; the server's log tells why.")


def _prepare_connection(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's connection has no type
    """Take transactions into our own hands (see `_begin`) and set the pragmas of a durable WAL database."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock at once where the transaction will write: a later upgrade could fail halfway."""
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _warn_of_affected_version() -> None:
    if tuple(pysqlite3.sqlite_version_info) < FIRST_SAFE_SQLITE:
        log.warning(
            "sqlite_version_affected",
            version=pysqlite3.sqlite_version,
            advice="Two writers may corrupt the database; install a newer pysqlite3.",
        )
