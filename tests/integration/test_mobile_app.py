"""The mobile client as an app: connect, be remembered, upload from the device, wait for Wi-Fi; on a real server."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from contextlib import asynccontextmanager

import flet as ft
import pytest

from albumen_mobile.core.preferences import Preferences
from conftest import running
from handhelds import Handheld
from loops import finished
from pictures import of_size

pytestmark = pytest.mark.direct

NOWHERE = "http://127.0.0.1:9"
KEPT = "albumen.preferences"


@pytest.fixture
def locked(tmp_path):
    """A server with one key, and that key."""
    with running(tmp_path / "data", ALBUMEN_DERIVE="false") as server:
        command = [sys.executable, "-m", "albumen", "keys", "create", "phone", "--role", "editor", "--data"]
        made = subprocess.run([*command, str(server.data)], capture_output=True, check=True, text=True, timeout=60)
        yield server, made.stdout.strip()


def remembered(**chosen):
    return {KEPT: Preferences(plain_http=True, language="en", **chosen).to_text()}


@asynccontextmanager
async def device(**kept):
    one = Handheld()
    one.kept.update(kept or {KEPT: Preferences(language="en").to_text()})
    await one.start()
    yield one
    await one.app.close()


async def enter(one, server, key=""):
    one.field("Server address").value, one.field("Key").value = server, key
    await one.press("Connect")


def test_an_app_asks_for_the_server_and_tells_what_is_wrong_with_it(locked):
    server, key = locked

    async def use():
        said = []
        async with device() as one:
            await enter(one, "my server")
            said.append(one.texts())
            await enter(one, server.url, key)
            said.append(one.texts())
            await one.app.remember(plain_http=True)
            for address, tried in (
                (NOWHERE, ""),
                (f"{server.url}/static", ""),
                (server.url, "alb_wrong"),
                (server.url, ""),
            ):
                await enter(one, address, tried)
                said.append(one.texts())
        return said

    no_address, plain, nobody, stranger, wrong_key, no_key = finished(use())
    assert "This is no address" in no_address
    assert "unprotected (http)" in plain
    assert "does not answer" in nobody
    assert "no Albumen server" in stranger
    assert "This key does not work" in wrong_key
    assert "Connect to a server" in no_key


def test_an_app_that_was_connected_once_starts_with_the_photos(locked, http):
    server, key = locked
    http.headers["Authorization"] = f"Bearer {key}"
    http.put(f"{server.url}/api/v1/photos", params={"name": "cat.jpg"}, data=of_size(3000), timeout=60)

    async def use():
        async with device(**remembered()) as first:
            await enter(first, server.url, key)
        async with device(**first.kept) as second:
            await second.until(lambda: any(isinstance(one, ft.Image) for one in second.shown()))
            return [one.src[:2] for one in second.shown() if isinstance(one, ft.Image)]

    assert finished(use()) == [b"\xff\xd8"]


def test_photos_of_the_device_arrive_byte_for_byte_and_only_once(locked, http, tmp_path):
    server, key = locked
    http.headers["Authorization"] = f"Bearer {key}"
    paths = [tmp_path / f"IMG_{number:03}.jpg" for number in range(25)]
    for number, path in enumerate(paths):
        path.write_bytes(of_size(100_000 + number, seed=number))

    async def use():
        async with device(**remembered(server=server.url, key=key)) as one:
            for _ in range(2):
                await one.choose(*paths)
                await one.app.queue.finish()
            await one.until(lambda: "Done: 50 photos" in one.texts())
            return one.app.queue.totals

    totals = finished(use())
    assert (totals.created, totals.duplicate, totals.bad) == (25, 25, 0)
    listed = http.get(f"{server.url}/api/v1/photos", timeout=60).json()["photos"]
    assert {one["sha256"] for one in listed} == {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_uploads_wait_for_wifi_when_the_person_wants_that(locked, tmp_path):
    server, key = locked
    path = tmp_path / "IMG.jpg"
    path.write_bytes(of_size(3000))

    async def use():
        async with device(**remembered(server=server.url, key=key, only_wifi=True, keep_names=False)) as one:
            one.network = ["mobile"]
            await one.choose(path)
            await one.until(lambda: "Waiting for Wi-Fi" in one.texts())
            held = one.app.queue.totals.finished
            one.network = ["wifi"]
            await one.session.dispatch_event(one.app.connectivity._i, "change", {"connectivity": ["wifi"]})
            await one.app.queue.finish()
            return held, one.app.queue.totals.created, one.app.queue.items[0].name

    held, created, name = finished(use())
    assert (held, created) == (0, 1)
    assert name.startswith("photo-")
    assert name.endswith("-0001.jpg")
