"""Pictures of a photo that fit into a box: upright, sRGB, without any metadata.

Runs in a decoder process only (see `albumen.imaging.pool`): importing it starts libvips. libvips decodes by the loader
of the stated media type and no other; BMP and HEIC, which its wheel cannot read, come through Pillow.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pyvips

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from PIL import Image

_LOADERS = {
    "image/jpeg": "VipsForeignLoadJpeg",
    "image/png": "VipsForeignLoadPng",
    "image/webp": "VipsForeignLoadWebp",
    "image/gif": "VipsForeignLoadNsgif",
    "image/avif": "VipsForeignLoadHeif",
    "image/tiff": "VipsForeignLoadTiff",
}
_PILLOW_FORMATS = {"image/bmp": "BMP", "image/heic": "HEIF"}
_ICC = "icc-profile-data"
# The colour space that a profile is for stands at this place (ICC.1:2022, 7.2.6).
_ICC_SPACE = slice(16, 20)
_MAX_BANDS = 4
_WHITE = 255
_JPEG_STEPS = (8, 4, 2)
# libvips leaves a factor of 2 to its own filter. A photo of a phone, 4000 to 4080 px long, misses that by 2 % at every
# preset and would be decoded to four times the pixels.
_LEAST_REST = 1.9

# Tasks come in no order that a cache could use, and memory that it keeps counts against the limit.
pyvips.cache_set_max(0)


def render(source: Path, media_type: str, sizes: Iterable[int]) -> dict[int, pyvips.Image]:
    """Decode the first frame of a photo once and return it fitted into a box of each size (pixels).

    Never enlarged; 8 bits, sRGB, 3 bands or 4 with alpha, in memory. The largest is decoded, with the shrinking that
    the format offers; each further one is made from the one before, so its sides may differ by a pixel from a direct
    one.

    Raises:
        ValueError: No such media type.
        Exception: Whatever the libraries raise at bytes that they cannot decode, or that end too early.
    """
    falling = sorted(set(sizes), reverse=True)
    pictures = {falling[0]: _to_srgb(_decode(source, media_type, falling[0]))}
    for before, size in pairwise(falling):
        pictures[size] = _fit(pictures[before], size)
    return pictures


def encode(picture: pyvips.Image, name: str) -> bytes:
    """Encode a picture of `render` as "jpeg", "webp" or "avif", with no metadata.

    Alpha lies on white in JPEG, which has none. Measured at 256 and 1024 px: optimised JPEG is 10 % smaller for 0.1 ms,
    progressive no smaller than that at 256 px but 1.5 times as slow; WebP effort 3 saves 15 % over 1 and takes three
    times as long; AVIF effort 2 takes four times as long as 1.
    """
    data: bytes
    match name:
        case "jpeg":
            flat = picture.flatten(background=_WHITE) if picture.hasalpha() else picture
            data = flat.jpegsave_buffer(Q=82, optimize_coding=True, keep="none")
        case "webp":
            data = picture.webpsave_buffer(Q=80, effort=1, keep="none")
        case "avif":
            data = picture.heifsave_buffer(Q=60, effort=1, compression="av1", keep="none")
        case _:
            raise ValueError(f"no preview format {name!r}")
    return data


def rgba(picture: pyvips.Image) -> tuple[int, int, bytes]:
    """Return width, height and the pixels of a picture of `render` as RGBA rows."""
    opaque = picture if picture.hasalpha() else picture.bandjoin(_WHITE)
    return picture.width, picture.height, bytes(opaque.write_to_memory())


def jpeg_step(side: int, size: int) -> int:
    """Return by how much libjpeg shall shrink a photo of that longest side while it decodes: 8, 4, 2 or 1."""
    return next((step for step in _JPEG_STEPS if side >= step * size * _LEAST_REST), 1)


def _decode(source: Path, media_type: str, size: int) -> pyvips.Image:
    if media_type in _PILLOW_FORMATS:
        return _fit(_read_with_pillow(source, _PILLOW_FORMATS[media_type]), size)
    if media_type not in _LOADERS:
        raise ValueError(f"no decoder for {media_type!r}")
    _allow_only(_LOADERS[media_type])
    # Named by descriptor: libvips would read options out of a path that ends in brackets. Not `thumbnail_source`:
    # it forgets `fail_on` and shows a grey rest instead of an error (libvips 8.18).
    with source.open("rb") as file:
        path = f"/proc/self/fd/{file.fileno()}"
        if media_type == "image/jpeg":
            return _decode_jpeg(path, size)
        if media_type == "image/avif":
            # By its loader's name: guessing, which is otherwise safe here, does not know AVIF sequences.
            return _fit(pyvips.Image.heifload(path, fail_on="error"), size)
        return pyvips.Image.thumbnail(path, size, size="down", fail_on="error").copy_memory()


def _decode_jpeg(path: str, size: int) -> pyvips.Image:
    header = pyvips.Image.jpegload(path)
    step = jpeg_step(max(header.width, header.height), size)
    return _fit(pyvips.Image.jpegload(path, shrink=step, access="sequential", fail_on="error"), size)


def _fit(picture: pyvips.Image, size: int) -> pyvips.Image:
    return picture.thumbnail_image(size, size="down").copy_memory()


def _allow_only(loader: str) -> None:
    """Block every loader but one, so that no bytes reach another decoder, whatever they look like (6 microseconds)."""
    pyvips.operation_block_set("VipsForeignLoad", True)
    pyvips.operation_block_set(loader, False)


def _to_srgb(picture: pyvips.Image) -> pyvips.Image:
    """Bring a decoded picture to 8-bit sRGB.

    Done here and not by libvips while it shrinks (`output_profile`): that costs 8 ms even for photos without a profile.
    CMYK has become sRGB through its own or a built-in profile while shrinking.
    """
    picture = _apply_profile(picture)
    if picture.interpretation == "srgb" and picture.format == "uchar" and picture.bands <= _MAX_BANDS:
        return picture
    picture = picture.colourspace("srgb").cast("uchar")
    return (picture[:_MAX_BANDS] if picture.bands > _MAX_BANDS else picture).copy_memory()


def _apply_profile(picture: pyvips.Image) -> pyvips.Image:
    if not picture.get_typeof(_ICC):
        return picture
    space = b"RGB " if picture.interpretation == "srgb" else b"GRAY"
    if picture.get(_ICC)[_ICC_SPACE] == space:
        # A photo with a broken profile is still a photo: its numbers are then taken as sRGB.
        with suppress(pyvips.Error):
            return picture.icc_transform("srgb", embedded=True).copy_memory()
    return picture


def _read_with_pillow(source: Path, name: str) -> pyvips.Image:
    from PIL import Image  # noqa: PLC0415 - imported for the formats that need it: it doubles the start of the process

    if name == "HEIF":
        import pillow_heif  # noqa: PLC0415 - likewise

        pillow_heif.register_heif_opener(thumbnails=False)
    # The number of pixels was checked when the photo came in, and memory is limited here.
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(source, formats=[name]) as image:
        return _from_pillow(image)


def _from_pillow(image: Image.Image) -> pyvips.Image:
    mode = "RGBA" if image.has_transparency_data else "RGB"
    pixels = image.convert(mode)
    picture = pyvips.Image.new_from_memory(pixels.tobytes(), pixels.width, pixels.height, len(mode), "uchar")
    picture = picture.copy(interpretation="srgb")
    profile = image.info.get("icc_profile")
    if profile:
        picture.set_type(pyvips.GValue.blob_type, _ICC, profile)
    return picture
