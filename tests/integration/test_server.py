"""The HTTP server alone, with small applications and real sockets: framing, keeping, refusing, answers from memory."""

from __future__ import annotations

import json
import sys
import threading
import time

import pytest

from albumen.server.head import MOST_BYTES
from serving import LARGE, answer, file_of, memory, read_all, request, wait_until
from wire import chunk

MANY = 500
CHUNKED = request("/", "Transfer-Encoding: chunked", method="POST")


def test_a_body_after_bytes_that_were_written_already_has_no_head_of_its_own(serve):
    def application(_environ, start_response):
        start_response("200 OK", [("Content-Length", "11")])(b"first")
        return [b"second"]

    assert serve(application).ask(request("/", "Connection: close")).endswith(b"\r\n\r\nfirstsecond")


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


def test_a_refusal_waits_a_moment_for_a_small_body_that_comes_behind_its_head(serve, monkeypatch):
    monkeypatch.setattr("albumen.server.answer.SKIP_SECONDS", 3600)  # on a busy machine the moment may pass at once
    first, second = request(method="POST", body=b"small"), request(method="POST", body=b"other")
    with serve(refuse).linked() as link:
        for data in (first[:-5], first[-5:-2], first[-2:]):
            link.sendall(data)
            time.sleep(0.02)
        assert answer(link)[0] == 403
        link.sendall(second)
        assert answer(link)[0] == 403


def test_few_threads_wait_for_bodies_that_they_refuse_and_the_others_refuse_at_once(serve, monkeypatch):
    monkeypatch.setattr("albumen.server.answer.SKIP_SECONDS", 3600)
    server = serve(refuse, threads=16)
    with server.linked() as waiting, server.linked() as other:
        waiting.sendall(request(method="POST", body=b"small")[:-5])
        wait_until(lambda: server.loop._site.budgets.refusing._value == 0)
        other.sendall(request(method="POST", body=b"small")[:-5])
        assert b"Connection: close" in other.recv(10_000)
        waiting.sendall(b"small")
        assert b"Connection" not in waiting.recv(10_000)


def test_a_refusal_does_not_wait_long_for_a_small_body_that_does_not_come(serve):
    with serve(refuse).linked() as link:
        link.sendall(request(method="POST", body=b"small")[:-5])
        refused = read_all(link)
        assert refused.startswith(b"HTTP/1.1 403")
        assert b"Connection: close" in refused


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


def test_the_rest_of_a_file_is_sent_as_it_is(serve, tmp_path):
    content = bytes(range(256)) * 40_000
    (tmp_path / "file").write_bytes(content)
    server = serve(file_of(tmp_path / "file"))
    told = server.ask(request() + request("/", "Connection: close"))
    assert [part.split(b"\r\n\r\n", 1)[1] for part in told.split(b"HTTP/1.1 200 OK")[1:]] == [content[1:]] * 2


def test_head_is_answered_from_memory_without_a_body(serve):
    told = serve(instant=memory(200)).ask(request("/instant", method="HEAD") + request("/instant", "Connection: close"))
    first, second = told.split(b"HTTP/1.1 200 OK")[1:]
    assert (first.split(b"\r\n\r\n")[1], second.split(b"\r\n\r\n")[1]) == (b"", bytes(200))


def test_answers_from_memory_come_in_order_with_the_others(serve):
    paths = ["/instant", "/thread", "/instant", "/instant"]
    told = serve(instant=memory(200_000)).ask(b"".join(map(request, paths)) + request("/", "Connection: close"))
    lengths = [len(part.split(b"\r\n\r\n", 1)[1]) for part in told.split(b"HTTP/1.1 200 OK")[1:]]
    assert lengths == [200_000, 7, 200_000, 200_000, 7]


def test_an_answer_with_a_date_of_its_own_has_no_second_one(serve):
    def application(_environ, start_response):
        start_response("200 OK", [("Content-Length", "0"), ("Date", "Sat, 28 Nov 2026 12:00:00 GMT")])
        return []

    told = serve(application).ask(request("/", "Connection: close"))
    assert told.count(b"Date: ") == 1
    assert b"Date: Sat, 28 Nov 2026 12:00:00 GMT\r\n" in told


def test_who_sends_many_requests_ahead_lets_others_in_between(serve):
    order, gate = [], threading.Event()

    def instant(environ, start_response):
        gate.wait(20)
        order.append(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    server = serve(instant=instant)
    with server.linked() as many, server.linked() as one:
        many.sendall(request("/many") * MANY)
        one.sendall(request("/one"))
        gate.set()
        assert answer(one)[0] == 200
        wait_until(lambda: len(order) == MANY + 1)
    assert order[-1] == "/many"
