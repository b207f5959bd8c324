"""GIF (87a and 89a): the blocks up to the trailer. Only a walk through the whole file tells that it is whole."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from albumen.domain.photos import PhotoHeader

if TYPE_CHECKING:
    from albumen.imaging.formats.source import Source
    from albumen.imaging.limits import Limits

MEDIA_TYPE = "image/gif"

_SCREEN = struct.Struct("<6xHHB2x")
_FRAME = struct.Struct("<xHHHHB")
_EXTENSION, _PICTURE, _TRAILER, _FILLING = 0x21, 0x2C, 0x3B, 0x00
_STEPS_PER_UNIT = 32  # sub-blocks walked in the time of one read


def read_header(source: Source, limits: Limits) -> PhotoHeader:
    """Return the header of a GIF with a trailer; counting stops at the first frame over the limit."""
    width, height, flags = source.unpack(_SCREEN, 0)
    offset, frames = _SCREEN.size + _colour_table(flags), 0
    while (kind := source.at(offset, 1)[0]) != _TRAILER:
        if kind == _PICTURE:
            frames += 1
            limits.admit_frames(frames)
            frame_width, frame_height, offset = _frame(source, limits, offset)
            width, height = width or frame_width, height or frame_height  # as browsers do for a screen of no size
        elif kind == _EXTENSION:
            offset = _after_blocks(source, offset + 2)
        elif kind == _FILLING:
            offset += 1
        else:
            raise ValueError("an unknown block")
    if not frames:
        raise ValueError("no picture before the trailer")
    limits.admit_size(width, height)
    return PhotoHeader(MEDIA_TYPE, "gif", width, height, frames)


def _frame(source: Source, limits: Limits, offset: int) -> tuple[int, int, int]:
    """Return width and height of the frame with its place on the screen, and the offset behind it."""
    left, top, width, height, flags = source.unpack(_FRAME, offset)
    limits.admit_size(width, height)
    code_size_at = offset + _FRAME.size + _colour_table(flags)
    return left + width, top + height, _after_blocks(source, code_size_at + 1)


def _colour_table(flags: int) -> int:
    """Return the length of the colour table that the flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(source: Source, offset: int) -> int:
    """Return the offset behind a chain of sub-blocks: a length byte and so many bytes, up to a length of 0."""
    while True:
        window, index = source.window(offset)
        end, steps, start = len(window), 0, offset - index
        while index < end:
            length = window[index]
            index += length + 1
            if not length:
                return start + index
            steps += 1
        source.spend(steps // _STEPS_PER_UNIT)
        offset = start + index
