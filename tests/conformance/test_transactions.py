"""Transactions and migrations on every engine: all or nothing, one writer at a time, our own errors."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from albumen.errors import Busy, StartRefused, StorageUnavailable
from albumen.repository.datasets import DatasetRepository
from albumen.repository.engine import open_database, statement
from albumen.repository.migrate import known_migrations, migrate, schema_version
from albumen.repository.photos import NewPhoto, PhotoRepository
from engines import BUSY_SECONDS, NOW, make_blob

NEWEST = known_migrations()[-1].version
COUNT = statement("SELECT COUNT(*) AS number FROM dataset")
DATASETS = DatasetRepository()


def count(database):
    with database.reading() as tx:
        return tx.row(COUNT, {})["number"]


def add(database, slug):
    with database.writing() as tx:
        DATASETS.add(tx, slug, slug, NOW)


def test_fresh_database_has_no_schema_and_gets_every_migration(empty_database):
    assert schema_version(empty_database) == 0
    assert list(migrate(empty_database)) == list(known_migrations())
    assert schema_version(empty_database) == NEWEST


def test_migrating_again_applies_nothing(database):
    add(database, "kept")
    assert list(migrate(database)) == []
    assert count(database) == 1


def test_schema_newer_than_this_version_is_refused_and_left_alone(database):
    with database.writing() as tx:
        tx.script("INSERT INTO schema_version (version, subject) VALUES (9999, 'of the future')")
    with pytest.raises(StartRefused, match=f"has schema 9999, this version of Albumen knows {NEWEST}"):
        migrate(database)
    assert schema_version(database) == 9999


def test_migration_that_fails_leaves_nothing_behind(empty_database):
    with empty_database.writing() as tx:
        tx.script("CREATE TABLE api_key (id TEXT)")  # stands in the way of the last table
    with pytest.raises(StorageUnavailable):
        migrate(empty_database)
    with pytest.raises(StorageUnavailable):
        count(empty_database)
    assert schema_version(empty_database) == 0


def test_written_rows_are_there_after_the_transaction(database):
    add(database, "a")
    assert count(database) == 1


def test_exception_rolls_everything_back(database):
    def fail():
        with database.writing() as tx:
            DATASETS.add(tx, "a", "a", NOW)
            DATASETS.add(tx, "b", "b", NOW)
            raise LookupError("after two rows")

    with pytest.raises(LookupError):
        fail()
    assert count(database) == 0


def test_broken_statement_rolls_everything_back_and_is_told_as_our_error(database):
    def fail():
        with database.writing() as tx:
            DATASETS.add(tx, "a", "a", NOW)
            tx.script("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StorageUnavailable):
        fail()
    assert count(database) == 0
    add(database, "b")
    assert count(database) == 1


def test_photo_needs_its_blob_and_its_dataset(database):
    with pytest.raises(StorageUnavailable):
        _insert_photo(database, dataset_id=404)
    with pytest.raises(StorageUnavailable), database.writing() as tx:
        tx.script("INSERT INTO derivation (sha256, state, attempts, leased_until) VALUES ('none', 'pending', 0, 0)")
    with pytest.raises(StorageUnavailable), database.writing() as tx:
        tx.script("INSERT INTO tally (dataset_id, day, photos, bytes) VALUES (404, '2026-11-23', 1, 1)")


def _insert_photo(database, dataset_id):
    photo = NewPhoto("01970000-0000-7000-8000-000000000000", "a.jpg", "/get/a", make_blob(1))
    with database.writing() as tx:
        PhotoRepository().add(tx, dataset_id, [photo], NOW)


def test_blob_that_a_photo_refers_to_cannot_be_deleted(shelf):
    shelf.photo(blob=make_blob(1))
    with pytest.raises(StorageUnavailable), shelf.database.writing() as tx:
        tx.script("DELETE FROM blob")


def test_reader_sees_one_state_while_others_write(sqlite):
    with sqlite.reading() as tx:
        before = tx.row(COUNT, {})["number"]
        add(sqlite, "a")
        assert tx.row(COUNT, {})["number"] == before
    assert count(sqlite) == before + 1


def test_writer_in_another_process_makes_ours_busy(sqlite, tmp_path):
    other = open_database(tmp_path / "albumen.db", BUSY_SECONDS)
    with other.writing():
        with pytest.raises(Busy):
            add(sqlite, "a")
        assert count(sqlite) == 0
    add(sqlite, "a")
    assert count(other) == 1
    other.close()


def test_writer_waits_for_one_that_is_quick(tmp_path, sqlite):
    other = open_database(tmp_path / "albumen.db", busy_seconds=20)
    begun = threading.Event()

    def write_late():
        begun.set()
        add(other, "late")

    with ThreadPoolExecutor(1) as pool:
        with sqlite.writing() as tx:
            future = pool.submit(write_late)
            assert begun.wait(20)
            DATASETS.add(tx, "first", "first", NOW)
        future.result(20)
    other.close()
    assert count(sqlite) == 2


def test_writer_that_waits_too_long_for_its_turn_is_told_busy(sqlite):
    with ThreadPoolExecutor(1) as pool, sqlite.writing():
        began = time.monotonic()
        waiting = pool.submit(add, sqlite, "a")
        with pytest.raises(Busy, match="Too many requests wait to write"):
            waiting.result(20)
        assert time.monotonic() - began >= BUSY_SECONDS
    add(sqlite, "a")
    assert count(sqlite) == 1


def test_threads_of_one_process_write_in_turn(tmp_path):
    database = open_database(tmp_path / "albumen.db", busy_seconds=20)
    migrate(database)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: add(database, f"set-{number}"), range(40)))
    assert count(database) == 40
    database.close()


def test_processes_that_start_at_once_migrate_once(tmp_path):
    databases = [open_database(tmp_path / "albumen.db", busy_seconds=20) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, databases))
    assert sorted(len(each) for each in applied) == [0, 0, 0, len(known_migrations())]
    for database in databases:
        database.close()


def test_database_is_as_durable_as_it_says(sqlite):
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    with sqlite.engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
    assert found == wanted


def test_log_of_the_database_grows_to_16_mb_before_its_pages_are_copied(sqlite):
    with sqlite.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar()
        assert pages * connection.exec_driver_sql("PRAGMA page_size").scalar() == 16_384_000


def test_file_that_is_no_database_is_told_as_our_error(tmp_path):
    (tmp_path / "albumen.db").write_bytes(b"not a database at all" * 100)
    database = open_database(tmp_path / "albumen.db", BUSY_SECONDS)
    with pytest.raises(StorageUnavailable):
        migrate(database)
    database.close()


@pytest.mark.parametrize(
    "use", [migrate, lambda database: database.probe_write(BUSY_SECONDS), lambda database: database.copy_to("copy.db")]
)
def test_directory_that_is_not_there_is_told_as_our_error(tmp_path, use):
    lost = open_database(tmp_path / "missing" / "albumen.db", BUSY_SECONDS)
    with closing(lost) as database, pytest.raises(StorageUnavailable):
        use(database)


@pytest.mark.parametrize("name", ["what?", "100%25", "a#b", "Фото & more;", "file:x"])
def test_database_lies_in_its_directory_whatever_that_is_called(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    with closing(open_database(folder / "albumen.db", BUSY_SECONDS)) as database:
        migrate(database)
    assert [path.name for path in folder.iterdir()] == ["albumen.db"]
    assert list(tmp_path.iterdir()) == [folder]
