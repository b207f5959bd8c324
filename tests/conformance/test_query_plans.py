"""SQLite reads lists through the indexes made for them: no table is walked from end to end, nothing is sorted aside."""

import itertools
import re

import pytest
from sqlalchemy import event

from albumen.repository.blobs import BlobRepository
from albumen.repository.datasets import DatasetRepository
from albumen.repository.derivations import DerivationRepository
from albumen.repository.engine import statement
from albumen.repository.listing import PageQuery
from albumen.repository.photos import PhotoRepository
from albumen.repository.timeline import TimelineRepository
from albumen.repository.trash import TrashRepository
from engines import NOW

PHOTOS, TRASH = PhotoRepository(), TrashRepository()
SHAPES = list(itertools.product((False, True), repeat=3))
CURSOR = "01970000-0000-7000-8000-000000000010"
BY_KEY = {
    "find": lambda tx: PHOTOS.find(tx, CURSOR),
    "find_all": lambda tx: PHOTOS.find_all(tx, [CURSOR, CURSOR]),
    "live": lambda tx: TRASH.live(tx, [CURSOR, CURSOR]),
    "trashed": lambda tx: TRASH.trashed(tx, [CURSOR]),
    "twins": lambda tx: TRASH.twins(tx, [CURSOR, CURSOR]),
    "restore": lambda tx: TRASH.restore(tx, [CURSOR, CURSOR]),
    "find_by_name": lambda tx: PHOTOS.find_by_name(tx, "a.jpg"),
    "known": lambda tx: PHOTOS.known(tx, "main", ["0" * 64, "1" * 64]),
    "purge": lambda tx: TRASH.purge(tx, [CURSOR, CURSOR], NOW),
    "delete": lambda tx: TRASH.delete(tx, [CURSOR, CURSOR], NOW),
    "page of datasets": lambda tx: DatasetRepository().page(tx, "main", 10),
    "get_id": lambda tx: DatasetRepository().get_id(tx, "main"),
    "describe": lambda tx: DerivationRepository().describe(tx, "0" * 64),
    "is_waiting": lambda tx: DerivationRepository().is_waiting(tx, NOW),
    "claim": lambda tx: DerivationRepository().claim(tx, NOW, NOW, 8),
    "drop_unused": lambda tx: BlobRepository().drop_unused(tx, ["0" * 64, "1" * 64]),
    "existing": lambda tx: BlobRepository().existing(tx, ["0" * 64]),
    "places": lambda tx: BlobRepository().places(tx, "0" * 64),
    "stored": lambda tx: BlobRepository().stored(tx, "0" * 64, 500),
}


# What ANALYZE finds in a database of a million photos in twenty datasets, ten thousand of them in the trash.
STATISTICS = {
    ("dataset", "sqlite_autoindex_dataset_1"): "20 1",
    ("blob", "sqlite_autoindex_blob_1"): "1000000 1",
    ("photo", "sqlite_autoindex_photo_1"): "1000000 1",
    ("photo", "photo_once"): "990000 50000 1",
    ("photo", "photo_newest"): "990000 1",
    ("photo", "photo_newest_of_dataset"): "990000 50000 1",
    ("photo", "photo_by_name"): "990000 10 1",
    ("photo", "photo_by_blob"): "1000000 1",
    ("photo", "photo_trash"): "10000 1",
    ("derivation", "sqlite_autoindex_derivation_1"): "1000000 1",
    ("derivation", "derivation_pending"): "500 2",
}

ADD_STATISTICS = statement("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)")


@pytest.fixture(params=["never analysed", "analysed"])
def database(request, sqlite):
    """A database whose planner knows nothing of the rows, as ours is; or knows a million, as after ANALYZE."""
    with sqlite.writing() as tx:
        DatasetRepository().add(tx, "main", "main", NOW)
    if request.param == "analysed":
        with sqlite.writing() as tx:
            tx.script("ANALYZE")
            tx.script("DELETE FROM sqlite_stat1")
            tx.run_many(
                ADD_STATISTICS, [{"tbl": name[0], "idx": name[1], "stat": STATISTICS[name]} for name in STATISTICS]
            )
        sqlite.close()  # statistics are read when a connection opens
    return sqlite


def plans(database, call):
    """Run `call` in a transaction; return the plan of each statement that it ran."""
    ran = []

    def note(_connection, _cursor, sql, values, *_rest):
        if not sql.startswith(("BEGIN", "EXPLAIN")):
            ran.append((sql, values))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.writing() as tx:
            call(tx)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    with database.engine.connect() as connection:
        return [_plan(connection, sql, values) for sql, values in ran]


def _plan(connection, sql, values):
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
    return [row[3] for row in rows]


def walked_or_sorted(plan):
    """Return the steps of a plan that cost more the more rows there are; a subquery here has a limit."""
    return [step for step in plan if "TEMP B-TREE" in step or re.match(r"SCAN (?!CONSTANT ROW|\(subquery)", step)]


@pytest.mark.parametrize(("trash", "by_dataset", "by_name"), SHAPES)
@pytest.mark.parametrize("cursor", [None, CURSOR])
def test_page_of_every_shape_follows_an_index_in_order(database, trash, by_dataset, by_name, cursor):
    query = PageQuery(100, cursor, 1 if by_dataset else None, "a" if by_name else None, trash)
    (plan,) = plans(database, lambda tx: PHOTOS.page(tx, query))
    assert walked_or_sorted(plan) == []
    assert any("photo_trash" in step if trash else "photo_newest" in step for step in plan), plan


def test_page_of_a_dataset_follows_the_index_of_datasets(database):
    (plan,) = plans(database, lambda tx: PHOTOS.page(tx, PageQuery(100, CURSOR, 1)))
    assert any("photo_newest_of_dataset (dataset_id=? AND id>? AND id<?)" in step for step in plan), plan


@pytest.mark.parametrize(("trash", "by_dataset", "by_name"), SHAPES)
def test_marks_of_every_shape_follow_an_index_in_order(database, trash, by_dataset, by_name):
    query = PageQuery(100_000, CURSOR, 1 if by_dataset else None, "a" if by_name else None, trash, "0197")
    (plan,) = plans(database, lambda tx: TimelineRepository().marks(tx, query, 1000))
    assert walked_or_sorted([step for step in plan if step != "SCAN counted"]) == []
    assert any("photo_trash" in step if trash else "photo_newest" in step for step in plan), plan


@pytest.mark.parametrize(("trash", "by_name"), [(True, False), (True, True), (False, True)])
@pytest.mark.parametrize("by_dataset", [False, True])
def test_days_of_the_trash_or_of_a_name_are_counted_without_looking_at_other_tables(
    database, trash, by_dataset, by_name
):
    query = PageQuery(0, None, 1 if by_dataset else None, "a" if by_name else None, trash)
    (plan,) = plans(database, lambda tx: TimelineRepository().days(tx, query))
    assert [step for step in plan if "TEMP B-TREE" not in step and " p USING INDEX photo_" not in step] == []
    assert any("photo_trash" in step if trash else "photo_newest" in step for step in plan), plan


def test_days_of_a_dataset_are_read_from_its_totals_in_order(database):
    (plan,) = plans(database, lambda tx: DatasetRepository().days_of(tx, 1))
    assert plan == ["SEARCH tally USING INDEX sqlite_autoindex_tally_1 (dataset_id=?)"]


def test_references_follow_the_index_of_the_newest(database):
    (plan,) = plans(database, lambda tx: PHOTOS.references(tx, PageQuery(1000, CURSOR)))
    assert walked_or_sorted(plan) == []
    assert any("photo_newest" in step for step in plan), plan


@pytest.mark.parametrize("name", BY_KEY)
def test_what_is_asked_by_key_is_found_by_key(database, name):
    for plan in plans(database, BY_KEY[name]):
        assert walked_or_sorted(plan) == []


def test_expired_photos_are_read_from_the_trash_alone_in_order(database):
    (plan,) = plans(database, lambda tx: TRASH.expired(tx, NOW, CURSOR, 500))
    assert all("photo_trash (id<?)" in step for step in plan), plan


def test_unused_blobs_are_told_by_the_index_of_photos(database):
    (plan,) = plans(database, lambda tx: BlobRepository().unused(tx, "0" * 64, 500))
    assert any("photo_by_blob" in step for step in plan), plan
    assert walked_or_sorted(plan) == []
