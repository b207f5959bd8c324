"""What every store does, and what it promises. `tests/conformance` holds each store to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from albumen.errors import BlobDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from albumen.domain.photos import BlobKey


@dataclass(frozen=True, slots=True)
class BlobStat:
    """Size in bytes and the time when the bytes were stored."""

    bytes: int
    stored_at: datetime


class Incoming(Protocol):
    """Bytes on their way in. Used by one thread; ends in `BlobStore.publish` or in `discard`."""

    @property
    def size(self) -> int:
        """How many bytes were written so far."""

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises StorageFull, StorageUnavailable."""

    def reader(self) -> AbstractContextManager[BinaryIO]:
        """Open what was written so far for reading, seekable. Not after `seal`."""

    def seal(self) -> None:
        """End the bytes."""

    def sha256(self) -> str:
        """Return the SHA-256 of the sealed bytes in hex; may wait until they are durable."""

    def discard(self) -> None:
        """Drop the bytes. Harmless when repeated, and after `publish`."""


class Receiver(Protocol):
    """Takes in the blobs of one request, one after the other. Used by one thread."""

    def receive(self) -> Incoming:
        """Begin to take bytes in. Raises StorageFull, StorageUnavailable."""

    def flush(self) -> None:
        """Begin to make durable what is sealed, so that `BlobStore.publish` has less to wait for.

        Waits only while too much is under way already.
        """


class BlobMissing(BlobDamaged):
    """The bytes of the photo are not there."""


class BlobStore(Protocol):
    """Immutable bytes by key. A put is atomic and durable; deleting twice is fine."""

    def receiver(self) -> Receiver:
        """Begin to take in the blobs of one request."""

    def publish(self, sealed: Sequence[tuple[Incoming, BlobKey]]) -> None:
        """Make sealed bytes readable under their keys, all or an exception; durable on return.

        Publishing what is there already changes nothing, but for bytes that were damaged: they are whole again.
        """

    def holding(self) -> AbstractContextManager[None]:
        """While held, nobody is `sweeping`: hold it from `publish` until the rows are committed. Raises Busy."""

    def sweeping(self) -> AbstractContextManager[None]:
        """While held, nobody is between `publish` and the commit of the rows. Raises Busy."""

    def open(self, key: BlobKey) -> BinaryIO:
        """Open the bytes for reading, seekable. Raises BlobMissing, BlobDamaged."""

    def locate(self, key: BlobKey) -> Path:
        """Return a file with the bytes, whether or not it is there. Never made from what a user said."""

    def stat(self, key: BlobKey) -> BlobStat | None:
        """Return size and time, or None when there are no bytes that the disk can read."""

    def delete(self, *keys: BlobKey) -> None:
        """Take bytes away, into quarantine where the store has one; durable on return.

        Raises BlobDamaged when the disk cannot take one of them away; those before it are gone then.
        """

    def withdraw(self, key: BlobKey) -> None:
        """Take bytes away for good that no row ever named; while `sweeping`."""

    def keys(self) -> Iterator[BlobKey]:
        """Return all keys in the order of their digests, lazily."""

    def empty_quarantine(self, before: datetime) -> int:
        """Delete for good what went to quarantine before a time; return how many: 0 while another is `retaining`."""

    def retaining(self) -> AbstractContextManager[None]:
        """While held, nothing is deleted for good: what `delete` takes away is still among the `sources`."""

    def sources(self, key: BlobKey) -> Sequence[Path]:
        """Return the files that may hold these bytes, deleted ones too, the best first; none has to be there."""

    def check_space(self) -> None:
        """Raise StorageFull when no more is to be taken in. Cheap."""

    def check(self) -> None:
        """Raise StorageUnavailable unless bytes can be written and read now, Busy when another keeps them out."""
