"""Transactions: the only way to the database. Repositories take a `Transaction` and never commit."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from albumen.errors import Busy
from albumen.repository import dialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Dialect, Engine, RowMapping, TextClause


class Transaction:
    """An open transaction, as repositories see it. Statements are prepared once, as module constants."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: TextClause, values: Mapping[str, object]) -> Sequence[RowMapping]:
        """Run a query and return all its rows."""
        return self._connection.execute(statement, values).mappings().all()

    def row(self, statement: TextClause, values: Mapping[str, object]) -> RowMapping | None:
        """Run a query and return its first row, or None."""
        return self._connection.execute(statement, values).mappings().first()

    def run(self, statement: TextClause, values: Mapping[str, object]) -> int:
        """Run a change and return how many rows it touched."""
        return self._connection.execute(statement, values).rowcount

    def run_many(self, statement: TextClause, values: Sequence[Mapping[str, object]]) -> None:
        """Run one change for many sets of values, as one statement. Nothing happens for none.

        The driver gets the values in the order of its own binds: SQLAlchemy takes longer for a row than SQLite does.
        """
        if values:
            sql, binds = _for_driver(statement, self._connection.dialect)
            self._connection.exec_driver_sql(sql, [tuple(map(row.__getitem__, binds)) for row in values])

    def script(self, sql: str) -> None:
        """Run one statement of a migration as it stands."""
        self._connection.exec_driver_sql(sql)


class Database:
    """Opens transactions on one engine.

    Writers of this process wait for a lock of our own, which wakes one at once, instead of polling the database's.
    """

    def __init__(self, engine: Engine, busy_seconds: float) -> None:
        self._reader = engine
        self._writer = engine.execution_options(**{dialect.WRITE: True})
        self._turn = threading.Lock()
        self._busy_seconds = busy_seconds

    @property
    def engine(self) -> Engine:
        """The engine, for tests that count statements."""
        return self._reader

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that sees one state of the database and changes nothing."""
        with _translated(), self._reader.begin() as connection:
            yield Transaction(connection)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that commits durably (fsync) at its end, or rolls back on an exception.

        Raises:
            Busy: Another writer held the database for longer than the busy timeout.
            StorageFull: No space is left.
            StorageUnavailable: Any other failure of the database.
        """
        with self._my_turn(self._busy_seconds), _translated(), self._writer.begin() as connection:
            yield Transaction(connection)

    def probe_write(self, seconds: float) -> None:
        """Tell whether rows can be written now, without writing any; wait at most `seconds`.

        Raises:
            Busy: Another writer holds the database.
            StorageFull, StorageUnavailable: As `writing` raises them.
        """
        with self._my_turn(seconds), _translated():
            dialect.probe_write(self._reader, seconds)

    @contextmanager
    def _my_turn(self, seconds: float) -> Iterator[None]:
        if not self._turn.acquire(timeout=seconds):
            raise Busy("Too many requests wait to write. Try again.")
        try:
            yield
        finally:
            self._turn.release()

    def copy_to(self, target: Path) -> None:
        """Write one consistent state of the whole database to a new file, while others read and write on.

        Raises:
            Busy: Others used the database for longer than the busy timeout.
            StorageFull: No space is left for it.
            StorageUnavailable: The database cannot be read, or is damaged.
        """
        with _translated():
            dialect.copy_sqlite(self._reader, target)

    def close(self) -> None:
        """Close every idle connection."""
        self._reader.dispose()


def open_database(path: Path | None, busy_seconds: float) -> Database:
    """Open the SQLite database at `path`, or one in memory when it is None."""
    return Database(dialect.open_sqlite(path, busy_seconds), busy_seconds)


def open_copy(path: Path) -> Database:
    """Open, for reading, a file that `Database.copy_to` wrote. Nothing is written beside it."""
    return Database(dialect.open_sqlite_copy(path), busy_seconds=0)


def statement(sql: str) -> TextClause:
    """Prepare a constant statement with named binds."""
    return text(sql)


@lru_cache
def _for_driver(statement: TextClause, spoken: Dialect) -> tuple[str, Sequence[str]]:
    """Return a statement as the driver takes it, and the names of its binds in their order."""
    compiled = statement.compile(dialect=spoken)
    return compiled.string, compiled.positiontup or ()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as exc:
        raise dialect.translate(exc) from exc
    except PoolTimeoutError as exc:
        raise Busy("Too many requests wait for the database. Try again.") from exc
