"""Walks through many rows or files, a step at a time: no transaction and no list grows with their number."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from albumen.domain.photos import BlobKey
    from albumen.repository.blobs import BlobRepository, StoredBlob
    from albumen.repository.engine import Database, Transaction
    from albumen.repository.trash import TrashRepository

Item = TypeVar("Item")


def stored_in_steps(database: Database, blobs: BlobRepository, size: int) -> Iterator[Sequence[StoredBlob]]:
    """Yield every blob that the database knows, by digest; no transaction is open between two steps."""
    return _walk(database, lambda tx, after: blobs.stored(tx, after, size), lambda blob: blob.key.sha256)


def unused_in_steps(database: Database, blobs: BlobRepository, size: int) -> Iterator[Sequence[BlobKey]]:
    """Yield every blob that no photo refers to, by digest; one may be in use again by the time that it is yielded."""
    return _walk(database, lambda tx, after: blobs.unused(tx, after, size), lambda key: key.sha256)


def expired_in_steps(
    database: Database, trash: TrashRepository, before: datetime, size: int
) -> Iterator[Sequence[str]]:
    """Yield the ids of photos that went to the trash before a time; one may be back by the time that it is yielded."""
    return _walk(database, lambda tx, cursor: trash.expired(tx, before, cursor or None, size), str)


def in_steps(items: Iterator[Item], size: int) -> Iterator[Sequence[Item]]:
    """Cut what an iterator yields into steps of up to `size`."""
    while step := list(islice(items, size)):
        yield step


def _walk(
    database: Database, read: Callable[[Transaction, str], Sequence[Item]], key: Callable[[Item], str]
) -> Iterator[Sequence[Item]]:
    """Yield what `read` returns for the key of the last item before, at first for an empty one, until there is none."""
    last = ""
    while step := _read(database, read, last):
        yield step
        last = key(step[-1])


def _read(database: Database, read: Callable[[Transaction, str], Sequence[Item]], last: str) -> Sequence[Item]:
    with database.reading() as tx:
        return read(tx, last)
