"""TIFF 6.0 and BigTIFF in both byte orders: every page of the chain, and that its data lies inside the file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import chain, repeat
from operator import add
from typing import TYPE_CHECKING

from albumen.domain.photos import PhotoHeader
from albumen.errors import NotAPhoto
from albumen.imaging.formats.orientation import UPRIGHT, upright_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from albumen.imaging.formats.source import Source
    from albumen.imaging.limits import Limits

MEDIA_TYPE = "image/tiff"
SIGNATURES = (b"II\x2a\x00", b"MM\x00\x2a", b"II\x2b\x00", b"MM\x00\x2b")

_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGER_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_WIDTH, _HEIGHT, _ORIENTATION, _RAW_VERSION = 256, 257, 274, 50706
_DATA = ((273, 279), (324, 325), (513, 514))  # offsets and lengths of strips, of tiles, of old JPEG data
_SIDE_DIRECTORIES = (330, 34665, 34853)  # smaller pictures, EXIF and GPS
_MOST_ENTRIES = 1_000
_MOST_SIDE_DIRECTORIES = 100  # of a page; a pyramid of smaller pictures has about ten
_NUMBERS_PER_UNIT = 32  # numbers of a list taken in the time of one read
_SLICE = 8_192  # numbers of a list that are in memory at once: at most 64 KiB of the file


@dataclass(frozen=True, slots=True)
class _Dialect:
    """The layout of directories: 4-byte offsets in TIFF, 8-byte offsets in BigTIFF."""

    order: str
    first_at: int
    count: struct.Struct
    entry: struct.Struct
    pointer: struct.Struct


@dataclass(frozen=True, slots=True)
class _Field:
    """A value of a directory: its type, how many, and where in the file they stand."""

    kind: int
    count: int
    at: int


_Fields = dict[int, _Field]


def read_header(source: Source, limits: Limits) -> PhotoHeader:
    """Return the header of a TIFF; size and orientation are those of the first page, `frames` is the pages."""
    dialect = _dialect(source.at(0, 4))
    size: tuple[int, int] | None = None
    frames = 0
    for fields in _pages(source, dialect):
        frames += 1
        limits.admit_frames(frames)
        page_size = _page_size(source, dialect, fields, limits)
        _require_data(source, dialect, fields)
        size = size or page_size
    if size is None:
        raise ValueError("no page")
    return PhotoHeader(MEDIA_TYPE, "tif", *size, frames)


def _dialect(signature: bytes) -> _Dialect:
    order = "<" if signature[:1] == b"I" else ">"
    count, entry, pointer, first_at = ("Q", "HHQ", "Q", 8) if signature in SIGNATURES[2:] else ("H", "HHI", "I", 4)
    layouts = [struct.Struct(order + code) for code in (count, entry, pointer)]
    return _Dialect(order, first_at, *layouts)


def _pages(source: Source, dialect: _Dialect) -> Iterator[_Fields]:
    """Yield the fields of each page of the chain. Raises ValueError if the chain bites its tail."""
    (offset,) = source.unpack(dialect.pointer, dialect.first_at)
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise ValueError("the pages form a circle")
        seen.add(offset)
        fields, offset = _directory(source, dialect, offset)
        yield fields


def _directory(source: Source, dialect: _Dialect, offset: int) -> tuple[_Fields, int]:
    """Return the fields of a directory by tag, and the offset of the next one. Raises EOFError, ValueError."""
    (count,) = source.unpack(dialect.count, offset)
    if count > _MOST_ENTRIES:
        raise ValueError("a directory of too many entries")
    stride = dialect.entry.size + dialect.pointer.size
    start = offset + dialect.count.size
    table = source.at(start, stride * count)
    (following,) = source.unpack(dialect.pointer, start + len(table))
    source.spend(count)
    fields: _Fields = {}
    for position in range(0, len(table), stride):
        tag, kind, number = dialect.entry.unpack_from(table, position)
        (pointer,) = dialect.pointer.unpack_from(table, position + dialect.entry.size)
        length = _TYPE_SIZES.get(kind, 0) * number
        at = pointer if length > dialect.pointer.size else start + position + dialect.entry.size
        source.require(at + length)
        fields.setdefault(tag, _Field(kind, number, at))  # of two entries of one tag, libtiff takes the first as well
    return fields, following


def _page_size(source: Source, dialect: _Dialect, fields: _Fields, limits: Limits) -> tuple[int, int]:
    if _RAW_VERSION in fields:
        raise NotAPhoto("The file is a raw photo (DNG); only developed photos are taken.", kind="raw_photo")
    width = _number(source, dialect, fields, _WIDTH)
    height = _number(source, dialect, fields, _HEIGHT)
    limits.admit_size(width, height)
    orientation = _number(source, dialect, fields, _ORIENTATION) if _ORIENTATION in fields else UPRIGHT
    return upright_size(width, height, orientation)


def _require_data(source: Source, dialect: _Dialect, fields: _Fields) -> None:
    """Raise EOFError if data of the page or of a side directory lies behind the end, ValueError without any data."""
    if not any(offsets_tag in fields for offsets_tag, _ in _DATA):
        raise ValueError("a page without data")
    _require_extents(source, dialect, fields)
    for offset in _side_offsets(source, dialect, fields):
        side, _following = _directory(source, dialect, offset)
        _require_extents(source, dialect, side)


def _side_offsets(source: Source, dialect: _Dialect, fields: _Fields) -> set[int]:
    """Return where the side directories of a page begin, each of them once."""
    named = [fields[tag] for tag in _SIDE_DIRECTORIES if tag in fields]
    if sum(field.count for field in named) > _MOST_SIDE_DIRECTORIES:
        raise ValueError("a page of too many side directories")
    return {offset for field in named for offset in _numbers(source, dialect, field)}


def _require_extents(source: Source, dialect: _Dialect, fields: _Fields) -> None:
    for offsets_tag, lengths_tag in _DATA:
        if offsets_tag not in fields:
            continue
        offsets = _numbers(source, dialect, fields[offsets_tag])
        lengths = _numbers(source, dialect, fields[lengths_tag]) if lengths_tag in fields else repeat(1)
        source.require(max(map(add, offsets, lengths), default=0))


def _number(source: Source, dialect: _Dialect, fields: _Fields, tag: int) -> int:
    if tag not in fields:
        raise ValueError("a page without width or height")
    for number in _numbers(source, dialect, fields[tag]):
        return number
    raise ValueError("a field without a value")


def _numbers(source: Source, dialect: _Dialect, field: _Field) -> Iterator[int]:
    """Return the numbers of a field, read in slices: a list of millions must not be in memory at once."""
    code = _INTEGER_CODES.get(field.kind)
    if code is None:
        raise ValueError("a field of the wrong type")
    source.spend(field.count // _NUMBERS_PER_UNIT)
    return chain.from_iterable(_slices(source, dialect.order, code, field))


def _slices(source: Source, order: str, code: str, field: _Field) -> Iterator[tuple[int, ...]]:
    """Yield the numbers of a field, `_SLICE` at a time."""
    size = _TYPE_SIZES[field.kind]
    for first in range(0, field.count, _SLICE):
        number = min(_SLICE, field.count - first)
        yield struct.unpack(f"{order}{number}{code}", source.at(field.at + first * size, number * size))
