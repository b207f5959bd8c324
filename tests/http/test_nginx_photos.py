"""Photos through a real nginx: what it keeps and for how long, what it sends itself, and what nobody gets out of it."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from contextlib import ExitStack

import pytest
import requests

from conftest import running
from forms import Uploader, part, problem, sha256
from fronts import BEHIND_NGINX, free_port, nginx_before
from pictures import of_size
from wire import answer, connected, eventually, head

ALLOWED_SECONDS = 2.0  # for which a photo that is gone may still be served
SMALL, LARGE = 20_000, 3_000_000
JPEG_FIRST, WEBP_FIRST = "image/jpeg", "image/webp,*/*;q=0.8"
NEVER_TOLD = {"x-accel-redirect", "x-accel-expires", "x-albumen-accel"}
BY_THE_WAY = {"date", "server", "connection"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("behind")
    with running(folder / "data", ALBUMEN_DERIVE="false", **BEHIND_NGINX) as started:
        yield started


@pytest.fixture(scope="module")
def nginx(server):
    with nginx_before(server.url, server.data, server.data.parent / "nginx") as started:
        yield started


@pytest.fixture
def uploader(nginx, http):
    return Uploader(http, nginx.url, f"set-{uuid.uuid4().hex}")


def put(uploader, size, seed=None):
    data = of_size(size, seed=seed if seed is not None else uuid.uuid4().int % 2**31)
    (photo,) = uploader.send(part(data)).json()["photos"]
    return photo, data


def keep(http, nginx, link, sha):
    """Ask until nginx keeps the answer; return it."""

    def is_kept():
        got = http.get(link, timeout=60)
        assert got.status_code == 200
        return got if any(sha.encode() in kept for kept in nginx.cached()) else None

    return eventually(is_kept, "nginx never kept the answer")


def seconds_until(status, url, started, **headers):
    """Ask again and again until the answer has a status; return when, after `started`, the last other one was asked."""
    last = 0.0
    while True:
        asked = time.monotonic() - started
        if requests.get(url, headers=headers, timeout=60).status_code == status:
            return last
        last = asked
        assert asked < 30, "still served"


def told(response, but=()):
    return {name.lower(): value for name, value in response.headers.items() if name.lower() not in {*BY_THE_WAY, *but}}


@pytest.mark.parametrize("query", ["", "?size=256", "?size=512&format=webp"])
def test_a_deleted_photo_is_gone_from_nginx_within_two_seconds(uploader, nginx, http, query):
    photo, _ = put(uploader, SMALL)
    link = photo["link"] + query
    keep(http, nginx, link, photo["sha256"])
    assert http.delete(f"{nginx.url}/api/v1/photos/{photo['id']}").status_code == 204
    assert seconds_until(404, link, time.monotonic()) < ALLOWED_SECONDS


def test_a_deleted_photo_that_nginx_sends_itself_is_gone_within_two_seconds(uploader, nginx, http):
    photo, data = put(uploader, LARGE)
    assert http.get(photo["link"]).content == data
    assert http.delete(f"{nginx.url}/api/v1/photos/{photo['id']}").status_code == 204
    assert seconds_until(404, photo["link"], time.monotonic()) < ALLOWED_SECONDS


def test_a_photo_that_is_asked_for_all_the_time_is_gone_within_two_seconds_as_well(uploader, nginx, http):
    photo, _ = put(uploader, SMALL)
    keep(http, nginx, photo["link"], photo["sha256"])
    ends = time.monotonic() + 3
    while time.monotonic() < ends:  # long enough for nginx to ask whether it may go on
        assert http.get(photo["link"]).status_code == 200
    http.delete(f"{nginx.url}/api/v1/photos/{photo['id']}")
    assert seconds_until(404, photo["link"], time.monotonic()) < ALLOWED_SECONDS


def make_key(data, role="viewer"):
    command = [sys.executable, "-m", "albumen", "keys", "create", role, "--role", role, "--data", str(data)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()[-1]


@pytest.fixture
def closable(tmp_path):
    """The nginx of an open server, and how to start that again so that it asks for a key, which this returns."""
    data, options = tmp_path / "data", ("--port", str(free_port()))
    settings = {"ALBUMEN_DERIVE": "false", **BEHIND_NGINX}
    with ExitStack() as servers:
        server = servers.enter_context(running(data, *options, **settings))

        def close():
            servers.close()
            key = make_key(data)
            servers.enter_context(running(data, *options, **{**settings, "ALBUMEN_OPEN": "false"}))
            return key

        with nginx_before(server.url, data, tmp_path / "nginx") as nginx:
            yield nginx, close


@pytest.mark.parametrize(("size", "query"), [(SMALL, ""), (SMALL, "?size=256"), (LARGE, "")])
def test_photos_made_private_are_gone_for_strangers_within_two_seconds(closable, http, size, query):
    nginx, close = closable
    photo, _ = put(Uploader(http, nginx.url, "main"), size)
    link = photo["link"] + query
    if size == SMALL:
        keep(http, nginx, link, photo["sha256"])
    close()
    assert seconds_until(401, link, time.monotonic()) < ALLOWED_SECONDS


def test_private_photos_are_never_kept(closable, http):
    nginx, close = closable
    small, small_data = put(Uploader(http, nginx.url, "main"), SMALL)
    large, large_data = put(Uploader(http, nginx.url, "main"), LARGE)
    bearer = {"Authorization": f"Bearer {close()}"}
    for _ in range(20):
        shown = http.get(small["link"], headers=bearer)
        assert (shown.content, shown.headers["Cache-Control"].partition(",")[0]) == (small_data, "private")
        assert http.get(f"{small['link']}?size=256", headers=bearer).status_code == 200
        assert http.get(large["link"], headers=bearer).content == large_data
        for link in (small["link"], f"{small['link']}?size=256", large["link"]):
            assert http.get(link).status_code == 401
    assert nginx.cached() == []


def test_the_cookie_of_a_browser_opens_photos_and_keeps_none(closable, http):
    nginx, close = closable
    photo, data = put(Uploader(http, nginx.url, "main"), SMALL)
    key = close()
    assert http.post(f"{nginx.url}/api/v1/session", json={"key": key}).status_code < 300
    assert all(http.get(photo["link"]).content == data for _ in range(20))
    assert nginx.cached() == []


@pytest.mark.parametrize("header", ["Authorization", "Range", "If-Match", "If-None-Match"])
def test_a_request_that_shows_a_key_or_a_condition_keeps_nothing(uploader, nginx, http, header):
    photo, _ = put(uploader, SMALL)
    values = {
        "Range": "bytes=0-9",
        "If-Match": f'"{photo["sha256"]}"',
        "Authorization": "Bearer x",
        "If-None-Match": '"other"',
    }
    for _ in range(10):
        assert http.get(photo["link"], headers={header: values[header]}).status_code in {200, 206}
    assert not any(photo["sha256"].encode() in kept for kept in nginx.cached())


def test_a_photo_is_asked_for_twice_before_it_is_kept(uploader, nginx, http):
    photo, _ = put(uploader, SMALL)
    http.get(photo["link"])
    assert not any(photo["sha256"].encode() in kept for kept in nginx.cached())


def test_a_kept_answer_is_the_very_answer(uploader, nginx, server, http):
    photo, data = put(uploader, SMALL)
    kept = keep(http, nginx, photo["link"], photo["sha256"])
    own = http.get(f"{server.url}/get/{photo['id']}")
    assert (kept.content, kept.headers["ETag"]) == (data, f'"{sha256(data)}"')
    assert told(kept) == told(own)


def test_kept_previews_of_several_formats_are_not_mixed_up(uploader, http):
    photo, _ = put(uploader, SMALL)
    for _ in range(15):
        for accept, media_type in ((JPEG_FIRST, "image/jpeg"), (WEBP_FIRST, "image/webp"), ("*/*", "image/jpeg")):
            got = http.get(f"{photo['link']}?size=256", headers={"Accept": accept})
            assert got.headers["Content-Type"] == media_type
            assert got.headers["Vary"] == "Accept"


def test_what_nginx_sends_itself_has_all_our_headers(uploader, server, http):
    photo, data = put(uploader, LARGE)
    for query in ("", "?download"):
        sent, own = http.get(photo["link"] + query), http.get(f"{server.url}/get/{photo['id']}{query}")
        assert sent.content == data
        assert told(sent) == told(own)


@pytest.mark.parametrize(
    "wanted", ["bytes=0-0", "bytes=1000000-2500000", "bytes=-5", "bytes=2999999-", "bytes=0-9999999"]
)
def test_ranges_of_what_nginx_sends_are_those_of_the_server(uploader, server, http, wanted):
    photo, _ = put(uploader, LARGE, seed=77)
    tag = f'"{photo["sha256"]}"'
    for more in ({}, {"If-Range": tag}, {"If-Range": '"other"'}, {"If-Match": tag}, {"If-Unmodified-Since": "x"}):
        sent, own = (
            http.get(f"{base}/get/{photo['id']}", headers={"Range": wanted, **more})
            for base in (uploader.url, server.url)
        )
        assert (sent.status_code, sent.content) == (own.status_code, own.content)
        assert told(sent, {"accept-ranges"}) == told(own, {"accept-ranges"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=5000000-"},
        {"Range": "bytes=0-1,5-6"},
        {"Range": "bytes=-99999999"},
        {"If-None-Match": '"{}"'},
        {"If-None-Match": "*"},
        {"If-None-Match": '"other"'},
        {"If-Match": '"other"'},
        {"If-Match": '"{}"'},
        {"If-Match": "*"},
        {"If-Match": '"other"', "Range": "bytes=0-9"},
        {"If-None-Match": '"{}"', "Range": "bytes=0-9"},
        {"If-Range": 'W/"{}"', "Range": "bytes=0-9"},
        {"If-Modified-Since": "Mon, 01 Jan 2040 00:00:00 GMT"},
        {"If-Modified-Since": "Sat, 99 Jan 99999999999 00:00:00 GMT"},
        {"If-Unmodified-Since": "Mon, 01 Jan 1990 00:00:00 GMT"},
    ],
)
def test_conditions_of_what_nginx_sends_are_decided_by_the_server(uploader, server, http, headers):
    photo, _ = put(uploader, LARGE, seed=78)
    wanted = {name: value.replace("{}", photo["sha256"]) for name, value in headers.items()}
    for method in ("GET", "HEAD"):
        sent, own = (
            http.request(method, f"{base}/get/{photo['id']}", headers=wanted) for base in (uploader.url, server.url)
        )
        assert (sent.status_code, sent.content) == (own.status_code, own.content)
        assert told(sent) == told(own)


def test_no_header_of_a_client_changes_what_it_gets(uploader, http):
    photo, data = put(uploader, SMALL)
    other, _ = put(uploader, LARGE)
    file = f"/_albumen/files/blobs/{other['sha256'][0]}/{other['sha256']}.jpg"
    for name in ("X-Accel-Redirect", "X-Accel-Expires", "X-Albumen-Accel", "X_Albumen_Accel", "X-Sendfile"):
        for value in (file, "ask", "make", "@9999999999", "/_albumen/make/get/x"):
            got = http.get(photo["link"], headers={name: value})
            assert (got.status_code, got.content) == (200, data)
            assert NEVER_TOLD.isdisjoint(told(got))


def test_the_places_that_answers_lead_to_cannot_be_entered_from_outside(uploader, nginx):
    photo, _ = put(uploader, LARGE)
    blob = f"{photo['sha256'][0]}/{photo['sha256']}.jpg"
    targets = [
        *(f"/_albumen/files/blobs/{blob}", f"//_albumen/files/blobs/{blob}", f"/%5Falbumen/files/blobs/{blob}"),
        *(f"/get/../_albumen/files/blobs/{blob}", f"/_albumen%2Ffiles/blobs/{blob}", "/_albumen/files/albumen.db"),
        *(f"/_albumen/make/get/{photo['id']}?size=256", "/_albumen/files/blobs/../albumen.db", "/_albumen/"),
    ]
    for target in targets:
        with connected(nginx.url) as link:
            link.sendall(head("GET", target, "X-Albumen-Accel: make"))
            assert answer(link).status in {400, 404}, target


def test_a_server_asked_directly_answers_with_bytes(uploader, server, http):
    for size in (SMALL, LARGE):
        photo, data = put(uploader, size)
        for _ in range(3):
            own = http.get(f"{server.url}/get/{photo['id']}")
            assert own.content == data
            assert NEVER_TOLD.isdisjoint(told(own))


def test_a_file_that_is_damaged_is_told_by_the_server_and_not_sent(uploader, server, http):
    photo, _ = put(uploader, LARGE)
    blob = next(server.data.glob(f"blobs/*/{photo['sha256']}.*"))
    blob.unlink()
    eventually(lambda: http.get(photo["link"]).status_code != 200, "bytes that are not there")
    problem(http.get(photo["link"]), 500, "blob_damaged")


def test_a_photo_with_the_longest_name_is_sent(uploader, http):
    name = "🦊" * 250 + ".jpg"
    for size in (SMALL, LARGE):
        data = of_size(size, seed=uuid.uuid4().int % 2**31)
        (photo,) = uploader.send(part(data, name)).json()["photos"]
        assert http.get(photo["link"]).content == data
