"""A disk that cannot read some bytes costs their photo, not the backup; one that cannot write costs the backup."""

from __future__ import annotations

import errno
import os

import pytest

from albumen.bootstrap import build_archive
from albumen.errors import StorageUnavailable
from albumen.services.archive import BadBlob
from albumen.storage.backup import BLOB_MODE
from albumen.storage.copies import Cloning, Copying
from albumen.storage.restore import RestoreFolder
from backups import add, back_up, file_of, silent, verify
from batches import files, make_unreadable


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


@pytest.mark.parametrize("way", [Copying, Cloning])
def test_photo_that_the_disk_cannot_read_is_named_and_the_others_are_backed_up(services, folder, way):
    good, bad = add(services, 1, 2)
    make_unreadable(services.store.locate(bad.blob.key))
    assert back_up(services, folder, way(BLOB_MODE)).manifest.missing == (bad.blob.sha256,)
    assert [path.stem for path in files(folder / "blobs")] == [good.blob.sha256]


def test_disk_of_the_backups_that_cannot_be_written_ends_the_backup(services, folder):
    add(services, 1)

    def write_nothing(source, partial, _sha256):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(partial), None, str(source))

    with pytest.raises(StorageUnavailable):
        back_up(services, folder, write_nothing)
    assert files(folder / "backups") == []


def test_bytes_of_a_backup_that_the_disk_cannot_read_are_damage_like_any_other(services, folder, tmp_path):
    bad, good = add(services, 1, 2)
    back_up(services, folder)
    make_unreadable(file_of(folder, bad))
    restored = build_archive(folder).restore(RestoreFolder(tmp_path / "restored"), None, silent)
    assert restored.bad == [BadBlob(bad.blob.sha256, missing=False)]
    assert verify(folder).bad == [BadBlob(bad.blob.sha256, missing=False)]
    assert [path.stem for path in files(tmp_path / "restored/blobs")] == [good.blob.sha256]
    assert back_up(services, folder).new == 1


def test_database_of_a_backup_that_the_disk_cannot_read_is_damaged(services, folder):
    add(services, 1)
    name = back_up(services, folder).name
    make_unreadable(folder / "backups" / name / "albumen.db")
    assert verify(folder).damaged == [name]
