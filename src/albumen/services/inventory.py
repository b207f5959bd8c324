"""Walks through all blobs, a step at a time: no transaction and no list grows with their number."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from albumen.domain.photos import BlobKey
    from albumen.repository.blobs import BlobRepository, StoredBlob
    from albumen.repository.engine import Database

Item = TypeVar("Item")


def stored_in_steps(database: Database, blobs: BlobRepository, size: int) -> Iterator[Sequence[StoredBlob]]:
    """Yield every blob that the database knows, by digest; no transaction is open between two steps."""
    after = ""
    while step := _stored_after(database, blobs, after, size):
        yield step
        after = step[-1].key.sha256


def unused_in_steps(database: Database, blobs: BlobRepository, size: int) -> Iterator[Sequence[BlobKey]]:
    """Yield every blob that no photo refers to, by digest; one may be in use again by the time that it is yielded."""
    after = ""
    while step := _unused_after(database, blobs, after, size):
        yield step
        after = step[-1].sha256


def in_steps(items: Iterator[Item], size: int) -> Iterator[Sequence[Item]]:
    """Cut what an iterator yields into steps of up to `size`."""
    while step := list(islice(items, size)):
        yield step


def _stored_after(database: Database, blobs: BlobRepository, after: str, size: int) -> Sequence[StoredBlob]:
    with database.reading() as tx:
        return blobs.stored(tx, after, size)


def _unused_after(database: Database, blobs: BlobRepository, after: str, size: int) -> Sequence[BlobKey]:
    with database.reading() as tx:
        return blobs.unused(tx, after, size)
