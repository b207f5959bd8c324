"""What EXIF tells of a photo. Runs in a decoder process only; nothing in a photo's EXIF makes it fail."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, Image

from albumen.domain.photos import Metadata, Position

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
    "image/tiff": "TIFF",
}
_MAX_TEXT = 200
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)", re.ASCII)
_MAX_LATITUDE = 90
_MAX_LONGITUDE = 180

# The number of pixels was checked when the photo came in; here only headers are read.
Image.MAX_IMAGE_PIXELS = None


def read_metadata(source: Path, media_type: str) -> Metadata:
    """Read time, camera, lens and position; each is None where EXIF is silent, malformed or out of range."""
    if media_type not in _FORMATS:
        return Metadata()
    try:
        return _read(source, media_type)
    except Exception:  # noqa: BLE001 - Pillow raises a dozen kinds at malformed EXIF, and the photo is fine without
        return Metadata()


def _read(source: Path, media_type: str) -> Metadata:
    if media_type == "image/heic":
        import pillow_heif  # noqa: PLC0415 - costs 90 ms, and few photos need it

        pillow_heif.register_heif_opener(thumbnails=False)
    with Image.open(source, formats=[_FORMATS[media_type]]) as image:
        exif = _exif(image)
        photo, gps = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
        return Metadata(_taken_at(photo), _camera(exif), _text(photo.get(ExifTags.Base.LensModel)), _position(gps))


def _exif(image: Image.Image) -> Image.Exif:
    if image.format == "TIFF":
        return image.getexif()
    # Not getexif(): for a PNG without EXIF before its pixels that decodes them all.
    exif = Image.Exif()
    exif.load(image.info.get("exif") or b"")
    return exif


def _taken_at(photo: Mapping[int, Any]) -> datetime | None:
    match = _DATE.match(_text(photo.get(ExifTags.Base.DateTimeOriginal)) or "")
    if match is None:
        return None
    fraction = _text(photo.get(ExifTags.Base.SubsecTimeOriginal)) or ""
    digits = fraction[:6].ljust(6, "0") if fraction.isascii() and fraction.isdecimal() else "000000"
    year, month, day, hour, minute, second = match.groups()
    try:
        # The camera's local time, without a zone: most cameras do not say in which one they are.
        return datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second}.{digits}")
    except ValueError:
        return None


def _camera(exif: Mapping[int, Any]) -> str | None:
    """Join make and model, unless the model says the make itself ("NIKON CORPORATION", "NIKON D90")."""
    make, model = _text(exif.get(ExifTags.Base.Make)), _text(exif.get(ExifTags.Base.Model))
    if make is None or model is None:
        return make or model
    repeats = model.casefold().startswith(make.split()[0].casefold())
    return model if repeats else f"{make} {model}"[:_MAX_TEXT]


def _position(gps: Mapping[int, Any]) -> Position | None:
    latitude = _degrees(gps, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, {"N": 1, "S": -1})
    longitude = _degrees(gps, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, {"E": 1, "W": -1})
    if latitude is None or longitude is None:
        return None
    # Receivers without a fix write zeroes. A comparison with NaN, from 0/0, is false.
    is_placed = (latitude, longitude) != (0, 0)
    is_on_globe = abs(latitude) <= _MAX_LATITUDE and abs(longitude) <= _MAX_LONGITUDE
    return Position(latitude, longitude) if is_placed and is_on_globe else None


def _degrees(gps: Mapping[int, Any], value: int, reference: int, signs: Mapping[str, int]) -> float | None:
    """Read degrees, minutes and seconds (some devices leave out the last ones), signed by the hemisphere."""
    sign = signs.get((_text(gps.get(reference)) or "").upper())
    parts = gps.get(value)
    if sign is None or not isinstance(parts, tuple):
        return None
    try:
        degrees, minutes, seconds = (*map(float, parts), 0.0, 0.0)[:3]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return round(sign * (degrees + minutes / 60 + seconds / 3600), 7)


def _text(value: object) -> str | None:
    """Return a clean text: up to the first NUL, without control characters, at most 200 characters; None if empty."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return None
    # EXIF says ASCII, Pillow reads Latin-1, cameras and phones write UTF-8.
    with suppress(UnicodeError):
        value = value.encode("latin-1").decode()
    words = value.partition("\0")[0].split()
    return "".join(filter(str.isprintable, " ".join(words)))[:_MAX_TEXT].strip() or None
