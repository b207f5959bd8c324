"""Kill every process of a server at random moments: what a client was told is there afterwards."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count

import pytest
import traffic

from conftest import running
from forms import sha256
from pictures import of_size

PHOTOS_PER_REQUEST = 24
LARGE_EVERY = 8
SMALL, LARGE = of_size(2_500), of_size(150_000)
FIRST_MOMENT, LAST_MOMENT = 0.05, 0.6
LEAST_ACKNOWLEDGED_PER_ROUND = 30
DERIVING_EVERY = 6
COLLECTING_EVERY = 3
SEED = 20_261_107


@dataclass
class Receipts:
    """What clients were told: the outcome and the digest of what they had sent."""

    outcomes: list[tuple[dict, str]] = field(default_factory=list)
    cut_off: int = 0


class Client(threading.Thread):
    """Uploads new photos, request after request, until the server is gone or it is told to stop."""

    def __init__(self, url, numbers, receipts, stop):
        super().__init__()
        self._url = url
        self._numbers = numbers
        self._receipts = receipts
        self._stop_asked = stop

    def run(self):
        while not self._stop_asked.is_set():
            photos = [_new_photo(next(self._numbers)) for _ in range(PHOTOS_PER_REQUEST)]
            self._upload(photos)

    def _upload(self, photos):
        told = 0
        for line in traffic.lines_of_upload(self._url, traffic.photos_form(photos)):
            outcome = json.loads(line)
            told += 1
            assert outcome["status"] == "created"
            self._receipts.outcomes.append((outcome, sha256(photos[outcome["index"]])))
        self._receipts.cut_off += told < len(photos)


def _new_photo(number):
    return traffic.marked(LARGE if number % LARGE_EVERY == 0 else SMALL, number)


def _pour_until_killed(server, clients, numbers, moment):
    receipts, stop = Receipts(), threading.Event()
    clients = [Client(server.url, numbers, receipts, stop) for _ in range(clients)]
    for client in clients:
        client.start()
    time.sleep(moment)
    stop.set()
    server.kill()
    for client in clients:
        client.join()
    return receipts


def _assert_kept(server, receipts):
    outcomes = [outcome for outcome, _ in receipts.outcomes]
    assert traffic.digests_of(server.url, outcomes) == [digest for _, digest in receipts.outcomes]


def _assert_nothing_half_written(data):
    assert traffic.broken_blobs(data) == []


def _assert_cleaned(server):
    """Nothing of the servers that were killed lies about."""
    owners = {int(folder.name.partition("-")[0]) for folder in (server.data / "tmp").iterdir()}
    assert owners <= {process.pid for process in server.family()}


@contextmanager
def _collecting(data):
    """`albumen gc` beside what happens in a block; it finds nothing missing."""
    command = [sys.executable, "-m", "albumen", "gc", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as collecting:
        yield
        said, _ = collecting.communicate(timeout=120)
    assert collecting.returncode == 0, said
    assert "missing" not in said
    assert "no bytes" not in said


def _restarted(data, number):
    derive = str(number % DERIVING_EVERY == 0).lower()
    return running(data, "--workers", "2", ALBUMEN_GROUP_PHOTOS="6", ALBUMEN_DERIVE=derive)


def _assert_survived(data, rounds, clients, capsys):
    """Kill a server that takes uploads, round after round: look for what was told last, and for all at the end."""
    numbers, moments = count(1), random.Random(SEED)  # noqa: S311 - repeatable moments
    all_receipts, lost = Receipts(), Receipts()
    for number in range(rounds):
        with _collecting(data) if number % COLLECTING_EVERY == 1 else nullcontext(), _restarted(data, number) as server:
            _assert_kept(server, lost)
            _assert_cleaned(server)
            lost = _pour_until_killed(server, clients, numbers, moments.uniform(FIRST_MOMENT, LAST_MOMENT))
        _assert_nothing_half_written(data)
        all_receipts.outcomes += lost.outcomes
        all_receipts.cut_off += lost.cut_off
    with _collecting(data), running(data, "--workers", "2", ALBUMEN_DERIVE="false") as server:
        _assert_kept(server, all_receipts)
        _assert_cleaned(server)
    with capsys.disabled():
        print(f" {len(all_receipts.outcomes)} outcomes told, {all_receipts.cut_off} uploads cut off", end="")  # noqa: T201
    assert len(all_receipts.outcomes) >= rounds * LEAST_ACKNOWLEDGED_PER_ROUND
    assert all_receipts.cut_off >= rounds // 2


def test_what_a_client_was_told_survives_thirty_kills(tmp_path, capsys):
    _assert_survived(tmp_path / "data", 30, 3, capsys)


@pytest.mark.soak
def test_what_four_clients_were_told_survives_two_hundred_kills(tmp_path, capsys):
    _assert_survived(tmp_path / "data", 200, 4, capsys)
