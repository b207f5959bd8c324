"""Databases of up to ten million photos, made by SQL alone: rows without files, for scenarios that only list.

Indexes are taken away, and made again when the rows are there: sorting once costs less than ten million insertions.
Digests are scattered over the photos as real ones are, so that neighbours of a page are none in the table of blobs.
"""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pysqlite3

from albumen.repository.engine import open_database
from albumen.repository.migrate import migrate

if TYPE_CHECKING:
    from pathlib import Path

FIRST_MOMENT_MS = 1_700_000_000_000
PHOTO_BYTES = 2_000_000
_DATASET = "INSERT INTO dataset (id, slug, name, created_at) VALUES (1, 'main', 'main', 0) ON CONFLICT DO NOTHING"
_MAIN = "SELECT id FROM dataset WHERE slug = 'main'"
_WANTED = "CREATE TEMP TABLE wanted AS SELECT :count AS photos, :first_ms AS first_ms, :dataset AS dataset"
# The n-th digest begins with n times 2^32 divided by the golden ratio: all differ, and no order is left.
_GENERATED = """
    CREATE TEMP VIEW generated AS
    WITH RECURSIVE
        numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < (SELECT photos FROM wanted)),
        moments AS (SELECT n, first_ms + n * 1000 AS ms, printf('%012x', first_ms + n * 1000) AS hex, dataset
                    FROM numbers CROSS JOIN wanted)
    SELECT n, ms, dataset, printf('%08x%056x', (n * 2654435761) & 4294967295, n) AS sha256,
           substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7000-8000-' || printf('%012x', n) AS id
    FROM moments
"""
_BLOBS = """
    INSERT INTO blob (sha256, bytes, media_type, extension, width, height, frames, camera, placeholder)
    SELECT sha256, :bytes, 'image/jpeg', 'jpg', 4000, 3000, 1, 'Pixel 9', '3OcRJYB4d3h/iIeHeEh3eIhw+j2w'
    FROM generated ORDER BY sha256
"""
_PHOTOS = """
    INSERT INTO photo (id, link, name, name_folded, dataset_id, sha256, uploaded_at)
    SELECT id, '/get/' || id, printf('IMG_%07d.jpg', n), printf('img_%07d.jpg', n), dataset, sha256, ms * 1000
    FROM generated
"""
_DERIVATIONS = """
    INSERT INTO derivation (sha256, state, attempts, leased_until) SELECT sha256, 'done', 1, 0 FROM blob ORDER BY sha256
"""
_TALLY = "INSERT INTO tally (dataset_id, day, photos, bytes) VALUES (:dataset, '2023-11-14', :count, :count * :bytes)"
_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
_QUICK = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -1000000",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA threads = 2",
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
    with closing(pysqlite3.connect(str(path), isolation_level=None)) as connection:
        for pragma in _QUICK:
            connection.execute(pragma)
        _insert(connection, count)
    os.sync()


def _insert(connection: pysqlite3.Connection, count: int) -> None:
    connection.execute(_DATASET)
    (dataset,) = connection.execute(_MAIN).fetchone()
    values = {"count": count, "dataset": dataset, "bytes": PHOTO_BYTES, "first_ms": FIRST_MOMENT_MS}
    indexes = connection.execute(_INDEXES).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    for statement in (_WANTED, _GENERATED, _BLOBS, _PHOTOS, _DERIVATIONS, _TALLY):
        connection.execute(statement, values)
    for _, sql in indexes:
        connection.execute(sql)
