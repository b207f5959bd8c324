"""AVIF and HEIC (ISO/IEC 23008-12): still photos in `meta`, sequences in `moov`. Videos are no photos."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.domain.photos import PhotoHeader
from albumen.imaging.formats.boxes import (
    FULL,
    Box,
    body,
    child,
    children,
    extents,
    file_boxes,
    item_kinds,
    item_properties,
    primary_item,
)

if TYPE_CHECKING:
    from albumen.imaging.formats.source import Source
    from albumen.imaging.limits import Limits

AVIF, HEIC = "image/avif", "image/heic"

_EXTENSIONS = {AVIF: "avif", HEIC: "heic"}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_OPEN_BRANDS = {b"mif1", b"mif2", b"msf1"}  # any codec
_CODECS = {b"av01": AVIF, b"hvc1": HEIC, b"hev1": HEIC, b"lhv1": HEIC}
_DERIVED = {b"grid", b"iovl", b"iden", b"tmap"}  # made of other items, so the brand tells the codec
_BRANDS_AT, _BRAND = 8, 4
_IN_FILE, _IN_IDAT = 0, 1
_PAIR = struct.Struct(">II")
_COUNT = struct.Struct(">I")
_CLAP = struct.Struct(">4I")
_ENTRY_SIZE = struct.Struct(">24xHH")
_PICTURES = b"pict"


@dataclass(frozen=True, slots=True)
class _Track:
    """The picture track of a sequence: size in pixels and number of frames."""

    width: int
    height: int
    frames: int


def media_type_of(head: bytes) -> str | None:
    """Return the media type that the brands in the first bytes tell; None for anything but a photo."""
    if head[4:8] != b"ftyp":
        return None
    end = min(len(head), max(int.from_bytes(head[:4]), _BRANDS_AT + _BRAND))
    brands = [head[_BRANDS_AT : _BRANDS_AT + _BRAND]]
    brands += [head[at : at + _BRAND] for at in range(_BRANDS_AT + 2 * _BRAND, end, _BRAND)]
    for brand in brands:
        if brand in _AVIF_BRANDS:
            return AVIF
        if brand in _HEVC_BRANDS:
            return HEIC
    return HEIC if _OPEN_BRANDS.intersection(brands) else None


def read_header(source: Source, limits: Limits, media_type: str) -> PhotoHeader:
    """Return the header of the primary item, or of the picture track if there is no item.

    `media_type` is what the brands tell; the codec of the primary item has the last word.
    """
    boxes = {box.kind: box for box in file_boxes(source)}
    track = _track(source, boxes[b"moov"]) if b"moov" in boxes else None
    if b"meta" in boxes:
        media_type, width, height = _still(source, limits, boxes[b"meta"], media_type)
    elif track is not None:
        width, height = track.width, track.height
        limits.admit_size(width, height)
    else:
        raise EOFError("neither an item nor a track")
    frames = track.frames if track else 1
    limits.admit_frames(frames)
    return PhotoHeader(media_type, _EXTENSIONS[media_type], width, height, frames)


def _still(source: Source, limits: Limits, meta: Box, media_type: str) -> tuple[str, int, int]:
    """Return media type, width and height of the primary item after all its data was found inside the file."""
    boxes: dict[bytes, Box] = {}
    for box in children(source, meta, skip=FULL):
        boxes.setdefault(box.kind, box)  # of two boxes of one kind, libheif takes the first as well
    missing = [kind.decode() for kind in (b"pitm", b"iinf", b"iloc", b"iprp") if kind not in boxes]
    if missing:
        raise ValueError(f"no box '{missing[0]}'")
    primary = primary_item(body(source, boxes[b"pitm"]))
    kind = item_kinds(source, boxes[b"iinf"]).get(primary)
    if kind not in _DERIVED and kind not in _CODECS:
        raise ValueError("a picture of an unknown codec")
    width, height = _item_size(source, limits, boxes[b"iprp"], primary)
    _require_extents(source, boxes[b"iloc"], boxes.get(b"idat"))
    return _CODECS.get(kind, media_type), width, height


def _item_size(source: Source, limits: Limits, iprp: Box, item: int) -> tuple[int, int]:
    """Return the size of the item after its transformations, in their order; every size of the file is admitted."""
    properties = list(children(source, child(source, iprp, b"ipco")))
    for box in properties:
        if box.kind == b"ispe":
            limits.admit_size(*source.unpack(_PAIR, box.start + FULL))
    width = height = 0
    for number in item_properties(source, body(source, child(source, iprp, b"ipma")), item):
        if number:
            width, height = _transformed(source, properties[number - 1], width, height)
    limits.admit_size(width, height)
    return width, height


def _transformed(source: Source, box: Box, width: int, height: int) -> tuple[int, int]:
    """Apply one property: `ispe` sets the size, `clap` cuts, `irot` turns by quarters."""
    if box.kind == b"ispe":
        width, height = source.unpack(_PAIR, box.start + FULL)
    elif box.kind == b"clap":
        across, across_by, down, down_by = source.unpack(_CLAP, box.start)
        if not across_by or not down_by:
            raise ValueError("a clean aperture without size")
        width, height = min(width, across // across_by), min(height, down // down_by)
    elif box.kind == b"irot" and source.at(box.start, 1)[0] & 1:
        width, height = height, width
    return width, height


def _require_extents(source: Source, iloc: Box, idat: Box | None) -> None:
    for extent in extents(source, body(source, iloc)):
        end = extent.offset + extent.length
        if extent.method == _IN_FILE:
            source.require(end)
        elif extent.method == _IN_IDAT and (idat is None or end > idat.end - idat.start):
            raise ValueError("a picture leaves its box")


def _track(source: Source, moov: Box) -> _Track | None:
    """Return the first picture track; None for a container of sound and video only."""
    for trak in children(source, moov):
        if trak.kind == b"trak":
            media = child(source, trak, b"mdia")
            handler = child(source, media, b"hdlr")
            if source.at(handler.start + 8, 4) == _PICTURES:
                return _picture_track(source, media)
    return None


def _picture_track(source: Source, media: Box) -> _Track:
    table = child(source, child(source, media, b"minf"), b"stbl")
    sizes = child(source, table, b"stsz")
    (frames,) = source.unpack(_COUNT, sizes.start + 8)
    entry = next(children(source, child(source, table, b"stsd"), skip=8), None)
    if entry is None or not frames:
        raise ValueError("a sequence without pictures")
    width, height = source.unpack(_ENTRY_SIZE, entry.start)
    return _Track(width, height, frames)
