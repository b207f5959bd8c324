"""Datasets, keys, background work and blobs, on every engine."""

from datetime import datetime, timedelta

import pytest

from albumen.domain.access import Key, Role
from albumen.domain.datasets import Day
from albumen.domain.photos import Metadata, Position
from albumen.errors import DatasetNotFound
from albumen.repository.blobs import BlobRepository, BlobTotals, StoredBlob
from albumen.repository.datasets import DatasetRepository
from albumen.repository.derivations import DerivationRepository, Description
from albumen.repository.keys import KeyRepository
from albumen.repository.photos import PhotoRepository
from albumen.repository.trash import TrashRepository
from engines import NOW, make_blob

DATASETS, KEYS, DERIVATIONS, BLOBS = DatasetRepository(), KeyRepository(), DerivationRepository(), BlobRepository()
LEASE = timedelta(minutes=5)
TAKEN = datetime(2024, 7, 1, 12, 30)  # noqa: DTZ001 - a camera knows no zone
DESCRIBED = Metadata(TAKEN, "Pixel 9", "wide", Position(55.75, 37.62))


# Datasets


def count(database, dataset_id, day, photos, size):
    with database.writing() as tx:
        DATASETS.count(tx, [{"dataset_id": dataset_id, "day": day, "photos": photos, "bytes": size}])


def test_dataset_is_added_once(database):
    with database.writing() as tx:
        assert DATASETS.add(tx, "summer", "Лето", NOW)
        assert not DATASETS.add(tx, "summer", "Other", NOW)
        dataset = DATASETS.get(tx, "summer")
    assert (dataset.slug, dataset.name, dataset.created_at) == ("summer", "Лето", NOW)
    assert (dataset.photos, dataset.bytes) == (0, 0)


def test_dataset_is_renamed_by_its_slug(database):
    with database.writing() as tx:
        DATASETS.add(tx, "summer", "Summer", NOW)
        DATASETS.rename(tx, "summer", "Лето")
        assert DATASETS.get(tx, "summer").name == "Лето"
        with pytest.raises(DatasetNotFound, match="'none'"):
            DATASETS.rename(tx, "none", "x")


def test_datasets_have_numbers_of_their_own(shelf):
    assert len({shelf.dataset(slug) for slug in ("c", "a", "b")}) == 3


def test_datasets_are_listed_by_slug(shelf):
    for slug in ("c", "a", "b"):
        shelf.dataset(slug)
    with shelf.database.reading() as tx:
        assert [dataset.slug for dataset in DATASETS.page(tx, "", 10)] == ["a", "b", "c"]


def test_page_of_datasets_begins_after_its_cursor_and_ends_at_its_limit(shelf):
    for slug in ("d", "b", "a", "c"):
        shelf.dataset(slug)
    with shelf.database.reading() as tx:
        assert [dataset.slug for dataset in DATASETS.page(tx, "a", 2)] == ["b", "c"]
        assert [dataset.slug for dataset in DATASETS.page(tx, "bb", 9)] == ["c", "d"]


def test_unknown_dataset_is_told_as_such(database):
    with database.reading() as tx:
        with pytest.raises(DatasetNotFound, match="'none'"):
            DATASETS.get(tx, "none")
        with pytest.raises(DatasetNotFound, match="'none'"):
            DATASETS.get_id(tx, "none")


def test_totals_add_up_over_the_days(shelf):
    first, second = shelf.dataset("a"), shelf.dataset("b")
    count(shelf.database, first, "2026-11-22", 2, 5_000_000_000)
    count(shelf.database, first, "2026-11-23", 1, 10)
    count(shelf.database, second, "2026-11-23", 4, 40)
    count(shelf.database, first, "2026-11-23", -1, -10)
    with shelf.database.reading() as tx:
        totals = [(dataset.photos, dataset.bytes) for dataset in DATASETS.page(tx, "", 10)]
        assert DATASETS.get(tx, "a").bytes == 5_000_000_000
        assert DATASETS.days(tx) == [Day("2026-11-23", 4, 40), Day("2026-11-22", 2, 5_000_000_000)]
    assert totals == [(2, 5_000_000_000), (4, 40)]


def test_day_of_which_nothing_is_left_is_not_listed(shelf):
    number = shelf.dataset("a")
    count(shelf.database, number, "2026-11-23", 1, 10)
    count(shelf.database, number, "2026-11-23", -1, -10)
    with shelf.database.reading() as tx:
        assert DATASETS.days(tx) == []


# Keys


def key(number):
    return Key(f"{number:012x}", f"key {number}", Role.EDITOR, "d" * 64, NOW + timedelta(seconds=number))


def test_key_comes_back_as_it_was_put(database):
    with database.writing() as tx:
        assert not KEYS.exist(tx)
        KEYS.add(tx, key(1))
        assert KEYS.find(tx, key(1).id) == key(1)
        assert KEYS.find(tx, "unknown") is None
        assert KEYS.exist(tx)


def test_keys_are_listed_by_age(database):
    with database.writing() as tx:
        for number in (2, 3, 1):
            KEYS.add(tx, key(number))
        assert KEYS.all(tx) == [key(1), key(2), key(3)]


def test_key_is_revoked_once_and_stays(database):
    with database.writing() as tx:
        KEYS.add(tx, key(1))
        assert KEYS.revoke(tx, key(1).id, NOW)
        assert not KEYS.revoke(tx, key(1).id, NOW + timedelta(days=1))
        assert not KEYS.revoke(tx, "unknown", NOW)
        assert KEYS.find(tx, key(1).id).revoked_at == NOW
        assert KEYS.exist(tx)


# Background work


def claim(shelf, now=NOW, limit=100):
    with shelf.database.writing() as tx:
        return DERIVATIONS.claim(tx, now, now + LEASE, limit)


def finish(shelf, task):
    with shelf.database.writing() as tx:
        DERIVATIONS.finish(tx, task.blob.sha256, DESCRIBED, "placeholder")


def fail(shelf, task):
    with shelf.database.writing() as tx:
        DERIVATIONS.fail(tx, task.blob.sha256, "a reason")


def waiting(shelf, now=NOW):
    with shelf.database.reading() as tx:
        return DERIVATIONS.pending(tx), DERIVATIONS.is_waiting(tx, now)


def describe(shelf, sha256):
    with shelf.database.reading() as tx:
        return DERIVATIONS.describe(tx, sha256)


def test_new_blob_waits_for_work_once(shelf):
    shelf.photo(blob=make_blob(1))
    shelf.photo(dataset="other", blob=make_blob(1))
    assert waiting(shelf) == (1, True)
    (task,) = claim(shelf)
    assert (task.blob, task.attempt) == (make_blob(1), 1)


def test_claimed_blob_is_nobody_elses_until_its_lease_runs_out(shelf):
    shelf.photo(blob=make_blob(1))
    claim(shelf)
    assert claim(shelf) == []
    assert waiting(shelf) == (1, False)
    late = NOW + LEASE + timedelta(seconds=1)
    assert waiting(shelf, late) == (1, True)
    assert [task.attempt for task in claim(shelf, late)] == [2]


def test_claims_share_what_waits(shelf):
    shelf.photos(["a", "b", "c", "d", "e"])
    claims = [claim(shelf, limit=2) for _ in range(4)]
    assert [len(each) for each in claims] == [2, 2, 1, 0]
    assert len({task.blob.sha256 for each in claims for task in each}) == 5


def test_finished_work_is_kept_and_not_claimed_again(shelf):
    photo = shelf.photo()
    finish(shelf, claim(shelf)[0])
    assert claim(shelf, NOW + timedelta(days=1)) == []
    assert waiting(shelf) == (0, False)
    assert describe(shelf, photo.blob.sha256) == Description(DESCRIBED, "done")
    with shelf.database.reading() as tx:
        assert PhotoRepository().find(tx, photo.id).placeholder == "placeholder"


def test_metadata_without_anything_comes_back_empty(shelf):
    photo = shelf.photo()
    with shelf.database.writing() as tx:
        DERIVATIONS.finish(tx, photo.blob.sha256, Metadata(), "p")
    assert describe(shelf, photo.blob.sha256) == Description(Metadata(), "done")


def test_position_on_the_equator_is_a_position(shelf):
    photo = shelf.photo()
    with shelf.database.writing() as tx:
        DERIVATIONS.finish(tx, photo.blob.sha256, Metadata(position=Position(0.0, 0.0)), "p")
    assert describe(shelf, photo.blob.sha256).metadata.position == Position(0.0, 0.0)


def test_work_that_failed_for_good_is_not_claimed_again(shelf):
    photo = shelf.photo()
    fail(shelf, claim(shelf)[0])
    assert claim(shelf, NOW + timedelta(days=1)) == []
    assert describe(shelf, photo.blob.sha256).state == "failed"


def test_work_that_failed_is_claimed_again_when_the_photo_comes_again(shelf):
    photo = shelf.photo()
    fail(shelf, claim(shelf)[0])
    with shelf.database.writing() as tx:
        DERIVATIONS.ask(tx, [photo.blob.sha256])
    assert [task.blob for task in claim(shelf)] == [photo.blob]


def test_blob_that_nobody_knows_is_described_as_pending(database):
    with database.reading() as tx:
        assert DERIVATIONS.describe(tx, "0" * 64) == Description(Metadata(), "pending")


# Blobs


def test_blob_is_unused_when_no_photo_refers_to_it_not_even_in_the_trash(shelf):
    photos = shelf.photos(["used.jpg", "trashed.jpg", "purged.jpg"])
    with shelf.database.writing() as tx:
        for photo in photos[1:]:
            TrashRepository().delete(tx, [photo.id], NOW - timedelta(days=(photo.name == "purged.jpg")))
        TrashRepository().purge(tx, [photo.id for photo in photos], NOW)
        assert BLOBS.unused(tx, "", 10) == [photos[2].blob.key]


def test_dropped_blobs_are_gone_with_their_work(shelf):
    photo = shelf.photo()
    with shelf.database.writing() as tx:
        TrashRepository().delete(tx, [photo.id], NOW)
        TrashRepository().purge(tx, [photo.id], NOW + timedelta(days=1))
        assert BLOBS.drop_unused(tx, [photo.blob.sha256]) == {photo.blob.sha256}
        assert BLOBS.unused(tx, "", 10) == []
        assert BLOBS.existing(tx, [photo.blob.sha256]) == frozenset()
    assert waiting(shelf) == (0, False)


def test_dropping_nothing_is_fine(database):
    with database.writing() as tx:
        assert BLOBS.drop_unused(tx, []) == frozenset()
        assert BLOBS.existing(tx, []) == frozenset()


def test_blob_that_a_photo_refers_to_is_never_dropped(shelf):
    photo = shelf.photo()
    with shelf.database.writing() as tx:
        TrashRepository().delete(tx, [photo.id], NOW)
        assert BLOBS.drop_unused(tx, [photo.blob.sha256]) == frozenset()
        assert BLOBS.existing(tx, [photo.blob.sha256]) == {photo.blob.sha256}
    assert waiting(shelf) == (1, True)


def test_unused_blobs_are_walked_in_the_order_of_their_digests(shelf):
    photos = shelf.photos(["a", "b", "c"])
    with shelf.database.writing() as tx:
        for photo in photos:
            TrashRepository().delete(tx, [photo.id], NOW)
        TrashRepository().purge(tx, [photo.id for photo in photos], NOW + timedelta(days=1))
        digests = sorted(photo.blob.sha256 for photo in photos)
        assert [key.sha256 for key in BLOBS.unused(tx, "", 2)] == digests[:2]
        assert [key.sha256 for key in BLOBS.unused(tx, digests[1], 2)] == digests[2:]


def test_stored_blobs_are_walked_in_the_order_of_their_digests(shelf):
    photos = shelf.photos(["a", "b", "c"])
    expected = sorted((StoredBlob(photo.blob.key, photo.blob.bytes) for photo in photos), key=lambda b: b.key.sha256)
    with shelf.database.reading() as tx:
        assert BLOBS.stored(tx, "", 2) == expected[:2]
        assert BLOBS.stored(tx, expected[1].key.sha256, 2) == expected[2:]
        assert BLOBS.stored(tx, expected[2].key.sha256, 2) == []


def test_totals_count_every_blob_once(shelf):
    with shelf.database.reading() as tx:
        assert BLOBS.totals(tx) == BlobTotals(0, 0)
    shelf.photo(blob=make_blob(1))
    shelf.photo(dataset="other", blob=make_blob(1))
    with shelf.database.reading() as tx:
        assert BLOBS.totals(tx) == BlobTotals(1, make_blob(1).bytes)
