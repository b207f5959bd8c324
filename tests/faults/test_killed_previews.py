"""Whoever makes a preview is killed in the middle of it: no half one is left, and the next to ask gets a whole one."""

from __future__ import annotations

import fcntl
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import psutil
import pytest
import requests
import traffic
from PIL import Image

from conftest import running
from forms import problem
from pictures import noisy_jpeg
from wire import eventually

TARGET = "?size=1024&format=jpeg"
WIDTH = 1024


@pytest.fixture
def server(tmp_path):
    with running(tmp_path / "data", "--workers", "1", ALBUMEN_DERIVE="false", ALBUMEN_DECODE_PROCESSES="1") as started:
        yield started


@pytest.fixture
def outcome(server):
    """A photo without a preview, on a server whose only decoder is up."""
    first, second = traffic.post(server.url, [noisy_jpeg(1600, 1200, seed=seed) for seed in (1, 2)]).json()["photos"]
    assert traffic.get_photo(server.url, first, "?size=256").status_code == 200
    return second


@pytest.fixture
def pending(server, outcome):
    """A request for the preview that the decoder is busy with: it stands still."""
    (decoder,) = traffic.decoders(server)
    decoder.suspend()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_answer, server, outcome)
        eventually(lambda: _is_being_made(server.data, outcome), "nobody makes the preview")
        yield decoder, asking


def _answer(server, outcome):
    """Return the answer, or the exception of a connection that broke."""
    try:
        return traffic.get_photo(server.url, outcome, TARGET)
    except requests.RequestException as exc:
        return exc


def _is_being_made(data, outcome):
    with (data / "previews" / "locks" / outcome["sha256"][:2]).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _previews_of(data, outcome):
    digest = outcome["sha256"]
    folder = data / "previews" / "v1" / digest[:2] / digest[2:4] / digest
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _assert_whole(answer):
    assert answer.status_code == 200, answer.text
    assert Image.open(BytesIO(answer.content)).size == (WIDTH, WIDTH * 3 // 4)


def _wake(process):
    try:
        process.resume()
    except psutil.NoSuchProcess:
        return


def test_a_server_process_killed_while_it_makes_a_preview_leaves_no_half_one(server, outcome, pending):
    decoder, asking = pending
    (worker,) = traffic.workers(server)
    worker.kill()
    _wake(decoder)
    assert isinstance(asking.result(60), requests.RequestException)
    assert _previews_of(server.data, outcome) == []
    eventually(lambda: set(traffic.workers(server)) - {worker}, "the server process was not replaced")
    _assert_whole(traffic.get_photo(server.url, outcome, TARGET))
    assert _previews_of(server.data, outcome) == ["1024.jpeg"]
    eventually(lambda: not traffic.alive([decoder]), "a decoder outlives its server process")
    assert traffic.received_files(server.data) == []


def test_a_decoder_killed_while_it_makes_a_preview_costs_one_answer_at_most(server, outcome, pending):
    decoder, asking = pending
    decoder.kill()
    answer = asking.result(60)
    if answer.status_code != 200:
        problem(answer, 503, "busy")
        assert answer.headers["Retry-After"]
        answer = traffic.get_photo(server.url, outcome, TARGET)
    _assert_whole(answer)
    assert _previews_of(server.data, outcome) == ["1024.jpeg"]
    assert traffic.received_files(server.data) == []


def test_all_processes_killed_while_a_preview_is_made_leave_no_half_one(server, outcome, pending):
    decoder, asking = pending
    server.kill()
    _wake(decoder)
    assert isinstance(asking.result(60), requests.RequestException)
    assert _previews_of(server.data, outcome) == []
    with running(server.data, ALBUMEN_DERIVE="false") as again:
        _assert_whole(traffic.get_photo(again.url, outcome, TARGET))
        assert traffic.received_files(again.data) == []
