"""Boxes of the ISO base media file format (ISO/IEC 14496-12) and the readers of those that a photo needs.

Knows the layout of single boxes; what they mean together is in `isobmff`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from albumen.imaging.formats.source import Source

_HEADER = struct.Struct(">I4s")
_LONG_SIZE = struct.Struct(">Q")
_TO_THE_END, _LONG = 0, 1
FULL = 4  # version and flags, in front of the fields of a full box
_UNITS_PER_BOX = 3  # what a box costs beyond the read of its header
_LONGEST_BODY = 4_194_304
_OF_THE_FILE = frozenset((b"ftyp", b"meta", b"moov", b"mdat", b"free", b"skip", b"uuid", b"mpvd", b"sefd", b"moof"))


@dataclass(frozen=True, slots=True)
class Box:
    """A box without its header: its kind and where its body begins and ends in the file."""

    kind: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extent:
    """A piece of an item: `method` 0 counts `offset` from the start of the file, 1 from the start of `idat`."""

    method: int
    offset: int
    length: int


def file_boxes(source: Source) -> Iterator[Box]:
    """Yield the boxes of the file; ends where bytes follow that are no box, such as a phone's trailer.

    Raises EOFError for a box that is cut off, unless its kind is one that no photo has.
    """
    offset = 0
    while offset + _HEADER.size <= source.size:
        box = _box(source, offset, source.size)
        if box.kind not in _OF_THE_FILE and (box.end > source.size or box.end < box.start):
            return
        source.require(box.end)
        yield _checked(box)
        offset = box.end


def children(source: Source, parent: Box, *, skip: int = 0) -> Iterator[Box]:
    """Yield the boxes inside `parent`, behind the first `skip` bytes. Raises ValueError if one leaves it."""
    offset = parent.start + skip
    while offset + _HEADER.size <= parent.end:
        box = _checked(_box(source, offset, parent.end))
        if box.end > parent.end:
            raise ValueError("a box leaves its parent")
        yield box
        offset = box.end


def child(source: Source, parent: Box, kind: bytes, *, skip: int = 0) -> Box:
    """Return the first box of that kind inside `parent`. Raises ValueError if there is none."""
    for box in children(source, parent, skip=skip):
        if box.kind == kind:
            return box
    raise ValueError(f"no box '{kind.decode('ascii')}'")


def body(source: Source, box: Box) -> bytes:
    """Return the bytes of a small box. Raises ValueError over 4 MiB."""
    if box.end - box.start > _LONGEST_BODY:
        raise ValueError("a box of the header is too long")
    return source.at(box.start, box.end - box.start)


def primary_item(data: bytes) -> int:
    """Read `pitm`: the id of the item to show."""
    return _number(data, FULL, 2 if data[0] == 0 else 4)


def item_kinds(source: Source, iinf: Box) -> dict[int, bytes]:
    """Read `iinf`: the kind of each item, such as hvc1, av01 or grid."""
    counted = 2 if source.at(iinf.start, 1)[0] == 0 else 4
    kinds = {}
    for box in children(source, iinf, skip=FULL + counted):
        data = source.at(box.start, min(box.end - box.start, 16))
        if box.kind == b"infe" and data[0] >= 2:  # noqa: PLR2004 - earlier versions have no kind
            wide = 2 if data[0] == 2 else 4  # noqa: PLR2004 - version 2 has short ids
            kinds[_number(data, FULL, wide)] = data[FULL + wide + 2 : FULL + wide + 6]
    return kinds


def item_properties(source: Source, data: bytes, item: int) -> list[int]:
    """Read `ipma`: the numbers (from 1) of the properties of one item, in their order."""
    id_width = 2 if data[0] < 1 else 4
    width = 2 if data[3] & 1 else 1
    count, position = _number(data, FULL, 4), FULL + 4
    for _ in range(count):
        source.spend(1)
        found, number = _number(data, position, id_width), data[position + id_width]
        position += id_width + 1
        if found == item:
            mask = 0x7FFF if width > 1 else 0x7F  # the highest bit says that the property is essential
            return [_number(data, position + width * index, width) & mask for index in range(number)]
        position += width * number
    return []


def extents(source: Source, data: bytes) -> Iterator[Extent]:
    """Read `iloc`: every piece of every item in this file; of pieces that take no bytes in it, which are alike, one."""
    version, widths = data[0], _number(data, FULL, 2)
    offset_width, length_width, base_width = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
    index_width = widths & 15 if version else 0
    id_width = 4 if version > 1 else 2
    count, position = _number(data, FULL + 2, id_width), FULL + 2 + id_width
    piece_width = index_width + offset_width + length_width
    for _ in range(count):
        source.spend(1)
        position += id_width
        method = _number(data, position, 2) & 15 if version else 0
        position += 2 if version else 0
        elsewhere, base = _number(data, position, 2), _number(data, position + 2, base_width)
        pieces = _number(data, position + 2 + base_width, 2)
        position += 4 + base_width
        for _ in range(pieces if piece_width else min(pieces, 1)):
            source.spend(1)
            offset = base + _number(data, position + index_width, offset_width)
            length = _number(data, position + index_width + offset_width, length_width)
            position += piece_width
            if not elsewhere:
                yield Extent(method, offset, length)


def _box(source: Source, offset: int, parent_end: int) -> Box:
    source.spend(_UNITS_PER_BOX)
    size, kind = source.unpack(_HEADER, offset)
    start = offset + _HEADER.size
    if size == _LONG:
        (size,) = source.unpack(_LONG_SIZE, start)
        start += _LONG_SIZE.size
    return Box(kind, start, parent_end if size == _TO_THE_END else offset + size)


def _checked(box: Box) -> Box:
    if box.end < box.start:
        raise ValueError("a box is shorter than its header")
    return box


def _number(data: bytes, position: int, width: int) -> int:
    """Return an unsigned number of `width` bytes; a width of 0 means 0. Raises IndexError behind the end."""
    if position + width > len(data):
        raise IndexError(position)
    return int.from_bytes(data[position : position + width])
