"""A photo's way in on a real disk: outcomes in order, duplicates, groups, and nothing told that is not there."""

import gc
import itertools
import shutil
import time
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

import pictures
from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.domain.ids import PhotoIds
from albumen.domain.outcomes import Status
from albumen.domain.times import to_micros
from albumen.errors import Busy, InvalidParameter, StorageUnavailable, TooManyPhotos
from albumen.repository.engine import open_database
from albumen.services.ingest import MOST_GROWTH
from albumen.services.listing import Listing
from batches import blobs, files, statuses, stored, upload, upload_one

GROUP = 4
MOST = 20


@pytest.fixture
def services(tmp_path):
    """Services whose groups are small, and are committed when they are full, however long that takes."""
    settings = load_settings(
        {"data": tmp_path / "data", "group_photos": GROUP, "max_photos": MOST, "busy_seconds": 0.2}
    )
    prepare(settings)
    built = build(settings)
    _patient(built, 3600)
    yield built
    built.close()


def _patient(services, seconds):
    """Let a group wait so long for further photos."""
    services.ingest.limits = replace(services.ingest.limits, group_seconds=seconds)


def photos(count, first=0):
    return [(f"{number}.jpg", pictures.of_size(3000, seed=number)) for number in range(first, first + count)]


def listed(services, dataset="main"):
    """Return the names in a dataset, oldest first."""
    return [item.photo.name for item in services.photos.page(Listing(dataset=dataset)).photos][::-1]


def _by_clock(services, moment):
    """Let services take photos in by a clock that stands at a moment."""
    services.ingest._clock = lambda: moment
    services.ingest._ids = PhotoIds(lambda: to_micros(moment) // 1000)
    return services


def temporary(services):
    return files(services.settings.data / "tmp")


@pytest.mark.parametrize("count", [1, GROUP - 1, GROUP, GROUP + 1, 3 * GROUP, MOST])
def test_outcomes_and_ids_are_in_the_order_of_the_request(services, count):
    sent = photos(count)
    outcomes = upload(services, sent)
    assert [outcome.index for outcome in outcomes] == list(range(count))
    assert [outcome.name for outcome in outcomes] == [name for name, _ in sent]
    ids = [outcome.accepted.id for outcome in outcomes]
    assert ids == sorted(set(ids))
    assert listed(services) == [name for name, _ in sent]
    assert [stored(services, outcome.accepted) for outcome in outcomes] == [data for _, data in sent]


def test_photos_are_listed_in_the_order_of_their_uploads_though_the_clock_jumped_back_at_a_restart(services):
    moment = datetime.now(UTC)
    for hours in (0, -2, -1, 1):
        later = _by_clock(build(services.settings), moment + timedelta(hours=hours))
        upload(later, [(f"{hours}.jpg", pictures.of_size(3000, seed=50 + hours))])
        later.close()
    assert listed(services) == ["0.jpg", "-2.jpg", "-1.jpg", "1.jpg"]


def test_no_outcome_is_told_before_its_group_is_full_or_the_request_ends(services):
    with services.ingest.batch("main") as batch:
        for name, data in photos(GROUP - 1):
            batch.begin(name).write(data)
            assert batch.end() == []
        assert listed(services) == []
        assert statuses(batch.finish()) == ["created"] * (GROUP - 1)


def test_outcomes_of_a_group_become_final_while_the_next_one_comes_in(services):
    told = []
    with services.ingest.batch("main") as batch:
        for name, data in photos((1 + MOST_GROWTH) * GROUP):
            batch.begin(name).write(data)
            told += batch.end()
        assert statuses(told[:GROUP]) == ["created"] * GROUP
        told += batch.finish()
    assert [outcome.index for outcome in told] == list(range((1 + MOST_GROWTH) * GROUP))


def test_photos_that_come_while_a_group_waits_for_its_commit_are_taken_in_and_share_the_next_one(services):
    commits = []

    def look(_connection, _cursor, sql, *_rest):
        if "INSERT INTO photo" in sql:
            commits.append(sql)

    event.listen(services.database.engine, "before_cursor_execute", look)
    with services.ingest.batch("main") as batch:
        with services.store.sweeping():
            for name, data in photos(MOST_GROWTH * GROUP):
                batch.begin(name).write(data)
                assert batch.end() == []
        outcomes = batch.finish()
    event.remove(services.database.engine, "before_cursor_execute", look)
    assert [outcome.index for outcome in outcomes] == list(range(MOST_GROWTH * GROUP))
    assert len(commits) == 2


def test_photos_that_come_slowly_are_committed_each_and_told_without_the_next_one(services):
    _patient(services, 0)
    with services.ingest.batch("main") as batch:
        for number, (name, data) in enumerate(photos(3)):
            batch.begin(name).write(data)
            assert batch.end() == []
            (outcome,) = wait_for(batch.settled)
            assert (outcome.index, outcome.status) == (number, Status.CREATED)
            assert listed(services)[-1] == name
            assert batch.settled() == []
        assert batch.finish() == []


def test_a_photo_that_came_whole_is_committed_and_told_though_the_next_one_drips(services):
    _patient(services, 0.2)
    with services.ingest.batch("main") as batch:
        (first, data), (second, dripping) = photos(2)
        batch.begin(first).write(data)
        assert batch.end() == []
        batch.begin(second).write(dripping[:100])
        (outcome,) = wait_for(batch.settled)
        assert (outcome.name, listed(services)) == (first, [first])


def wait_for(for_what):
    """Return the first answer that is not empty."""
    deadline = time.monotonic() + 20
    while not (found := for_what()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


def test_retry_gives_the_same_ids(services):
    first = upload(services, photos(10))
    again = upload(services, photos(10))
    assert statuses(again) == ["duplicate"] * 10
    assert [outcome.accepted for outcome in again] == [outcome.accepted for outcome in first]
    assert len(listed(services)) == 10
    assert services.datasets.get("main").photos == 10


@pytest.mark.parametrize("distance", [1, GROUP - 1, GROUP, 2 * GROUP + 1])
def test_equal_photos_of_one_request_become_one(services, distance):
    sent = photos(3 * GROUP)
    sent[distance] = ("twin.jpg", sent[0][1])
    outcomes = upload(services, sent)
    assert outcomes[distance].status is Status.DUPLICATE
    assert outcomes[distance].accepted == outcomes[0].accepted
    assert statuses(outcomes).count("created") == 3 * GROUP - 1
    assert services.datasets.get("main").photos == 3 * GROUP - 1


def test_two_photos_of_one_name_are_two_photos(services):
    first, second = upload(services, [("a.jpg", pictures.jpeg(seed=1)), ("a.jpg", pictures.jpeg(seed=2))])
    assert first.accepted.id != second.accepted.id
    assert listed(services) == ["a.jpg", "a.jpg"]


def test_equal_photo_in_another_dataset_is_another_photo_of_the_same_bytes(services):
    here = upload_one(services, pictures.jpeg())
    there = upload_one(services, pictures.jpeg(), dataset="other")
    assert here.id != there.id
    assert here.blob == there.blob
    assert blobs(services) == {here.blob.sha256}
    assert services.housekeeping.totals().blobs == 1


def test_photo_whose_twin_is_in_the_trash_is_created_anew(services):
    first = upload_one(services, pictures.jpeg())
    services.photos.delete(first.id)
    again = upload_one(services, pictures.jpeg())
    assert again.id != first.id
    assert stored(services, again) == pictures.jpeg()


def test_rejected_photos_stand_in_their_places_and_leave_nothing(services):
    good = photos(GROUP)
    bad = [("a.txt", b"text " * 50_000), ("empty.jpg", b""), ("cut.jpg", pictures.truncate(pictures.jpeg(), 0.5))]
    sent = [*itertools.chain(*itertools.zip_longest(good, bad))][:7]
    outcomes = upload(services, sent)
    assert statuses(outcomes) == ["created", "rejected"] * 3 + ["created"]
    assert [outcome.rejected.code for outcome in outcomes[1::2]] == ["not_a_photo", "empty", "truncated"]
    assert [outcome.name for outcome in outcomes] == [name for name, _ in sent]
    assert listed(services) == [name for name, _ in good]
    assert blobs(services) == {outcome.accepted.blob.sha256 for outcome in outcomes[::2]}
    assert temporary(services) == []


def test_batch_of_nothing_but_rejected_photos_makes_no_dataset(services):
    outcomes = upload(services, [b"text"] * (GROUP + 1), dataset="fresh")
    assert statuses(outcomes) == ["rejected"] * (GROUP + 1)
    assert [dataset.slug for dataset in services.datasets.page(10).datasets] == ["main"]


def test_photo_may_come_in_bytes_or_in_one_piece(services):
    data = pictures.of_size(70_000, seed=1)
    with services.ingest.batch("main") as batch:
        reception = batch.begin("slow.jpg")
        for position in range(len(data)):
            reception.write(data[position : position + 1])
        batch.end()
        (slow,) = batch.finish()
    assert upload_one(services, data).id == slow.accepted.id


def test_refused_photo_takes_no_more_bytes(services):
    with services.ingest.batch("main") as batch:
        reception = batch.begin("video.jpg")
        for _ in range(50):
            reception.write(bytes(100_000))
            assert temporary(services) == []
        batch.end()
        assert statuses(batch.finish()) == ["rejected"]


def test_photo_over_the_limit_is_refused_and_its_bytes_are_dropped(services, tmp_path):
    small = build(load_settings({"data": tmp_path / "data", "max_photo_bytes": 100_000}))
    outcomes = upload(small, [pictures.of_size(100_000), pictures.of_size(100_001)])
    assert statuses(outcomes) == ["created", "rejected"]
    assert outcomes[1].rejected.code == "too_large"
    assert temporary(services) == []
    small.close()


def test_more_photos_than_allowed_are_refused_and_the_first_ones_stay(services):
    with services.ingest.batch("main") as batch:
        for name, data in photos(MOST):
            batch.begin(name).write(data)
            batch.end()
        with pytest.raises(TooManyPhotos, match="at most 20"):
            batch.begin("one more")
        batch.finish()
        assert batch.counts == {Status.CREATED: MOST}
    assert len(listed(services)) == MOST


def test_abandoned_batch_frees_its_files_and_keeps_what_was_committed(services):
    with services.ingest.batch("main") as batch:
        for name, data in photos(GROUP + 2):
            batch.begin(name).write(data)
            batch.end()
        batch.begin("half.jpg").write(pictures.of_size(5_000_000))
        assert len(temporary(services)) >= 1
    assert temporary(services) == []
    assert listed(services) == [name for name, _ in photos(GROUP)]


def test_abandoning_is_harmless_before_after_and_twice(services):
    batch = services.ingest.batch("main")
    batch.abandon()
    batch.begin("a.jpg").write(pictures.jpeg())
    batch.end()
    (outcome,) = batch.finish()
    batch.abandon()
    batch.abandon()
    assert stored(services, outcome.accepted) == pictures.jpeg()


def test_dataset_is_chosen_before_the_first_photo_alone(services):
    with services.ingest.batch("main") as batch:
        assert batch.choose_dataset("summer")
        batch.begin("a.jpg").write(pictures.jpeg())
        assert not batch.choose_dataset("winter")
        batch.end()
        batch.finish()
    assert listed(services, "summer") == ["a.jpg"]


@pytest.mark.parametrize("slug", ["", "../up", "Main", "дача"])
def test_bad_dataset_is_refused_before_any_photo(services, slug):
    with pytest.raises(InvalidParameter):
        services.ingest.batch(slug)
    with services.ingest.batch("main") as batch, pytest.raises(InvalidParameter):
        batch.choose_dataset(slug)


def test_database_that_stays_busy_acknowledges_nothing(services):
    other = open_database(services.settings.data / "albumen.db", 0.2)
    with other.writing(), pytest.raises(Busy):
        upload(services, photos(2))
    other.close()
    assert listed(services) == []
    assert temporary(services) == []
    assert statuses(upload(services, photos(2))) == ["created"] * 2


def test_commit_that_fails_acknowledges_nothing_of_its_group_and_nothing_after_it(services):
    with services.database.writing() as tx:
        tx.script("""
            CREATE TRIGGER refuse BEFORE INSERT ON photo WHEN NEW.name = '6.jpg'
            BEGIN SELECT RAISE(ABORT, 'refused'); END
        """)
    told = []
    with pytest.raises(StorageUnavailable), services.ingest.batch("main") as batch:
        _feed(batch, photos(3 * GROUP), told)
    assert [outcome.name for outcome in told] in ([], ["0.jpg", "1.jpg", "2.jpg", "3.jpg"])
    assert listed(services) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert services.datasets.get("main").photos == GROUP
    assert temporary(services) == []


def _feed(batch, sent, told):
    for name, data in sent:
        batch.begin(name).write(data)
        told += batch.end()
    told += batch.finish()


def test_blobs_that_cannot_be_published_acknowledge_nothing(services):
    shutil.rmtree(services.settings.data / "blobs")
    (services.settings.data / "blobs").write_text("in the way")
    with pytest.raises(StorageUnavailable):
        upload(services, photos(2))
    assert listed(services) == []
    assert temporary(services) == []


def test_rows_come_after_the_bytes(services):
    """When the insert begins, the bytes lie under their final names."""
    seen = []

    def look(_connection, _cursor, sql, *_rest):
        if "INSERT INTO photo" in sql:
            seen.append(len(blobs(services)))

    event.listen(services.database.engine, "before_cursor_execute", look)
    upload(services, photos(GROUP))
    event.remove(services.database.engine, "before_cursor_execute", look)
    assert seen == [GROUP]


def test_totals_count_created_photos_by_day(services):
    sent = photos(3)
    upload(services, sent)
    (day,) = services.datasets.days()
    assert (day.photos, day.bytes) == (3, 9000)
    assert day.day == services.photos.page(Listing()).photos[0].photo.uploaded_at.date().isoformat()


def test_known_digests_spare_the_client_an_upload(services):
    accepted = upload_one(services, pictures.jpeg())
    known = services.photos.known("main", [accepted.blob.sha256, "0" * 64])
    assert {sha256: photo.id for sha256, photo in known.items()} == {accepted.blob.sha256: accepted.id}


def test_photo_of_every_format_keeps_its_bytes_and_tells_its_header(services):
    made = {name: getattr(pictures, name)(80, 60) for name in ("jpeg", "png", "webp", "gif", "tiff", "bmp", "avif")}
    outcomes = upload(services, [(f"photo.{name}", data) for name, data in made.items()])
    headers = [replace(outcome.accepted.blob.header, extension="") for outcome in outcomes]
    assert [(header.media_type, header.width, header.height) for header in headers] == [
        (f"image/{name}", 80, 60) for name in made
    ]
    assert [stored(services, outcome.accepted) for outcome in outcomes] == list(made.values())


@pytest.mark.parametrize("photo", [b"%PDF-1.7 ", pictures.jpeg()[:-2]])
def test_refused_photos_leave_nothing_but_the_reason_in_memory(services, photo):
    services.ingest.limits = replace(services.ingest.limits, group_photos=1000, max_photos=1000)
    chunk = photo + bytes(500_000)
    gc.disable()
    tracemalloc.start()
    try:
        with services.ingest.batch("main") as batch:
            for number in range(60):
                batch.begin(f"{number}.jpg").write(chunk + bytes([number]))
                batch.end()
            _, most = tracemalloc.get_traced_memory()
            outcomes = batch.finish()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert {outcome.status for outcome in outcomes} == {Status.REJECTED}
    assert most < 5_000_000
