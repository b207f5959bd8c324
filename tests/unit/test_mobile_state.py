"""What the mobile client remembers, the list of photos it holds, and how it reads addresses and answers."""

from __future__ import annotations

import asyncio

import pytest

from albumen_mobile.core.api import Api
from albumen_mobile.core.gallery import Gallery
from albumen_mobile.core.model import Session
from albumen_mobile.core.preferences import Preferences, server_address
from albumen_mobile.core.troubles import NotAlbumen, Refused, Unreachable
from albumen_mobile.transport.base import Response
from lines import Line, answer, refusal
from loops import finished

ID = "01a206e1-c8e4-72a8-a32b-6ec2f56c0661"


def entry(number):
    return {
        "id": f"{number:08x}-c8e4-72a8-a32b-6ec2f56c0661",
        "name": f"IMG_{number}.jpg",
        "link": f"http://host/get/{number}",
        "dataset": "main",
        "bytes": 10,
        "width": 4,
        "height": 3,
        "uploaded_at": "2026-11-23T07:46:00Z",
    }


class Pages(Line):
    """A list of 150 photos in pages of 60; the next answers can be held back."""

    def __init__(self):
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, request):
        self.requests.append(request)
        await self.gate.wait()
        await self._travel()
        first = int(request.query.get("cursor", 0))
        photos = [entry(number) for number in range(first, min(first + 60, 150))]
        return answer(200, {"photos": photos, "next": str(first + 60) if first + 60 < 150 else None})


def test_preferences_survive_being_kept():
    chosen = Preferences(server="https://host", key="alb_1", dataset="cats", language="ru", only_wifi=True)
    assert Preferences.from_text(chosen.to_text()) == chosen


@pytest.mark.parametrize("text", [None, "", "{", "[]", '"x"', '{"dataset": 7, "only_wifi": "yes", "unknown": 1}'])
def test_a_damaged_memory_becomes_the_defaults(text):
    assert Preferences.from_text(text) == Preferences()


@pytest.mark.parametrize(
    ("chosen", "device", "spoken"),
    [("", "ru-RU", "ru"), ("", "ru_RU", "ru"), ("", "de-DE", "en"), ("", None, "en"), ("en", "ru-RU", "en")],
)
def test_language_is_the_chosen_one_else_that_of_the_device(chosen, device, spoken):
    assert Preferences(language=chosen).language_for(device) == spoken


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("photos.example.org", "https://photos.example.org"),
        (" https://photos.example.org/ ", "https://photos.example.org"),
        ("http://host:5000", "http://host:5000"),
        ("192.168.1.20:5000", "http://192.168.1.20:5000"),
        ("nas.local", "http://nas.local"),
        ("localhost:5000", "http://localhost:5000"),
        ("https://host/photos", "https://host/photos"),
        ("", None),
        ("ftp://host", None),
        ("my server", None),
        ("http://host:port", None),
    ],
)
def test_addresses_are_read_as_people_type_them(typed, address):
    assert server_address(typed) == address


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (None, (False, False, False)),
        ("viewer", (True, False, False)),
        ("contributor", (True, True, False)),
        ("editor", (True, True, True)),
        ("admin", (True, True, True)),
    ],
)
def test_roles_give_rights(role, rights):
    session = Session("keys", role)
    assert (session.may_look, session.may_add, session.may_change) == rights


def test_gallery_grows_to_its_end_without_showing_a_photo_twice():
    async def work():
        gallery = Gallery(Api(Pages()), "main")
        await gallery.reload()
        while await gallery.more():
            pass
        return gallery

    gallery = finished(work())
    assert [photo.name for photo in gallery.photos] == [f"IMG_{number}.jpg" for number in range(150)]
    assert gallery.is_complete


def test_the_next_page_is_asked_for_once_at_a_time():
    async def work():
        line = Pages()
        gallery = Gallery(Api(line), "main")
        await gallery.reload()
        grown = await asyncio.gather(gallery.more(), gallery.more(), gallery.more())
        return grown, len(line.requests)

    assert finished(work()) == ([True, False, False], 2)


def test_an_answer_that_comes_after_a_newer_search_is_dropped():
    async def work():
        line = Pages()
        gallery = Gallery(Api(line), "main")
        line.gate.clear()
        slow = asyncio.ensure_future(gallery.reload(search="a"))
        await asyncio.sleep(0)
        quick = asyncio.ensure_future(gallery.reload(search="b"))
        await asyncio.sleep(0)
        line.gate.set()
        return await slow, await quick, gallery.search

    assert finished(work()) == (False, True, "b")


def test_a_refresh_that_fails_leaves_what_was_shown():
    async def work():
        line = Pages()
        gallery = Gallery(Api(line), "main")
        await gallery.reload()
        line.is_cut = True
        with pytest.raises(Unreachable):
            await gallery.reload()
        line.is_cut = False
        return len(gallery.photos), await gallery.more()

    assert finished(work()) == (60, True)


def test_an_outdated_gallery_stays_so_until_the_server_has_answered():
    async def work():
        line = Pages()
        gallery = Gallery(Api(line), "main")
        gallery.is_outdated = line.is_cut = True
        with pytest.raises(Unreachable):
            await gallery.reload()
        after_failure, line.is_cut = gallery.is_outdated, False
        await gallery.reload()
        return after_failure, gallery.is_outdated

    assert finished(work()) == (True, False)


def test_search_by_id_asks_for_that_photo():
    async def work(response):
        line = Line(answers={("GET", f"/api/v1/photos/{ID}"): response})
        gallery = Gallery(Api(line), "main")
        await gallery.reload(search=f" {ID.upper()} ")
        return [photo.name for photo in gallery.photos]

    whole = {**entry(1), "media_type": "image/jpeg", "sha256": "0"}
    assert finished(work(answer(200, whole))) == ["IMG_1.jpg"]
    assert finished(work(refusal(404, "photo_not_found"))) == []


@pytest.mark.parametrize(
    ("response", "trouble"),
    [
        (refusal(401, "key_required"), Refused),
        (Response(502, {"content-type": "text/html"}, b"<h1>Bad gateway</h1>"), Refused),
        (Response(404, {"content-type": "text/html"}, b"<h1>Not found</h1>"), NotAlbumen),
        (Response(200, {"content-type": "text/html"}, b"<h1>Hello</h1>"), NotAlbumen),
    ],
)
def test_what_is_no_answer_of_albumen_is_told_apart(response, trouble):
    line = Line(answers={("GET", "/api/v1/session"): response})
    with pytest.raises(trouble):
        finished(Api(line).session())
