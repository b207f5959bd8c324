"""Photos, blobs and what is known of them. Sizes are bytes, lengths are pixels, times are aware UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_FILE_NAME = re.compile(r"([0-9a-f]{64})\.([a-z0-9]{1,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class PhotoHeader:
    """What the bytes of a photo say of themselves without being decoded.

    `width` and `height` are those of the upright photo, `frames` is at least 1.
    """

    media_type: str
    extension: str
    width: int
    height: int
    frames: int = 1


@dataclass(frozen=True, slots=True)
class BlobKey:
    """The name of immutable bytes: their SHA-256 in lower-case hex and the extension of their format."""

    sha256: str
    extension: str

    @property
    def file_name(self) -> str:
        """The name of a file with these bytes."""
        return f"{self.sha256}.{self.extension}"


def key_of(file_name: str) -> BlobKey | None:
    """Return the key of a blob's file, or None when the name is that of something else."""
    match = _FILE_NAME.fullmatch(file_name)
    return BlobKey(match[1], match[2]) if match else None


@dataclass(frozen=True, slots=True)
class Blob:
    """Immutable bytes and their header."""

    sha256: str
    bytes: int
    header: PhotoHeader

    @property
    def key(self) -> BlobKey:
        """The name under which a store keeps these bytes."""
        return BlobKey(self.sha256, self.header.extension)


@dataclass(frozen=True, slots=True)
class Photo:
    """An entry in a dataset. `link` is the path below the server's address."""

    id: str
    name: str
    link: str
    dataset: str
    blob: Blob
    uploaded_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a photo was taken, in degrees (WGS 84)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Metadata:
    """What EXIF tells; None where it is silent. `taken_at` is the camera's local time, without a zone."""

    taken_at: datetime | None = None
    camera: str | None = None
    lens: str | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class PhotoDetails:
    """A photo with all that was derived from it. `placeholder` is a ThumbHash in base64, None until it is made."""

    photo: Photo
    metadata: Metadata
    placeholder: str | None
    derivation: str
