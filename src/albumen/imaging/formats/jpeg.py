"""JPEG (ITU-T T.81): the markers up to the first scan, then the end marker. Multi-picture files count as one frame."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from albumen.domain.photos import PhotoHeader
from albumen.imaging.formats.orientation import UPRIGHT, orientation_of, upright_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from albumen.imaging.formats.source import Source
    from albumen.imaging.limits import Limits

MEDIA_TYPE = "image/jpeg"

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")  # neither a stuffed byte, nor a restart, nor filling
_START, _END, _SCAN, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # without DHT, JPG and DAC
_EXIF = b"Exif\x00\x00"
_LENGTH = struct.Struct(">H")
_HEIGHT_WIDTH = struct.Struct(">xHH")


def read_header(source: Source, limits: Limits) -> PhotoHeader:
    """Return the header of a JPEG with an end marker after its first scan; bytes after that marker are fine."""
    size: tuple[int, int] | None = None
    exif: bytes | None = None
    has_scan = False
    for marker, start, length in _segments(source):
        if marker in _FRAME_HEADERS:
            height, width = source.unpack(_HEIGHT_WIDTH, start)
            limits.admit_size(width, height)
            size = size or (width, height)
        elif marker == _APP1 and exif is None:
            exif = _exif(source, start, length)
        elif marker == _SCAN:
            has_scan = True
            if size is None or _ends_at_once(source, start + length):
                break
    if not has_scan:
        raise ValueError("the end comes before the picture")
    return _header(size, exif)


def _header(size: tuple[int, int] | None, exif: bytes | None) -> PhotoHeader:
    if size is None:
        raise ValueError("a scan comes before the frame header")
    orientation = UPRIGHT if exif is None else orientation_of(exif)
    width, height = upright_size(*size, orientation)
    return PhotoHeader(MEDIA_TYPE, "jpg", width, height)


def _segments(source: Source) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and length of each segment up to the end marker; entropy-coded data is skipped."""
    offset = 2
    while True:
        window, index = source.window(offset, 2)
        if not _MARKER.match(window, index):
            offset = source.find(_MARKER, offset)
            window, index = source.window(offset, 2)
        marker = window[index + 1]
        if marker == _END:
            return
        if marker == _START:
            offset += 2
            continue
        if index + 4 > len(window):
            window, index = source.window(offset, 4)
        (length,) = _LENGTH.unpack_from(window, index + 2)
        if length < _LENGTH.size:
            raise ValueError("a segment is shorter than its length field")
        yield marker, offset + 4, length - 2
        offset += 2 + length


def _exif(source: Source, start: int, length: int) -> bytes | None:
    if length < len(_EXIF) or source.at(start, len(_EXIF)) != _EXIF:
        return None
    return source.at(start, length)


def _ends_at_once(source: Source, scan_start: int) -> bool:
    """Tell whether the file ends with the end marker: the common case, which saves the walk through the scans."""
    end = source.size - 2
    return end >= scan_start and source.at(end, 2) == b"\xff\xd9"
