"""Temporary folders of killed processes are removed by the next one; those of living ones are not."""

import os
import time

import pytest

from albumen.storage.temporary import YOUNG_SECONDS, locked_folder

PREFIX = "albumen-test-"


@pytest.fixture(autouse=True)
def temporary_directory(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def make_old(folder):
    then = time.time() - 2 * YOUNG_SECONDS
    os.utime(folder, (then, then))


def left_behind(parent, name):
    folder = parent / name
    folder.mkdir()
    (folder / "counter.db").write_bytes(b"1")
    make_old(folder)
    return folder


def test_a_folder_is_gone_after_its_block(tmp_path):
    with locked_folder(PREFIX) as folder:
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_nobody_holds_is_removed(tmp_path):
    stale = left_behind(tmp_path, f"{PREFIX}stale")
    with locked_folder(PREFIX):
        assert not stale.exists()


def test_folders_that_are_held_young_or_of_others_stay(tmp_path):
    other = left_behind(tmp_path, "other-stale")
    young = tmp_path / f"{PREFIX}young"
    young.mkdir()
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(other)
    with locked_folder(PREFIX) as held:
        make_old(held)
        with locked_folder(PREFIX):
            assert held.is_dir()
            assert young.is_dir()
            assert (other / "counter.db").exists()
