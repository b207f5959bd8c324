"""The layout of a ZIP file whose members are stored as they are (PKWARE APPNOTE 6.3.10). No I/O.

Photos do not get smaller by being compressed. Stored, the size of the whole file is known before its first byte, so it
can be announced, and a download that broke off never looks complete. Each member's header is complete where it stands,
so programs that unpack a stream can read the file, too; the standard library writes sizes behind the bytes when it
cannot seek, and many of them refuse that. Sizes, counts and offsets over 4 GB take the ZIP64 forms.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64 = struct.Struct("<4sIQI")
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_UTF_8 = 0x0800
_STORED = 0
_PLAIN, _ZIP_64 = 20, 45  # version needed to extract, times ten
_UNIX = 3 << 8
_FILE_MODE = 0o100644 << 16
_EXTRA_ZIP_64, _EXTRA_TIME = 0x0001, 0x5455
_FIRST_YEAR, _LAST_YEAR = 1980, 2107


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the archive: its name, which the caller has made safe, its size in bytes, and its time."""

    name: str
    size: int
    modified_at: datetime


def local_header(member: Member, crc32: int) -> bytes:
    """Return what stands before the bytes of a member."""
    name, size = member.name.encode(), _at_most_32(member.size)
    large = struct.pack("<2H2Q", _EXTRA_ZIP_64, 16, member.size, member.size) if size == _FULL_32 else b""
    extra = large + _extra_time(member)
    version = _ZIP_64 if large else _PLAIN
    fields = (b"PK\x03\x04", version, _UTF_8, _STORED, *_dos_time(member), crc32, size, size, len(name), len(extra))
    return _LOCAL.pack(*fields) + name + extra


def central_header(member: Member, crc32: int, offset: int) -> bytes:
    """Return the entry of a member in the directory at the end; its local header stands at `offset`."""
    name, size, place = member.name.encode(), _at_most_32(member.size), _at_most_32(offset)
    numbers = [member.size, member.size] * (size == _FULL_32) + [offset] * (place == _FULL_32)
    large = struct.pack(f"<2H{len(numbers)}Q", _EXTRA_ZIP_64, 8 * len(numbers), *numbers) if numbers else b""
    extra = large + _extra_time(member)
    version = _ZIP_64 if large else _PLAIN
    head = (b"PK\x01\x02", _UNIX | version, version, _UTF_8, _STORED, *_dos_time(member), crc32, size, size)
    return _CENTRAL.pack(*head, len(name), len(extra), 0, 0, 0, _FILE_MODE, place) + name + extra


def end_records(count: int, size: int, offset: int) -> bytes:
    """Return what stands behind a directory of `count` entries and `size` bytes that begins at `offset`."""
    shown = min(count, _FULL_16)
    end = _END.pack(b"PK\x05\x06", 0, 0, shown, shown, _at_most_32(size), _at_most_32(offset), 0)
    if count < _FULL_16 and size < _FULL_32 and offset < _FULL_32:
        return end
    record = _END_64.pack(b"PK\x06\x06", _END_64.size - 12, _UNIX | _ZIP_64, _ZIP_64, 0, 0, count, count, size, offset)
    return record + _LOCATOR_64.pack(b"PK\x06\x07", 0, offset + size, 1) + end


def total_size(members: Iterable[Member]) -> int:
    """Return the size in bytes of the whole file."""
    offset = directory = count = 0
    for member in members:
        directory += len(central_header(member, 0, offset))
        offset += len(local_header(member, 0)) + member.size
        count += 1
    return offset + directory + len(end_records(count, directory, offset))


def _at_most_32(number: int) -> int:
    """Return a number for a field of 32 bits, or what tells that it stands elsewhere."""
    return min(number, _FULL_32)


def _dos_time(member: Member) -> tuple[int, int]:
    """Return time and date in UTC, to two seconds, as old programs read them."""
    at = member.modified_at.astimezone(UTC)
    year = min(max(at.year, _FIRST_YEAR), _LAST_YEAR) - _FIRST_YEAR
    return at.hour << 11 | at.minute << 5 | at.second // 2, year << 9 | at.month << 5 | at.day


def _extra_time(member: Member) -> bytes:
    """Return the time as newer programs read it: seconds since 1970, which need no zone; none outside 32 bits."""
    seconds = int(member.modified_at.timestamp())
    return struct.pack("<2HBi", _EXTRA_TIME, 5, 1, seconds) if 0 <= seconds < 1 << 31 else b""
