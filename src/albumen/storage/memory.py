"""Blobs in memory, for unit tests. Nothing survives the process, and one process alone sees them."""

from __future__ import annotations

import hashlib
import io
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from albumen.storage.base import BlobMissing, BlobStat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from albumen.domain.photos import BlobKey
    from albumen.storage.base import Incoming


class MemoryIncoming:
    """Bytes that grow in memory."""

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def size(self) -> int:
        """How many bytes were written so far."""
        return len(self._data)

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self._data += chunk

    @contextmanager
    def reader(self) -> Iterator[BinaryIO]:
        """Open a copy of what was written so far."""
        yield io.BytesIO(self._data)

    def seal(self) -> None:
        """Memory has nothing to prepare."""

    def sha256(self) -> str:
        """Return the SHA-256."""
        return hashlib.sha256(self._data).hexdigest()

    def discard(self) -> None:
        """Let the bytes go."""
        self._data = bytearray()


class MemoryReceiver:
    """Hands out memory."""

    def receive(self) -> Incoming:
        """Begin to take bytes in."""
        return MemoryIncoming()

    def flush(self) -> None:
        """Memory has nothing to wait for."""


class MemoryBlobStore:
    """A dictionary of bytes."""

    def __init__(self) -> None:
        self._blobs: dict[BlobKey, tuple[bytes, datetime]] = {}
        self._quarantine: dict[BlobKey, datetime] = {}
        self._gate = threading.RLock()

    def receiver(self) -> MemoryReceiver:
        """Begin to take in the blobs of one request."""
        return MemoryReceiver()

    def publish(self, sealed: Sequence[tuple[Incoming, BlobKey]]) -> None:
        """Copy the bytes under their keys."""
        for incoming, key in sealed:
            with incoming.reader() as file:
                self._blobs.setdefault(key, (file.read(), datetime.now(UTC)))
            incoming.discard()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """One at a time is enough for tests."""
        with self._gate:
            yield

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """Likewise."""
        with self._gate:
            yield

    def open(self, key: BlobKey) -> BinaryIO:
        """Open the bytes."""
        if key not in self._blobs:
            raise BlobMissing("The bytes of this photo are missing; it can be uploaded again.")
        return io.BytesIO(self._blobs[key][0])

    def locate(self, key: BlobKey) -> Path:
        """Return a path that does not exist: nothing here is in a file."""
        return Path("/nonexistent") / key.sha256

    def stat(self, key: BlobKey) -> BlobStat | None:
        """Return the size and the time."""
        if key not in self._blobs:
            return None
        data, stored_at = self._blobs[key]
        return BlobStat(len(data), stored_at)

    def delete(self, *keys: BlobKey) -> None:
        """Forget the bytes and remember when."""
        for key in keys:
            if self._blobs.pop(key, None):
                self._quarantine[key] = datetime.now(UTC)

    def withdraw(self, key: BlobKey) -> None:
        """Forget the bytes."""
        self._blobs.pop(key, None)

    def keys(self) -> Iterator[BlobKey]:
        """Return the keys in the order of their digests."""
        yield from sorted(self._blobs, key=lambda key: key.sha256)

    def empty_quarantine(self, before: datetime) -> int:
        """Forget what was deleted before a time."""
        old = [key for key, at in self._quarantine.items() if at < before]
        for key in old:
            del self._quarantine[key]
        return len(old)

    @contextmanager
    def retaining(self) -> Iterator[None]:
        """One at a time is enough for tests."""
        with self._gate:
            yield

    def sources(self, key: BlobKey) -> Sequence[Path]:
        """Return the path that does not exist."""
        return [self.locate(key)]

    def check_space(self) -> None:
        """Memory has no floor."""

    def check(self) -> None:
        """Memory can always be used."""
