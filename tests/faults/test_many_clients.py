"""Hundreds of clients that send slowly, or nothing, or never read: the others are served, and the silent are let go."""

from __future__ import annotations

import fcntl
import json
import re
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest
import traffic

from conftest import running
from forms import FORM_TYPE, form, form_begun, part, problem, sha256
from pictures import of_size
from wire import answer, chunk, connected, eventually, head, status_and_json

MANY = 400
THREADS = 64
UPLOADS = 24
PREVIEWS = 12
IMPATIENT = {"ALBUMEN_SLOW_SECONDS": "3", "ALBUMEN_SLOW_BYTES": "2000"}
FEW_THREADS = {"ALBUMEN_THREADS": str(THREADS), "ALBUMEN_DERIVE": "false"}
PATIENT = {"ALBUMEN_SLOW_SECONDS": "3600"}
OTHER_ADDRESS = "127.0.0.2"
LET_GO = 'albumen_clients_let_go_total{waited_for="reader"}'
SMALL = of_size(3_000, seed=8)
LARGE = of_size(600_000, seed=7)
BEGUN = head("POST", "/upload", f"Content-Type: {FORM_TYPE}", "Content-Length: 50000000") + form_begun(part(SMALL))
SILENT_LOGIN = head("POST", "/api/v1/session", "Content-Type: application/json", "Content-Length: 100")


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """A server that waits three seconds for its clients."""
    data = tmp_path_factory.mktemp("impatient") / "data"
    with running(data, "--workers", "1", ALBUMEN_DERIVE="false", **IMPATIENT) as server:
        yield server


@contextmanager
def open_links(server, number, *, source="127.0.0.1"):
    """So many connections from an address of this machine."""
    address = urlsplit(server.url)
    with ExitStack() as stack:
        target = (address.hostname, address.port)
        links = [socket.create_connection(target, 60, source_address=(source, 0)) for _ in range(number)]
        for link in links:
            stack.enter_context(link)
        yield links


@contextmanager
def open_narrow_links(server, number):
    """So many connections that take little at once."""
    address = urlsplit(server.url)
    with ExitStack() as stack:
        links = [stack.enter_context(socket.socket()) for _ in range(number)]
        for link in links:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
            link.connect((address.hostname, address.port))
        yield links


@contextmanager
def trickling(links, data, pause):
    """Send a byte of `data` on every link, again and again, for the length of a block."""
    stop = threading.Event()

    def trickle():
        for place in range(len(data)):
            for link in links:
                with suppress(OSError):  # the server may have refused it or let it go
                    link.send(data[place : place + 1])
            if stop.wait(pause):
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def assert_served(server, seed, *, source=OTHER_ADDRESS):
    """Upload a photo from another address, read it, and ask for what needs neither."""
    photo = of_size(20_000, seed=seed)
    with open_links(server, 1, source=source) as (link,):
        body = form(part(photo))
        link.sendall(head("POST", "/upload", f"Content-Type: {FORM_TYPE}", f"Content-Length: {len(body)}") + body)
        status, told = status_and_json(link)
    assert status == 201, told
    assert traffic.digests_of(server.url, told["photos"]) == [sha256(photo)]
    assert traffic.get(server.url, "/health/ready").status_code == 200


def silent(server, beginning, number):
    """Connections that sent a beginning and then nothing."""
    stack = ExitStack()
    for link in stack.enter_context(open_links(server, number)):
        link.sendall(beginning)
    return stack


@contextmanager
def being_made(server, photo):
    """Be the one that makes previews of a photo, as another process may be."""
    locks = server.data / "previews" / "locks"
    with (locks / photo["sha256"][:2]).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_four_hundred_slow_uploads_leave_the_others_served(tmp_path):
    with running(tmp_path / "data", "--workers", "2", ALBUMEN_DERIVE="false", **PATIENT) as server:
        traffic.wait_for_workers(server, 2)  # the places of one alone are fewer
        with open_links(server, MANY) as links:
            for link in links:
                link.sendall(BEGUN)
            with trickling(links, part(LARGE), pause=0.05):
                eventually(lambda: _in_use(server, "upload") >= MANY // 2, "too few got through")
                for number in range(5):
                    assert_served(server, seed=number)
        eventually(lambda: not _in_use(server, "upload"), "places of clients that went away remain taken")
        assert traffic.received_files(server.data) == []


def test_more_uploads_than_there_are_places_are_refused_at_once_and_told_when_to_come_back(tmp_path):
    with running(tmp_path / "data", "--workers", "1", ALBUMEN_UPLOADS_PER_ADDRESS="24", **FEW_THREADS) as server:
        with silent(server, BEGUN, UPLOADS):
            eventually(lambda: _in_use(server, "upload") == UPLOADS, "the places were not taken")
            refused = traffic.post(server.url, [SMALL])
            problem(refused, 503, "too_many_uploads")
            assert int(refused.headers["Retry-After"]) > 0
            assert traffic.get(server.url, "/api/v1/photos").status_code == 200
        accepted = eventually(lambda: traffic.post(server.url, [SMALL]).status_code == 201, "no place was given back")
        assert accepted


def test_one_address_cannot_take_all_places(tmp_path):
    with running(tmp_path / "data", "--workers", "1", **FEW_THREADS) as server, silent(server, BEGUN, 2 * UPLOADS):
        eventually(lambda: _in_use(server, "upload") == UPLOADS * 3 // 4, "the places were not taken")
        problem(traffic.post(server.url, [SMALL]), 503, "too_many_uploads")
        assert_served(server, seed=1)


def test_previews_that_must_be_made_leave_threads_and_places_to_others(tmp_path):
    with running(tmp_path / "data", "--workers", "1", **FEW_THREADS) as server:
        waited_for, other = traffic.post(server.url, [SMALL, LARGE]).json()["photos"]
        wish = head("GET", f"/get/{waited_for['id']}?size=256")
        with being_made(server, waited_for), silent(server, wish, PREVIEWS * 3 // 4):
            eventually(lambda: _in_use(server, "preview") == PREVIEWS * 3 // 4, "the places were not taken")
            refused = traffic.get_photo(server.url, other, "?size=256")
            problem(refused, 503, "busy")
            assert int(refused.headers["Retry-After"]) > 0
            assert traffic.get_photo(server.url, other).status_code == 200
            with open_links(server, 1, source=OTHER_ADDRESS) as (link,):
                link.sendall(head("GET", f"/get/{other['id']}?size=256"))
                assert answer(link).status == 200
            assert traffic.get_photo(server.url, other, "?size=256").status_code == 200, "a ready one needs no place"
        eventually(lambda: _in_use(server, "preview") == 0, "the places remain taken")
        assert traffic.get_photo(server.url, waited_for, "?size=256").status_code == 200


def test_a_client_that_waits_for_100_continue_is_refused_before_it_sends(tmp_path):
    expecting = head("PUT", "/api/v1/photos", "Content-Length: 50000000", "Expect: 100-continue")
    settings = {**FEW_THREADS, "ALBUMEN_UPLOADS": "1"}
    with running(tmp_path / "data", "--workers", "1", **settings) as server, silent(server, BEGUN, 1):
        eventually(lambda: _in_use(server, "upload"), "the place was not taken")
        with connected(server.url) as link:
            link.sendall(expecting)
            assert answer(link).status == 503


def test_silent_log_ins_without_a_key_leave_the_others_served(tmp_path):
    settings = {**FEW_THREADS, **PATIENT}
    with running(tmp_path / "data", "--workers", "1", **settings) as server, silent(server, SILENT_LOGIN, 3 * THREADS):
        assert_served(server, seed=1)
        with open_links(server, 1) as (link,):  # from the same address
            body = json.dumps({"name": "Cats", "slug": "cats"}).encode()
            announced = ("Content-Type: application/json", f"Content-Length: {len(body)}")
            link.sendall(head("POST", "/api/v1/datasets", *announced) + body)
            assert status_and_json(link)[0] == 201


def test_a_silent_log_in_is_ended(impatient):
    with connected(impatient.url) as link:
        link.sendall(SILENT_LOGIN + b'{"key"')
        status, told = status_and_json(link)
    assert (status, told["code"]) == (408, "body_too_slow")


def test_a_log_in_without_a_length_has_the_same_limit(impatient):
    with connected(impatient.url) as link:
        link.sendall(head("POST", "/api/v1/session", "Content-Type: application/json", "Transfer-Encoding: chunked"))
        link.sendall(chunk(b'{"key": "x"}' + b" " * 5000) + chunk(b""))
        assert status_and_json(link)[0] == 413


@pytest.mark.parametrize("framing", ["Content-Length: 50000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("last", [0, 400_000])
def test_an_upload_that_stops_coming_is_ended_and_its_complete_photos_stay(impatient, framing, last):
    kept = of_size(3_000, seed=last + len(framing))
    begun = form_begun(part(kept)) + form_begun(part(LARGE))[: last + 50]
    body = chunk(begun) if "chunked" in framing else begun
    with connected(impatient.url) as link:
        link.sendall(head("POST", "/upload", f"Content-Type: {FORM_TYPE}", framing) + body)
        status, told = status_and_json(link)
    assert (status, told["code"], told["created"]) == (408, "body_too_slow", 1)
    assert traffic.digests_of(impatient.url, told["photos"]) == [sha256(kept)]
    assert traffic.received_files(impatient.data) == []


def test_an_upload_that_trickles_is_ended(impatient):
    with open_links(impatient, 1) as (link,):
        link.sendall(BEGUN)
        with trickling([link], part(LARGE), pause=0.1):
            assert status_and_json(link)[0] == 408


def test_an_archive_that_is_read_slowly_does_not_protect_an_upload_that_stops_coming(impatient):
    large = traffic.post(impatient.url, [of_size(20_000_000, seed=15)]).json()["photos"][0]
    asked = json.dumps({"ids": [large["id"]]}).encode()
    with connected(impatient.url) as reader, connected(impatient.url) as sender:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        kind = ("Content-Type: application/json", f"Content-Length: {len(asked)}")
        reader.sendall(head("POST", "/api/v1/photos/archive", *kind) + asked)
        response = answer(reader)
        sender.sendall(BEGUN)
        sender.settimeout(0.2)
        told = b""
        for _ in range(100):  # longer than a client has, and no longer than the archive lasts
            assert response.read(32_768)
            with suppress(TimeoutError):
                told = sender.recv(100)
                break
    assert told.startswith(b"HTTP/1.1 408")


def test_an_upload_that_is_slow_but_keeps_coming_is_taken(impatient):
    photo = of_size(60_000, seed=3)
    whole = form(part(photo))
    with connected(impatient.url) as link:
        link.sendall(head("POST", "/upload", f"Content-Type: {FORM_TYPE}", f"Content-Length: {len(whole)}"))
        for place in range(0, len(whole), 5_000):
            link.sendall(whole[place : place + 5_000])
            threading.Event().wait(0.6)
        status, told = status_and_json(link)
    assert (status, told["photos"][0]["sha256"]) == (201, sha256(photo))


def test_readers_that_never_read_leave_the_others_served_and_are_let_go(tmp_path):
    with running(tmp_path / "data", "--workers", "1", **FEW_THREADS, **IMPATIENT) as server:
        large = traffic.post(server.url, [of_size(20_000_000, seed=13)]).json()["photos"][0]
        with open_links(server, 2 * THREADS) as links:
            for link in links:
                link.sendall(head("GET", f"/get/{large['id']}"))
            assert_served(server, seed=1)
            eventually(
                lambda: _metric(server, LET_GO) >= THREADS * 3 // 16 * 3 // 4, "readers that never read were not let go"
            )
            assert_served(server, seed=2)
        whole = traffic.get_photo(server.url, large)
        assert len(whole.content) == 20_000_000


@pytest.mark.parametrize("condition", [(), ("Range: bytes=0-",), ('If-Match: "other"',)])
def test_strangers_that_never_read_the_web_client_hold_no_threads(tmp_path, condition):
    with running(tmp_path / "data", "--workers", "1", **FEW_THREADS, **PATIENT) as server:
        script = re.search(r'src="([^"]+/assets/[^"]+\.js)"', traffic.get(server.url, "/").text)[1]
        with open_narrow_links(server, 2 * THREADS) as links:
            for link in links:
                link.sendall(head("GET", script, *condition))
            assert_served(server, seed=1)


@pytest.mark.parametrize("condition", [(), ("Range: bytes=0-",), ('If-None-Match: "other"',)])
def test_those_who_never_read_a_photo_of_some_hundred_kilobytes_hold_no_threads(tmp_path, condition):
    with running(tmp_path / "data", "--workers", "1", **FEW_THREADS, **PATIENT) as server:
        photo = traffic.post(server.url, [of_size(800_000, seed=15)]).json()["photos"][0]
        with open_narrow_links(server, 2 * THREADS) as links:
            for link in links:
                link.sendall(head("GET", f"/get/{photo['id']}", *condition))
            assert_served(server, seed=1)


def test_a_reader_that_is_slow_but_keeps_reading_gets_everything(impatient):
    photo = of_size(9_000_000, seed=14)
    large = traffic.post(impatient.url, [photo]).json()["photos"][0]
    with connected(impatient.url) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
        link.sendall(head("GET", f"/get/{large['id']}"))
        response, got = answer(link), bytearray()
        while data := response.read(500_000):
            got += data
            threading.Event().wait(0.4)
    assert sha256(bytes(got)) == sha256(photo)


def test_idle_connections_do_not_hold_threads(tmp_path):
    with running(tmp_path / "data", "--workers", "1", **FEW_THREADS) as server, silent(server, b"", MANY):
        assert_served(server, seed=1)


def test_a_chunked_photo_whose_client_closed_without_an_end_is_malformed(tmp_path):
    photo = of_size(5_000, seed=21)
    with running(tmp_path / "data", "--workers", "1", ALBUMEN_DERIVE="false") as server:
        with connected(server.url) as link:
            announced = ("Content-Type: image/jpeg", "Transfer-Encoding: chunked")
            link.sendall(head("PUT", "/api/v1/photos?name=a.jpg", *announced) + chunk(photo))
            link.shutdown(socket.SHUT_WR)
            status, told = status_and_json(link)
        assert (status, told["code"]) == (400, "malformed_body")
        assert traffic.get(server.url, "/api/v1/photos").json()["photos"] == []


def _in_use(server, kind):
    """Return how many places of a kind are taken."""
    return _metric(server, f'albumen_places_in_use{{kind="{kind}"}}')


def _metric(server, name):
    lines = traffic.get(server.url, "/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0)
