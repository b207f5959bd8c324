"""The HTTP server alone while it waits: for slow clients, for too many of them, for its own stop."""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse

import pytest

from albumen.errors import BodyTooSlow
from albumen.server.connection import Connection
from albumen.server.loop import BLOCKED_SHARE, UNSENT_BYTES
from serving import LARGE, answer, echo, file_of, memory, read_all, request, wait_until

HASTY = {"seconds": 0.4, "least_bytes": 1000}


def test_a_head_that_does_not_come_is_answered_and_an_idle_connection_only_closed(serve):
    server = serve(head_seconds=0.3)
    with server.linked() as idle, server.linked() as partial:
        partial.sendall(b"GET / HTTP/1.1\r\nHo")
        assert read_all(idle) == b""
        assert answer(partial)[0] == 408


def test_a_body_that_does_not_come_ends_the_wait_of_the_application(serve):
    ended = []

    def application(environ, start_response):
        try:
            return echo(environ, start_response)
        except BodyTooSlow as exc:
            ended.append(exc)
            start_response("408 Request Timeout", [("Content-Length", "0")])
            return []

    server = serve(application, **HASTY)
    with server.linked() as link:
        link.sendall(request("/", "Content-Length: 10", method="PUT") + b"abc")
        assert answer(link)[0] == 408
    assert (len(ended), server.let_go) == (1, ["sender"])


def test_what_came_of_a_chunked_body_is_told_though_the_client_pauses_before_the_next_chunk(serve):
    read = []

    def application(environ, start_response):
        read.extend(iter(lambda: environ["wsgi.input"].read(1000), b""))
        start_response("200 OK", [])
        return [b"done"]

    server = serve(application)
    with server.linked() as link:
        link.sendall(request("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n3\r\ndef\r\n")
        wait_until(lambda: b"".join(read) == b"abcdef")
        link.sendall(b"3\r\ngh")
        wait_until(lambda: b"".join(read) == b"abcdefgh")
        link.sendall(b"i\r\n0\r\n\r\n")
        assert answer(link) == (200, b"done")
    assert b"".join(read) == b"abcdefghi"


def test_a_trailer_that_comes_too_late_for_one_read_is_a_trailer_for_the_next(serve):
    read, late = [], threading.Event()

    def application(environ, start_response):
        body = environ["wsgi.input"]
        read.append(body.read(1000))
        with pytest.raises(BodyTooSlow):
            body.read(1000)
        late.wait(20)
        read.extend([body.read(1000), body.is_whole])
        start_response("200 OK", [("Content-Length", "0")])
        return []

    server = serve(application, **HASTY)
    with server.linked() as link:
        link.sendall(request("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n0\r\n")
        wait_until(lambda: server.let_go == ["sender"])
        link.sendall(b"X: y\r\n\r\n7\r\nSMUGGLE\r\n0\r\n\r\n")
        time.sleep(0.1)
        late.set()
        assert answer(link)[0] == 200
    assert read == [b"abc", b"", True]


def whole_or_small(environ, start_response):
    """Answer in one piece: a large one for `/large`, a small one else."""
    body = bytes(LARGE) if environ["PATH_INFO"] == "/large" else b"small"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.mark.parametrize("kind", ["file", "piece", "instant"])
def test_a_reader_that_does_not_read_is_let_go_and_a_slow_one_is_not(serve, tmp_path, kind):
    (tmp_path / "file").write_bytes(bytes(LARGE + 1))
    application = file_of(tmp_path / "file") if kind == "file" else whole_or_small
    server = serve(application, memory(LARGE), **HASTY)
    ask = request("/instant" if kind == "instant" else "/large")
    with server.linked() as still, server.linked() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 200_000)
        for link in (still, slow):
            link.sendall(ask)
        response = HTTPResponse(slow)
        response.begin()
        received = 0
        while data := response.read(1_000_000):
            received += len(data)
            time.sleep(0.05)
        assert received == LARGE
        assert server.let_go == ["reader"]


def test_who_takes_an_answer_slowly_holds_no_thread_and_goes_on_afterwards(serve):
    server = serve(whole_or_small, threads=1)
    with server.linked() as slow, server.linked() as slower, server.linked() as quick:
        slow.sendall(request("/large") + request("/next", "Connection: close"))
        slower.sendall(request("/large", "Connection: close"))
        quick.sendall(request("/"))
        assert answer(quick) == (200, b"small")
        both = read_all(slow)
        assert len(both) > LARGE
        assert both.endswith(b"\r\n\r\nsmall")
        assert len(read_all(slower)) > LARGE


def test_the_loop_holds_so_much_for_slow_readers_and_takes_more_when_they_are_done(serve):
    server = serve(whole_or_small, threads=1)
    for _ in range(2):
        with server.linked() as first, server.linked() as second, server.linked() as third, server.linked() as quick:
            for link in (first, second, third):
                link.sendall(request("/large"))
            wait_until(lambda: server.loop._busy and len(server.loop._writing) == 2)
            quick.sendall(request("/"))
            quick.settimeout(0.3)
            with pytest.raises(TimeoutError):
                quick.recv(1)
            quick.settimeout(20)
            assert [len(answer(link)[1]) for link in (third, first, second)] == [LARGE] * 3
            assert answer(quick) == (200, b"small")


def test_few_threads_wait_for_slow_readers_and_the_others_are_let_go(serve):
    server = serve(whole_or_small, threads=2 * BLOCKED_SHARE)
    assert server.loop._unsent.take(UNSENT_BYTES)
    with ExitStack() as stack:
        links = [stack.enter_context(server.linked()) for _ in range(5)]
        for link in links:
            link.sendall(request("/large"))
        wait_until(lambda: server.let_go == ["reader"] * 3)
        with server.linked() as quick:
            quick.sendall(request("/"))
            assert answer(quick) == (200, b"small")
        assert sorted(_received(link) for link in links)[3:] == [LARGE] * 2
    assert server.let_go == ["reader"] * 3


def _received(link):
    """How many bytes of an answer came; none when the connection was let go."""
    try:
        return len(answer(link)[1])
    except (OSError, HTTPException):
        return 0


def test_an_answer_that_nobody_took_is_dropped_with_its_connection_and_makes_room(serve):
    server = serve(whole_or_small, threads=1, **HASTY)
    for _ in range(3):
        with server.linked() as one, server.linked() as other:
            for link in (one, other):
                link.sendall(request("/large"))
            wait_until(lambda: len(server.loop._writing) == 2)
            wait_until(lambda: not server.loop._writing)
    assert server.let_go == ["reader"] * 6


def test_what_the_loop_may_not_hold_is_not_copied(serve):
    server = serve(whole_or_small, threads=2 * BLOCKED_SHARE)
    assert server.loop._unsent.take(UNSENT_BYTES)
    tracemalloc.start()
    with server.linked() as first, server.linked() as second:
        for link in (first, second):
            link.sendall(request("/large"))
        wait_until(lambda: len(server.loop._busy) == 2)
        time.sleep(0.5)
        held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert LARGE < held < 2.2 * LARGE


def test_an_answer_that_is_left_to_the_loop_after_the_last_moment_of_a_stop_goes_with_its_connection(serve):
    gate = threading.Event()

    class Held(list):
        def close(self):
            gate.wait(20)

    def application(environ, start_response):
        return Held(whole_or_small(environ, start_response))

    server = serve(application, shutdown_seconds=0.2)
    with server.linked() as link:
        link.sendall(request("/large"))
        wait_until(lambda: server.loop._busy)
        server.loop.stop()
        time.sleep(0.6)
        gate.set()
        server.stop()
    assert server.is_done
    assert not server.loop._unattended()
    assert server.loop._unsent.take(UNSENT_BYTES)


def test_an_error_while_a_reader_is_let_go_costs_the_others_nothing(serve, monkeypatch):
    server = serve(instant=memory(LARGE), **HASTY)
    failed = threading.Event()

    def fail(*_):
        failed.set()
        raise RuntimeError("on purpose")

    monkeypatch.setattr(Connection, "has_stalled", fail)
    with server.linked() as still:
        still.sendall(request("/instant"))
        assert failed.wait(20)
        assert b"200 OK" in server.ask(request("/", "Connection: close"))


def test_many_connections_at_once_are_served_and_the_idlest_gives_way(serve):
    server = serve(connections=10)
    links = [socket.create_connection(server.address, 20) for _ in range(30)]
    try:
        links[-1].sendall(request())
        assert answer(links[-1]) == (200, b"0 False")
        assert links[0].recv(1) == b""
    finally:
        for link in links:
            link.close()


@contextmanager
def begun(server, number, data):
    """So many connections that have sent some bytes and stay open."""
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(server.linked()).sendall(data)
        yield


def test_heads_that_do_not_come_to_their_end_give_way_to_others(serve):
    server = serve(connections=5)
    with begun(server, 5, b"GET / HTTP/1.1\r\nHo"):
        time.sleep(0.2)
        with server.linked() as late:
            late.settimeout(5)
            late.sendall(request())
            assert answer(late) == (200, b"0 False")


def test_those_who_were_refused_and_send_on_give_way_to_others(serve):
    server = serve(connections=5)
    with begun(server, 5, b"BAD\r\n\r\n"):
        wait_until(lambda: len(server.loop._lingering) == 5)
        time.sleep(1.1)
        for _ in range(2):
            with server.linked() as one, server.linked() as other:
                for late in (one, other):  # neither gives way to the other
                    late.settimeout(5)
                for late in (one, other):
                    late.sendall(request())
                    assert answer(late) == (200, b"0 False")


def wait_for(gate):
    def application(_environ, start_response):
        start_response("200 OK", [])
        gate.wait(20)
        return [b"done"]

    return application


def test_a_stop_ends_idle_connections_and_lets_requests_in_flight_finish(serve):
    gate = threading.Event()
    server = serve(wait_for(gate))
    with server.linked() as idle, server.linked() as busy:
        busy.sendall(request())
        wait_until(lambda: server.loop._busy)
        server.loop.stop()
        assert read_all(idle) == b""
        gate.set()
        assert read_all(busy).endswith(b"done")
    server.stop()
    assert server.is_done


def test_a_stop_cuts_off_those_who_take_longer_than_it_may(serve):
    server = serve(shutdown_seconds=0.3)
    with server.linked() as link:
        link.sendall(request("/", "Content-Length: 10", method="PUT"))
        wait_until(lambda: server.loop._busy)
        server.stop()
        assert read_all(link) == b""
    assert server.is_done


def test_connections_stay_for_many_requests(serve):
    server = serve(instant=memory(10))
    connection = HTTPConnection(*server.address, timeout=20)
    for number in range(50):
        connection.request("GET", "/instant" if number % 2 else "/thread")
        assert connection.getresponse().read() in {bytes(10), b"0 False"}
    connection.close()


def test_a_request_refused_for_want_of_a_thread_is_not_run_later(serve, monkeypatch):
    gate, asked = threading.Event(), []

    def application(environ, start_response):
        asked.append(environ["PATH_INFO"])
        return wait_for(gate)(environ, start_response)

    server = serve(application)
    with server.linked() as first, server.linked() as second, server.linked() as third:
        first.sendall(request("/first"))
        wait_until(lambda: asked)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_thread)
            second.sendall(request("/second"))
            assert answer(second)[0] == 503
        gate.set()
        assert answer(first) == (200, b"done")
        third.sendall(request("/third"))
        assert answer(third) == (200, b"done")
    assert asked == ["/first", "/third"]


def no_thread(_thread):
    raise RuntimeError("can't start new thread")


def test_an_application_that_wants_to_exit_ends_its_connection_only(serve):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/exit":
            raise SystemExit
        return echo(environ, start_response)

    server = serve(application)
    assert server.ask(request("/exit")) == b""
    assert b"200 OK" in server.ask(request())


def test_a_stop_does_not_wait_for_more_requests_after_an_answer_from_memory(serve):
    server = serve(instant=memory(LARGE), shutdown_seconds=10)
    with server.linked() as link:
        link.sendall(request("/instant"))
        wait_until(lambda: server.loop._writing)
        server.loop.stop()
        time.sleep(0.2)
        began = time.monotonic()
        assert len(read_all(link)) > LARGE
        assert time.monotonic() - began < 5
