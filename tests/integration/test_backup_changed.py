"""Backups that others have changed: nothing of them is run, followed or waited for; they are refused or damaged."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import closing

import pysqlite3
import pytest

from albumen.bootstrap import build_archive
from albumen.errors import StartRefused
from albumen.services.archive import BadBlob
from albumen.storage.restore import RestoreFolder
from backups import add, back_up, file_of, silent, verify


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


def stranger(path, make=os.mkfifo):
    """Put a pipe that nobody writes to, or what else is made, in the place of a file."""
    path.unlink()
    make(path)


def rewritten(folder, name, sql, values):
    """Change the database of a backup, and its manifest with it."""
    path = folder / "backups" / name / "albumen.db"
    with closing(pysqlite3.connect(str(path))) as database:
        database.execute(sql, values)
        database.commit()
    manifest = path.with_name("manifest.json")
    told = {**json.loads(manifest.read_text()), "database_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    manifest.write_text(json.dumps(told))


@pytest.mark.parametrize("place", ["albumen.db", "manifest.json"])
def test_pipe_in_the_place_of_a_backups_own_file_makes_it_damaged(services, folder, tmp_path, place):
    add(services, 1)
    name = back_up(services, folder).name
    stranger(folder / "backups" / name / place)
    assert verify(folder).damaged == [name]
    with pytest.raises(StartRefused, match=r"choose another|is damaged"):
        build_archive(folder).restore(RestoreFolder(tmp_path / "restored"), None, silent)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_in_the_place_of_a_photo_is_damage_like_any_other(services, folder, tmp_path, make):
    (accepted,) = add(services, 1)
    back_up(services, folder)
    stranger(file_of(folder, accepted), make)
    restored = build_archive(folder).restore(RestoreFolder(tmp_path / "restored"), None, silent)
    assert restored.bad == [BadBlob(accepted.blob.sha256, missing=False)]
    assert verify(folder).bad == [BadBlob(accepted.blob.sha256, missing=False)]


@pytest.mark.parametrize("column", ["sha256", "extension"])
def test_backup_whose_database_names_paths_is_refused_and_touches_nothing(services, folder, tmp_path, column):
    add(services, 1)
    name = back_up(services, folder).name
    other = tmp_path / "of-the-operator"
    other.write_text("precious")
    rewritten(folder, name, f"UPDATE blob SET {column} = ?", (f"../../{other.name}",))  # noqa: S608 - no input
    with pytest.raises(StartRefused, match="no photos"):
        build_archive(folder).restore(RestoreFolder(tmp_path / "restored"), None, silent)
    assert other.read_text() == "precious"
    with pytest.raises(StartRefused, match="no photos"):
        verify(folder)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("CREATE VIEW blob AS WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n) SELECT i FROM n", "view"),
        ("CREATE TRIGGER more AFTER INSERT ON photo BEGIN DELETE FROM photo; END", "trigger"),
        ("CREATE VIRTUAL TABLE blob USING rtree (id, low, high)", "table"),
        ("CREATE TABLE blob (bytes INTEGER, sha256 TEXT AS (printf('%.*c', bytes, 'x')))", "column"),
    ],
)
def test_backup_whose_database_would_run_something_is_refused(services, folder, tmp_path, change, what):
    add(services, 1)
    name = back_up(services, folder).name
    rewritten(folder, name, "ALTER TABLE blob RENAME TO moved", ())
    rewritten(folder, name, change, ())
    with pytest.raises(StartRefused, match=f"strange {what}"):
        build_archive(folder).restore(RestoreFolder(tmp_path / "restored"), None, silent)
    with pytest.raises(StartRefused, match=f"strange {what}"):
        verify(folder)
