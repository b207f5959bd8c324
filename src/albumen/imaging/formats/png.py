"""PNG and APNG (W3C, third edition): the chunks from IHDR to IEND."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from albumen.domain.photos import PhotoHeader
from albumen.imaging.formats.orientation import LONGEST_BLOCK, UPRIGHT, orientation_of, upright_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from albumen.imaging.formats.source import Source
    from albumen.imaging.limits import Limits

MEDIA_TYPE = "image/png"
SIGNATURE = b"\x89PNG\r\n\x1a\n"

_CHUNK = struct.Struct(">I4s")
_FIRST = struct.Struct(">I4sIIBB")
_COUNT = struct.Struct(">I")
_IHDR_LENGTH = 13
_LONGEST_CHUNK = 0x7FFF_FFFF
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # by colour type


def read_header(source: Source, limits: Limits) -> PhotoHeader:
    """Return the header of a PNG with picture data and an end chunk; `frames` is what an animation announces."""
    width, height = _dimensions(source, limits)
    orientation, frames, has_data = UPRIGHT, 1, False
    for kind, start, length in _chunks(source):
        if kind == b"IDAT":
            has_data = True
        elif kind == b"acTL" and not has_data:
            frames = max(source.unpack(_COUNT, start)[0], 1)
            limits.admit_frames(frames)
        elif kind == b"eXIf":
            orientation = orientation_of(source.at(start, min(length, LONGEST_BLOCK)))
    if not has_data:
        raise ValueError("no picture data")
    width, height = upright_size(width, height, orientation)
    return PhotoHeader(MEDIA_TYPE, "png", width, height, frames)


def _dimensions(source: Source, limits: Limits) -> tuple[int, int]:
    length, kind, width, height, depth, colour = source.unpack(_FIRST, len(SIGNATURE))
    if kind != b"IHDR" or length != _IHDR_LENGTH or depth not in _DEPTHS.get(colour, ()):
        raise ValueError("the first chunk is not a header")
    limits.admit_size(width, height)
    return width, height


def _chunks(source: Source) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and length of each chunk in front of the end chunk, which has to be complete too."""
    offset = len(SIGNATURE)
    while True:
        length, kind = source.unpack(_CHUNK, offset)
        if length > _LONGEST_CHUNK or not kind.isalpha():
            raise ValueError("what stands where a chunk should begin is none")
        source.require(offset + 12 + length)
        if kind == b"IEND":
            return
        yield kind, offset + 8, length
        offset += 12 + length
