"""A server is restarted while clients upload: they may try again whatever they meet, and nothing is lost or doubled."""

from __future__ import annotations

import random
import threading
import time
from itertools import count

import requests
import traffic

from conftest import running
from forms import sha256
from fronts import free_port
from pictures import of_size

CLIENTS = 4
PHOTOS_PER_REQUEST = 8
RESTARTS = 4
PAUSE_SECONDS = 0.1
RETRYABLE = {502, 503, 504}
PHOTO = of_size(20_000)
SEED = 20_261_123
UPLOADED = {200, 201}


class PatientClient(threading.Thread):
    """Uploads new photos, request after request; sends each again until it is taken."""

    def __init__(self, url, numbers, stop):
        super().__init__()
        self._url = url
        self._numbers = numbers
        self._stop_asked = stop
        self.receipts = {}  # the digest of each photo with every id that was told for it
        self.retried = 0
        self.surprises = []

    def run(self):
        while not self._stop_asked.is_set():
            photos = [traffic.marked(PHOTO, next(self._numbers)) for _ in range(PHOTOS_PER_REQUEST)]
            while not self._is_taken(photos):
                self.retried += 1
                time.sleep(PAUSE_SECONDS)

    def _is_taken(self, photos):
        try:
            answer = traffic.post(self._url, photos)
        except requests.RequestException:
            return False
        if answer.status_code in RETRYABLE:
            return False
        if answer.status_code not in UPLOADED:
            self.surprises.append((answer.status_code, answer.text))
            return True
        for photo, outcome in zip(photos, answer.json()["photos"], strict=True):
            self.receipts.setdefault(sha256(photo), set()).add(outcome["id"])
        return True


def _listed(server):
    """Return id and digest of all photos."""
    listed, cursor = [], ""
    while True:
        page = traffic.get(server.url, f"/api/v1/photos?limit=1000{cursor}").json()
        listed += [(photo["id"], photo["sha256"]) for photo in page["photos"]]
        if not page.get("next"):
            return listed
        cursor = f"&cursor={page['photos'][-1]['id']}"


def _run_and_end(data, port, moment, *, gracefully):
    with running(data, "--port", str(port), "--workers", "2", ALBUMEN_DERIVE="false") as server:
        time.sleep(moment)
        if gracefully:
            assert server.stop() == 0
        else:
            server.kill()


def test_four_clients_that_try_again_get_every_photo_in_exactly_once(tmp_path):
    data, port, numbers, stop = tmp_path / "data", free_port(), count(1), threading.Event()
    moments = random.Random(SEED)  # noqa: S311 - repeatable moments
    clients = [PatientClient(f"http://127.0.0.1:{port}", numbers, stop) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for number in range(RESTARTS):
        _run_and_end(data, port, moments.uniform(0.2, 0.6), gracefully=number % 2 == 0)
    with running(data, "--port", str(port), "--workers", "2", ALBUMEN_DERIVE="false") as server:
        time.sleep(moments.uniform(0.2, 0.6))
        stop.set()
        for client in clients:
            client.join()
        _assert_each_once(server, clients)


def _assert_each_once(server, clients):
    receipts = {digest: ids for client in clients for digest, ids in client.receipts.items()}
    listed = _listed(server)
    assert [surprise for client in clients for surprise in client.surprises] == []
    assert sum(client.retried for client in clients) >= CLIENTS
    assert all(len(ids) == 1 for ids in receipts.values())
    assert sorted(listed) == sorted((photo_id, digest) for digest, ids in receipts.items() for photo_id in ids)
    kept = traffic.digests_of(server.url, [{"id": photo_id} for photo_id, _ in listed])
    assert kept == [digest for _, digest in listed]
