"""The power fails at any moment of a backup or a restore: what was told done is whole, and what is not goes on."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from powercut import BYTES_WITHOUT_NAMES, EVERYTHING, NAMES_WITHOUT_BYTES, NOTHING, Disk, RandomCut, lay_out
from recording import Recording, recorder

from albumen.bootstrap import build, build_archive, prepare
from albumen.config import load_settings
from albumen.errors import StartRefused
from albumen.storage.restore import RestoreFolder
from batches import blobs, files, upload_one
from pictures import of_size

CUTS = (NOTHING, EVERYTHING, NAMES_WITHOUT_BYTES, BYTES_WITHOUT_NAMES)
SAMPLE = 40
SEED = 20_261_123
MEMORY = Path("/dev/shm")  # noqa: S108 - quick: many disks are laid out


@contextmanager
def silent(_total):
    """No progress to look at."""
    yield lambda _count: None


@dataclass(frozen=True)
class Story:
    """Commands recorded one after the other; `ends` are the numbers of their last steps, `digests` what each kept."""

    place: Path
    top: Path
    steps: list
    ends: list
    digests: list

    def survivors(self, sample):
        """Yield (number of the step, disks that may be left) after some steps and after the last ones of commands."""
        numbers = {*self.ends, *random.Random(SEED).sample(range(len(self.steps)), sample)}  # noqa: S311 - repeatable
        disk = Disk(self.top)
        for number, step in enumerate(self.steps):
            disk.apply(step)
            if number in numbers:
                yield number, [disk.survivor(cut) for cut in (*CUTS, RandomCut(number))]

    def without(self, is_forgotten):
        """Return the same story on a disk that was never asked for some of the syncs."""
        kept = [step for step in self.steps if step.what != "sync" or not is_forgotten(step.path)]
        last = [self.steps[end].ended for end in self.ends]
        ends = [sum(step.ended <= ended for step in kept) - 1 for ended in last]
        return replace(self, steps=kept, ends=ends)

    def done(self, number):
        """Return how many commands had ended by a step."""
        return sum(end <= number for end in self.ends)


def _record(log, *arguments):
    command = [*recorder(log), sys.executable, "-m", "albumen", *map(str, arguments)]
    done = subprocess.run(command, timeout=120, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _story(place, top, logs, digests):
    steps = [Recording.read(top, place, logs[: number + 1]).steps for number in range(len(logs))]
    return Story(place, top, steps[-1], [len(so_far) - 1 for so_far in steps], digests)


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """A data directory of some photos."""
    settings = load_settings({"data": tmp_path_factory.mktemp("data").resolve() / "data", "decode_processes": 1})
    prepare(settings)
    with closing(build(settings)) as built:
        yield built


@pytest.fixture(scope="module")
def backups(services, tmp_path_factory):
    """Three backups; between them photos come and one goes for good; the last one keeps only itself."""
    folder = tmp_path_factory.mktemp("backups").resolve()
    top, logs, digests = folder / "disk", [folder / f"trace-{number}" for number in range(3)], []
    top.mkdir()
    place = top / "new/backup"
    for number, log in enumerate(logs):
        kept = [upload_one(services, of_size(3000, seed=10 * number + each)) for each in range(4)]
        _record(log, "backup", place, "--data", services.settings.data, *(["--keep", "1"] if number == 2 else []))
        digests.append(blobs(services))
        services.photos.delete(kept[0].id)
        services.housekeeping.collect(timedelta(0), timedelta(0))
    return _story(place, top, logs, digests)


@pytest.fixture
def wreck():
    """Lays out what survived, in memory where there is some; returns the place that the story is about."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        disk = Path(folder) / "disk"

        def make(story, survivor):
            shutil.rmtree(disk, ignore_errors=True)
            lay_out(survivor, disk)
            return disk / story.place.relative_to(story.top)

        yield make


def _restored(backup, target):
    """Restore the newest backup; return the digests that it brought."""
    shutil.rmtree(target, ignore_errors=True)
    build_archive(backup).restore(RestoreFolder(target), None, silent)
    return {path.stem for path in files(target / "blobs")}


def _served(data):
    settings = load_settings({"data": data, "decode_processes": 1})
    prepare(settings)
    with closing(build(settings)) as services:
        assert services.housekeeping.collect(timedelta(days=1), timedelta(days=1)).missing == 0
        return blobs(services)


def _is_whole(place, done, digests):
    """Tell whether all backups at a place are whole, and the newest is one of those that may be there by now."""
    try:
        found = build_archive(place).verify(silent)
        newest = _restored(place, place.parents[2] / "restored")
    except StartRefused:  # there is none
        return done == 0
    return not found.damaged and not found.bad and newest in digests[max(done - 1, 0) :]


def test_backups_that_were_told_done_are_whole_after_a_power_cut_at_any_moment(backups, wreck):
    for number, survivors in backups.survivors(SAMPLE):
        for survivor in survivors:
            assert _is_whole(wreck(backups, survivor), backups.done(number), backups.digests), number


@pytest.mark.parametrize(
    "is_forgotten",
    [
        pytest.param(lambda path: path.parent.name == "tmp" and path.name != "albumen.db", id="bytes of photos"),
        pytest.param(lambda path: path.parent.name == "blobs", id="names of photos"),
        pytest.param(lambda path: path.name == "blobs", id="folders of photos"),
        pytest.param(lambda path: path.name in {"albumen.db", "manifest.json"}, id="bytes of the database"),
        pytest.param(lambda path: path.name == "backups", id="names of backups"),
        pytest.param(lambda path: path.name == "new", id="name of the directory"),
    ],
)
def test_a_backup_that_forgets_a_sync_is_found_out(backups, wreck, is_forgotten):
    careless = backups.without(is_forgotten)
    found = [
        _is_whole(wreck(careless, survivors[0]), careless.done(number), careless.digests)
        for number, survivors in careless.survivors(0)
    ]
    assert not all(found)


def test_restore_goes_on_after_a_power_cut_at_any_moment(services, tmp_path_factory, wreck):
    folder = tmp_path_factory.mktemp("restore").resolve()
    top, log, backup = folder / "disk", folder / "trace", folder / "backup"
    top.mkdir()
    _record(folder / "unused", "backup", backup, "--data", services.settings.data)
    _record(log, "restore", backup, "--data", top / "new/data")
    story = _story(top / "new/data", top, [log], [blobs(services)])
    for number, survivors in story.survivors(SAMPLE):
        for survivor in survivors:
            place = wreck(story, survivor)
            if not (place / "albumen.db").exists():
                assert story.done(number) == 0, number
                assert build_archive(backup).restore(RestoreFolder(place), None, silent).bad == []
            assert _served(place) == story.digests[0], number
