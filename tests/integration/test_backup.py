"""Backups: whole, incremental, private, and restored byte for byte; what is damaged is told, never hidden."""

from __future__ import annotations

import json
import os
import stat
from contextlib import contextmanager
from datetime import timedelta

import pytest

import pictures
from albumen.bootstrap import build, build_archive, prepare
from albumen.config import load_settings
from albumen.domain.access import Role
from albumen.errors import StartRefused
from albumen.services.archive import BadBlob
from albumen.services.backup import Pruned
from albumen.storage.backup import BLOB_MODE
from albumen.storage.copies import Cloning, link
from albumen.storage.restore import RestoreFolder
from backups import add, back_up, file_of, prune, silent, verify
from batches import blobs, files, stored, upload_one
from commands import invoke

NOW = timedelta(0)
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


@pytest.fixture
def restored(tmp_path):
    """A restorer into a new data directory; it returns the services on it."""
    opened = []

    def restore(folder, backup=None, place="restored"):
        build_archive(folder).restore(RestoreFolder(tmp_path / place), backup, silent)
        settings = load_settings({"data": tmp_path / place, "decode_processes": 1})
        prepare(settings)
        opened.append(build(settings))
        return opened[-1]

    yield restore
    for services in opened:
        services.close()


def spoil(path, data=b"other bytes"):
    path.chmod(0o600)
    path.write_bytes(data)


def test_directories_of_any_name_are_backed_up_and_restored(services, tmp_path, restored):
    folder = tmp_path / os.fsdecode(b"\xd4\xcf\xd4\xcf? 100%25")  # letters in KOI8-R, which are no UTF-8
    (accepted,) = add(services, 1)
    back_up(services, folder)
    again = restored(folder, place=f"{folder.name}#2")
    assert stored(again, accepted) == stored(services, accepted)


def test_restored_directory_has_every_photo_the_trash_the_datasets_and_the_keys(services, folder, restored):
    kept, thrown = add(services, 1, 2)
    (other,) = add(services, 3, dataset="other")
    services.photos.delete(thrown.id)
    token = services.access.create("phone", Role.EDITOR)
    back_up(services, folder)
    again = restored(folder)
    assert [stored(again, each) for each in (kept, thrown, other)] == [
        stored(services, each) for each in (kept, thrown, other)
    ]
    assert again.photos.get(kept.id) == services.photos.get(kept.id)
    assert again.datasets.page(10) == services.datasets.page(10)
    assert again.photos.restore(thrown.id).photo.id == thrown.id
    assert again.access.recognise(str(token)).role == Role.EDITOR


def test_backup_in_the_256_folders_of_before_is_restored_as_it_is_and_moved_by_the_next_backup(
    services, folder, restored
):
    kept = add(services, 1, 2, 3)
    back_up(services, folder)
    for each in kept:
        older = folder / "blobs" / each.blob.sha256[:2]
        older.mkdir(exist_ok=True)
        file_of(folder, each).rename(older / file_of(folder, each).name)
    assert not verify(folder).bad
    assert [stored(restored(folder), each) for each in kept[:1]] == [stored(services, each) for each in kept[:1]]
    assert back_up(services, folder).new == 0
    assert all(file_of(folder, each).exists() for each in kept)
    assert {path.name for path in (folder / "blobs").iterdir()} == set("0123456789abcdef")


def test_second_backup_takes_only_what_is_new(services, folder):
    add(services, 1, 2, 3)
    assert back_up(services, folder).new == 3
    before = {path: path.stat().st_ino for path in files(folder / "blobs")}
    add(services, 4)
    second = back_up(services, folder)
    assert (second.manifest.blobs, second.new, second.new_bytes) == (4, 1, 3000)
    assert {path: path.stat().st_ino for path in before} == before


def test_older_backup_brings_back_what_was_deleted_for_good_since(services, folder, restored):
    kept, gone = add(services, 1, 2)
    first = back_up(services, folder)
    services.photos.delete(gone.id)
    services.housekeeping.collect(NOW, NOW)
    second = back_up(services, folder)
    assert (first.manifest.photos, second.manifest.photos) == (2, 1)
    assert blobs(restored(folder, place="newest")) == {kept.blob.sha256}
    assert blobs(restored(folder, first.name, "oldest")) == {kept.blob.sha256, gone.blob.sha256}


def test_pruning_removes_old_backups_and_the_bytes_that_no_other_names(services, folder, restored):
    kept, gone = add(services, 1, 2)
    back_up(services, folder)
    services.photos.delete(gone.id)
    services.housekeeping.collect(NOW, NOW)
    newest = back_up(services, folder)
    assert prune(services, folder, keep=2) == Pruned(backups=0, blobs=0)
    assert prune(services, folder, keep=1) == Pruned(backups=1, blobs=1)
    assert verify(folder).backups == [newest.name]
    assert blobs(restored(folder)) == {kept.blob.sha256}


def test_nothing_is_pruned_while_a_backup_that_stays_is_damaged(services, folder):
    add(services, 1)
    back_up(services, folder)
    damaged = back_up(services, folder)
    spoil(folder / "backups" / damaged.name / "albumen.db")
    with pytest.raises(StartRefused, match="Nothing was removed"):
        prune(services, folder, keep=1)
    assert len(verify(folder).backups) == 2
    assert len(files(folder / "blobs")) == 1


def test_photo_collected_while_the_backup_runs_is_in_it(services, folder, restored):
    """`gc` deletes the photo for good after the database was copied, and before its bytes are."""
    (gone,) = add(services, 1)

    def collect_first(source, partial, sha256):
        if stored(services, gone):
            services.photos.delete(gone.id)
            services.housekeeping.collect(NOW, NOW)
        Cloning(BLOB_MODE)(source, partial, sha256)

    assert back_up(services, folder, collect_first).manifest.missing == ()
    assert stored(services, gone) is None
    assert stored(restored(folder), gone) == pictures.of_size(3000, seed=1)
    services.housekeeping.collect(NOW, NOW)
    assert files(services.settings.data / "quarantine") == []


def test_damaged_photo_does_not_enter_a_backup_and_is_named(services, folder):
    good, bad = add(services, 1, 2)
    spoil(services.store.locate(bad.blob.key))
    made = back_up(services, folder)
    assert made.manifest.missing == (bad.blob.sha256,)
    assert [path.stem for path in files(folder / "blobs")] == [good.blob.sha256]
    upload_one(services, pictures.of_size(3000, seed=2), dataset="again")
    assert back_up(services, folder).manifest.missing == ()
    assert verify(folder).bad == []


def test_damage_in_the_data_directory_leaves_an_earlier_copy_alone(services, folder, restored):
    (photo,) = add(services, 1)
    back_up(services, folder)
    spoil(services.store.locate(photo.blob.key))
    assert back_up(services, folder).manifest.missing == ()
    assert stored(restored(folder), photo) == pictures.of_size(3000, seed=1)


def test_verify_finds_damaged_and_missing_bytes_and_the_next_backup_takes_them_again(services, folder):
    damaged, missing, _ = add(services, 1, 2, 3)
    back_up(services, folder)
    spoil(file_of(folder, damaged))
    file_of(folder, missing).unlink()
    found = verify(folder)
    assert found.blobs == 2
    assert found.bad == [BadBlob(damaged.blob.sha256, missing=False), BadBlob(missing.blob.sha256, missing=True)]
    assert [path.stem for path in files(folder / "damaged")] == [damaged.blob.sha256]
    assert back_up(services, folder).new == 2
    assert verify(folder).bad == []


def test_verify_finds_a_damaged_database_and_a_damaged_manifest(services, folder):
    add(services, 1)
    names = [back_up(services, folder).name for _ in range(3)]
    spoil(folder / "backups" / names[0] / "albumen.db")
    spoil(folder / "backups" / names[1] / "manifest.json")
    assert verify(folder).damaged == names[:2]


def test_restore_of_a_damaged_backup_brings_the_rest_and_names_what_is_bad(services, folder, tmp_path):
    damaged, missing, good = add(services, 1, 2, 3)
    back_up(services, folder)
    spoil(file_of(folder, damaged), pictures.of_size(3000, seed=9))
    file_of(folder, missing).unlink()
    ended = invoke("restore", folder, "--data", tmp_path / "new")
    assert ended.exit_code == 1
    assert set(ended.stdout.splitlines()[:2]) == {f"damaged  {damaged.blob.sha256}", f"missing  {missing.blob.sha256}"}
    assert "3 photos, 1 files restored" in ended.stdout
    assert "Upload these photos again" in ended.stderr
    assert [path.stem for path in files(tmp_path / "new/blobs")] == [good.blob.sha256]


def test_damaged_database_is_not_restored_and_another_backup_is_named(services, folder, tmp_path, restored):
    (photo,) = add(services, 1)
    first = back_up(services, folder).name
    last = back_up(services, folder).name
    database = folder / "backups" / last / "albumen.db"
    spoil(database, database.read_bytes()[:-1] + b"\1")
    with pytest.raises(StartRefused, match=f"{last} is damaged. There are: {first}"):
        restored(folder)
    assert not (tmp_path / "restored/albumen.db").exists()
    assert stored(restored(folder, first), photo)


def test_backup_that_is_not_there_is_refused_with_a_list(services, folder, restored):
    name = back_up(services, folder).name
    with pytest.raises(StartRefused, match=f"no backup yesterday. There are: {name}"):
        restored(folder, "yesterday")


def test_restore_overwrites_nothing(services, folder, tmp_path):
    add(services, 1)
    back_up(services, folder)
    (tmp_path / "new").mkdir()
    (tmp_path / "new/letter.txt").write_text("mine")
    with pytest.raises(StartRefused, match="is not empty"):
        build_archive(folder).restore(RestoreFolder(tmp_path / "new"), None, silent)
    with pytest.raises(StartRefused, match="is not empty"):
        build_archive(folder).restore(RestoreFolder(services.settings.data), None, silent)
    assert files(tmp_path / "new") == [tmp_path / "new/letter.txt"]


def test_fresh_disk_counts_as_an_empty_directory(services, folder, tmp_path):
    (photo,) = add(services, 1)
    for name in ("backup", "disk"):
        (tmp_path / name / "lost+found").mkdir(parents=True)
    back_up(services, folder)
    assert build_archive(folder).restore(RestoreFolder(tmp_path / "disk"), None, silent).bad == []
    assert file_of(tmp_path / "disk", photo).read_bytes() == stored(services, photo)


def test_restore_that_was_cut_off_is_not_served_and_goes_on(services, folder, tmp_path, restored):
    photos = add(services, 1, 2, 3)
    back_up(services, folder)

    @contextmanager
    def cut_off(_total):
        def stop(_count):
            raise KeyboardInterrupt

        yield stop

    target = RestoreFolder(tmp_path / "restored")
    with pytest.raises(KeyboardInterrupt):
        build_archive(folder).restore(target, None, cut_off)
    with pytest.raises(StartRefused, match="has not finished"):
        prepare(load_settings({"data": tmp_path / "restored"}))
    again = restored(folder)
    assert [stored(again, each) for each in photos] == [stored(services, each) for each in photos]
    assert not (tmp_path / "restored/restoring").exists()


def test_backup_that_was_cut_off_leaves_the_earlier_one_and_no_backup(services, folder, restored):
    (photo,) = add(services, 1)
    first = back_up(services, folder).name
    add(services, 2, 3)

    def cut_off(_source, partial, _sha256):
        partial.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(services, folder, cut_off)
    assert verify(folder).backups == [first]
    assert stored(restored(folder), photo)
    assert back_up(services, folder).new == 2
    assert files(folder / "tmp") == []
    assert verify(folder).bad == []


def test_all_of_a_backup_is_for_its_owner_alone(services, folder):
    add(services, 1)
    back_up(services, folder)
    open_to_others = [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & OTHERS]
    assert open_to_others == []
    assert [path.stat().st_mode & 0o777 for path in files(folder / "blobs")] == [0o400]


def test_restored_directory_is_for_its_owner_and_one_that_was_there_keeps_its_mode(services, folder, tmp_path):
    add(services, 1)
    back_up(services, folder)
    (tmp_path / "there").mkdir(mode=0o750)
    for name in ("new", "there"):
        assert invoke("restore", folder, "--data", tmp_path / name).exit_code == 0
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("new", "there")] == [0o700, 0o750]
    assert [path.stat().st_mode & 0o222 for path in files(tmp_path / "new/blobs")] == [0]


def test_hard_links_share_the_file_with_the_data_directory_and_copies_do_not(services, folder, tmp_path):
    (photo,) = add(services, 1)
    source = services.store.locate(photo.blob.key)
    back_up(services, folder, link)
    back_up(services, tmp_path / "copied")
    assert file_of(folder, photo).samefile(source)
    assert not file_of(tmp_path / "copied", photo).samefile(source)
    assert verify(folder).bad == []


@pytest.mark.parametrize("place", ["data/backup", "."])
def test_backup_and_data_in_one_another_are_refused(services, tmp_path, place):
    with pytest.raises(StartRefused, match="must not lie in one another"):
        back_up(services, tmp_path / place)


def test_directory_with_something_else_is_refused_and_left_alone(services, folder):
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(StartRefused, match="holds something else"):
        back_up(services, folder)
    assert list(folder.iterdir()) == [folder / "letter.txt"]


def test_two_backups_into_one_directory_do_not_run_at_once(services, folder):
    add(services, 1)

    def another(_source, _partial, _sha256):
        back_up(services, folder)

    with pytest.raises(StartRefused, match="Another command works on"):
        back_up(services, folder, another)


@pytest.mark.parametrize("arguments", [("--verify",), ()])
def test_directory_without_a_backup_cannot_be_verified_or_restored(tmp_path, arguments):
    command = ("backup", tmp_path, *arguments) if arguments else ("restore", tmp_path, "--data", tmp_path / "new")
    assert "holds no backup" in str(invoke(*command).exception)


def test_directory_without_a_database_is_not_backed_up(tmp_path, folder):
    assert "There is no database in" in str(invoke("backup", folder, "--data", tmp_path / "nothing").exception)
    assert not (tmp_path / "nothing").exists()


def test_damaged_database_of_the_server_is_not_taken_for_a_backup(services, folder):
    add(services, *range(40))
    services.database.close()
    path = services.settings.data / "albumen.db"
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    path.write_bytes(content)
    ended = invoke("backup", folder, "--data", services.settings.data)
    assert ended.exit_code == 1
    assert files(folder / "backups") == []


def test_command_tells_what_it_did(services, folder):
    add(services, 1, 2)
    data = services.settings.data
    first, second = invoke("backup", folder, "--data", data), invoke("backup", folder, "--data", data, "--keep", "1")
    assert [line.partition(": ")[2] or line for line in first.stdout.splitlines()] == [
        "2 photos, 2 files, 6,000 bytes",
        "2 files, 6,000 bytes of them new",
    ]
    assert second.stdout.splitlines()[1:] == ["0 files, 0 bytes of them new", "1 backups and 0 files removed"]
    checked = invoke("backup", folder, "--verify")
    assert checked.stdout.splitlines()[0].endswith("  sound")
    assert checked.stdout.splitlines()[1:] == ["2 files read, 0 bad"]
    (manifest,) = files(folder / "backups")[1:]
    assert json.loads(manifest.read_text())["photos"] == 2


def test_command_ends_with_status_1_when_a_photo_has_no_bytes_and_prunes_nothing(services, folder):
    (photo,) = add(services, 1)
    data = services.settings.data
    assert invoke("backup", folder, "--data", data).exit_code == 0
    file_of(folder, photo).unlink()
    services.store.locate(photo.blob.key).unlink()
    ended = invoke("backup", folder, "--data", data, "--keep", "1")
    assert ended.exit_code == 1
    assert f"bad  {photo.blob.sha256}" in ended.stdout
    assert len(verify(folder).backups) == 2


def test_renamed_backup_stops_backups_and_pruning_but_not_the_restore_of_another(services, folder, restored):
    (first,) = add(services, 1)
    name = back_up(services, folder).name
    back_up(services, folder)
    (folder / "backups" / name).rename(folder / "backups" / "before-the-move")
    for change in (lambda: back_up(services, folder), lambda: prune(services, folder, 1)):
        with pytest.raises(StartRefused, match="before-the-move"):
            change()
    assert file_of(folder, first).exists()
    assert stored(restored(folder), first)


def test_backups_of_another_data_directory_are_not_added_to(services, folder, settings, tmp_path):
    add(services, 1)
    kept = back_up(services, folder).name
    other_settings = settings.model_copy(update={"data": tmp_path / "other"})
    prepare(other_settings)
    other = build(other_settings)
    try:
        with pytest.raises(StartRefused, match="backups of another data directory"):
            back_up(other, folder)
    finally:
        other.close()
    assert [path.name for path in (folder / "backups").iterdir()] == [kept]


def test_a_restored_directory_goes_on_with_its_backups(services, folder, restored):
    add(services, 1)
    back_up(services, folder)
    again = restored(folder)
    add(again, 2)
    assert back_up(again, folder).new == 1


def test_a_damaged_database_of_the_newest_backup_does_not_stop_the_next_one(services, folder):
    add(services, 1)
    name = back_up(services, folder).name
    database = folder / "backups" / name / "albumen.db"
    database.chmod(0o600)
    database.write_bytes(b"no database")
    assert back_up(services, folder).name > name
