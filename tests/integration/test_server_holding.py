"""The HTTP server alone with answers that begin within their request, and clients that do not read them yet."""

from __future__ import annotations

import threading

import pytest

from albumen.server.answer import MOST_HELD_BYTES
from albumen.server.loop import UNSENT_BYTES
from serving import answer, request, wait_until
from wire import connected_tightly

READ_BYTES = 4000
LINE = 999 * b"x" + b"\n"
LINES = 2000
FEW_BYTES = 1000


class Lines:
    """Answers what it reads of a body, at most `READ_BYTES` at a time, with `LINE` times `lines` each."""

    def __init__(self, lines=1):
        self.lines = lines
        self.sent = 0

    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b""
        while environ["wsgi.input"].read(READ_BYTES):
            for _ in range(self.lines):
                yield LINE
                self.sent += len(LINE)


def budget_is_whole(server):
    """Tell whether nothing is held any more. It takes the budget: at the end of a test."""
    wait_until(lambda: not server.loop._busy)
    return server.loop._unsent.take(UNSENT_BYTES)


def read_until(link, is_enough):
    got = b""
    while not is_enough(got):
        more = link.recv(1 << 20)
        assert more
        got += more
    return got


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_a_client_that_reads_only_when_it_has_sent_all_gets_the_whole_answer(serve, version):
    application = Lines()
    server = serve(application)
    body = request(method="POST", body=bytes(LINES * READ_BYTES)).replace(b"HTTP/1.1", version.encode())
    with connected_tightly(server.url) as link:
        link.sendall(body)
        status, got = answer(link)
    assert (status, len(got), set(got.split(b"\n"))) == (200, application.sent, {LINE[:-1], b""})
    assert len(got) >= LINES * len(LINE)
    assert budget_is_whole(server)


def test_a_client_that_reads_before_it_sends_more_gets_what_is_held(serve):
    application = Lines(LINES)
    server = serve(application)
    with connected_tightly(server.url) as link:
        link.sendall(request("/", "Content-Length: 2", method="POST") + b"1")
        wait_until(lambda: application.sent == LINES * len(LINE))
        early = read_until(link, lambda got: got.count(LINE) == LINES)
        link.sendall(b"2")
        late = read_until(link, lambda got: got.endswith(b"\r\n0\r\n\r\n"))
    assert (early + late).count(LINE) == 2 * LINES
    assert budget_is_whole(server)


def test_one_answer_holds_so_much_and_then_waits_for_its_client(serve):
    application = Lines(3 * MOST_HELD_BYTES // len(LINE))
    server = serve(application)
    with connected_tightly(server.url) as link:
        link.sendall(request("/", "Content-Length: 2", method="POST") + b"1")
        wait_until(lambda: server.loop._unsent._left < UNSENT_BYTES - MOST_HELD_BYTES + 2 * len(LINE))
    assert budget_is_whole(server)
    assert application.sent < 2 * MOST_HELD_BYTES


def test_a_client_that_sends_and_never_reads_is_let_go(serve):
    server = serve(Lines(LINES), seconds=0.4, least_bytes=FEW_BYTES)
    with connected_tightly(server.url) as link:
        link.sendall(request(method="POST", body=b"1"))
        wait_until(lambda: server.let_go)
    assert server.let_go == ["reader"]
    assert budget_is_whole(server)


def test_what_was_held_for_a_client_that_goes_away_is_given_back(serve):
    application = Lines(LINES)
    server = serve(application)
    with connected_tightly(server.url) as link:
        link.sendall(request("/", "Content-Length: 2", method="POST") + b"1")
        wait_until(lambda: application.sent == LINES * len(LINE))
        assert server.loop._unsent._left < UNSENT_BYTES
    assert budget_is_whole(server)


def test_what_was_held_for_an_application_that_fails_is_given_back(serve):
    failed = threading.Event()

    def fail(environ, start_response):
        start_response("200 OK", [])
        environ["wsgi.input"].read(1)
        yield LINES * LINE
        failed.set()
        raise RuntimeError("on purpose")

    server = serve(fail)
    with connected_tightly(server.url) as link:
        link.sendall(request("/", "Content-Length: 2", method="POST") + b"1")
        assert failed.wait(20)
        assert budget_is_whole(server)
