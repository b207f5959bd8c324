"""Uploads that break off, are malformed, or exceed a limit, on a real server: what was complete stays and is listed."""

from __future__ import annotations

import socket

import pytest

from conftest import STRICT_BYTES, STRICT_PHOTOS
from forms import BOUNDARY, FORM_TYPE, codes, form, form_begun, ids, part, part_with, problem, statuses
from pictures import of_size
from wire import answer, chunk, connected, eventually, head, status_and_json

DELIMITER = f"--{BOUNDARY}\r\n".encode()


def two_photos():
    """Two complete parts and the delimiter behind them."""
    return form_begun(part(of_size(5000, seed=1), "1.jpg"), part(of_size(5000, seed=2), "2.jpg")) + DELIMITER


def head_of(uploader, *headers):
    return head("POST", f"/upload?dataset={uploader.dataset}", f"Content-Type: {FORM_TYPE}", *headers)


def assert_two_photos_stay(uploader, body):
    assert statuses(body) == ["created", "created"]
    assert (body["created"], body["dataset"]) == (2, uploader.dataset)
    assert [photo["id"] for photo in reversed(uploader.listed())] == ids(body)


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"", id="no closing boundary"),
        pytest.param(part(of_size(5000, seed=3))[:3000], id="cut inside a photo"),
        pytest.param(b"Content-Disposition: form-da", id="cut inside a header"),
        pytest.param(b"no colon here\r\n\r\nx\r\n", id="header without a colon"),
        pytest.param(b"Content-Type: image/jpeg\r\n\r\nx\r\n", id="no disposition"),
        pytest.param(part_with("attachment; filename=a.jpg", b"x"), id="another disposition"),
        pytest.param(b'Content-Disposition: form-data; filename="\xff\xfe.jpg"\r\n\r\nx', id="name not in UTF-8"),
        pytest.param(b"X: y\n\n", id="bare line feeds"),
        pytest.param(b"X: " + b"y" * 100_000 + b"\r\n\r\n", id="endless header"),
        pytest.param(b"X: y\r\n" * 100 + b"\r\n", id="endless headers"),
        pytest.param(b"X: y\r\n" + b" y\r\n" * 10_000 + b"\r\n", id="endless folded header"),
        pytest.param(b"Content-Length: -5\r\n\r\n", id="negative length"),
    ],
)
def test_a_malformed_form_keeps_and_lists_the_complete_photos_before_the_break(uploader, tail):
    body = problem(uploader.post(two_photos() + tail), 400, "malformed_body")
    assert_two_photos_stay(uploader, body)


def test_rejected_photos_before_the_break_are_listed_as_well(uploader):
    body = problem(uploader.post(form_begun(part(b"text"), part(of_size(5100)), part(b"x"))), 400, "malformed_body")
    assert statuses(body) == ["rejected", "created"]


@pytest.mark.parametrize("body", [b"", b"no form at all", b"\r\n\r\n", b"--other\r\n\r\n--other--\r\n", b"x" * 600_000])
def test_a_body_that_is_no_form_is_malformed(uploader, body):
    answer = problem(uploader.post(body), 400, "malformed_body")
    assert answer["photos"] == []


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="a\tb"']
)
def test_a_form_without_a_usable_boundary_is_malformed(uploader, content_type):
    problem(uploader.post(two_photos(), {"Content-Type": content_type}), 400, "malformed_body")


@pytest.mark.direct  # nginx may hear of the end before it has handed on the beginning
def test_a_body_shorter_than_announced_is_malformed_and_its_complete_photos_stay(uploader):
    with connected(uploader.url) as link:
        link.sendall(head_of(uploader, "Content-Length: 1000000") + two_photos())
        link.shutdown(socket.SHUT_WR)
    photos = eventually(uploader.listed, "the complete photos were lost")
    assert [photo["name"] for photo in photos] == ["2.jpg", "1.jpg"]


@pytest.mark.direct  # nginx may hear of the end before it has handed on the beginning
@pytest.mark.parametrize("framing", ["Content-Length: 5000000", "Transfer-Encoding: chunked"])
def test_a_cut_connection_keeps_the_complete_photos(uploader, framing):
    body = two_photos() + part(of_size(900_000))[:700_000]
    with connected(uploader.url) as link:
        link.sendall(head_of(uploader, framing) + (chunk(body) if "chunked" in framing else body))
    photos = eventually(uploader.listed, "the complete photos were lost")
    assert [photo["name"] for photo in photos] == ["2.jpg", "1.jpg"]


@pytest.mark.direct  # nginx may hear of the end before it has handed on the beginning
def test_a_cut_connection_leaves_no_temporary_file(uploader, shared_server):
    with connected(uploader.url) as link:
        link.sendall(head_of(uploader, "Content-Length: 5000000") + two_photos() + part(of_size(900_000))[:700_000])
    eventually(uploader.listed, "the complete photos were lost")
    eventually(lambda: not files_in(shared_server.data / "tmp"), "a temporary file stayed")


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_broken_upload_can_be_repeated_and_costs_nothing_twice(uploader):
    parts = [part(of_size(5200, seed=number)) for number in range(4)]
    broken = problem(uploader.post(form_begun(*parts[:3])), 400, "malformed_body")
    whole = uploader.send(*parts).json()
    assert statuses(whole) == ["duplicate", "duplicate", "created", "created"]
    assert ids(whole)[:2] == ids(broken)


def test_a_raw_photo_shorter_than_announced_is_not_taken(uploader):
    target = f"/api/v1/photos?dataset={uploader.dataset}"
    with connected(uploader.url) as link:
        link.sendall(head("PUT", target, "Content-Length: 6000") + of_size(5300))
        link.shutdown(socket.SHUT_WR)
        link.recv(1)
    uploader.send(part(of_size(5301)))
    assert [photo["bytes"] for photo in uploader.listed()] == [5301]


def test_photos_past_the_limit_of_a_request_are_refused_and_those_before_it_stay(strict_uploader):
    parts = [part(of_size(6000, seed=number)) for number in range(STRICT_PHOTOS + 2)]
    body = problem(strict_uploader.send(*parts), 413, "too_many_photos")
    assert statuses(body) == ["created"] * STRICT_PHOTOS
    assert len(strict_uploader.listed()) == STRICT_PHOTOS


def test_a_long_request_past_the_limit_still_gets_its_answer(strict_uploader):
    parts = [part(of_size(90_000, seed=number)) for number in range(20 * STRICT_PHOTOS)]
    body = problem(strict_uploader.send(*parts), 413, "too_many_photos")
    assert body["created"] == STRICT_PHOTOS


def test_as_many_photos_as_the_limit_allows_are_taken(strict_uploader):
    parts = [part(of_size(6100, seed=number)) for number in range(STRICT_PHOTOS)]
    assert strict_uploader.send(*parts).status_code == 201


def test_a_photo_over_the_limit_is_rejected_and_the_others_go_on(strict_uploader):
    sizes = (STRICT_BYTES + 1, STRICT_BYTES, 20 * STRICT_BYTES, 5000)
    answer = strict_uploader.send(*(part(of_size(size)) for size in sizes)).json()
    assert statuses(answer) == ["rejected", "created", "rejected", "created"]
    assert codes(answer) == ["too_large", "too_large"]


def test_a_raw_photo_over_the_limit_is_refused(strict_uploader, http):
    response = http.put(f"{strict_uploader.url}/api/v1/photos", data=of_size(STRICT_BYTES + 1))
    problem(response, 413, "too_large")


def test_the_server_goes_on_after_all_that(uploader):
    assert uploader.post(form(part(of_size(5400)))).status_code == 201


@pytest.mark.direct  # nginx hands on no body that was cut
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_body_of_ids_that_ends_early_does_nothing(uploader, content_type, framing):
    (photo_id,) = ids(uploader.send(part(of_size(5400))).json())
    body = f'{{"ids": ["{photo_id}"]}}' if "json" in content_type else f"ids={photo_id}"
    target = "/api/v1/photos/trash" if "json" in content_type else "/api/v1/photos/archive"
    with connected(uploader.url) as link:
        sent = chunk(body.encode()) if "chunked" in framing else body.encode()
        link.sendall(head("POST", target, framing, f"Content-Type: {content_type}") + sent)
        link.shutdown(socket.SHUT_WR)
        status, told = status_and_json(link)
    assert (status, told["code"]) == (400, "malformed_body")
    assert len(uploader.listed()) == 1


@pytest.mark.parametrize("target", ["/", "/get_value", "/api/v1/photos", "/api/v1/stats", "/api/docs", "/display"])
def test_bytes_in_a_query_that_are_no_utf8_are_no_error_of_the_server(uploader, target):
    with connected(uploader.url) as link:
        link.sendall(f"GET {target}?x=\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode("latin-1"))
        assert answer(link).status < 500


def test_a_name_in_another_encoding_is_a_name(uploader):
    photo = of_size(5500)
    target = f"/api/v1/photos?dataset={uploader.dataset}&name=кот.jpg"
    with connected(uploader.url) as link:
        beginning = f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(photo)}\r\n\r\n"
        link.sendall(beginning.encode("cp1251") + photo)
        assert status_and_json(link)[0] == 201
    assert [photo["name"] for photo in uploader.listed()] == ["%EA%EE%F2.jpg"]
