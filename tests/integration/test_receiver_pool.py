"""A receiver whose pool cannot start a thread: photos are the pool's or nobody's, and nobody waits for ever."""

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from albumen.domain.budget import Budget
from albumen.storage.files import Workspace
from albumen.storage.incoming import HELD_BYTES, LocalReceiver
from batches import files

DATA = b"bytes of a photo"


def sealed(receiver):
    """Return a photo whose bytes have all come."""
    incoming = receiver.receive()
    incoming.write(DATA)
    incoming.seal()
    return incoming


def test_pool_that_takes_no_work_fails_every_request_and_lets_none_wait_for_ever(tmp_path):
    workspace, budget = Workspace(tmp_path / "tmp"), Budget(HELD_BYTES)
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    turns = threading.Semaphore(2)
    for _ in range(3):
        receiver = LocalReceiver(workspace, pool, turns, budget)
        incoming = sealed(receiver)
        with pytest.raises(RuntimeError):
            receiver.flush()
        incoming.discard()
    assert all(turns.acquire(blocking=False) for _ in range(2))
    assert budget.take(HELD_BYTES)
    workspace.close()


def test_photos_that_a_thread_of_the_pool_took_are_its_own_though_no_further_thread_can_be_started(
    tmp_path, monkeypatch
):
    workspace = Workspace(tmp_path / "tmp")
    started, free, syncing, go_on = (threading.Event() for _ in range(4))

    def sync(fd):
        syncing.set()
        go_on.wait(20)
        os.fsync(fd)

    def start(_thread):
        free.set()
        syncing.wait(20)
        raise RuntimeError("can't start new thread")

    with ThreadPoolExecutor(2) as pool:
        receiver = LocalReceiver(workspace, pool, threading.Semaphore(2), Budget(HELD_BYTES))
        pool.submit(lambda: (started.set(), free.wait(20)))
        started.wait(20)
        incoming = sealed(receiver)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", sync)
            patch.setattr(threading.Thread, "start", start)
            receiver.flush()
            assert not incoming.task.done()
            go_on.set()
            assert incoming.sha256() == hashlib.sha256(DATA).hexdigest()
    workspace.close()


def test_photos_that_no_thread_of_the_pool_took_are_not_touched_later(tmp_path, monkeypatch):
    workspace, turns = Workspace(tmp_path / "tmp"), threading.Semaphore(2)
    started, go_on = threading.Event(), threading.Event()

    def start(_thread):
        raise RuntimeError("can't start new thread")

    with ThreadPoolExecutor(2) as pool:
        receiver = LocalReceiver(workspace, pool, turns, Budget(HELD_BYTES))
        pool.submit(lambda: (started.set(), go_on.wait(20)))
        started.wait(20)
        incoming = sealed(receiver)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            with pytest.raises(RuntimeError):
                receiver.flush()
        go_on.set()
    assert files(tmp_path / "tmp") == []
    incoming.discard()
    assert all(turns.acquire(blocking=False) for _ in range(2))
    workspace.close()
