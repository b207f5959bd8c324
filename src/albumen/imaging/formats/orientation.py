"""The EXIF orientation of JPEG, PNG and WebP: a bounded walk over the first directory. Imports nothing of Albumen."""

from __future__ import annotations

import struct

UPRIGHT = 1
LONGEST_BLOCK = 262_144  # bytes of EXIF that are looked at; cameras put the first directory at the very front

_PREFIX = b"Exif\x00\x00"
_BYTE_ORDERS = {b"II\x2a\x00": "<", b"MM\x00\x2a": ">"}
_TAG = 0x0112
_VALUE_CODES = {3: "H", 4: "I"}
_MOST_ENTRIES = 1_000


def orientation_of(block: bytes) -> int:
    """Return 1 to 8. Malformed EXIF counts as upright: the picture itself may be in perfect order."""
    try:
        value = _walk(block.removeprefix(_PREFIX))
    except (struct.error, KeyError):
        return UPRIGHT
    return value if 1 <= value <= 8 else UPRIGHT  # noqa: PLR2004 - EXIF defines eight orientations


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Return width and height as seen: the orientations 5 to 8 lie on their side."""
    return (height, width) if 5 <= orientation <= 8 else (width, height)  # noqa: PLR2004 - likewise


def _walk(block: bytes) -> int:
    order = _BYTE_ORDERS[block[:4]]
    (start,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, start)
    for position in range(start + 2, start + 2 + 12 * min(count, _MOST_ENTRIES), 12):
        tag, kind = struct.unpack_from(order + "HH", block, position)
        if tag == _TAG:
            (value,) = struct.unpack_from(order + _VALUE_CODES[kind], block, position + 8)
            return int(value)
    return UPRIGHT
