"""What the store on a local disk promises beyond the common suite: plain files, whole or absent."""

import hashlib
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from albumen.domain.budget import Budget
from albumen.domain.photos import BlobKey
from albumen.errors import StorageUnavailable
from albumen.storage.files import LOOK_BYTES, Workspace
from albumen.storage.incoming import HELD_BYTES, POOL_BYTES, LocalReceiver
from albumen.storage.local import LocalBlobStore
from engines import sealed_digest

DATA = b"bytes of a photo"


def publish(store, data=DATA):
    incoming = store.receiver().receive()
    incoming.write(data)
    key = BlobKey(sealed_digest(incoming), "jpg")
    store.publish([(incoming, key)])
    return key


def open_files():
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the listing's own descriptor counts each time


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_blob_is_a_plain_file_under_its_digest(local_store, tmp_path):
    key = publish(local_store)
    path = tmp_path / "blobs" / key.sha256[0] / f"{key.sha256}.jpg"
    assert local_store.locate(key) == path
    assert path.read_bytes() == DATA


def test_final_file_can_be_read_by_an_operator_and_written_by_nobody(local_store):
    mode = stat.S_IMODE(local_store.locate(publish(local_store)).stat().st_mode)
    assert mode & stat.S_IRUSR
    assert not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def test_bytes_on_their_way_in_stay_out_of_the_final_place(local_store, tmp_path):
    incoming = local_store.receiver().receive()
    incoming.write(DATA)
    assert sealed_digest(incoming) == hashlib.sha256(DATA).hexdigest()
    assert files_in(tmp_path / "blobs") == []
    assert len(files_in(tmp_path / "tmp")) == 1
    incoming.discard()
    assert files_in(tmp_path / "tmp") == []


def test_published_bytes_leave_nothing_in_tmp(local_store, tmp_path):
    publish(local_store)
    publish(local_store)
    assert files_in(tmp_path / "tmp") == []


@pytest.mark.parametrize("damaged", [b"", DATA[:-1], DATA.swapcase(), DATA + b"more"])
def test_damaged_file_is_healed_by_the_same_photo(local_store, damaged):
    key = publish(local_store)
    path = local_store.locate(key)
    path.unlink()
    path.write_bytes(damaged)
    publish(local_store)
    assert path.read_bytes() == DATA


def test_deleted_blob_lies_in_quarantine_until_it_is_emptied(local_store, tmp_path):
    key = publish(local_store)
    os.utime(local_store.locate(key), (0, 0))  # stored long ago, deleted now
    local_store.delete(key)
    kept = tmp_path / "quarantine" / f"{key.sha256}.jpg"
    assert kept.read_bytes() == DATA
    assert local_store.empty_quarantine(datetime.now(UTC) - timedelta(days=1)) == 0
    assert kept.exists()
    assert local_store.empty_quarantine(datetime.now(UTC) + timedelta(seconds=5)) == 1
    assert not kept.exists()


def test_many_photos_are_deleted_with_few_syncs_for_which_uploads_wait(local_store, tmp_path, monkeypatch):
    keys = [publish(local_store, b"photo %d" % number) for number in range(60)]
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink()))
    local_store.delete(*keys)
    assert synced[0] == tmp_path / "quarantine"
    assert sorted(synced[1:]) == sorted({local_store.locate(key).parent for key in keys})


def test_photos_before_one_that_cannot_be_moved_are_deleted_durably(local_store, tmp_path, monkeypatch):
    gone, stuck = publish(local_store, b"gone"), publish(local_store, b"stuck")
    (tmp_path / "quarantine" / stuck.file_name).mkdir()
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink()))
    with pytest.raises(StorageUnavailable):
        local_store.delete(gone, stuck)
    assert synced == [tmp_path / "quarantine", local_store.locate(gone).parent]
    assert list(local_store.keys()) == [stuck]


def test_emptying_the_quarantine_meanwhile_never_takes_what_was_deleted_just_now(local_store, tmp_path):
    keys = [publish(local_store, b"photo %d" % number) for number in range(60)]
    for key in keys:
        os.utime(local_store.locate(key), (0, 0))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    stop = threading.Event()
    emptied = []

    def empty_again_and_again():
        while not stop.is_set():
            emptied.append(local_store.empty_quarantine(yesterday))

    thread = threading.Thread(target=empty_again_and_again)
    thread.start()
    try:
        for key in keys:
            local_store.delete(key)
    finally:
        stop.set()
        thread.join()
    assert sum(emptied) == 0
    assert len(files_in(tmp_path / "quarantine")) == len(keys)


def test_strange_files_among_the_blobs_are_no_keys(local_store, tmp_path):
    key = publish(local_store)
    folder = local_store.locate(key).parent
    (folder / "notes.txt").write_text("of an operator")
    (folder / key.sha256).write_text("without an extension")
    (tmp_path / "blobs" / "README").write_text("not a folder")
    assert list(local_store.keys()) == [key]


def test_two_processes_share_one_directory(local_store, tmp_path):
    key = publish(local_store)
    workspace = Workspace(tmp_path / "tmp")
    other = LocalBlobStore(tmp_path, workspace)
    assert publish(other) == key
    assert list(other.keys()) == [key]
    other.close()
    workspace.close()
    assert local_store.locate(key).read_bytes() == DATA


def test_workspace_of_a_dead_process_is_removed_and_that_of_a_living_one_stays(tmp_path):
    living = Workspace(tmp_path / "tmp")
    Path(living.new_path()).write_bytes(b"half")
    dead = tmp_path / "tmp" / "1-dead"
    dead.mkdir()
    (dead / "half").write_bytes(b"half")
    late = Workspace(tmp_path / "tmp")
    late.open()
    assert not dead.exists()
    assert len(files_in(tmp_path / "tmp")) == 1
    late.close()
    living.close()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_unusable_directory_is_told_as_our_error(local_store, tmp_path):
    (tmp_path / "tmp").write_text("a file where a folder must be")
    with pytest.raises(StorageUnavailable):
        local_store.check()


def test_folder_in_the_place_of_a_blob_is_told_as_our_error(local_store):
    key = BlobKey("ab" * 32, "jpg")
    local_store.locate(key).mkdir(parents=True)
    with pytest.raises(StorageUnavailable):
        local_store.open(key)


def test_sealed_bytes_take_no_more(local_store):
    incoming = local_store.receiver().receive()
    incoming.seal()
    with pytest.raises(ValueError, match="sealed"):
        incoming.write(b"late")
    incoming.discard()


@pytest.mark.parametrize("edge", [1 << 16, POOL_BYTES])
@pytest.mark.parametrize("beyond", [-1000, -1, 0, 1])
@pytest.mark.parametrize("chunk", [100_003, 1 << 23])
def test_photo_about_as_large_as_a_limit_is_read_and_hashed_whole(local_store, edge, beyond, chunk):
    data = os.urandom(edge + beyond)
    incoming = local_store.receiver().receive()
    for start in range(0, len(data), chunk):
        incoming.write(data[start : start + chunk])
    with incoming.reader() as file:
        file.seek(-5, os.SEEK_END)
        assert file.read() == data[-5:]
        file.seek(0)
        assert file.read() == data
    incoming.write(b"tail")
    assert sealed_digest(incoming) == hashlib.sha256(data + b"tail").hexdigest()
    key = BlobKey(incoming.sha256(), "jpg")
    local_store.publish([(incoming, key)])
    assert local_store.locate(key).read_bytes() == data + b"tail"


def test_bytes_in_memory_are_read_over_the_borders_of_their_chunks(local_store):
    chunks = [b"ab", b"", b"cde", b"f"]
    incoming = local_store.receiver().receive()
    for chunk in chunks:
        incoming.write(chunk)
    data = b"".join(chunks)
    with incoming.reader() as file:
        for start in range(len(data) + 2):
            for length in range(len(data) + 2):
                file.seek(start)
                assert file.read(length) == data[start : start + length]
                assert file.read() == data[start + length :]
    incoming.discard()


@pytest.mark.parametrize(("size", "most"), [(1, 1), (16, 1), (10_000, 3)])
def test_bytes_that_came_in_very_many_chunks_are_read_from_one(local_store, size, most):
    data = os.urandom(30_000)
    incoming = local_store.receiver().receive()
    for start in range(0, len(data), size):
        incoming.write(data[start : start + size])
    with incoming.reader() as file:
        assert file.read() == data
        assert len(file._chunks) == most
    for start in range(0, len(data), size):
        incoming.write(data[start : start + size])
    with incoming.reader() as file:
        file.seek(29_999)
        assert file.read(2) == data[-1:] + data[:1]
    assert sealed_digest(incoming) == hashlib.sha256(data + data).hexdigest()
    incoming.discard()


def test_free_space_is_looked_at_for_the_first_photo_and_then_once_in_so_many_bytes_of_all_requests(tmp_path):
    looks = []
    workspace = Workspace(tmp_path / "tmp", lambda: looks.append(1))
    with ThreadPoolExecutor(1) as pool:
        receivers = [LocalReceiver(workspace, pool, threading.Semaphore(8), Budget(HELD_BYTES)) for _ in range(10)]
        for number in range(40):
            incoming = receivers[number % 10].receive()
            incoming.write(bytes(LOOK_BYTES // 10))
            incoming.seal()
        for receiver in receivers:
            receiver.flush()
    assert len(looks) == 4
    workspace.close()


def test_blobs_of_the_256_folders_of_before_are_moved_by_several_processes_at_once(tmp_path):
    keys = [BlobKey(hashlib.sha256(bytes([number])).hexdigest(), "jpg") for number in range(100)]
    for number, key in enumerate(keys):
        folder = tmp_path / "blobs" / key.sha256[:2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / key.file_name).write_bytes(bytes([number]))
    (tmp_path / "blobs" / keys[0].sha256[:2] / "strange").mkdir()
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: LocalBlobStore(tmp_path, Workspace(tmp_path / "tmp")), range(4)))
    for number, key in enumerate(keys):
        with stores[0].open(key) as file:
            assert file.read() == bytes([number])
    assert list(stores[0].keys()) == sorted(keys, key=lambda key: key.sha256)
    assert {path.name for path in (tmp_path / "blobs").iterdir()} == {*"0123456789abcdef", keys[0].sha256[:2]}
    for store in stores:
        store.close()


def test_sealed_photos_are_made_durable_when_enough_of_them_wait(local_store):
    receiver = local_store.receiver()
    small, large = receiver.receive(), receiver.receive()
    small.write(DATA)
    small.seal()
    assert small.task is None
    large.write(bytes(POOL_BYTES))
    large.seal()
    small.task.result(20)
    large.task.result(20)
    assert small.sha256() == hashlib.sha256(DATA).hexdigest()
    for incoming in (small, large):
        incoming.discard()


def test_flush_makes_durable_what_is_sealed_and_nothing_else(local_store):
    receiver = local_store.receiver()
    sealed, growing = receiver.receive(), receiver.receive()
    for incoming in (sealed, growing):
        incoming.write(DATA)
    sealed.seal()
    receiver.flush()
    sealed.task.result(20)
    growing.write(DATA)
    receiver.flush()
    assert growing.task is None
    assert sealed_digest(growing) == hashlib.sha256(2 * DATA).hexdigest()
    for incoming in (sealed, growing):
        incoming.discard()


def test_flush_after_discard_does_no_harm(local_store, tmp_path):
    receiver = local_store.receiver()
    incoming = receiver.receive()
    incoming.write(DATA)
    incoming.seal()
    incoming.discard()
    receiver.flush()
    incoming.task.result(20)
    assert files_in(tmp_path / "tmp") == []


def test_photo_that_cannot_be_synced_leaves_no_file_open_and_spoils_no_other(local_store, tmp_path):
    local_store.check()
    before = open_files()
    receiver = local_store.receiver()
    group = [receiver.receive() for _ in range(12)]
    for incoming in group:
        incoming.write(bytes(POOL_BYTES) if incoming is group[0] else DATA)
    reading, writing = os.pipe()
    os.dup2(reading, group[0]._fd)  # a pipe cannot be synced
    os.close(reading)
    os.close(writing)
    for incoming in group:
        incoming.seal()
    receiver.flush()
    with pytest.raises(StorageUnavailable):
        group[0].sha256()
    assert {incoming.sha256() for incoming in group[1:]} == {hashlib.sha256(DATA).hexdigest()}
    for incoming in group:
        incoming.discard()
    assert open_files() == before
    assert files_in(tmp_path / "tmp") == []


def test_photo_that_fails_for_any_reason_gives_its_memory_back_and_spoils_no_other(local_store, tmp_path):
    local_store.check()
    before = open_files()
    receiver = local_store.receiver()
    group = [receiver.receive() for _ in range(12)]
    for incoming in group:
        incoming.write("no bytes" if incoming in group[:4] else DATA)  # the first of each task fails in the pool
        incoming.seal()
    receiver.flush()
    for incoming in group[:4]:
        with pytest.raises(TypeError):
            incoming.sha256()
    assert {incoming.sha256() for incoming in group[4:]} == {hashlib.sha256(DATA).hexdigest()}
    for incoming in group:
        incoming.discard()
    assert open_files() == before
    assert files_in(tmp_path / "tmp") == []
    assert local_store._budget.take(HELD_BYTES)


def test_photo_dropped_while_the_pool_works_on_it_leaves_nothing(tmp_path):
    workspace = Workspace(tmp_path / "tmp")
    started, go_on = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        receiver = LocalReceiver(workspace, pool, threading.Semaphore(8), Budget(HELD_BYTES))
        pool.submit(lambda: (started.set(), go_on.wait(20)))
        started.wait(20)
        incoming = receiver.receive()
        incoming.write(DATA)
        incoming.seal()
        receiver.flush()
        incoming.discard()
        go_on.set()
    assert incoming.task.done()
    assert files_in(tmp_path / "tmp") == []
    workspace.close()


def test_bytes_in_memory_have_one_budget_for_all_files(local_store):
    photo = bytes(POOL_BYTES // 2)
    stalled = [local_store.receiver().receive() for _ in range(30)]
    for incoming in stalled:
        incoming.write(photo)
    held = sum(len(chunk) for incoming in stalled if incoming._held for chunk in incoming._held.chunks)
    assert HELD_BYTES - POOL_BYTES <= held <= HELD_BYTES
    assert {sealed_digest(incoming) for incoming in stalled} == {hashlib.sha256(photo).hexdigest()}
    assert local_store._budget.take(HELD_BYTES)


def test_tiny_chunks_count_for_what_they_take_in_memory(local_store):
    incoming = local_store.receiver().receive()
    for _ in range(60_000):
        incoming.write(b"x")
    assert incoming._held is None
    assert sealed_digest(incoming) == hashlib.sha256(60_000 * b"x").hexdigest()
    incoming.discard()


def test_thousands_of_chunks_are_written_in_order(local_store):
    incoming = local_store.receiver().receive()
    chunks = [bytes([number % 251]) * (number % 7) for number in range(5_000)]
    for chunk in chunks:
        incoming.write(chunk)
    key = BlobKey(sealed_digest(incoming), "jpg")
    local_store.publish([(incoming, key)])
    assert local_store.locate(key).read_bytes() == b"".join(chunks)


def test_discarded_bytes_are_given_back_to_the_budget(local_store):
    for _ in range(20):
        incoming = local_store.receiver().receive()
        incoming.write(bytes(POOL_BYTES // 2))
        incoming.discard()
        incoming.discard()
    assert local_store._budget.take(HELD_BYTES)


def test_closed_store_leaves_no_folder_open(tmp_path):
    before = open_files()
    workspace = Workspace(tmp_path / "tmp")
    store = LocalBlobStore(tmp_path, workspace)
    publish(store)
    store.close()
    workspace.close()
    assert open_files() == before
