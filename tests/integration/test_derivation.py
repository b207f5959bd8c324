"""Background work: every photo is described once, whoever works, whatever crashes."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

import pictures
from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.domain.photos import Metadata
from albumen.errors import StorageUnavailable
from albumen.repository.derivations import DerivationRepository
from albumen.services.derivation import MOST_ATTEMPTS, TASKS_PER_CLAIM, Derivation
from batches import preview_files, upload, upload_one

LEASE = timedelta(minutes=5)
CRASHING_WORKER = """
import os, signal, sys
from pathlib import Path
from albumen.bootstrap import build
from albumen.config import load_settings

services = build(load_settings({"data": Path(sys.argv[1])}), background=True)
taken = []

def stop_after_one():
    taken.append(1)
    if len(taken) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return False

services.derivation.work(stop_after_one)
"""


class Clock:
    """The time, moved forward at will."""

    def __init__(self):
        self.ahead = timedelta(0)

    def __call__(self):
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def derivation(services, clock):
    """The background work of `services` by another clock."""
    return worker_of(services, clock)


def worker_of(services, clock, at_once=1):
    return Derivation(
        database=services.database,
        derivations=DerivationRepository(),
        previews=services.previews,
        clock=clock,
        lease=LEASE,
        at_once=at_once,
    )


@pytest.fixture
def hasty(services, clock):
    """The background work of `services` with decoders that are never quick enough."""
    built = build(services.settings.model_copy(update={"decode_seconds": 0.001}))
    yield worker_of(built, clock)
    built.close()


def never():
    return False


def work_off(derivation):
    """Work until nothing waits; return how many blobs were taken."""
    return sum(iter(lambda: derivation.work(never), 0))


def states(services, accepted):
    return [services.photos.details(each.id).derivation for each in accepted]


def add(services, count):
    sent = [pictures.jpeg(seed=number) for number in range(count)]
    return [outcome.accepted for outcome in upload(services, sent)]


def exif():
    made = pictures.picture().getexif()
    made[0x010F], made[0x0110] = "Google", "Pixel 9"
    made.get_ifd(0x8769)[0x9003] = "2024:07:01 12:30:00"
    return made


def test_photo_is_described_after_the_work(services, derivation):
    accepted = upload_one(services, pictures.jpeg(exif=exif()))
    before = services.photos.details(accepted.id)
    assert (before.derivation, before.placeholder, before.metadata) == ("pending", None, Metadata())
    assert work_off(derivation) == 1
    after = services.photos.details(accepted.id)
    assert after.derivation == "done"
    assert after.placeholder
    assert "Pixel 9" in after.metadata.camera
    assert after.metadata.taken_at == datetime(2024, 7, 1, 12, 30)  # noqa: DTZ001 - a camera knows no zone
    assert [path.name for path in preview_files(services)] == ["512.webp"]


def test_nothing_to_do_is_told_without_taking_anything(services, derivation):
    assert not derivation.has_work()
    assert derivation.work(never) == 0
    add(services, 1)
    assert derivation.has_work()
    work_off(derivation)
    assert not derivation.has_work()


def test_one_claim_takes_a_bounded_number(services, derivation):
    accepted = add(services, TASKS_PER_CLAIM + 2)
    assert derivation.work(never) == TASKS_PER_CLAIM
    assert derivation.work(never) == 2
    assert states(services, accepted) == ["done"] * (TASKS_PER_CLAIM + 2)
    assert services.housekeeping.waiting() == 0


def test_equal_photos_of_two_datasets_are_described_with_one_decoding(services, derivation):
    here = upload_one(services, pictures.jpeg())
    there = upload_one(services, pictures.jpeg(), dataset="other")
    assert work_off(derivation) == 1
    assert states(services, [here, there]) == ["done", "done"]


def test_photo_that_cannot_be_decoded_stays_failed(services, derivation, clock):
    bad = upload_one(services, pictures.undecodable_jpeg())
    assert work_off(derivation) == 1
    clock.ahead = 10 * LEASE
    assert work_off(derivation) == 0
    assert states(services, [bad]) == ["failed"]


def test_photo_that_lost_its_decoder_once_is_done_after_its_lease(services, derivation, hasty, clock):
    accepted = upload_one(services, pictures.jpeg(2400, 1800))
    assert work_off(hasty) == 1
    assert states(services, [accepted]) == ["pending"]
    assert work_off(derivation) == 0
    clock.ahead = LEASE + timedelta(seconds=1)
    assert work_off(derivation) == 1
    assert states(services, [accepted]) == ["done"]


def test_photo_that_loses_every_decoder_fails_in_the_end(services, hasty, clock):
    accepted = upload_one(services, pictures.jpeg(2400, 1800))
    found = []
    for number in range(MOST_ATTEMPTS + 1):
        clock.ahead = number * (LEASE + timedelta(seconds=1))
        found.append((work_off(hasty), *states(services, [accepted])))
    assert found == [*[(1, "pending")] * (MOST_ATTEMPTS - 1), (1, "failed"), (0, "failed")]


def test_one_bad_photo_does_not_stop_the_others(services, derivation):
    sent = [pictures.jpeg(seed=1), pictures.undecodable_jpeg(), pictures.jpeg(seed=2)]
    accepted = [outcome.accepted for outcome in upload(services, sent)]
    work_off(derivation)
    assert states(services, accepted) == ["done", "failed", "done"]


def test_photo_whose_bytes_are_missing_fails(services, derivation):
    accepted = upload_one(services, pictures.jpeg())
    services.store.delete(accepted.blob.key)
    work_off(derivation)
    assert states(services, [accepted]) == ["failed"]


def test_work_that_was_taken_and_not_done_is_taken_again_after_its_lease(services, derivation, clock):
    accepted = add(services, 3)
    assert derivation.work(lambda: True) == 3
    assert states(services, accepted) == ["pending"] * 3
    assert not derivation.has_work()
    clock.ahead = LEASE + timedelta(seconds=1)
    assert work_off(derivation) == 3
    assert states(services, accepted) == ["done"] * 3


def test_work_that_was_taken_before_the_clock_jumped_back_is_taken_again(services, derivation, clock):
    accepted = add(services, 2)
    clock.ahead = timedelta(days=1)
    assert derivation.work(lambda: True) == 2
    assert not derivation.has_work()
    clock.ahead = timedelta(0)
    assert derivation.has_work()
    assert work_off(derivation) == 2
    assert states(services, accepted) == ["done"] * 2


def test_what_failed_is_tried_again_when_asked_for(services, derivation):
    accepted = add(services, 2)
    path = services.store.locate(accepted[0].blob.key)
    photo = path.read_bytes()
    path.unlink()
    work_off(derivation)
    assert states(services, accepted) == ["failed", "done"]
    path.write_bytes(photo)
    assert derivation.retry_failed() == 1
    assert work_off(derivation) == 1
    assert states(services, accepted) == ["done"] * 2


def test_work_of_a_killed_worker_is_resumed_after_its_lease(services, derivation, clock):
    accepted = add(services, 4)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", CRASHING_WORKER, str(services.settings.data)]
    assert subprocess.run(command, env=environment, check=False, timeout=60).returncode == -9
    assert sorted(states(services, accepted)) == ["done", "pending", "pending", "pending"]
    assert work_off(derivation) == 0
    clock.ahead = LEASE + timedelta(seconds=1)
    assert work_off(derivation) == 3
    assert states(services, accepted) == ["done"] * 4


def test_storage_that_cannot_be_used_fails_no_photo(services, derivation, clock):
    accepted = add(services, 2)
    locks = services.settings.data / "previews" / "locks"
    shutil.rmtree(locks)
    locks.write_text("a file where a folder must be")
    for number in range(5):
        clock.ahead = number * (LEASE + timedelta(seconds=1))
        with pytest.raises(StorageUnavailable):
            derivation.work(never)
    locks.unlink()
    clock.ahead = 6 * (LEASE + timedelta(seconds=1))
    assert work_off(derivation) == 2
    assert states(services, accepted) == ["done"] * 2


def test_workers_at_once_never_take_the_same_photo(services, settings, clock):
    accepted = add(services, 3 * TASKS_PER_CLAIM)
    others = [build(settings), build(settings)]
    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(work_off, [worker_of(each, clock) for each in others]))
    asked = [child.asked for each in others for child in each._decoders._idle]
    for each in others:
        each.close()
    assert sum(taken) == sum(asked) == 3 * TASKS_PER_CLAIM
    assert states(services, accepted) == ["done"] * (3 * TASKS_PER_CLAIM)


def test_several_photos_at_once_are_each_described_and_one_that_is_bad_fails_alone(services, clock):
    accepted = add(services, TASKS_PER_CLAIM)
    services.store.locate(accepted[3].blob.key).unlink()
    assert worker_of(services, clock, at_once=4).work(never) == TASKS_PER_CLAIM
    assert states(services, accepted) == ["failed" if number == 3 else "done" for number in range(TASKS_PER_CLAIM)]
    assert services.housekeeping.waiting() == 0


def test_photos_are_worked_on_in_parallel_as_many_as_the_setting_says(services, settings):
    accepted = add(services, TASKS_PER_CLAIM)
    background = build(settings.model_copy(update={"derive_processes": 2}), background=True)
    background.derivation.work(never)
    processes = len(background._decoders._idle)
    background.close()
    assert processes == 2
    assert states(services, accepted) == ["done"] * TASKS_PER_CLAIM


def test_photo_deleted_for_good_meanwhile_does_no_harm(services, derivation, clock):
    accepted = upload_one(services, pictures.jpeg())
    derivation.work(lambda: True)
    services.photos.delete(accepted.id)
    services.housekeeping.collect(timedelta(0), timedelta(0))
    clock.ahead = LEASE + timedelta(seconds=1)
    assert work_off(derivation) == 0
    assert services.housekeeping.waiting() == 0


def test_a_claim_is_leased_for_longer_than_all_of_its_photos_may_take(tmp_path):
    settings = load_settings({"data": tmp_path / "data", "decode_seconds": 100})
    prepare(settings)
    services = build(settings)
    upload_one(services, pictures.of_size(2000))
    services.derivation.work(lambda: True)
    late = worker_of(services, lambda: datetime.now(UTC) + TASKS_PER_CLAIM * timedelta(seconds=100))
    assert not late.has_work()
    services.close()
