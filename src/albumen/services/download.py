"""Many photos as one ZIP file, made while it is read.

It is whole or it fails. Before its first byte every photo is looked up and its file is measured; what breaks later
leaves it shorter than its announced size. Memory holds one chunk, or one photo of up to 1 MiB, and the directory of
names that a ZIP file ends with.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.domain.filenames import unique_filenames
from albumen.domain.zipfile import Member, central_header, end_records, local_header, total_size
from albumen.errors import BlobDamaged, InvalidParameter, PhotoNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from albumen.domain.photos import BlobKey, Photo
    from albumen.repository.engine import Database
    from albumen.repository.photos import PhotoRepository
    from albumen.storage.base import BlobStore

MOST_DOWNLOADED = 10_000
CHUNK_BYTES = 256 * 1024
WHOLE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Download:
    """A ZIP file about to be read: how many bytes it will have, and those bytes, once."""

    size: int
    chunks: Iterator[bytes]


class Downloads:
    """Makes archives of photos."""

    def __init__(self, database: Database, photos: PhotoRepository, store: BlobStore) -> None:
        self._database = database
        self._photos = photos
        self._store = store

    def open(self, photo_ids: Sequence[str]) -> Download:
        """Return an archive of these photos, in this order, each id named once.

        Reading it raises BlobDamaged when a file changes meanwhile; what was read then is no archive.

        Raises:
            InvalidParameter: No photo at all.
            PhotoNotFound: Some are not there; `ids` names them.
            BlobDamaged: The bytes of some are missing or have another size; `ids` names them.
        """
        photos = self._look_up(photo_ids)
        self._check_bytes(photos)
        names = unique_filenames(photo.name for photo in photos)
        members = [Member(name, photo.blob.bytes, photo.uploaded_at) for photo, name in zip(photos, names, strict=True)]
        keys = [photo.blob.key for photo in photos]
        return Download(total_size(members), self._chunks(members, keys))

    def _look_up(self, photo_ids: Sequence[str]) -> Sequence[Photo]:
        if not photo_ids:
            raise InvalidParameter("ids", "at least one id")
        with self._database.reading() as tx:
            found = {listed.photo.id: listed.photo for listed in self._photos.find_all(tx, photo_ids)}
        missing = [photo_id for photo_id in photo_ids if photo_id not in found]
        if missing:
            raise PhotoNotFound(f"{len(missing)} of the photos are not there, or you may not see them.", ids=missing)
        return [found[photo_id] for photo_id in photo_ids]

    def _check_bytes(self, photos: Sequence[Photo]) -> None:
        damaged = [photo.id for photo in photos if not self._is_whole(photo)]
        if damaged:
            raise BlobDamaged(f"The bytes of {len(damaged)} photos are missing or damaged.", ids=damaged)

    def _is_whole(self, photo: Photo) -> bool:
        stat = self._store.stat(photo.blob.key)
        return stat is not None and stat.bytes == photo.blob.bytes

    def _chunks(self, members: Sequence[Member], keys: Sequence[BlobKey]) -> Iterator[bytes]:
        directory = bytearray()
        offset = 0
        for member, key in zip(members, keys, strict=True):
            with self._store.open(key) as file:
                crc32 = _crc32_of(file, member.size)
                header = local_header(member, crc32)
                yield header
                yield from _read(file, member.size)
            directory += central_header(member, crc32, offset)
            offset += len(header) + member.size
        yield bytes(directory)
        yield end_records(len(members), len(directory), offset)


def _crc32_of(file: BinaryIO, size: int) -> int:
    """Read all bytes for their checksum, which stands before them, and go back to their beginning."""
    crc32 = 0
    for chunk in _read(file, size):
        crc32 = zlib.crc32(chunk, crc32)
    file.seek(0)
    return crc32


def _read(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield exactly `size` bytes. Raises BlobDamaged when the file has fewer."""
    left = size
    step = size if size <= WHOLE_BYTES else CHUNK_BYTES
    while left and (chunk := file.read(min(step, left))):
        left -= len(chunk)
        yield chunk
    if left:
        raise BlobDamaged("The stored file of a photo is shorter than it was.")
