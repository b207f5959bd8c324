"""Datasets of a few photos, and what the web client shows of one: its page, its tiles, what is chosen there."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import expect

from conftest import running
from forms import Uploader, ids, part
from pictures import jpeg

SHAPES = [(96, 64), (64, 96), (80, 80), (120, 60)]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A server for the datasets of all tests of a file."""
    with running(tmp_path_factory.mktemp("library") / "data", ALBUMEN_DERIVE="false") as server:
        yield server


@pytest.fixture
def album(library, http):
    """An uploader into a dataset of its own, which is not there yet."""
    return Uploader(http, library.url, f"set-{uuid.uuid4().hex[:12]}")


def fill(album, count):
    """Upload photos 1.jpg, 2.jpg, … of many shapes, each different from any other; return their ids."""
    seed = uuid.uuid4().int % 100_000
    return _sent(album, [part(jpeg(*SHAPES[n % len(SHAPES)], seed=seed + n), f"{n}.jpg") for n in range(1, count + 1)])


def fill_named(album, *names, size=(320, 240), **options):
    """Upload one photo of each name; return their ids."""
    seed = uuid.uuid4().int % 100_000
    return _sent(album, [part(jpeg(*size, seed=seed + n, **options), name) for n, name in enumerate(names)])


def _sent(album, parts):
    answer = album.send(*parts)
    assert answer.status_code == 201
    return ids(answer.json())


def page_of(album):
    return f"{album.url}/d/{album.dataset}"


def heading(page, text):
    return page.get_by_role("heading", level=1, name=text, exact=True)


def tiles(page):
    return page.locator("a[data-photo]")


def tile(page, name):
    return page.get_by_role("link", name=re.compile(rf"^{re.escape(name)}\b"))


def tick(page, name):
    return page.get_by_role("checkbox", name=f"Select {name}", exact=True)


def chosen(page):
    return page.get_by_role("toolbar", name="Selection")


def expect_notice(page, text):
    expect(page.locator("[popover]", has_text=text)).to_be_visible()
