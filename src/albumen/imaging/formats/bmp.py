"""BMP: core, info, V4, V5 and OS/2 headers. Palettes and masks are left to the decoder."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from albumen.domain.photos import PhotoHeader

if TYPE_CHECKING:
    from albumen.imaging.formats.source import Source
    from albumen.imaging.limits import Limits

MEDIA_TYPE = "image/bmp"

_FILE = struct.Struct("<2xI4xII")
_CORE = struct.Struct("<4xHHHH")
_INFO = struct.Struct("<4xiiHH")
_COMPRESSION = struct.Struct("<II")
_PROFILE = struct.Struct("<II")
_DIB_AT = 14
_CORE_LENGTH, _SHORT_LENGTH, _V5_LENGTH = 12, 16, 124
HEADER_LENGTHS = (_CORE_LENGTH, _SHORT_LENGTH, 40, 52, 56, 64, 108, _V5_LENGTH)
_DEPTHS = (1, 2, 4, 8, 16, 24, 32)
_PLAIN, _RUN_LENGTH, _BY_MASKS = (0,), (1, 2), (3, 6)
_EMBEDDED_PROFILE = b"DEBM"


def is_bmp(head: bytes) -> bool:
    """Tell a BMP from a text that begins with BM: the length of the second header has to be a known one."""
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in HEADER_LENGTHS


def read_header(source: Source, limits: Limits) -> PhotoHeader:
    """Return the header of a BMP that holds all the data it needs; a negative height means top row first."""
    file_length, data_at, dib_length = source.unpack(_FILE, 0)
    layout = _CORE if dib_length == _CORE_LENGTH else _INFO
    width, height, _planes, depth = source.unpack(layout, _DIB_AT)
    height = abs(height)
    limits.admit_size(width, height)
    if depth not in _DEPTHS:
        raise ValueError("an unknown depth of colour")
    compression, stored = source.unpack(_COMPRESSION, 30) if dib_length > _SHORT_LENGTH else (0, 0)
    if compression in _PLAIN + _BY_MASKS:
        source.require(data_at + _plain_length(width, height, depth))
    elif compression in _RUN_LENGTH:
        source.require(data_at + stored if stored else file_length)
    else:
        raise ValueError("an unknown compression")
    _require_profile(source, dib_length)
    return PhotoHeader(MEDIA_TYPE, "bmp", width, height)


def _plain_length(width: int, height: int, depth: int) -> int:
    """Return the bytes of uncompressed rows of multiples of 4 bytes; the last one may come without its padding."""
    row = (width * depth + 31) // 32 * 4
    return row * (height - 1) + (width * depth + 7) // 8


def _require_profile(source: Source, dib_length: int) -> None:
    if dib_length == _V5_LENGTH and source.at(_DIB_AT + 56, 4) == _EMBEDDED_PROFILE:
        offset, length = source.unpack(_PROFILE, _DIB_AT + 112)
        source.require(_DIB_AT + offset + length)
