"""Clients that send a little and then nothing hold up nobody, and leave nothing behind when they go."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest
import traffic

from conftest import running
from forms import FORM_TYPE, form, form_begun, part, sha256
from pictures import of_size
from wire import chunk, connected, eventually, head, status_and_json

SLOW_CLIENTS = 40
BODY_BYTES = 50_000_000
LARGE = of_size(6_000_000, seed=7)  # what is larger than 4 MB goes to the disk as it comes
SMALL = of_size(3_000, seed=8)
STALLS = {
    "before any header is complete": b"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Ty",
    "before the first byte of the body": head(
        "POST", "/upload", f"Content-Type: {FORM_TYPE}", f"Content-Length: {BODY_BYTES}"
    ),
    "within a photo": head("POST", "/upload", f"Content-Type: {FORM_TYPE}", f"Content-Length: {BODY_BYTES}")
    + form_begun(part(SMALL))
    + form_begun(part(LARGE))[:5_000_000],
    "within a chunk": head("POST", "/upload", f"Content-Type: {FORM_TYPE}", "Transfer-Encoding: chunked")
    + chunk(form_begun(part(LARGE))[:5_000_000])
    + b"40000\r\nabc",
    "within a photo sent as it is": head(
        "PUT", "/api/v1/photos?name=a.jpg", "Content-Type: image/jpeg", f"Content-Length: {len(LARGE)}"
    )
    + LARGE[:5_000_000],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("slow") / "data", "--workers", "2", ALBUMEN_DERIVE="false") as started:
        yield started


@contextmanager
def stalled(server, beginnings):
    """Connections that sent their beginnings and stay open."""
    with ExitStack() as links:
        opened = []
        for beginning in beginnings:
            link = links.enter_context(connected(server.url))
            link.sendall(beginning)
            opened.append(link)
        yield opened


def _beginnings(number):
    kinds = list(STALLS.values())
    return [kinds[index % len(kinds)] for index in range(number)]


def _with_bytes(server):
    return [path for path in traffic.received_files(server.data) if path.stat().st_size]


def test_forty_clients_that_never_finish_do_not_hold_up_the_others(server):
    with stalled(server, _beginnings(SLOW_CLIENTS)):
        eventually(lambda: len(_with_bytes(server)) >= SLOW_CLIENTS // 2, "the slow clients did not get through")
        for number in range(10):
            photos = [of_size(50_000, seed=100 * number + place) for place in range(5)]
            answer = traffic.post(server.url, photos)
            assert answer.status_code == 201
            assert traffic.digests_of(server.url, answer.json()["photos"]) == [sha256(photo) for photo in photos]
        assert len(_with_bytes(server)) >= SLOW_CLIENTS // 2
    eventually(lambda: not traffic.received_files(server.data), "files of clients that went away remain")


@pytest.mark.parametrize("kind", STALLS)
def test_a_connection_cut_frees_its_temporary_files(server, kind):
    with stalled(server, [STALLS[kind]] * 3):
        if len(STALLS[kind]) > 100_000:
            eventually(lambda: len(_with_bytes(server)) >= 3, "nothing was received")
    eventually(lambda: not traffic.received_files(server.data), f"files remain after a cut {kind}")


def test_photos_complete_before_the_cut_are_kept(server):
    kept = of_size(4_000, seed=4_711)
    begun = form_begun(part(kept)) + form_begun(part(LARGE))[:5_000_000]
    announced = head("POST", "/upload?dataset=cut", f"Content-Type: {FORM_TYPE}", f"Content-Length: {BODY_BYTES}")
    with stalled(server, [announced + begun]):
        eventually(lambda: _with_bytes(server), "nothing was received")
    listed = eventually(lambda: _listed(server, "cut"), "the complete photo is not there")
    assert [photo["sha256"] for photo in listed] == [sha256(kept)]


def test_slow_clients_that_go_on_at_last_get_their_answer(server):
    photo = of_size(700_000, seed=12)
    whole = form(part(photo))
    announced = head("POST", "/upload", f"Content-Type: {FORM_TYPE}", f"Content-Length: {len(whole)}")
    with stalled(server, [announced + whole[:1000]]) as (link,):
        assert traffic.post(server.url, [SMALL]).ok
        link.sendall(whole[1000:])
        status, answer = status_and_json(link)
    assert (status, answer["photos"][0]["sha256"]) == (201, sha256(photo))


def test_readers_that_stop_reading_do_not_hold_up_the_others(server):
    large = traffic.post(server.url, [of_size(20_000_000, seed=13)]).json()["photos"][0]
    with stalled(server, [head("GET", f"/get/{large['id']}")] * SLOW_CLIENTS):
        for number in range(5):
            photo = of_size(9_000, seed=500 + number)
            assert traffic.post(server.url, [photo]).status_code == 201
        assert traffic.get(server.url, "/api/v1/photos?limit=5").status_code == 200


def _listed(server, dataset):
    return traffic.get(server.url, f"/api/v1/photos?dataset={dataset}").json().get("photos")
