"""Data directories with very many photos, made in seconds: rows of their own, and files that share a few pictures.

Every photo has a blob and a preview of its own by name; on disk they are hard links to those few. So a server answers
for each as for any other.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pysqlite3
from PIL import Image

from albumen.imaging.placeholder import thumb_hash
from albumen.repository.engine import open_database
from albumen.repository.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Sequence

NEWEST = datetime(2026, 11, 20, 20, tzinfo=UTC)
HASH_EDGE = 32
PREVIEW_EDGE = 512
_DATASET = "INSERT INTO dataset (id, slug, name, created_at) VALUES (1, 'main', 'main', 0)"
_BLOB = """
    INSERT INTO blob (sha256, bytes, media_type, extension, width, height, frames, placeholder)
    VALUES (?, ?, 'image/jpeg', 'jpg', ?, ?, 1, ?)
"""
_PHOTO = """
    INSERT INTO photo (id, link, name, name_folded, dataset_id, sha256, uploaded_at)
    VALUES (?1, '/get/' || ?1, ?2, lower(?2), 1, ?3, ?4)
"""
_DONE = "INSERT INTO derivation (sha256, state, attempts, leased_until) SELECT sha256, 'done', 1, 0 FROM blob"
_TALLY = """
    INSERT INTO tally (dataset_id, day, photos, bytes)
    SELECT 1, date(p.uploaded_at / 1000000, 'unixepoch') AS day, COUNT(*), SUM(b.bytes)
    FROM photo AS p JOIN blob AS b ON b.sha256 = p.sha256 GROUP BY day
"""


@dataclass(frozen=True, slots=True)
class Shared:
    """A picture that many photos share: its file, that of its preview, and what a row tells of it."""

    original: str
    preview: str
    bytes: int
    size: tuple[int, int]
    placeholder: str


@dataclass(frozen=True, slots=True)
class Place:
    """One of the many photos."""

    number: int
    id: str
    ms: int
    sha256: str
    shared: Shared

    def blob(self) -> tuple[str | int, ...]:
        """Return its row of the table `blob`."""
        return (self.sha256, self.shared.bytes, *self.shared.size, self.shared.placeholder)

    def photo(self) -> tuple[str | int, ...]:
        """Return its row of the table `photo`."""
        return (self.id, f"IMG_{self.number:06}.jpg", self.sha256, self.ms * 1000)


def fill_gallery(
    data: Path, count: int, pictures: Sequence[bytes], *, seconds_apart: float = 0.5, previews: bool = False
) -> None:
    """Make a data directory with `count` photos, IMG_000001.jpg being the newest, each so much older than the last.

    With `previews` those that the background worker would make are there; without, a server makes what it is asked for.
    """
    data.mkdir(parents=True)
    database = open_database(data / "albumen.db", busy_seconds=10)
    migrate(database)
    database.close()
    shared = [_shared(data, number, content) for number, content in enumerate(pictures)]
    with closing(pysqlite3.connect(str(data / "albumen.db"), isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute(_DATASET)
        places = [_place(number, shared, seconds_apart) for number in range(1, count + 1)]
        connection.executemany(_BLOB, (place.blob() for place in places))
        connection.executemany(_PHOTO, (place.photo() for place in places))
        connection.execute(_DONE)
        connection.execute(_TALLY)
        connection.execute("COMMIT")
    for place in places:
        _link(place.shared.original, f"{data}/blobs/{place.sha256[0]}/{place.sha256}.jpg")
        if previews:
            folder = f"{data}/previews/v1/{place.sha256[:2]}/{place.sha256[2:4]}/{place.sha256}"
            _link(place.shared.preview, f"{folder}/{PREVIEW_EDGE}.webp")


def photo_id(number: int, seconds_apart: float = 0.5) -> str:
    """Return the id of photo IMG_<number>."""
    ms = _moment_ms(number, seconds_apart)
    text = f"{ms:012x}7000{0x8000:04x}{number:012x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _moment_ms(number: int, seconds_apart: float) -> int:
    return int((NEWEST.timestamp() - number * seconds_apart) * 1000)


def _shared(data: Path, number: int, content: bytes) -> Shared:
    """Keep a picture beside the data directory, with the preview that the background worker would make."""
    folder = data.parent / f"{data.name}-pictures"
    folder.mkdir(exist_ok=True)
    original, preview = folder / f"{number}.jpg", folder / f"{number}.webp"
    original.write_bytes(content)
    original.chmod(0o444)
    with Image.open(BytesIO(content)) as image:
        small = image.convert("RGB")
        small.thumbnail((PREVIEW_EDGE, PREVIEW_EDGE))
        small.save(preview, quality=75)
        small.thumbnail((HASH_EDGE, HASH_EDGE))
        placeholder = thumb_hash(*small.size, small.convert("RGBA").tobytes())
        return Shared(str(original), str(preview), len(content), image.size, placeholder)


def _place(number: int, shared: Sequence[Shared], seconds_apart: float) -> Place:
    picture = shared[number * 7919 % len(shared)]  # neighbours differ
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    return Place(number, photo_id(number, seconds_apart), _moment_ms(number, seconds_apart), sha256, picture)


def _link(source: str, goal: str) -> None:
    try:
        os.link(source, goal)
    except FileNotFoundError:
        Path(goal).parent.mkdir(parents=True, exist_ok=True)
        os.link(source, goal)
