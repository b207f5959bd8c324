"""The page of the HTTP API and its files: nothing from elsewhere, nothing inline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import albumen.web
from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.web.app import create_app
from forms import problem

WEB = Path(albumen.web.__file__).parent
STATIC = sorted(path.name for path in (WEB / "static").iterdir())
PAGES = ["/api/docs", "/api/openapi.json"]
ADDRESSES = PAGES + [f"/static/{name}" for name in STATIC]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of one application for all tests here: none of them changes anything."""
    chosen = load_settings({"data": tmp_path_factory.mktemp("pages") / "data", "decode_processes": 1})
    prepare(chosen)
    services = build(chosen)
    yield create_app(services).test_client()
    services.close()


@pytest.mark.parametrize("address", ADDRESSES)
def test_pages_and_their_files_let_browsers_load_only_what_is_ours(client, address):
    with client.get(address) as answer:
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert answer.status_code == 200
        assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= set(policy)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_browser_that_has_the_newest_page_gets_no_second_copy(client, address):
    with client.get(address) as first:
        assert first.headers["Cache-Control"] == "no-cache"
        etag = first.headers["ETag"]
    with client.get(address, headers={"If-None-Match": etag}) as second:
        assert (second.status_code, second.data) == (304, b"")


def test_page_has_no_inline_script_or_style_and_asks_no_other_server(client):
    html = client.get("/api/docs").text
    assert re.findall(r"<script|<style|\sstyle=|\son\w+=", html) == []
    assert re.findall(r'(?:src|action)="https?:', html) == []


def test_every_file_that_the_pages_load_is_there(client):
    html = client.get("/api/docs").text + client.get("/mobile/no-such-page").text
    assert set(re.findall(r'(?:src|href)="/static/([^"]+)"', html)) == set(STATIC)


def test_a_file_that_is_not_there_is_a_problem(client):
    answer = client.get("/static/none.js")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_host_name_in_the_examples_cannot_bring_markup(client):
    html = client.get("/api/docs", headers={"Host": "x<script>alert(1)"}).text
    assert "<script>alert" not in html


def test_examples_of_the_documentation_are_for_the_address_that_was_asked(client):
    for host in ("127.0.0.1:5000", "localhost:5001", "localhost:5002"):
        text = client.get("/api/docs", headers={"Host": host}).text
        assert f"http://{host}/upload" in text
        assert "{server}" not in text


@pytest.mark.parametrize("date", ["Sat, 99 Jan 99999999999 00:00:00 GMT", "1 Jan 1 1:1:1 +99999999999999999999", "x"])
@pytest.mark.parametrize("address", [*ADDRESSES, "/api/v1/photos", "/nowhere"])
def test_a_date_that_nobody_can_read_is_ignored(client, address, date):
    with client.get(address) as plain:
        expected = plain.status_code, plain.data
    for conditions in ({"If-Modified-Since": date}, {"If-Unmodified-Since": date}, {"If-Range": date}):
        with client.get(address, headers=conditions) as answer:
            assert (answer.status_code, answer.data) == expected


@pytest.mark.parametrize("date", ["Sat, 99 Jan 99999999999 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT", "x"])
def test_a_range_that_a_wrong_date_guards_gets_the_whole_file(client, date):
    address = f"/static/{STATIC[0]}"
    with client.get(address, headers={"Range": "bytes=0-9"}) as part:
        assert part.status_code == 206
    with client.get(address) as whole, client.get(address, headers={"Range": "bytes=0-9", "If-Range": date}) as guarded:
        assert (guarded.status_code, guarded.data) == (200, whole.data)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_answered_if_it_is_the_one_that_is_meant(client, address):
    tag = client.get(address).headers["ETag"]
    for same in (tag, "*", f'"other", {tag}'):
        assert client.get(address, headers={"If-Match": same}).status_code == 200
        assert client.get(address, headers={"If-None-Match": same}).status_code == 304
    problem(client.get(address, headers={"If-Match": '"other"'}), 412, "precondition_failed")
