"""Backups beside a server that is in use, and commands that are killed halfway."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from itertools import count

import requests
import traffic
from disks import cloning_disk, free_bytes

from conftest import running
from forms import sha256
from pictures import of_size

CLIENTS = 2
PHOTOS_PER_REQUEST = 20
PHOTO = of_size(4_000)
LARGE = of_size(2_000_000)
LEAST_BEFORE = 60
SECONDS = 120
ROUNDS = 4
LONGEST_WORK = 0.4
SEED = 20_261_123


class Traffic:
    """Clients that upload, and one that throws photos away and collects, for the length of a block."""

    def __init__(self, server):
        self._server = server
        self._numbers = count()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._told = {}
        self.thrown = set()
        self._threads = [threading.Thread(target=self._upload) for _ in range(CLIENTS)]
        self._threads.append(threading.Thread(target=self._throw_away))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def acknowledged(self):
        """Return the digests, by id, of all photos whose links were told until now."""
        with self._lock:
            return dict(self._told)

    def wait_for(self, photos):
        """Wait until so many photos were acknowledged."""
        deadline = time.monotonic() + SECONDS
        while len(self.acknowledged()) < photos:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _upload(self):
        while not self._stop.is_set():
            photos = [traffic.marked(PHOTO, next(self._numbers)) for _ in range(PHOTOS_PER_REQUEST)]
            outcomes = traffic.post(self._server.url, photos).json()["photos"]
            with self._lock:
                self._told |= {outcome["id"]: sha256(photo) for outcome, photo in zip(outcomes, photos, strict=True)}

    def _throw_away(self):
        """Delete some photos for good, with bytes and all."""
        while not self._stop.is_set():
            for photo_id in list(self.acknowledged())[:3]:
                self.thrown.add(photo_id)
                requests.delete(f"{self._server.url}/api/v1/photos/{photo_id}", timeout=SECONDS)
                with self._lock:
                    del self._told[photo_id]
            ended = traffic.albumen(
                "gc", "--data", self._server.data, ALBUMEN_TRASH_DAYS="0", ALBUMEN_QUARANTINE_DAYS="0"
            )
            assert ended.returncode == 0, ended.stderr


def _wrong(data, expected):
    """Serve a data directory; return the ids whose links do not answer with the bytes that were sent."""
    with running(data, ALBUMEN_DERIVE="false") as server, requests.Session() as session:
        answers = {photo_id: session.get(f"{server.url}/get/{photo_id}", timeout=SECONDS) for photo_id in expected}
    return [photo_id for photo_id, answer in answers.items() if sha256(answer.content) != expected[photo_id]]


def _succeed(*arguments):
    ended = traffic.albumen(*arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_backup_under_load_has_every_photo_acknowledged_before_it_began(server, tmp_path):
    backup, data = tmp_path / "backup", tmp_path / "restored"
    with Traffic(server) as clients:
        clients.wait_for(LEAST_BEFORE)
        _succeed("backup", backup, "--data", server.data)
        clients.wait_for(2 * LEAST_BEFORE)
        before = clients.acknowledged()
        _succeed("backup", backup, "--data", server.data)
    _succeed("restore", backup, "--data", data)
    kept = {photo_id: digest for photo_id, digest in before.items() if photo_id not in clients.thrown}
    assert len(kept) >= LEAST_BEFORE
    assert _wrong(data, kept) == []
    assert traffic.broken_blobs(data) == []
    assert "0 bad" in _succeed("scrub", "--data", data)


def _made_at(path):
    return path.stat().st_ctime_ns if path.exists() else None


def _killed(begun, moment, *arguments):
    """Run a command and kill it a moment after it made the file `begun`; tell whether it was still at work."""
    before = _made_at(begun)
    with subprocess.Popen(
        [sys.executable, "-m", "albumen", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while _made_at(begun) == before and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        return process.wait(SECONDS) == -signal.SIGKILL


def test_killed_backups_and_restores_damage_nothing_and_go_on(server, tmp_path):
    backup, data, moments = tmp_path / "backup", tmp_path / "restored", random.Random(SEED)  # noqa: S311 - repeatable
    told, killed = {}, 0
    for round_ in range(ROUNDS):
        photos = [traffic.marked(LARGE, 10 * round_ + number) for number in range(10)]
        outcomes = traffic.post(server.url, photos).json()["photos"]
        told |= {outcome["id"]: sha256(photo) for outcome, photo in zip(outcomes, photos, strict=True)}
        if round_:
            killed += _killed(backup / "tmp", moments.uniform(0, LONGEST_WORK), "backup", backup, "--data", server.data)
            assert "0 bad" in _succeed("backup", backup, "--verify")
        else:
            _succeed("backup", backup, "--data", server.data)
    _succeed("backup", backup, "--data", server.data)
    for _ in range(ROUNDS):
        if not (data / "albumen.db").exists():
            killed += _killed(
                data / "restoring/albumen.db", moments.uniform(0, LONGEST_WORK), "restore", backup, "--data", data
            )
    if not (data / "albumen.db").exists():
        _succeed("restore", backup, "--data", data)
    assert killed
    assert _wrong(data, told) == []


def test_backup_shares_blocks_where_the_file_system_can(tmp_path):
    with cloning_disk(tmp_path / "disk", tmp_path / "image") as disk:
        with running(disk / "data", ALBUMEN_DERIVE="false") as server:
            photos = [traffic.marked(LARGE, number) for number in range(20)]
            outcomes = traffic.post(server.url, photos).json()["photos"]
        os.sync()
        before = free_bytes(disk)
        _succeed("backup", disk / "backup", "--data", disk / "data")
        os.sync()
        assert before - free_bytes(disk) < 10 * len(LARGE)
        blob = traffic.blob_path(disk / "data", outcomes[0]["sha256"])
        blob.chmod(0o600)
        blob.write_bytes(b"other bytes")
        assert "20 files read, 0 bad" in _succeed("backup", disk / "backup", "--verify")
