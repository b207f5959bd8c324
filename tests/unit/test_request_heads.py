"""What the head of a request says, and what is refused because two programs could read it differently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albumen.server.head import MOST_FIELDS, HeadRefused, _variable, read_head


def lines(*fields, first="GET /a HTTP/1.1", host="Host: here"):
    return "\r\n".join([first, *([host] if host else []), *fields]).encode("latin-1")


def refusal(data):
    with pytest.raises(HeadRefused) as caught:
        read_head(data)
    return int(caught.value.status), caught.value.code


def test_a_request_becomes_the_variables_of_wsgi():
    head = read_head(lines("Accept:  image/webp \t", "X-Two: a", "x-two: b", first="GET /a%20b/%C3%A4?q=%20 HTTP/1.1"))
    assert head.fields["PATH_INFO"] == "/a b/Ã¤"  # UTF-8 as latin-1, as PEP 3333 wants it
    assert head.fields["QUERY_STRING"] == "q=%20"
    assert head.fields["REQUEST_URI"] == "/a%20b/%C3%A4?q=%20"
    assert (head.fields["HTTP_ACCEPT"], head.fields["HTTP_X_TWO"]) == ("image/webp", "a, b")
    assert (head.method, head.length, head.keeps, head.expects, head.is_new) == ("GET", 0, True, False, True)


def test_cookies_of_several_lines_are_one_list():
    assert read_head(lines("Cookie: a=1", "Cookie: b=2")).fields["HTTP_COOKIE"] == "a=1; b=2"


def test_an_address_with_a_host_wins_over_the_host_line():
    head = read_head(lines(first="GET http://there:80/x?y HTTP/1.1"))
    assert (head.fields["HTTP_HOST"], head.fields["PATH_INFO"], head.fields["QUERY_STRING"]) == ("there:80", "/x", "y")
    assert read_head(lines(first="GET http://there HTTP/1.1")).fields["PATH_INFO"] == "/"


@pytest.mark.parametrize(
    ("target", "host", "path", "query"),
    [
        ("http://t/x?y", "t", "/x", "y"),
        ("http://http/x", "http", "/x", ""),
        ("http://there?y", "there", "/", "y"),
        ("http://there#z", "there", "/", ""),
    ],
)
def test_an_address_is_taken_apart_at_its_host(target, host, path, query):
    fields = read_head(lines(first=f"GET {target} HTTP/1.1")).fields
    assert (fields["HTTP_HOST"], fields["PATH_INFO"], fields["QUERY_STRING"]) == (host, path, query)


def test_bytes_of_a_query_that_are_no_ascii_are_written_as_numbers():
    fields = read_head("GET /a?name=кот.jpg&q=%20+'x HTTP/1.1\r\nHost: here".encode("cp1251")).fields
    assert fields["QUERY_STRING"] == "name=%EA%EE%F2.jpg&q=%20+'x"


@pytest.mark.parametrize("field", ["x" * 261 + ": y", "Connection: " + "a," * 131, "X" * 32_000 + ": y"])
def test_what_is_too_long_to_be_remembered_is_malformed(field):
    read_head(lines("Connection: close"))
    kept = _variable.cache_info().currsize
    assert refusal(lines(field)) == (400, "malformed_head")
    assert _variable.cache_info().currsize == kept


def test_a_host_that_is_too_long_to_be_remembered_is_malformed():
    assert refusal(lines(host=f"Host: {'a' * 261}")) == (400, "malformed_head")
    assert read_head(lines(host=f"Host: {'a' * 253}:65535")).fields["HTTP_HOST"].endswith(":65535")


def test_headers_that_could_be_taken_for_others_are_left_out():
    head = read_head(lines("X_Albumen_Accel: make", "Proxy: http://evil"))
    assert not {"HTTP_X_ALBUMEN_ACCEL", "HTTP_PROXY"} & set(head.fields)


@pytest.mark.parametrize(
    ("fields", "version", "keeps"),
    [
        ((), "1.1", True),
        (("Connection: close",), "1.1", False),
        (("Connection: Keep-Alive, Close",), "1.1", False),
        ((), "1.0", False),
        (("Connection: keep-alive",), "1.0", True),
    ],
)
def test_a_connection_stays_as_the_client_wants_it(fields, version, keeps):
    assert read_head(lines(*fields, first=f"GET / HTTP/{version}")).keeps is keeps


def test_the_body_is_framed_by_its_length_or_by_chunks():
    assert read_head(lines("Content-Length: 12")).length == 12
    assert read_head(lines("Transfer-Encoding: Chunked")).length is None
    assert read_head(lines("Content-Length: 12", "Expect: 100-Continue")).expects
    assert not read_head(lines("Expect: 100-continue", first="PUT / HTTP/1.0")).expects


@pytest.mark.parametrize(
    "data",
    [
        lines("Content-Length: 1", "Transfer-Encoding: chunked"),
        lines("Content-Length: 1", "Content-Length: 1"),
        lines("Content-Length: 1, 1"),
        lines("Content-Length: +1"),
        lines("Content-Length: -1"),
        lines("Content-Length: 0x1"),
        lines("Content-Length: ²"),
        lines("Content-Length:"),
        lines("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        lines("Transfer-Encoding: chunked", first="GET / HTTP/1.0"),
        lines("Transfer-Encoding : chunked"),
        lines(" folded: line"),
        lines("X: a\r\n folded"),
        lines("X: a\nY: b"),
        lines("X: a\rY: b"),
        lines("X: a\0b"),
        lines("X\xe4: a"),
        lines(": a"),
        lines("no colon"),
        lines("", "X: a"),
        lines("Host: there"),
        lines(host=None),
        lines(host=f"Host: {'a' * 300}"),
        lines(f"{'a' * 300}: a"),
        lines(host="Host: a b"),
        lines(host="Host: a/b"),
        lines("Authorization: Bearer a", "Authorization: Bearer b"),
        lines(first="GET /a"),
        lines(first="GET  /a HTTP/1.1"),
        lines(first="GET /a b HTTP/1.1"),
        lines(first="GET /a\tb HTTP/1.1"),
        lines(first="GET /a HTTP/2.0"),
        lines(first="GET /a HTTP/1.1 "),
        lines(first="GE(T /a HTTP/1.1"),
        lines(first="CONNECT there:443 HTTP/1.1"),
        lines(first="GET a HTTP/1.1"),
        lines(first="GET * HTTP/1.1"),
        lines(first="GET ftp://there/ HTTP/1.1"),
        lines(first="GET http://[there/ HTTP/1.1"),
        b"",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(data):
    assert refusal(data) == (400, "malformed_head")


def test_a_coding_that_is_not_known_is_not_guessed():
    assert refusal(lines("Transfer-Encoding: gzip, chunked")) == (501, "not_implemented")
    assert refusal(lines("Expect: a miracle")) == (417, "expectation_failed")


def test_so_many_lines_and_no_more_are_taken():
    many = [f"X-{number}: a" for number in range(MOST_FIELDS - 1)]
    assert read_head(lines(*many)).fields["HTTP_X_0"] == "a"
    assert refusal(lines(*many, "X: a")) == (431, "head_too_large")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(noise):
    for data in (noise, lines(first="GET /") + noise, lines() + b"\r\n" + noise):
        try:
            head = read_head(data)
        except HeadRefused:
            continue
        assert head.fields["PATH_INFO"]
        assert not any(set("\r\n\0") & set(value) for name, value in head.fields.items() if name != "PATH_INFO")
