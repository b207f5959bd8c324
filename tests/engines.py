"""What the conformance suites run against: every store, and every database engine, as fixtures.

An engine joins by one more entry in `ENGINES`, a store by one more in `STORES`.
"""

from __future__ import annotations

import hashlib
import itertools
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest

from albumen.domain.ids import PhotoIds
from albumen.domain.photos import Blob, PhotoHeader
from albumen.domain.times import to_micros
from albumen.repository.datasets import DatasetRepository
from albumen.repository.derivations import DerivationRepository
from albumen.repository.engine import open_database
from albumen.repository.migrate import migrate
from albumen.repository.photos import NewPhoto, PhotoRepository
from albumen.storage.files import Workspace
from albumen.storage.local import LocalBlobStore
from albumen.storage.memory import MemoryBlobStore

BUSY_SECONDS = 0.2
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@contextmanager
def _local_store(tmp_path):
    workspace = Workspace(tmp_path / "tmp")
    with closing(workspace), closing(LocalBlobStore(tmp_path, workspace)) as store:
        yield store


@contextmanager
def _memory_store(_tmp_path):
    yield MemoryBlobStore()


@contextmanager
def _sqlite_file(tmp_path):
    with closing(open_database(tmp_path / "albumen.db", BUSY_SECONDS)) as database:
        yield database


@contextmanager
def _sqlite_memory(_tmp_path):
    with closing(open_database(None, BUSY_SECONDS)) as database:
        yield database


STORES = {"local": _local_store, "memory": _memory_store}
ENGINES = {"sqlite-file": _sqlite_file, "sqlite-memory": _sqlite_memory}


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    """Each store, empty."""
    with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def local_store(tmp_path):
    """The store on a local disk; its directory is `tmp_path`."""
    with _local_store(tmp_path) as opened:
        yield opened


@pytest.fixture(params=ENGINES)
def empty_database(request, tmp_path):
    """Each engine, before the first migration."""
    with ENGINES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def database(empty_database):
    """Each engine, with the schema."""
    migrate(empty_database)
    return empty_database


@pytest.fixture
def sqlite(tmp_path):
    """SQLite in a file, with the schema."""
    with _sqlite_file(tmp_path) as opened:
        migrate(opened)
        yield opened


class Shelf:
    """Puts photos into a database as an upload would."""

    def __init__(self, database):
        self.database = database
        self._numbers = itertools.count()

    def dataset(self, slug):
        """Return the number of a dataset, made when it is not there."""
        with self.database.writing() as tx:
            DatasetRepository().add(tx, slug, slug, NOW)
            return DatasetRepository().get_id(tx, slug)

    def photo(self, name="a.jpg", dataset="main", blob=None):
        """Add one photo; without a blob it has one of its own."""
        return self.photos([name], dataset, blob)[0]

    def photos(self, names, dataset="main", blob=None):
        """Add photos of these names in one transaction; ids grow."""
        dataset_id = self.dataset(dataset)
        added = [self._new(name, blob) for name in names]
        with self.database.writing() as tx:
            PhotoRepository().add(tx, dataset_id, added, NOW)
            DerivationRepository().ask(tx, [photo.blob.sha256 for photo in added])
        return added

    def uploaded(self, moment, count=1, dataset="main", name="photo"):
        """Add photos as if they were uploaded at a moment, with the totals that go with them; return them in order."""
        dataset_id = self.dataset(dataset)
        ids = PhotoIds(lambda: to_micros(moment) // 1000)
        added = [self._new(f"{name}-{number}.jpg", None, ids.next()) for number in range(count)]
        size = sum(photo.blob.bytes for photo in added)
        change = {"dataset_id": dataset_id, "day": moment.date().isoformat(), "photos": count, "bytes": size}
        with self.database.writing() as tx:
            PhotoRepository().add(tx, dataset_id, added, moment)
            DatasetRepository().count(tx, [change])
        return added

    def _new(self, name, blob, photo_id=None):
        number = next(self._numbers)
        photo_id = photo_id or f"01970000-0000-7000-8000-{number:012x}"
        return NewPhoto(photo_id, name, f"/get/{photo_id}", blob or make_blob(number))


@pytest.fixture
def shelf(database):
    """A shelf in each engine."""
    return Shelf(database)


@pytest.fixture
def sqlite_shelf(sqlite):
    """A shelf in SQLite's file."""
    return Shelf(sqlite)


def make_blob(number):
    """Return a blob that differs for each number."""
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    return Blob(sha256, 1000 + number, PhotoHeader("image/jpeg", "jpg", 64, 48))


def sealed_digest(incoming):
    """Seal bytes on their way in and return their digest."""
    incoming.seal()
    return incoming.sha256()
