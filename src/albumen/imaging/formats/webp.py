"""WebP (RFC 9649): the chunks of the RIFF container, simple, extended and animated."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from albumen.domain.photos import PhotoHeader
from albumen.imaging.formats.orientation import LONGEST_BLOCK, UPRIGHT, orientation_of, upright_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from albumen.imaging.formats.source import Source
    from albumen.imaging.limits import Limits

MEDIA_TYPE = "image/webp"

_RIFF = struct.Struct("<4xI4x")
_CHUNK = struct.Struct("<4sI")
_LOSSY = struct.Struct("<B2x3sHH")
_LOSSLESS = struct.Struct("<BI")
_LOSSY_START, _LOSSLESS_START = b"\x9d\x01\x2a", 0x2F
_FOURTEEN_BITS = 0x3FFF


def read_header(source: Source, limits: Limits) -> PhotoHeader:
    """Return the header of a WebP whose container is complete; bytes behind the container are fine."""
    canvas: tuple[int, int] | None = None
    orientation, frames = UPRIGHT, 0
    for kind, start, length in _chunks(source):
        if kind in _SIZES:
            size = _SIZES[kind](source, start)
            limits.admit_size(*size)
            canvas = canvas or size
            frames += kind != b"VP8X"
            limits.admit_frames(frames)
        elif kind == b"EXIF":
            orientation = orientation_of(source.at(start, min(length, LONGEST_BLOCK)))
    if canvas is None or not frames:
        raise ValueError("no picture in the container")
    width, height = upright_size(*canvas, orientation)
    return PhotoHeader(MEDIA_TYPE, "webp", width, height, frames)


def _chunks(source: Source) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and length of each chunk of the container."""
    (length,) = source.unpack(_RIFF, 0)
    end = 8 + length
    source.require(end)
    offset = _RIFF.size
    while offset + _CHUNK.size <= end:
        kind, length = source.unpack(_CHUNK, offset)
        if offset + _CHUNK.size + length > end:
            raise ValueError("a chunk leaves its container")
        yield kind, offset + _CHUNK.size, length
        offset += _CHUNK.size + length + length % 2


def _lossy_size(source: Source, start: int) -> tuple[int, int]:
    flags, code, width, height = source.unpack(_LOSSY, start)
    if code != _LOSSY_START or flags & 1:
        raise ValueError("no key frame")
    return width & _FOURTEEN_BITS, height & _FOURTEEN_BITS


def _lossless_size(source: Source, start: int) -> tuple[int, int]:
    code, bits = source.unpack(_LOSSLESS, start)
    if code != _LOSSLESS_START:
        raise ValueError("no lossless picture")
    return (bits & _FOURTEEN_BITS) + 1, (bits >> 14 & _FOURTEEN_BITS) + 1


def _canvas_size(source: Source, start: int) -> tuple[int, int]:
    return _two_of_24_bits(source.at(start + 4, 6))


def _frame_size(source: Source, start: int) -> tuple[int, int]:
    return _two_of_24_bits(source.at(start + 6, 6))


def _two_of_24_bits(field: bytes) -> tuple[int, int]:
    return int.from_bytes(field[:3], "little") + 1, int.from_bytes(field[3:], "little") + 1


_SIZES = {b"VP8X": _canvas_size, b"VP8 ": _lossy_size, b"VP8L": _lossless_size, b"ANMF": _frame_size}
