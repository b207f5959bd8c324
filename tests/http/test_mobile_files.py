"""How the server hands out the files of the mobile client, and what it says when that is not installed."""

from __future__ import annotations

import gzip
import os
import sys

import pytest

from albumen.web.bundle import Bundle
from forms import problem

FOLDER = "0123456789abcdef"
SCRIPT = b"console.log('a script that is long enough to shrink');" * 20


def forget_the_package(monkeypatch):
    """Undo for a test that another one has imported the package."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "albumen_mobile"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package `albumen_mobile` with a small bundle, as a wheel would install it."""
    web = tmp_path / "site" / "albumen_mobile" / "web"
    (web / FOLDER).mkdir(parents=True)
    (web.parent / "__init__.py").touch()
    (web / "index.html").write_text("<!doctype html><title>Albumen</title>")
    (web / "icon.png").write_bytes(b"\x89PNG")
    (web / FOLDER / "start.js.gz").write_bytes(gzip.compress(SCRIPT))
    (web / FOLDER / "engine.wasm.gz").write_bytes(gzip.compress(b"\0asm"))
    (web / ".hidden.js").write_text("KEY = 1")
    (web.parent / "secret.py").write_text("KEY = 1")
    forget_the_package(monkeypatch)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    return web


@pytest.fixture
def mobile(installed, make_app):
    assert installed.is_dir()
    return make_app().test_client()


@pytest.fixture
def without(make_app, monkeypatch):
    """A client of a server on which nothing but the server is installed."""
    forget_the_package(monkeypatch)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if "clients" not in place])
    return make_app().test_client()


def test_without_the_mobile_client_a_page_tells_how_to_install_it(without):
    answer = without.get("/mobile/")
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "make mobile" in answer.text
    assert "pip install --no-index --find-links dist --no-deps albumen-mobile" in answer.text
    assert "Мобильный клиент не установлен" in answer.text


def test_the_address_without_its_slash_leads_to_the_page(mobile):
    answer = mobile.get("/mobile")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/mobile/")


def test_the_page_is_asked_for_again_and_not_sent_twice(mobile):
    first = mobile.get("/mobile/")
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
    second = mobile.get("/mobile/", headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.data) == (304, b"")


def test_files_of_the_named_folder_are_kept_for_ever_and_sent_as_they_are_stored(mobile):
    answer = mobile.get(f"/mobile/{FOLDER}/start.js", headers={"Accept-Encoding": "gzip, br"})
    assert set(answer.headers["Cache-Control"].split(", ")) == {"public", "max-age=31536000", "immutable"}
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert answer.mimetype == "text/javascript"
    assert gzip.decompress(answer.data) == SCRIPT


def test_a_client_that_takes_no_gzip_gets_the_bytes_unpacked(mobile):
    answer = mobile.get(f"/mobile/{FOLDER}/start.js")
    assert "Content-Encoding" not in answer.headers
    assert answer.data == SCRIPT


def test_webassembly_has_its_media_type(mobile):
    assert mobile.get(f"/mobile/{FOLDER}/engine.wasm").mimetype == "application/wasm"


@pytest.mark.parametrize("address", ["/mobile/", f"/mobile/{FOLDER}/start.js", "/mobile/nothing"])
def test_the_client_may_load_only_what_is_ours(mobile, address):
    policy = mobile.get(address).headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy


STRANGE = [
    "nothing.js",
    "../secret.py",
    "%2e%2e/secret.py",
    f"{FOLDER}/../../secret.py",
    "..%5csecret.py",
    FOLDER,
    "a%00b",
    "a" * 300,
    "a/" * 3000,
    ".hidden.js",
    f"{FOLDER}/.git/config",
]


@pytest.mark.parametrize("name", STRANGE)
def test_names_that_are_no_files_of_the_bundle_are_not_found(mobile, name):
    answer = mobile.get(f"/mobile/{name}")
    assert answer.status_code == 404
    assert b"KEY" not in answer.data


def test_a_link_out_of_the_folder_is_not_followed(installed):
    (installed / "leak.js").symlink_to(installed.parent / "secret.py")
    assert Bundle(installed).find("leak.js") is None


def test_an_unpacked_file_comes_in_chunks(mobile, installed):
    script = bytes(5_000_000)
    (installed / FOLDER / "large.js.gz").write_bytes(gzip.compress(script))
    answer = mobile.get(f"/mobile/{FOLDER}/large.js", buffered=False)
    chunks = list(answer.response)
    assert b"".join(chunks) == script
    assert max(map(len, chunks)) <= 256 * 1024
    answer.close()


@pytest.mark.parametrize("taken", ["gzip", "identity"])
def test_large_files_take_places_of_their_own_until_they_have_gone_out(installed, make_app, taken):
    (installed / FOLDER / "large.js.gz").write_bytes(gzip.compress(os.urandom(200_000)))
    app = make_app(threads=8)  # one place
    target, headers = f"/mobile/{FOLDER}/large.js", {"Accept-Encoding": taken}
    first = app.test_client().get(target, headers=headers)
    problem(app.test_client().get(target, headers=headers), 503, "busy")
    assert app.test_client().get(f"/mobile/{FOLDER}/start.js", headers={"Accept-Encoding": "gzip"}).status_code == 200
    first.close()
    for _ in range(3):
        with app.test_client().get(target, headers=headers) as again:
            assert again.status_code == 200
