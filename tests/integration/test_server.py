"""The HTTP server alone, with small applications and real sockets: framing, keeping, refusing, waiting, stopping."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse

import pytest

from albumen.errors import BodyTooSlow
from albumen.server.connection import Connection, Patience
from albumen.server.head import MOST_BYTES
from albumen.server.loop import Loop, Terms
from wire import chunk

LARGE = 30_000_000
HASTY = {"seconds": 0.4, "least_bytes": 1000}


def echo(environ, start_response):
    """Answer with the length of the body, and how it ended."""
    stream = environ["wsgi.input"]
    received = sum(map(len, iter(lambda: stream.read(100_000), b"")))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{received} {getattr(stream, 'is_cut', False)}".encode()]


def nothing_instant(_environ, _start_response):
    return None


class Running:
    """A loop in a thread of this process."""

    def __init__(self, application, instant, terms):
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = listener.getsockname()
        self.let_go = []
        patience = Patience(terms.pop("seconds", 30), terms.pop("least_bytes", 1000), self._tell)
        defaults = {"threads": 8, "connections": 100, "head_seconds": 30, "shutdown_seconds": 10}
        self.loop = Loop(listener, application, instant, Terms(**{**defaults, **terms}, patience=patience))
        self.is_done = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _tell(self, waited_for, _address):
        self.let_go.append(waited_for)

    def _run(self):
        self.is_done = self.loop.run()

    def stop(self):
        self.loop.stop()
        self._thread.join(30)
        assert not self._thread.is_alive()

    @contextmanager
    def linked(self):
        with socket.create_connection(self.address, 20) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield link

    def ask(self, data):
        """Send bytes, and return everything that comes back until the end of the connection."""
        with self.linked() as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            return read_all(link)


def read_all(link):
    return b"".join(iter(lambda: link.recv(1 << 20), b""))


def answer(link):
    response = HTTPResponse(link)
    response.begin()
    return response.status, response.read()


@pytest.fixture
def serve():
    running = []

    def start(application=echo, instant=nothing_instant, **terms):
        running.append(Running(application, instant, terms))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def request(target="/", *fields, method="GET", body=b""):
    length = (f"Content-Length: {len(body)}",) if body else ()
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: here", *length, *fields, "", ""]).encode() + body


CHUNKED = request("/", "Transfer-Encoding: chunked", method="POST")


def test_requests_sent_at_once_are_answered_in_their_order(serve):
    bodies = [b"a" * size for size in (0, 5, 70_000, 3)]
    told = serve().ask(
        b"".join(request(method="POST", body=body) for body in bodies) + request("/", "Connection: close")
    )
    assert [part.split(b"\r\n\r\n")[1] for part in told.split(b"HTTP/1.1 200 OK")[1:]] == [
        f"{size} False".encode() for size in (0, 5, 70_000, 3, 0)
    ]


@pytest.mark.parametrize("pieces", [[b"a" * LARGE], [b"b" * 1000] * 300, [b"c"] * 3000])
def test_chunks_of_any_size_are_one_body(serve, pieces):
    body = b"".join(map(chunk, pieces)) + b"0;ext=1\r\nTrailer: x\r\n\r\n"
    told = serve().ask(CHUNKED + body + request("/", "Connection: close"))
    assert f"{sum(map(len, pieces))} False".encode() in told
    assert told.count(b"HTTP/1.1 200 OK") == 2


def test_a_body_that_comes_byte_by_byte_is_taken(serve):
    server = serve()
    with server.linked() as link:
        for byte in CHUNKED + chunk(b"abc") + chunk(b"de") + chunk(b""):
            link.sendall(bytes([byte]))
        assert answer(link) == (200, b"5 False")


@pytest.mark.parametrize(
    "body",
    [
        b"3\r\nabcX\r\n0\r\n\r\n",
        b"g\r\nabc\r\n0\r\n\r\n",
        b"-1\r\n",
        b"\r\n",
        b"3\nabc",
        b"3\r\nab",
        b"f" * 17 + b"\r\n",
        b"1" + b" " * 5000 + b"\r\na\r\n0\r\n\r\n",
        b"0\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"0\r\na: b\n\n",
    ],
)
def test_chunks_that_break_the_rules_are_a_cut_and_end_the_connection(serve, body):
    told = serve().ask(CHUNKED + body + request("/smuggled"))
    assert told.count(b"HTTP/1.1") == 1
    assert told.endswith(b"True")


def test_a_body_shorter_than_announced_is_a_cut(serve):
    assert serve().ask(request("/", "Content-Length: 10", method="POST") + b"abc").endswith(b"3 True")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed_head"),
        (request("/", "Content-Length: 1", "Transfer-Encoding: chunked"), 400, "malformed_head"),
        (request("/", "Transfer-Encoding: gzip"), 501, "not_implemented"),
        (request("/" + "a" * MOST_BYTES), 431, "head_too_large"),
    ],
)
def test_a_request_that_is_no_http_gets_a_problem_and_the_end(serve, data, status, code):
    told = serve().ask(data + request("/smuggled"))
    head, _, body = told.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in head
    assert json.loads(body)["code"] == code


def test_empty_lines_before_a_request_are_ignored(serve):
    assert b"200 OK" in serve().ask(b"\r\n\r\n" + request())


def framing(status="200 OK", headers=(), body=(b"a", b"b")):
    def application(_environ, start_response):
        start_response(status, list(headers))
        return body

    return application


@pytest.mark.parametrize(
    ("application", "ending"),
    [
        (framing(), b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"),
        (framing(body=[b"ab"]), b"Content-Length: 2\r\n\r\nab"),
        (framing(body=[]), b"Content-Length: 0\r\n\r\n"),
        (framing(headers=[("Content-Length", "2")]), b"\r\n\r\nab"),
        (framing("204 No Content", body=[]), b"\r\n\r\n"),
        (framing("304 Not Modified", [("Content-Length", "9")], []), b"Content-Length: 9\r\n\r\n"),
    ],
)
def test_an_answer_is_framed_by_what_is_known_of_it(serve, application, ending):
    told = serve(application).ask(request())
    date = told[told.index(b"Date: ") : told.index(b"GMT\r\n") + 5]
    assert told.replace(date, b"").endswith(ending)


def test_an_answer_of_unknown_length_to_an_old_client_ends_with_the_connection(serve):
    told = serve(framing()).ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert b"Connection: close" in told
    assert told.endswith(b"\r\n\r\nab")


def test_head_has_the_headers_of_get_and_no_body(serve):
    told = serve(framing(headers=[("Content-Length", "2")])).ask(
        request(method="HEAD") + request("/", "Connection: close")
    )
    assert told.count(b"HTTP/1.1 200 OK") == 2
    assert told.count(b"ab") == 1


def test_head_does_not_say_that_a_body_of_unknown_length_is_empty(serve):
    told = serve(framing(body=[])).ask(2 * request(method="HEAD"))
    assert told.count(b"HTTP/1.1 200 OK") == 2
    assert b"Content-Length" not in told


@pytest.mark.parametrize("headers", [[("X", "a\r\nSet-Cookie: b")], [("X\r\nY", "a")], [("X", "a\nb")]])
def test_a_header_that_would_become_two_is_an_error_of_the_server(serve, headers):
    told = serve(framing(headers=headers)).ask(request())
    assert told.startswith(b"HTTP/1.1 500 ")
    assert b"Set-Cookie" not in told


def crash_after(count):
    def application(_environ, start_response):
        start_response("200 OK", [])

        def body():
            yield from [b"a"] * count
            raise RuntimeError("on purpose")

        return body()

    return application


def test_a_crash_before_the_answer_is_a_problem(serve):
    told = serve(crash_after(0)).ask(request())
    assert told.startswith(b"HTTP/1.1 500 Internal Server Error")
    assert b"on purpose" not in told


def test_a_crash_within_the_answer_is_seen_as_its_end_missing(serve):
    assert not serve(crash_after(2)).ask(request()).endswith(b"0\r\n\r\n")


def fail():
    raise RuntimeError("on purpose")


def test_an_answer_cannot_be_replaced_by_an_error_after_it_began(serve):
    def application(_environ, start_response):
        start_response("200 OK", [])
        yield b"begun"
        try:
            fail()
        except RuntimeError:
            start_response("500 Internal Server Error", [], sys.exc_info())
        yield b"an error page"

    told = serve(application).ask(request())
    assert told.endswith(b"5\r\nbegun\r\n")


@pytest.mark.parametrize("length", ["1", "3"])
def test_a_body_of_another_length_than_announced_ends_the_connection(serve, length):
    told = serve(framing(headers=[("Content-Length", length)])).ask(request() + request())
    assert told.count(b"HTTP/1.1 200 OK") == 1


def refuse(_environ, start_response):
    start_response("403 Forbidden", [("Content-Length", "2")])
    return [b"no"]


def test_a_refusal_is_read_by_a_client_that_sends_all_of_a_large_body_first(serve):
    with serve(refuse).linked() as link:
        link.sendall(request(method="POST", body=bytes(LARGE)))
        assert answer(link) == (403, b"no")
        assert link.recv(1) == b""


def test_a_refusal_of_a_small_body_keeps_the_connection(serve):
    assert serve(refuse).ask(2 * request(method="POST", body=b"small")).count(b"HTTP/1.1 403") == 2


def test_a_client_that_waits_is_told_to_continue_when_the_body_is_read(serve):
    with serve().linked() as link:
        link.sendall(request("/", "Content-Length: 3", "Expect: 100-continue", method="PUT"))
        assert link.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(b"abc")
        assert answer(link) == (200, b"3 False")


def begin_before_reading(environ, start_response):
    start_response("200 OK", [])

    def body():
        yield b""
        yield b"%d" % len(environ["wsgi.input"].read())

    return body()


def test_a_client_that_waits_is_told_to_continue_before_an_answer_begins_and_not_within_it(serve):
    with serve(begin_before_reading).linked() as link:
        link.sendall(request("/", "Content-Length: 3", "Expect: 100-continue", method="PUT"))
        assert link.recv(1000).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        link.sendall(b"abc" + request("/", "Connection: close"))
        told = read_all(link)
    assert told[told.index(b"1\r\n") :].startswith(b"1\r\n3\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_a_client_that_waits_is_refused_before_it_sends(serve):
    with serve(refuse).linked() as link:
        link.sendall(request("/", "Content-Length: 3", "Expect: 100-continue", method="PUT"))
        assert answer(link) == (403, b"no")


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


def file_of(path):
    def application(environ, start_response):
        file = path.open("rb")
        file.seek(1)
        start_response("200 OK", [("Content-Length", str(path.stat().st_size - 1))])
        return environ["wsgi.file_wrapper"](file)

    return application


def test_the_rest_of_a_file_is_sent_as_it_is(serve, tmp_path):
    content = bytes(range(256)) * 40_000
    (tmp_path / "file").write_bytes(content)
    server = serve(file_of(tmp_path / "file"))
    told = server.ask(request() + request("/", "Connection: close"))
    assert [part.split(b"\r\n\r\n", 1)[1] for part in told.split(b"HTTP/1.1 200 OK")[1:]] == [content[1:]] * 2


def memory(size):
    def instant(environ, start_response):
        if environ["PATH_INFO"] != "/instant":
            return None
        start_response("200 OK", [("Content-Length", str(size))])
        return [bytes(size)]

    return instant


@pytest.mark.parametrize("kind", ["thread", "loop"])
def test_a_reader_that_does_not_read_is_let_go_and_a_slow_one_is_not(serve, tmp_path, kind):
    (tmp_path / "file").write_bytes(bytes(LARGE + 1))
    server = serve(file_of(tmp_path / "file"), memory(LARGE), **HASTY)
    ask = request("/instant" if kind == "loop" else "/")
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


def test_head_is_answered_from_memory_without_a_body(serve):
    told = serve(instant=memory(200)).ask(request("/instant", method="HEAD") + request("/instant", "Connection: close"))
    first, second = told.split(b"HTTP/1.1 200 OK")[1:]
    assert (first.split(b"\r\n\r\n")[1], second.split(b"\r\n\r\n")[1]) == (b"", bytes(200))


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


def test_answers_from_memory_come_in_order_with_the_others(serve):
    paths = ["/instant", "/thread", "/instant", "/instant"]
    told = serve(instant=memory(200_000)).ask(b"".join(map(request, paths)) + request("/", "Connection: close"))
    lengths = [len(part.split(b"\r\n\r\n", 1)[1]) for part in told.split(b"HTTP/1.1 200 OK")[1:]]
    assert lengths == [200_000, 7, 200_000, 200_000, 7]


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


def test_heads_that_do_not_come_to_their_end_give_way_to_others(serve):
    server = serve(connections=5)
    links = [socket.create_connection(server.address, 20) for _ in range(5)]
    try:
        for link in links:
            link.sendall(b"GET / HTTP/1.1\r\nHo")
        time.sleep(0.2)
        with server.linked() as late:
            late.settimeout(5)
            late.sendall(request())
            assert answer(late) == (200, b"0 False")
    finally:
        for link in links:
            link.close()


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
        time.sleep(0.2)
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
        time.sleep(0.2)
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


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


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
        time.sleep(0.2)
        server.loop.stop()
        time.sleep(0.2)
        began = time.monotonic()
        assert len(read_all(link)) > LARGE
        assert time.monotonic() - began < 5
