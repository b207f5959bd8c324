"""Bytes of a hostile file by offset, bounded in memory and in work. Imports nothing of Albumen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import re
    import struct

_FIRST_WINDOW = 4_096  # most headers end before that, and what is not read need not be copied
_WINDOW = 65_536
_LONGEST_READ = 16_777_216
_LEAST_WORK, _MOST_WORK = 20_000, 1_000_000
_BYTES_PER_UNIT = 64
_LOADED_PER_UNIT = 8_192  # bytes taken from the file in the time of one read from the window
_TOO_MANY = "too many tiny parts"


class Source:
    """A file of `size` bytes, read through one window that grows with every load up to 64 KiB.

    Every read spends one unit of work, up to a microsecond; `work` is what was spent. The patience with a file that
    consists of nothing but tiny parts, which no camera and no program writes, ends after 20,000 units and one more for
    every 64 bytes of the file, at the latest after 1,000,000. A photo of 1,000 tiles takes 10,000. Reads over 16 MiB
    are refused.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self._file = file
        self._window = b""
        self._start = 0
        self._reach = _FIRST_WINDOW
        self._most_work = min(_LEAST_WORK + size // _BYTES_PER_UNIT, _MOST_WORK)
        self.work = 0

    def at(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset`. Raises EOFError where the file has fewer."""
        window, index = self.window(offset, length)
        return window[index : index + length]

    def unpack(self, layout: struct.Struct, offset: int) -> tuple[Any, ...]:
        """Return the fields of `layout` at `offset`. Raises EOFError."""
        return layout.unpack(self.at(offset, layout.size))

    def window(self, offset: int, least: int = 1) -> tuple[bytes, int]:
        """Return bytes with at least `least` of them from `offset` on, and the index of `offset` in them."""
        self.work += 1
        if self.work > self._most_work:
            raise ValueError(_TOO_MANY)
        index = offset - self._start
        if index < 0 or index + least > len(self._window):
            self._load(offset, least)
            index = 0
        return self._window, index

    def find(self, pair: re.Pattern[bytes], offset: int) -> int:
        """Return where the next match of `pair`, a pattern of two bytes, begins. Raises EOFError if there is none."""
        while True:
            window, index = self.window(offset, 2)
            match = pair.search(window, index)
            if match is not None:
                return self._start + match.start()
            offset = self._start + len(window) - 1

    def require(self, end: int) -> None:
        """Raise EOFError if the file has fewer than `end` bytes."""
        if end > self.size:
            raise EOFError(end)

    def spend(self, units: int) -> None:
        """Count work that did not go through a read. Raises ValueError when all is spent."""
        self.work += units
        if self.work > self._most_work:
            raise ValueError(_TOO_MANY)

    def _load(self, offset: int, least: int) -> None:
        if least > _LONGEST_READ:
            raise ValueError("one part of the header is too long")
        if offset < 0 or offset + least > self.size:
            raise EOFError(offset + least)
        length = min(max(least, self._reach), self.size - offset)
        self.spend(length // _LOADED_PER_UNIT)
        self._file.seek(offset)
        self._window = self._file.read(length)
        self._reach = min(2 * self._reach, _WINDOW)
        self._start = offset
        if len(self._window) < least:
            raise EOFError(offset + least)
