"""Counters that all processes of one server share: a table in a mapped file, for `limits`.

Every counter is one slot of the table. When all slots where one could be are taken, that which ends first gives way:
with tens of thousands of callers at once one of them may send a little more than its share. Nothing survives a restart.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
import time
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING

from limits.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOTS = 1 << 16
PROBES = 8
_NO_FILE = -1
_SLOT = struct.Struct("=16sdQ")  # digest of the key, when its window ends, count


class SharedCounters(Storage):
    """Counters in a file, or of this process alone when there is none. The windows are those of the monotonic clock."""

    STORAGE_SCHEME = None

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        size = SLOTS * _SLOT.size
        self._file = _NO_FILE if path is None else os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._file != _NO_FILE:
            os.ftruncate(self._file, size)
        self._table = mmap.mmap(self._file, size)
        self._turn = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception]:
        """What reading or writing the table may raise."""
        return OSError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter, which begins anew when its window has ended; return its value."""
        digest, now = _digest(key), time.monotonic()
        with self._locked():
            offset, end, count = self._find(digest)
            if end <= now:
                end, count = now + expiry, 0
            _SLOT.pack_into(self._table, offset, digest, end, count + amount)
        return count + amount

    def get(self, key: str) -> int:
        """Return the value of a counter."""
        return self._read(key)[1]

    def get_expiry(self, key: str) -> float:
        """Return when its window ends, by the monotonic clock."""
        return self._read(key)[0]

    def check(self) -> bool:
        """Tell that the table is there."""
        return not self._table.closed

    def reset(self) -> int | None:
        """Forget all counters."""
        with self._locked():
            self._table[:] = bytes(len(self._table))
        return None

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self._locked():
            _SLOT.pack_into(self._table, self._find(_digest(key))[0], bytes(16), 0.0, 0)

    def close(self) -> None:
        """Let go of the table; the other processes keep it."""
        self._table.close()
        if self._file != _NO_FILE:
            os.close(self._file)

    def _read(self, key: str) -> tuple[float, int]:
        now = time.monotonic()
        with self._locked():
            _, end, count = self._find(_digest(key))
        return (end, count) if end > now else (now, 0)

    def _find(self, digest: bytes) -> tuple[int, float, int]:
        """Return place, end and count of a counter; those of a slot to take, with an end long ago, when it is new."""
        first = int.from_bytes(digest[:4], "little")
        offsets = [(first + step) % SLOTS * _SLOT.size for step in range(PROBES)]
        slots = [(offset, *_SLOT.unpack_from(self._table, offset)) for offset in offsets]
        for offset, found, end, count in slots:
            if found == digest:
                return offset, end, count
        return min(slots, key=lambda slot: slot[2])[0], 0.0, 0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Have the table alone, among threads and among processes."""
        with self._turn:
            if self._file == _NO_FILE:
                yield
                return
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


def _digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=16).digest()
