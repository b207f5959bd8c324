"""The power fails at any moment: whatever the disk kept, every photo that a client was told of is there.

What `albumen` does to the disk is recorded once; the model of `powercut` tells what could be left of it at any moment.
"""

from __future__ import annotations

import math
import os
import random
import shutil
import subprocess
import sys
from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pysqlite3
import pytest
import requests
import traffic
from PIL import Image
from powercut import BYTES_WITHOUT_NAMES, EVERYTHING, NAMES_WITHOUT_BYTES, NOTHING, Disk, RandomCut, lay_out
from recording import Recording, recorder

from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.errors import AlbumenError
from conftest import running
from forms import sha256
from pictures import of_size

CLIENTS = 3
REQUESTS = (range(6), range(6, 7), range(7, 8))  # of a client, one after the other: the first is more than a group
PHOTOS_PER_CLIENT = 8
DELETED = 5
PREVIEWS = 2
KEPT = range(8, 16)
PHOTO_BYTES = 3_000
SETTINGS = {"ALBUMEN_DERIVE": "false", "ALBUMEN_GROUP_PHOTOS": "3", "ALBUMEN_TRASH_DAYS": "0"}
BLUNT_CUTS = (NOTHING, EVERYTHING, NAMES_WITHOUT_BYTES, BYTES_WITHOUT_NAMES)
SAMPLE = 25
FEWEST_TELLINGS = 2 * len(REQUESTS)  # clients may share a moment; the requests of one cannot
SEED = 20_261_123
MEMORY = Path("/dev/shm")  # noqa: S108 - quick: hundreds of disks are laid out


@dataclass(frozen=True)
class Moment:
    """A disk as it is after a step, until the next one, and what clients may have been told by then."""

    number: int
    disk: Disk
    told: list

    def survivor(self, cut):
        return self.disk.survivor(cut)


@dataclass(frozen=True)
class Story:
    """A recording, and the ids of the photos that were deleted in it."""

    recording: Recording
    deleted: frozenset

    def moments(self, numbers):
        """Yield the moments after the steps of these numbers, in order."""
        disk, wanted, steps = Disk(self.recording.top), set(numbers), self.recording.steps
        for number, step in enumerate(steps):
            disk.apply(step)
            if number in wanted:
                until = steps[number + 1].ended if number + 1 < len(steps) else math.inf
                yield Moment(number, disk, self._told(until))

    def syncs(self):
        """Return the number of every sync."""
        return [number for number, step in enumerate(self.recording.steps) if step.what == "sync"]

    def tellings(self):
        """Return the numbers of the last steps before a photo is told of that stays."""
        places = [receipt.place for receipt in self.recording.receipts if receipt.outcome["id"] not in self.deleted]
        return sorted({bisect_left(self.recording.steps, place, key=attrgetter("ended")) - 1 for place in places})

    def sample(self, count):
        """Return the numbers of some steps, always the same."""
        return random.Random(SEED).sample(range(len(self.recording.steps)), count)  # noqa: S311 - repeatable

    def without(self, is_forgotten):
        """Return the same story on a disk that was never asked for some of the syncs."""
        kept = [step for step in self.recording.steps if step.what != "sync" or not is_forgotten(step.path)]
        return replace(self, recording=replace(self.recording, steps=kept))

    def _told(self, until):
        told = [receipt.outcome for receipt in self.recording.receipts if receipt.place < until]
        return [outcome for outcome in told if outcome["id"] not in self.deleted]


def _photos(numbers):
    return [of_size(PHOTO_BYTES, seed=number) for number in numbers]


def _pour(server, first):
    """Upload from several clients at once; return the outcomes."""
    firsts = range(first, first + CLIENTS * PHOTOS_PER_CLIENT, PHOTOS_PER_CLIENT)
    with ThreadPoolExecutor(CLIENTS) as pool:
        told = list(pool.map(lambda first: _send_all(server, first), firsts))
    return [outcome for outcomes in told for outcome in outcomes]


def _send_all(server, first):
    """Send the requests of one client; return the outcomes."""
    requests_of_numbers = [[first + number for number in numbers] for numbers in REQUESTS]
    return [outcome for numbers in requests_of_numbers for outcome in _upload(server.url, _photos(numbers))]


def _upload(url, photos):
    outcomes = traffic.json_lines_of_upload(url, traffic.photos_form(photos))
    assert [outcome["sha256"] for outcome in outcomes] == [sha256(photo) for photo in photos]
    return outcomes


def _delete(server, outcomes):
    for outcome in outcomes:
        assert requests.delete(f"{server.url}/api/v1/photos/{outcome['id']}", timeout=60).status_code == 204
    return frozenset(outcome["id"] for outcome in outcomes)


def _run_recorded(log, command, data):
    done = subprocess.run(
        [*recorder(log), sys.executable, "-m", "albumen", command, "--data", str(data)],
        env={**os.environ, **SETTINGS},
        timeout=120,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def _stop(server):
    """Ask the server to stop, not the recorder around it."""
    psutil.Process(server.process.pid).children()[0].terminate()
    assert server.process.wait(60) == 0


def _told_by(recording, outcomes):
    """Whether the recording tells of the same receipts as the clients do."""
    return sorted(receipt.outcome["id"] for receipt in recording.receipts) == sorted(one["id"] for one in outcomes)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A new directory, uploads, deletions, a restart, garbage collected, and the deleted photos uploaded again."""
    folder = tmp_path_factory.mktemp("power").resolve()
    top, logs = folder / "disk", [folder / f"trace-{number}" for number in range(4)]
    top.mkdir()
    data = top / "new" / "photos"
    _run_recorded(logs[0], "migrate", data)
    with running(data, "--workers", "2", prefix=recorder(logs[1]), **SETTINGS) as server:
        first = _pour(server, 0)
        deleted = _delete(server, first[:DELETED])
        _stop(server)
    _run_recorded(logs[2], "gc", data)
    with running(data, "--workers", "2", prefix=recorder(logs[3]), **SETTINGS) as server:
        second = _pour(server, 4)
        for outcome in second[:PREVIEWS]:
            assert traffic.get_photo(server.url, outcome, "?size=256&format=jpeg").status_code == 200
        _stop(server)
    recording = Recording.read(top, data, logs)
    assert _told_by(recording, [*first, *second])
    return Story(recording, deleted)


@pytest.fixture
def wreck(story):
    """Lays out what survived at a moment, in memory where there is some; returns the data directory."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        disk = Path(folder) / "disk"

        def make(survivor):
            shutil.rmtree(disk, ignore_errors=True)
            lay_out(survivor, disk)
            return disk / story.recording.data.relative_to(story.recording.top)

        yield make


def _faults(data, told):
    """Start Albumen on what survived; return what is wrong with it, in words."""
    try:
        settings = load_settings({"data": data, "decode_processes": 1})
        prepare(settings)
        with closing(build(settings)) as services:
            return [*_lost(services, told), *_unsound(services), *_inconsistent(data)]
    except AlbumenError as exc:
        return [f"does not start: {exc!r}"]


def _lost(services, told):
    for outcome in told:
        try:
            photo = services.photos.get(outcome["id"])
            with services.store.open(photo.blob.key) as file:
                if sha256(file.read()) != outcome["sha256"]:
                    yield f"{photo.name} has other bytes"
        except AlbumenError as exc:
            yield f"a photo is lost: {exc!r}"


def _unsound(services):
    """Look at files, rows and both: half files under a final name, rows without bytes."""
    yield from (f"half-written: {path}" for path in traffic.broken_blobs(services.settings.data))
    yield from (f"damaged: {checked}" for checked in services.housekeeping.scrub() if not checked.sound)
    yield from (f"half a preview: {path}" for path in _previews(services.settings.data) if not _is_whole(path))
    if services.housekeeping.collect(timedelta(days=30), timedelta(days=7)).missing:
        yield "rows without bytes"


def _previews(data):
    return (data / "previews" / "v1").rglob("*.jpeg")


def _is_whole(preview):
    try:
        Image.open(preview).load()
    except OSError:
        return False
    return True


def _inconsistent(data):
    with closing(pysqlite3.connect(data / "albumen.db")) as database:
        yield from (row[0] for row in database.execute("PRAGMA integrity_check") if row[0] != "ok")


def test_nothing_that_a_client_was_told_of_is_lost_when_only_what_was_synced_survives(story, wreck):
    assert len(story.tellings()) >= FEWEST_TELLINGS
    for moment in story.moments([*story.syncs(), *story.tellings()]):
        assert _faults(wreck(moment.survivor(NOTHING)), moment.told) == [], moment.number


def test_nothing_is_lost_at_any_moment_whatever_else_survives(story, wreck):
    for moment in story.moments(story.sample(SAMPLE)):
        for cut in (*BLUNT_CUTS, RandomCut(moment.number)):
            assert _faults(wreck(moment.survivor(cut)), moment.told) == [], moment.number


def test_a_preview_is_whole_as_soon_as_it_has_its_name(story, wreck):
    """All names survive, and of the bytes only what was synced."""
    last = len(story.recording.steps) - 1
    named = [number for number in range(last) if _is_naming_a_preview(story.recording.steps[number])]
    assert len(named) == PREVIEWS
    for moment in story.moments([*named, last]):
        data = wreck(moment.survivor(NAMES_WITHOUT_BYTES))
        assert list(_previews(data))
        assert all(map(_is_whole, _previews(data)))


def _is_naming_a_preview(step):
    return step.what == "rename" and step.target.suffix == ".jpeg"


def test_a_server_starts_on_what_is_left_and_takes_the_same_photos_again(story, wreck):
    last = story.tellings()[-1]
    for moment in story.moments([last]):
        data = wreck(moment.survivor(RandomCut(SEED)))
        with running(data, ALBUMEN_DERIVE="false") as server:
            assert traffic.digests_of(server.url, moment.told) == [outcome["sha256"] for outcome in moment.told]
            assert traffic.received_files(data) == []
            again = _upload(server.url, _photos(KEPT))
        assert {outcome["status"] for outcome in again} == {"duplicate"}
        assert {outcome["id"] for outcome in again} <= {outcome["id"] for outcome in moment.told}


@pytest.mark.parametrize(
    "is_forgotten",
    [
        pytest.param(lambda path: "tmp" in path.parts[-4:], id="bytes of photos"),
        pytest.param(lambda path: path.parent.name == "blobs", id="names of photos"),
        pytest.param(lambda path: path.name == "blobs", id="folders of photos"),
        pytest.param(lambda path: path.name == "albumen.db-wal", id="rows"),
        pytest.param(lambda path: path.name == "photos", id="name of the database"),
        pytest.param(lambda path: path.name == "new", id="name of the data directory"),
        pytest.param(lambda path: path.name == "disk", id="name of the folder above"),
    ],
)
def test_a_server_that_forgets_a_sync_is_found_out(story, wreck, is_forgotten):
    careless = story.without(is_forgotten)
    assert len(careless.recording.steps) < len(story.recording.steps)
    moments = careless.moments(careless.tellings())
    assert any(_faults(wreck(moment.survivor(NOTHING)), moment.told) for moment in moments)


@pytest.mark.soak
def test_nothing_is_lost_at_every_single_moment(story, wreck):
    for moment in story.moments(range(len(story.recording.steps))):
        is_sync = moment.number in story.syncs()
        cuts = BLUNT_CUTS if is_sync else ()
        for cut in (*cuts, RandomCut(moment.number)):
            assert _faults(wreck(moment.survivor(cut)), moment.told) == [], moment.number
