"""Errors as people see them who follow a link or mistype an address: a page, where a program gets a problem."""

from __future__ import annotations

import pytest

from albumen.domain.access import Role
from forms import FORM, form, ids, part, problem
from pictures import of_size

UNKNOWN = "0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
PICTURE = {"Accept": "image/avif,image/webp,*/*;q=0.8"}


@pytest.fixture
def locked(app, services):
    """A client without a key, of a server that asks for one."""
    services.access.create("me", Role.ADMIN)
    return app.test_client()


@pytest.fixture
def photo_id(locked, services):
    """A photo that this client may not see without a key."""
    headers = {**FORM, "Authorization": f"Bearer {services.access.create('phone', Role.CONTRIBUTOR)}"}
    (found,) = ids(locked.post("/upload", data=form(part(of_size(2000))), headers=headers).get_json())
    return found


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/nowhere", 404, "not_found"),
        (f"/get/{UNKNOWN}", 404, "photo_not_found"),
        ("/display?id=nothing.jpg", 404, "photo_not_found"),
        ("/api/v1/photos?limit=0", 400, "invalid_parameter"),
        ("/upload", 405, "method_not_allowed"),
    ],
)
def test_a_browser_gets_a_page_and_a_program_a_problem(client, target, status, code):
    page = client.get(target, headers=BROWSER)
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert page.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert f'href="/api/docs#{code}"' in page.text
    assert 'href="/"' in page.text
    for headers in ({}, PICTURE):
        problem(client.get(target, headers=headers), status, code)


def test_what_a_client_wrote_is_no_markup_of_the_page(client):
    page = client.get("/api/v1/datasets/x%3Cscript%3Ealert(1)", headers=BROWSER)
    assert page.status_code == 404
    assert "<script" not in page.text


def test_the_link_of_a_photo_leads_people_without_a_key_to_the_page_that_asks_for_one(locked, photo_id):
    led = locked.get(f"/get/{photo_id}", headers=BROWSER)
    assert (led.status_code, led.headers["Location"]) == (303, f"/photo/{photo_id}")
    assert locked.get(f"/get/{UNKNOWN}", headers=BROWSER).headers["Location"] == f"/photo/{UNKNOWN}"
    for headers in ({}, PICTURE):
        problem(locked.get(f"/get/{photo_id}", headers=headers), 401, "key_required")


def test_other_addresses_tell_people_that_they_need_a_key(locked):
    page = locked.get("/api/v1/photos", headers=BROWSER)
    assert (page.status_code, page.mimetype) == (401, "text/html")
    assert "ключ" in page.text


def test_pages_of_errors_stay_below_the_path_of_the_server(make_app):
    client = make_app(proxy_hops=1, open=True).test_client()
    page = client.get("/nowhere", headers={**BROWSER, "X-Forwarded-Prefix": "/album"})
    assert 'href="/album/"' in page.text
    assert 'href="/album/static/notice.css"' in page.text
