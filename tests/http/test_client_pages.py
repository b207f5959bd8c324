"""The web client as the server gives it out: one page at many addresses, files that never change, nothing inline."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

import albumen.web
from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.web.app import create_app

BUNDLE = Path(albumen.web.__file__).parent / "client"
ID = "01a206e1-c8e4-72a8-a32b-6ec2f56c0661"
ADDRESSES = ["/", "/?q=cat", "/d/cats", f"/photo/{ID}?dataset=cats", "/trash", "/uploads"]
NO_DATE = "Sat, 99 Jan 99999999999 00:00:00 GMT"
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def client(tmp_path_factory, web_client):
    """A client of one application for all tests here: none of them changes anything."""
    assert web_client is None
    chosen = load_settings({"data": tmp_path_factory.mktemp("pages") / "data", "decode_processes": 1})
    prepare(chosen)
    services = build(chosen)
    yield create_app(services).test_client()
    services.close()


@pytest.mark.parametrize("headers", [{"If-Modified-Since": NO_DATE}, {"If-Range": NO_DATE, "Range": "bytes=0-9"}])
def test_a_date_that_nobody_can_read_hides_neither_page_nor_file(client, headers):
    for address in ("/", script(client), "/client/theme.js"):
        with client.get(address) as plain, client.get(address, headers=headers) as answer:
            assert answer.data == plain.data


def loaded(html):
    """Return the address of everything that a page loads."""
    return re.findall(r'<(?:link|script)[^>]*(?:src|href)="([^"]+)"', html)


def script(client):
    return next(address for address in loaded(client.get("/").text) if re.search(r"/assets/.*\.js$", address))


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_client_answers_with_its_page(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.data == client.get("/").data
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_page_lets_the_browser_load_only_what_is_ours_and_has_nothing_inline(client):
    answer = client.get("/")
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy.pop("img-src") == "'self' blob: data:"
    assert {value for name, value in policy.items() if name.startswith(("default", "base", "frame"))} == {"'none'"}
    others = {name: value for name, value in policy.items() if value != "'none'"}
    assert others == dict.fromkeys(
        ("script-src", "style-src", "connect-src", "worker-src", "manifest-src", "form-action"), "'self'"
    )
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", answer.text) == []


def test_everything_that_the_page_loads_is_there_and_guarded(client):
    addresses = loaded(client.get("/").text)
    assert len(addresses) >= 6
    for address in addresses:
        with client.get(address) as answer:
            assert (address, answer.status_code) == (address, 200)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_files_that_tell_their_content_are_kept_forever_and_others_asked_for_again(client):
    for address in loaded(client.get("/").text):
        with client.get(address) as answer:
            assert answer.headers["Cache-Control"] == (FOREVER if "/assets/" in address else "no-cache")


def test_script_comes_compressed_as_the_browser_takes_it(client):
    address = script(client)
    plain = (BUNDLE / address.removeprefix("/client/")).read_bytes()
    for accepted, encoding in (("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", None)):
        with client.get(address, headers={"Accept-Encoding": accepted}) as answer:
            assert answer.headers.get("Content-Encoding") == encoding
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert answer.mimetype == "text/javascript"
            assert (len(answer.data) < len(plain) / 2) == (encoding is not None)
            if encoding == "gzip":
                assert gzip.decompress(answer.data) == plain


def test_client_below_a_path_loads_its_files_from_there(client):
    html = client.get("/d/cats", environ_overrides={"SCRIPT_NAME": "/photos/albumen"}).text
    assert all(address.startswith("/photos/albumen/client/") for address in loaded(html))
    assert '<meta name="albumen-root" content="/photos/albumen/">' in html


def test_path_that_a_proxy_tells_cannot_bring_markup(client):
    html = client.get("/", environ_overrides={"SCRIPT_NAME": '/"><script>alert(1)</script>'}).text
    assert "<script>alert" not in html


def test_app_that_is_installed_has_a_start_and_icons(client):
    with client.get("/client/manifest.webmanifest") as answer:
        assert answer.mimetype == "application/manifest+json"
        manifest = json.loads(answer.data)
    assert manifest["start_url"] == "../"
    for icon in manifest["icons"]:
        with client.get(f"/client/{icon['src']}") as answer:
            assert answer.data.startswith(b"\x89PNG")
            side = int.from_bytes(answer.data[16:20], "big")
            assert icon["sizes"] == f"{side}x{side}"


@pytest.mark.parametrize("address", ["/client/none.js", "/client/assets/none.js", "/client/../app.py", "/client/"])
def test_file_that_is_not_there_is_a_problem(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_sources_write_text_only_as_text():
    sources = BUNDLE.parents[3] / "clients/web/src"
    files = [path for path in sources.rglob("*") if path.suffix in {".ts", ".svelte"}]
    assert len(files) > 20
    forbidden = r"\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    assert [path.name for path in files if re.search(forbidden, path.read_text("utf-8"))] == []


def test_a_file_of_the_client_is_one_piece_however_it_is_asked_for(client):
    address = script(client)
    whole = client.get(address)
    assert [len(whole.get_data())] == [len(piece) for piece in whole.response]
    some = client.get(address, headers={"Range": "bytes=10-20009"})
    assert (some.status_code, list(some.response)) == (206, [whole.data[10:20_010]])
    with client.get(address, headers={"If-None-Match": whole.headers["ETag"]}) as again:
        assert again.status_code == 304
    with client.get(address, headers={"If-Match": '"other"'}) as refused:
        assert (refused.status_code, len(list(refused.response)) <= 1) == (412, True)


def test_a_name_that_is_too_long_for_a_file_is_not_found(client):
    long = f"/client/assets/{'a' * 300}"
    assert client.get(long, headers={"Accept-Encoding": "gzip"}).status_code == 404
