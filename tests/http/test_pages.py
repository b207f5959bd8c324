"""The page of the HTTP API and its files: nothing from elsewhere, nothing inline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import albumen.web
from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.web.app import create_app

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
