"""The model of a power cut keeps what was synced and may lose everything else."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from powercut import (
    BYTES_WITHOUT_NAMES,
    EVERYTHING,
    NAMES_WITHOUT_BYTES,
    NOTHING,
    Disk,
    RandomCut,
    Step,
    lay_out,
)

TOP = Path("/top")


class Told:
    """A disk that is told one step after the other; each begins when the one before has ended."""

    def __init__(self):
        self.disk = Disk(TOP)
        self._places = count()

    def __call__(self, what, path=".", began=None, **more):
        place = next(self._places)
        step = Step(what, TOP / path, place if began is None else began, place, **more)
        self.disk.apply(step)
        return place

    def left(self, cut=NOTHING):
        return self.disk.survivor(cut)


@pytest.fixture
def told():
    return Told()


def _written(told, *chunks, path="a"):
    told("file", path)
    for chunk in chunks:
        told("write", path, data=chunk)


def test_what_was_never_synced_is_gone(told):
    _written(told, b"bytes")
    told("folder", "folder")
    assert told.left() == {}


def test_a_synced_file_without_a_synced_name_is_gone(told):
    _written(told, b"bytes")
    told("sync", "a")
    assert told.left() == {}
    assert told.left(NAMES_WITHOUT_BYTES) == {"a": b"bytes"}


def test_a_synced_name_without_synced_bytes_is_an_empty_file(told):
    _written(told, b"bytes")
    told("sync")
    assert told.left() == {"a": b""}
    assert told.left(BYTES_WITHOUT_NAMES) == {"a": b"bytes"}


def test_bytes_and_name_that_were_synced_stay(told):
    _written(told, b"one", b"two")
    told("sync", "a")
    told("sync")
    told("write", "a", data=b"three")
    assert told.left() == {"a": b"onetwo"}
    assert told.left(EVERYTHING) == {"a": b"onetwothree"}


def test_a_sync_covers_only_what_ended_before_it_began(told):
    told("file", "a")
    told("sync")
    began = told("write", "a", data=b"early")
    told("write", "a", data=b"late")
    told("sync", "a", began=began + 1)
    assert told.left() == {"a": b"early"}


def test_a_folder_is_there_only_when_the_folder_above_was_synced(told):
    told("folder", "b")
    _written(told, b"bytes", path="b/a")
    told("sync", "b/a")
    told("sync", "b")
    assert told.left() == {}
    told("sync")
    assert told.left() == {"b": {"a": b"bytes"}}


def test_each_half_of_a_rename_waits_for_the_sync_of_its_folder(told):
    for folder in ("b", "c"):
        told("folder", folder)
    _written(told, b"bytes", path="b/a")
    for path in ("b/a", "b", "."):
        told("sync", path)
    told("rename", "b/a", target=TOP / "c/a")
    assert told.left() == {"b": {"a": b"bytes"}, "c": {}}
    told("sync", "b")
    assert told.left() == {"b": {}, "c": {}}
    told("sync", "c")
    assert told.left() == {"b": {}, "c": {"a": b"bytes"}}


def test_a_removed_file_may_come_back_until_its_folder_is_synced(told):
    _written(told, b"bytes")
    for path in ("a", "."):
        told("sync", path)
    told("remove", "a")
    assert told.left() == {"a": b"bytes"}
    told("sync")
    assert told.left() == {}


def test_a_name_that_was_given_anew_stands_for_the_old_file_until_its_folder_is_synced(told):
    _written(told, b"old")
    for path in ("a", "."):
        told("sync", path)
    told("remove", "a")
    _written(told, b"new")
    told("sync", "a")
    assert told.left() == {"a": b"old"}
    assert told.left(EVERYTHING) == {"a": b"new"}


def test_writes_at_a_place_and_cuts_change_the_file_there(told):
    _written(told, b"0123456789")
    told("write", "a", data=b"xy", offset=4)
    told("truncate", "a", offset=7)
    told("write", "a", data=b"z", offset=9)
    assert told.left(EVERYTHING) == {"a": b"0123xy6\0\0z"}


def test_opening_a_file_that_is_there_changes_nothing(told):
    _written(told, b"bytes")
    told("file", "a")
    assert told.left(EVERYTHING) == {"a": b"bytes"}


def test_a_random_cut_keeps_what_was_synced_and_now_and_then_tears_a_write(told):
    _written(told, b"kept")
    for path in ("a", "."):
        told("sync", path)
    told("write", "a", data=b"12345678")
    left = {bytes(told.left(RandomCut(seed))["a"]) for seed in range(200)}
    assert {b"kept", b"kept12345678"} < left
    assert all(content.startswith(b"kept") and b"kept12345678".startswith(content) for content in left)


def test_what_survived_is_laid_out_as_files_but_for_shared_memory(told, tmp_path):
    told("folder", "b")
    _written(told, b"bytes", path="b/a")
    _written(told, b"shared", path="b/albumen.db-shm")
    lay_out(told.left(EVERYTHING), tmp_path / "disk")
    assert [path.name for path in (tmp_path / "disk" / "b").iterdir()] == ["a"]
    assert (tmp_path / "disk" / "b" / "a").read_bytes() == b"bytes"
