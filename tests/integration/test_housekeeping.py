"""Garbage collection and scrubbing: what nobody needs goes, in steps, and nothing else ever does."""

import os
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event

import pictures
from albumen.domain.photos import BlobKey
from albumen.errors import BlobDamaged
from albumen.repository.dialect import WRITE
from albumen.services.housekeeping import Checked, Collected
from batches import blobs, files, make_unreadable, preview_files, stored, upload, upload_one
from engines import sealed_digest

NOTHING = Collected(purged=0, unused=0, orphans=0, previews=0, missing=0, emptied=0)
WEEK = timedelta(days=7)
NOW = timedelta(0)
ROUNDS = 150
UPLOADERS = 3


def collect(services, trash=NOW, quarantine=WEEK):
    return services.housekeeping.collect(trash, quarantine)


def add(services, count, dataset="main"):
    sent = [pictures.of_size(2000, seed=number) for number in range(count)]
    return [outcome.accepted for outcome in upload(services, sent, dataset)]


def put_orphan(services, data):
    """Publish bytes without a row, as a crash between the two leaves them."""
    incoming = services.store.receiver().receive()
    incoming.write(data)
    key = BlobKey(sealed_digest(incoming), "jpg")
    services.store.publish([(incoming, key)])
    return key


def damage(services, accepted, data=b"other bytes"):
    path = services.store.locate(accepted.blob.key)
    path.unlink()
    path.write_bytes(data)


def quarantined(services):
    return {path.stem for path in files(services.settings.data / "quarantine")}


def test_nothing_to_collect_is_told_so_and_nothing_goes(services):
    accepted = add(services, 3)
    assert collect(services) == NOTHING
    assert blobs(services) == {each.blob.sha256 for each in accepted}
    assert quarantined(services) == set()


def test_photo_in_the_trash_keeps_its_bytes_until_its_time(services):
    gone, kept = add(services, 2)
    services.photos.delete(gone.id)
    assert collect(services, trash=WEEK) == NOTHING
    assert collect(services) == Collected(purged=1, unused=1, orphans=0, previews=0, missing=0, emptied=0)
    assert blobs(services) == {kept.blob.sha256}
    assert quarantined(services) == {gone.blob.sha256}
    assert services.housekeeping.totals().blobs == 1


def test_blob_that_another_photo_needs_stays(services):
    here, there = upload_one(services, pictures.jpeg()), upload_one(services, pictures.jpeg(), dataset="other")
    services.photos.delete(here.id)
    assert collect(services) == Collected(purged=1, unused=0, orphans=0, previews=0, missing=0, emptied=0)
    assert stored(services, there) == pictures.jpeg()


def test_previews_go_with_their_photo(services):
    accepted = upload_one(services, pictures.jpeg())
    services.previews.get(accepted.blob, 256, "jpeg")
    services.photos.delete(accepted.id)
    collect(services)
    assert preview_files(services) == []


def test_previews_that_were_made_while_their_photo_went_are_collected(services):
    gone, kept = upload_one(services, pictures.jpeg(seed=1)), upload_one(services, pictures.jpeg(seed=2))
    services.previews.get(kept.blob, 256, "jpeg")
    services.photos.delete(gone.id)
    collect(services)
    late = services.previews.ready(gone.blob, 256, "jpeg")
    late.parent.mkdir(parents=True)
    late.write_bytes(b"of a photo that is gone")
    assert collect(services) == Collected(purged=0, unused=0, orphans=0, previews=1, missing=0, emptied=0)
    assert preview_files(services) == [services.previews.ready(kept.blob, 256, "jpeg")]
    assert not late.parent.exists()
    assert collect(services) == NOTHING


def test_bytes_without_a_row_go_to_quarantine(services):
    (kept,) = add(services, 1)
    orphan = put_orphan(services, b"of a crashed upload")
    assert collect(services) == Collected(purged=0, unused=0, orphans=1, previews=0, missing=0, emptied=0)
    assert blobs(services) == {kept.blob.sha256}
    assert quarantined(services) == {orphan.sha256}
    assert collect(services) == NOTHING


def test_quarantine_is_emptied_by_age(services):
    orphan = put_orphan(services, b"of a crashed upload")
    collect(services)
    assert collect(services).emptied == 0
    (path,) = files(services.settings.data / "quarantine")
    os.utime(path, (0, 0))
    assert path.stem == orphan.sha256
    assert collect(services).emptied == 1
    assert files(services.settings.data / "quarantine") == []


def test_missing_bytes_are_reported_and_their_rows_stay(services):
    gone, kept = add(services, 2)
    services.store.locate(gone.blob.key).unlink()
    assert collect(services) == Collected(purged=0, unused=0, orphans=0, previews=0, missing=1, emptied=0)
    assert services.photos.get(gone.id)
    assert stored(services, kept)


def test_more_than_one_step_is_collected_in_one_run(services, monkeypatch):
    monkeypatch.setattr("albumen.services.housekeeping.STEP", 3)
    accepted = add(services, 10)
    for each in accepted[:7]:
        services.photos.delete(each.id)
    for number in range(8):
        put_orphan(services, b"orphan %d" % number)
    assert collect(services) == Collected(purged=7, unused=7, orphans=8, previews=0, missing=0, emptied=0)
    assert blobs(services) == {each.blob.sha256 for each in accepted[7:]}
    assert [each.sound for each in services.housekeeping.scrub()] == [True] * 3


def written(services, run):
    """Run something; return the statements of its transactions that write, each with values."""
    ran = []

    def note(connection, _cursor, sql, values, _context, is_many):
        if connection.get_execution_options().get(WRITE) and not sql.startswith("BEGIN"):
            ran.append((sql, values[0] if is_many else values))

    event.listen(services.database.engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        event.remove(services.database.engine, "before_cursor_execute", note)
    return ran


def test_no_table_is_read_from_end_to_end_while_uploads_wait_for_the_write_lock(services):
    for each in add(services, 3)[:2]:
        services.photos.delete(each.id)
    ran = written(services, lambda: collect(services))
    with services.database.engine.connect() as connection:
        steps = [
            row[3] for sql, values in ran for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
    assert any("photo" in step for step in steps)
    assert any("blob" in step for step in steps)
    assert [step for step in steps if step.startswith("SCAN")] == []


def test_photo_collected_and_sent_again_is_created_with_its_bytes(services):
    first = upload_one(services, pictures.jpeg())
    services.photos.delete(first.id)
    collect(services)
    again = upload_one(services, pictures.jpeg())
    assert again.id != first.id
    assert stored(services, again) == pictures.jpeg()
    assert collect(services) == NOTHING


def test_collecting_beside_uploads_never_takes_what_an_upload_commits(services):
    """Each thread uploads the same photos again and again and throws them away; another one collects meanwhile.

    So the bytes of a photo are now unused, now orphans, now just renamed into place: every acknowledged photo that was
    not thrown away must have them.
    """
    stop = threading.Event()
    lost, failures = [], []

    def guard(work, *arguments):
        try:
            work(*arguments)
        except Exception as exc:  # noqa: BLE001 - whatever a thread dies of, the test has to tell it
            failures.append(exc)

    uploaders = [threading.Thread(target=guard, args=(_churn, services, n, lost)) for n in range(UPLOADERS)]
    collector = threading.Thread(target=guard, args=(_collect_until, services, stop))
    for thread in (*uploaders, collector):
        thread.start()
    for thread in uploaders:
        thread.join()
    stop.set()
    collector.join()
    assert (failures, lost) == ([], [])
    collect(services)
    assert collect(services) == NOTHING
    assert all(each.sound for each in services.housekeeping.scrub())


def _churn(services, number, lost):
    data = [pictures.of_size(2000, seed=seed) for seed in range(2)]
    for round_ in range(ROUNDS):
        accepted = [outcome.accepted for outcome in upload(services, data, f"set-{number}")]
        lost += [each.id for each, sent in zip(accepted, data, strict=True) if stored(services, each) != sent]
        if round_ < ROUNDS - 1:
            for each in accepted:
                services.photos.delete(each.id)


def _collect_until(services, stop):
    while not stop.is_set():
        assert collect(services, quarantine=NOW).missing == 0


def test_scrub_of_sound_photos_finds_them_sound(services):
    accepted = add(services, 3)
    checked = list(services.housekeeping.scrub())
    assert {each.blob.key for each in checked} == {each.blob.key for each in accepted}
    assert all(each.sound and not each.missing for each in checked)
    assert blobs(services) == {each.blob.sha256 for each in accepted}


@pytest.mark.parametrize("data", [b"", b"other bytes", pictures.jpeg()[:-1], pictures.jpeg() + b"\0"])
def test_scrub_takes_damaged_bytes_away_so_that_they_are_never_served(services, data):
    accepted = upload_one(services, pictures.jpeg())
    damage(services, accepted, data)
    (checked,) = services.housekeeping.scrub()
    assert (checked.sound, checked.missing) == (False, False)
    assert quarantined(services) == {accepted.blob.sha256}
    with pytest.raises(BlobDamaged):
        services.store.open(accepted.blob.key)


def test_scrub_reports_missing_bytes_and_goes_on(services):
    accepted = add(services, 3)
    missing = sorted(each.blob.sha256 for each in accepted)[1]
    next(path for path in files(services.settings.data / "blobs") if path.stem == missing).unlink()
    checked = list(services.housekeeping.scrub())
    assert [(each.sound, each.missing) for each in checked] == [(True, False), (False, True), (True, False)]
    assert isinstance(checked[0], Checked)


def test_photos_collected_while_scrub_runs_are_not_told_as_missing(services):
    accepted = sorted(add(services, 3), key=lambda each: each.blob.sha256)
    checking = services.housekeeping.scrub()
    assert next(checking).sound
    services.trash.delete([each.id for each in accepted[1:]])
    assert collect(services).unused == 2
    assert [checked.sound for checked in checking] == [True, True]


def test_scrub_takes_a_photo_away_that_the_disk_cannot_read_and_goes_on(services):
    accepted = sorted((each.blob for each in add(services, 3)), key=lambda blob: blob.sha256)
    make_unreadable(services.store.locate(accepted[1].key))
    checked = list(services.housekeeping.scrub())
    assert [(each.sound, each.missing) for each in checked] == [(True, False), (False, False), (True, False)]
    assert [path.stem for path in (services.settings.data / "quarantine").iterdir()] == [accepted[1].sha256]


def test_damaged_photo_is_healed_by_uploading_it_again(services):
    accepted = upload_one(services, pictures.jpeg())
    damage(services, accepted)
    list(services.housekeeping.scrub())
    again = upload_one(services, pictures.jpeg())
    assert again.id == accepted.id
    assert stored(services, accepted) == pictures.jpeg()
    assert [each.sound for each in services.housekeeping.scrub()] == [True]
