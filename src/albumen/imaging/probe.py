"""Decides from bytes alone whether a file is a photo, and of what size: pure Python, nothing is decoded.

The web process calls this on whatever strangers send, so no image library may be imported here: their openers run C
code and allocate canvases. Work and memory are bounded for every input (see `formats.source`).
"""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from albumen.errors import EmptyPhoto, NotAPhoto, TruncatedPhoto
from albumen.imaging.formats import bmp, gif, isobmff, jpeg, png, strangers, tiff, webp
from albumen.imaging.formats.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from albumen.domain.photos import PhotoHeader
    from albumen.imaging.limits import Limits

HEAD_BYTES = 512  # enough for the brands of HEIC and for the comments in front of `<svg`

_TAKEN = "JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF and BMP are taken"
_READERS: dict[str, Callable[[Source, Limits], PhotoHeader]] = {
    jpeg.MEDIA_TYPE: jpeg.read_header,
    png.MEDIA_TYPE: png.read_header,
    webp.MEDIA_TYPE: webp.read_header,
    gif.MEDIA_TYPE: gif.read_header,
    isobmff.AVIF: partial(isobmff.read_header, media_type=isobmff.AVIF),
    isobmff.HEIC: partial(isobmff.read_header, media_type=isobmff.HEIC),
    tiff.MEDIA_TYPE: tiff.read_header,
    bmp.MEDIA_TYPE: bmp.read_header,
}
_SIGNATURES = (
    ((b"\xff\xd8\xff",), jpeg.MEDIA_TYPE),
    ((png.SIGNATURE,), png.MEDIA_TYPE),
    ((b"GIF87a", b"GIF89a"), gif.MEDIA_TYPE),
)
_NAMES = {
    jpeg.MEDIA_TYPE: "JPEG",
    png.MEDIA_TYPE: "PNG",
    webp.MEDIA_TYPE: "WebP",
    gif.MEDIA_TYPE: "GIF",
    isobmff.AVIF: "AVIF",
    isobmff.HEIC: "HEIC",
    tiff.MEDIA_TYPE: "TIFF",
    bmp.MEDIA_TYPE: "BMP",
}
MEDIA_TYPES = tuple(_NAMES)


def sniff(head: bytes) -> str:
    """Return the media type that the first bytes of a file tell; give `HEAD_BYTES` of them if the file has as many.

    Raises EmptyPhoto for no bytes, NotAPhoto for any other kind of file; its detail names the kind if it is known.
    """
    if not head:
        raise EmptyPhoto("The file has no bytes.")
    media_type = _media_type(head[:HEAD_BYTES])
    if media_type is None:
        raise _refusal(head[:HEAD_BYTES])
    return media_type


def inspect(file: BinaryIO, size: int, limits: Limits) -> PhotoHeader:
    """Return the header of a complete file of `size` bytes, seekable and read from offset 0.

    Bytes behind the end that the format defines are fine: phones append data there. Raises EmptyPhoto, NotAPhoto,
    TruncatedPhoto, TooManyPixels and TooManyFrames, and nothing else but the OSError of the file itself.
    """
    file.seek(0)
    media_type = sniff(file.read(min(size, HEAD_BYTES)))
    try:
        return _READERS[media_type](Source(file, size), limits)
    except EOFError as exc:
        detail = f"The {_NAMES[media_type]} ends after {size} bytes, before its format says that it may."
        raise TruncatedPhoto(detail, bytes=size, media_type=media_type) from exc
    except ValueError as exc:
        raise _broken(media_type, str(exc)) from exc
    except (struct.error, IndexError) as exc:
        raise _broken(media_type, "a part is too short") from exc


def _media_type(head: bytes) -> str | None:
    for signatures, media_type in _SIGNATURES:
        if head.startswith(signatures):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return webp.MEDIA_TYPE
    if head.startswith(tiff.SIGNATURES) and not strangers.is_raw_tiff(head):
        return tiff.MEDIA_TYPE
    if bmp.is_bmp(head):
        return bmp.MEDIA_TYPE
    return isobmff.media_type_of(head)


def _refusal(head: bytes) -> NotAPhoto:
    stranger = strangers.stranger_of(head)
    if stranger is None:
        return NotAPhoto(f"The bytes are of no known kind; {_TAKEN}.", kind=None)
    return NotAPhoto(f"This is {stranger.name}, not a photo; {_TAKEN}.", kind=stranger.kind)


def _broken(media_type: str, reason: str) -> NotAPhoto:
    name = _NAMES[media_type]
    return NotAPhoto(
        f"The file begins as {name} and then breaks its rules: {reason}.", kind=None, media_type=media_type
    )
