"""What `/metrics` tells of the state of a server of several processes: each number once, summed where it is divided."""

from __future__ import annotations

import fcntl
import os

import pytest
import requests
import traffic

import albumen
from conftest import running
from forms import FORM, form, part
from pictures import jpeg
from wire import connected, eventually, head

WORKERS = 2
THREADS = 64
DECODERS = 3
RESERVED = 1_000_000
SETTINGS = {
    "ALBUMEN_DERIVE": "false",
    "ALBUMEN_THREADS": str(THREADS),
    "ALBUMEN_DECODE_PROCESSES": str(DECODERS),
    "ALBUMEN_MIN_FREE_BYTES": str(RESERVED),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("gauges") / "data", "--workers", str(WORKERS), **SETTINGS) as started:
        traffic.wait_for_workers(started, WORKERS)
        eventually(lambda: gauge(started, 'albumen_places_limit{kind="login"}') == WORKERS * 2, "limits are missing")
        yield started


def gauges(server):
    """Return every line of the metrics by its name and labels; none stands there twice."""
    text = requests.get(f"{server.url}/metrics", timeout=30).text
    pairs = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    assert len(dict(pairs)) == len(pairs)
    return {name: float(value) for name, value in pairs}


def gauge(server, name):
    return gauges(server).get(name)


def photo_of(server, http, seed):
    body = form(part(jpeg(800, 600, seed=seed)))
    return http.post(f"{server.url}/upload", data=body, headers=FORM).json()["photos"][0]


@pytest.mark.parametrize(
    ("kind", "of_each"), [("upload", 24), ("download", 12), ("file", 4), ("body", 4), ("login", 2), ("preview", 12)]
)
def test_limits_of_places_are_those_of_all_processes(server, kind, of_each):
    assert gauge(server, f'albumen_places_limit{{kind="{kind}"}}') == WORKERS * of_each


def test_uploads_that_run_are_told_beside_their_limit(server):
    with connected(server.url) as link:
        link.sendall(head("PUT", "/api/v1/photos", "Content-Length: 6000") + b"\xff\xd8")
        eventually(lambda: gauge(server, 'albumen_places_in_use{kind="upload"}') == 1, "the upload is not told")
    eventually(lambda: gauge(server, 'albumen_places_in_use{kind="upload"}') == 0, "the upload is told for ever")


def test_a_preview_that_must_wait_is_told(server, http):
    photo = photo_of(server, http, seed=1)
    locks = server.data / "previews" / "locks"
    with (locks / photo["sha256"][:2]).open("ab") as lock, connected(server.url) as link:
        fcntl.flock(lock, fcntl.LOCK_EX)
        link.sendall(head("GET", f"/get/{photo['id']}?size=256"))
        eventually(lambda: gauge(server, 'albumen_places_in_use{kind="preview"}') == 1, "the preview is not told")
        fcntl.flock(lock, fcntl.LOCK_UN)
        eventually(lambda: gauge(server, 'albumen_places_in_use{kind="preview"}') == 0, "the preview is told for ever")


def test_decoders_are_told_with_their_limit(server, http):
    photo = photo_of(server, http, seed=2)
    assert http.get(photo["preview"]).status_code == 200
    eventually(lambda: gauge(server, 'albumen_decoders{state="idle"}') == len(traffic.decoders(server)), "none is told")
    assert gauge(server, 'albumen_decoders{state="busy"}') == 0
    assert gauge(server, "albumen_decoders_limit") == WORKERS * DECODERS


def test_a_decoder_at_work_is_told_as_busy(server, http):
    photo = photo_of(server, http, seed=3)
    assert http.get(photo["preview"]).status_code == 200
    for process in traffic.decoders(server):
        process.suspend()
    try:
        with connected(server.url) as link:
            link.sendall(head("GET", f"/get/{photo['id']}?size=1024"))
            eventually(lambda: (gauge(server, 'albumen_decoders{state="busy"}') or 0) >= 1, "no decoder is busy")
    finally:
        for process in traffic.decoders(server):
            process.resume()
    eventually(lambda: gauge(server, 'albumen_decoders{state="busy"}') == 0, "a decoder is busy for ever")


def test_the_disk_of_the_photos_is_told(server):
    state, told = os.statvfs(server.data), gauges(server)
    assert told["albumen_storage_size_bytes"] == state.f_blocks * state.f_frsize
    assert told["albumen_storage_reserved_bytes"] == RESERVED
    assert told["albumen_storage_available_bytes"] == pytest.approx(state.f_bavail * state.f_frsize, rel=0.2)


def test_the_version_is_told_once(server):
    (told,) = [name for name in gauges(server) if name.startswith("albumen_build_info")]
    assert f'version="{albumen.__version__}"' in told
    assert gauge(server, told) == 1


def test_a_process_in_the_place_of_a_killed_one_is_not_counted_twice(server):
    victim, *_ = traffic.workers(server)
    victim.kill()
    eventually(lambda: len(set(traffic.workers(server)) - {victim}) == WORKERS, "the process was not replaced")

    def is_right():
        told = gauges(server)
        limits = told['albumen_places_limit{kind="upload"}'], told["albumen_decoders_limit"]
        return limits == (WORKERS * 24, WORKERS * DECODERS)

    eventually(is_right, "the limits are wrong")


def test_metrics_are_told_without_a_disk_that_can_be_asked(make_app, tmp_path):
    client = make_app(open=True).test_client()
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    told = client.get("/metrics")
    assert told.status_code == 200
    assert b"albumen_build_info{" in told.data
    assert b"albumen_storage" not in told.data
