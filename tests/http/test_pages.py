"""The page and its files: nothing from elsewhere, nothing inline, every word in both languages."""

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
PAGES = ["/", "/api/docs", "/api/openapi.json"]
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


@pytest.mark.parametrize("address", ["/", "/api/docs"])
def test_a_page_has_no_inline_script_or_style_and_asks_no_other_server(client, address):
    html = client.get(address).text
    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", html) == []
    assert re.findall(r'(?:src|action)="https?:', html) == []


def test_every_file_that_the_page_loads_is_there(client):
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/").text)
    imported = [
        name for path in (WEB / "static").glob("*.js") for name in re.findall(r'from "\./([^"]+)"', path.read_text())
    ]
    assert {address.removeprefix("/static/") for address in loaded} | set(imported) <= set(STATIC)


def test_a_file_that_is_not_there_is_a_problem(client):
    answer = client.get("/static/none.js")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_every_string_is_there_in_english_and_in_russian():
    words = (WEB / "static" / "words.js").read_text()
    assert _names(words, "ENGLISH") == _names(words, "RUSSIAN")


def test_every_string_that_the_page_names_is_there():
    words = _names((WEB / "static" / "words.js").read_text(), "ENGLISH")
    html = (WEB / "templates" / "page.html").read_text()
    named = set(re.findall(r'data-(?:text|label|placeholder)="(\w+)"', html))
    for path in (WEB / "static").glob("*.js"):
        named |= {
            name for call in re.findall(r"\bsay\((.+)", path.read_text()) for name in re.findall(r'"(\w+)"', call)
        }
    assert named <= words
    assert words <= named | set(re.findall(r'"(\w+)"', html))


def test_text_reaches_the_page_only_as_text():
    for path in (WEB / "static").glob("*.js"):
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", path.read_text()) == []


def test_a_host_name_in_the_examples_cannot_bring_markup(client):
    html = client.get("/api/docs", headers={"Host": "x<script>alert(1)"}).text
    assert "<script>alert" not in html


def _names(words, constant):
    body = re.search(rf"const {constant} = {{\n(.*?)\n}};", words, re.DOTALL)[1]
    return set(re.findall(r"^  (\w+):", body, re.MULTILINE))
