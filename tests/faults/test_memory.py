"""However large a request or a list is, the server's memory hardly grows."""

from __future__ import annotations

import json
import shutil
import threading
import time
from contextlib import contextmanager

import pytest
import requests
import traffic

from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.domain import times
from albumen.domain.ids import PhotoIds
from albumen.domain.photos import Blob, PhotoHeader
from albumen.repository.datasets import DatasetRepository
from albumen.repository.photos import NewPhoto, PhotoRepository
from conftest import running
from forms import BOUNDARY, FORM_TYPE, form_begun, part
from pictures import of_size

MEGABYTE = 1_000_000
SAMPLE_SECONDS = 0.02
SLICE_BYTES = MEGABYTE
LARGE_PHOTOS, LARGE_BYTES = 40, 50 * MEGABYTE
ARCHIVED_PHOTOS, UNREAD_SECONDS = 20, 2
MIDDLING_PHOTOS, MIDDLING_BYTES = 250, 4 * MEGABYTE  # these wait in memory until they are hashed
SMALL_PHOTOS, SMALL_BYTES = 3_000, 2_000
ROWS, ROWS_PER_STEP = 100_000, 5_000
MOST_FOR_UPLOAD = 64 * MEGABYTE
MOST_FOR_LIST = 32 * MEGABYTE


class Growth:
    """The most resident memory of a server beyond what it had at first, in bytes."""

    def __init__(self, server):
        self._processes = server.family()
        self._at_first = self._resident()
        self.most = 0

    def look(self):
        self.most = max(self.most, self._resident() - self._at_first)

    def _resident(self):
        return sum(process.memory_info().rss for process in self._processes)


@contextmanager
def watched(server):
    """Measure the growth of a server's memory during a block."""
    growth, done = Growth(server), threading.Event()

    def look():
        while not done.wait(SAMPLE_SECONDS):
            growth.look()

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield growth
    finally:
        done.set()
        watcher.join()
        growth.look()


@contextmanager
def two_workers(data):
    """A server both of whose workers answer: one that is still starting grows by itself."""
    with running(data, "--workers", "2", ALBUMEN_DERIVE="false") as started:
        traffic.wait_for_workers(started, 2)
        yield started


@pytest.fixture
def server(tmp_path):
    with two_workers(tmp_path / "data") as started:
        yield started
    shutil.rmtree(tmp_path / "data")


class LargeForm:
    """The form of many large photos, made while it is sent; its length is known in advance or not."""

    def __init__(self, number, size):
        self._photo = of_size(size)
        self._number = number

    def __iter__(self):
        rest = memoryview(self._photo)[2:]
        for number in range(self._number):
            yield form_begun(part(traffic.marked(b"\xff\xd8", number), f"{number}.jpg"))[:-2]
            yield from (rest[start : start + SLICE_BYTES] for start in range(0, len(rest), SLICE_BYTES))
            yield b"\r\n"
        yield f"--{BOUNDARY}--\r\n".encode()

    def length(self):
        return sum(len(piece) for piece in self)


class LargeFormOfKnownLength(LargeForm):
    def __len__(self):
        return self.length()


@pytest.mark.parametrize(
    ("kind", "photos", "size"),
    [
        (LargeFormOfKnownLength, LARGE_PHOTOS, LARGE_BYTES),
        (LargeForm, LARGE_PHOTOS // 4, LARGE_BYTES),
        (LargeFormOfKnownLength, MIDDLING_PHOTOS, MIDDLING_BYTES),
    ],
    ids=["2 GB with a length", "500 MB in chunks", "1 GB of middling photos"],
)
def test_a_large_request_raises_the_memory_by_less_than_64_megabytes(server, kind, photos, size, capsys):
    form = kind(photos, size)
    with watched(server) as growth:
        answer = requests.post(f"{server.url}/upload", data=form, headers={"Content-Type": FORM_TYPE}, timeout=300)
    _report(capsys, growth)
    assert answer.json()["created"] == photos
    assert growth.most < MOST_FOR_UPLOAD


def test_a_request_of_many_small_photos_raises_the_memory_by_less_than_64_megabytes(server, capsys):
    photo = of_size(SMALL_BYTES)
    body = traffic.photos_form([traffic.marked(photo, number) for number in range(SMALL_PHOTOS)])
    with watched(server) as growth:
        answer = requests.post(f"{server.url}/upload", data=body, headers={"Content-Type": FORM_TYPE}, timeout=300)
    _report(capsys, growth)
    assert answer.json()["created"] == SMALL_PHOTOS
    assert growth.most < MOST_FOR_UPLOAD


def test_an_archive_of_a_gigabyte_that_is_read_slowly_hardly_needs_memory(server, capsys):
    form = LargeFormOfKnownLength(ARCHIVED_PHOTOS, LARGE_BYTES)
    sent = requests.post(f"{server.url}/upload", data=form, headers={"Content-Type": FORM_TYPE}, timeout=300)
    wanted = {"ids": [photo["id"] for photo in sent.json()["photos"]]}
    received = 0
    archive = requests.post(f"{server.url}/api/v1/photos/archive", json=wanted, stream=True, timeout=300)
    with watched(server) as growth, archive as answer:
        time.sleep(UNREAD_SECONDS)
        for piece in answer.iter_content(MEGABYTE):
            received += len(piece)
    _report(capsys, growth)
    assert received == int(answer.headers["Content-Length"]) > ARCHIVED_PHOTOS * LARGE_BYTES
    assert growth.most < MOST_FOR_LIST


def test_the_list_of_all_names_hardly_needs_memory(tmp_path, capsys):
    _insert_rows(tmp_path / "data")
    with two_workers(tmp_path / "data") as server:
        with watched(server) as growth:
            listed = _bytes_of(f"{server.url}/get_value")
        assert len(json.loads(listed)) == ROWS
    _report(capsys, growth)
    assert growth.most <= MOST_FOR_LIST


def _bytes_of(url):
    with requests.get(url, stream=True, timeout=300) as answer:
        return b"".join(answer.iter_content(MEGABYTE))


def _insert_rows(data):
    """Insert photos whose bytes nobody asks for."""
    settings = load_settings({"data": data})
    prepare(settings)
    services = build(settings)
    next_id, photos = PhotoIds().next, PhotoRepository()
    with services.database.writing() as tx:
        dataset_id = DatasetRepository().get_id(tx, "main")
        for start in range(0, ROWS, ROWS_PER_STEP):
            rows = [_row(number, next_id()) for number in range(start, start + ROWS_PER_STEP)]
            photos.add(tx, dataset_id, rows, times.now())
    services.close()


def _row(number, photo_id):
    header = PhotoHeader("image/jpeg", "jpg", 64, 48, 1)
    return NewPhoto(photo_id, f"photo {number}.jpg", f"/get/{photo_id}", Blob(f"{number:064x}", 2_000, header))


def _report(capsys, growth):
    with capsys.disabled():
        print(f" +{growth.most / MEGABYTE:.1f} MB", end="")  # noqa: T201 - the figure is worth seeing
