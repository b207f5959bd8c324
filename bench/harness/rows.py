"""Databases of many photos, written straight into the schema: rows without files, for scenarios that only list."""

from __future__ import annotations

import itertools
import os
from contextlib import closing
from typing import TYPE_CHECKING

import pysqlite3

from albumen.domain.ids import PhotoIds
from albumen.repository.engine import open_database
from albumen.repository.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 20_000
FIRST_MOMENT_MS = 1_700_000_000_000
PHOTO_BYTES = 2_000_000
_DATASET = "INSERT INTO dataset (id, slug, name, created_at) VALUES (1, 'main', 'main', 0) ON CONFLICT DO NOTHING"
_MAIN = "SELECT id FROM dataset WHERE slug = 'main'"
_BLOB = """
    INSERT INTO blob (sha256, bytes, media_type, extension, width, height, frames, camera, placeholder)
    VALUES (?, ?, 'image/jpeg', 'jpg', 4000, 3000, 1, 'Pixel 9', '3OcRJYB4d3h/iIeHeEh3eIhw+j2w')
"""
_PHOTO = """
    INSERT INTO photo (id, link, name, name_folded, dataset_id, sha256, uploaded_at) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_DERIVATION = "INSERT INTO derivation (sha256, state, attempts, leased_until) VALUES (?, 'done', 1, 0)"
_TALLY = "INSERT INTO tally (dataset_id, day, photos, bytes) VALUES (?, '2023-11-14', ?, ?)"
_QUICK = (
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -1000000",
    "PRAGMA foreign_keys = OFF",
)


def data_of(folder: Path, count: int) -> Path:
    """Return a data directory in `folder` with `count` photos in the dataset `main`; made once per run."""
    data = folder / f"rows-{count}"
    if not data.exists():
        _fill(data, count)
    return data


def _fill(data: Path, count: int) -> None:
    data.mkdir()
    path = data / "albumen.db"
    database = open_database(path, busy_seconds=10)
    migrate(database)
    database.close()
    with closing(pysqlite3.connect(str(path))) as connection:
        for pragma in _QUICK:
            connection.execute(pragma)
        _insert(connection, count)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.sync()


def _insert(connection: pysqlite3.Connection, count: int) -> None:
    connection.execute(_DATASET)
    (dataset,) = connection.execute(_MAIN).fetchone()
    photos = _photos(count, dataset)
    while chunk := list(itertools.islice(photos, CHUNK)):
        connection.executemany(_BLOB, [(row[5], PHOTO_BYTES) for row in chunk])
        connection.executemany(_PHOTO, chunk)
        connection.executemany(_DERIVATION, [(row[5],) for row in chunk])
    connection.execute(_TALLY, (dataset, count, count * PHOTO_BYTES))
    connection.commit()


def _photos(count: int, dataset: int) -> Iterator[tuple[str, str, str, str, int, str, int]]:
    """Yield rows of `photo`, one per second of the clock that their ids are made of."""
    moments = itertools.count(FIRST_MOMENT_MS, 1000)
    ids = PhotoIds(lambda: next(moments))
    for number in range(count):
        photo_id, name = ids.next(), f"IMG_{number:07}.jpg"
        uploaded_at = (FIRST_MOMENT_MS + number * 1000) * 1000
        yield photo_id, f"/get/{photo_id}", name, name.lower(), dataset, os.urandom(32).hex(), uploaded_at
