"""What every way of the mobile client to a server has to do: one suite for httpx, and for fetch inside a browser.

It is also sent to a browser as it stands and run there by Pyodide, so it imports only what the client has. Each case
takes the way to a fresh dataset of a real server, and makes its files with `chosen`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen_mobile.core.api import Api
from albumen_mobile.core.troubles import Refused, Unreachable
from albumen_mobile.transport.base import Request

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE = 3_000_000


@dataclass
class Way:
    """A transport, and what a case needs beside it."""

    transport: object
    dataset: str
    photo: bytes
    chosen: Callable[[str, bytes], object]
    astray: object  # the same kind of transport to a port where nobody answers

    @property
    def api(self):
        return Api(self.transport)


def padded(photo, size):
    """The photo with bytes behind its end, which Albumen takes: phones append data there."""
    return photo + bytes(size - len(photo))


async def refusal_of(call):
    """Return what the server refuses a call with."""
    try:
        await call
    except Refused as exc:
        return exc
    raise AssertionError("it was not refused")


async def a_photo_arrives_byte_for_byte(way):
    content = padded(way.photo, LARGE)
    receipt = await way.api.put(way.dataset, "Кот & пёс №1.jpg", way.chosen("IMG.jpg", content))
    details = await way.api.details(receipt.id)
    assert receipt.is_new
    assert details.sha256 == hashlib.sha256(content).hexdigest()
    assert (details.photo.name, details.photo.dataset) == ("Кот & пёс №1.jpg", way.dataset)


async def a_file_can_be_sent_again_and_is_known_then(way):
    file = way.chosen("IMG.jpg", way.photo)
    first = await way.api.put(way.dataset, "IMG.jpg", file)
    second = await way.api.put(way.dataset, "IMG.jpg", file)
    assert (first.id, second.is_new) == (second.id, False)


async def a_digest_is_the_sha256_that_the_server_knows(way):
    content = padded(way.photo, LARGE)
    file = way.chosen("IMG.jpg", content)
    receipt = await way.api.put(way.dataset, "IMG.jpg", file)
    digest = await way.transport.digest(file)
    assert digest == hashlib.sha256(content).hexdigest()
    assert (await way.api.known(way.dataset, [digest, "0" * 64]))[digest].id == receipt.id


async def a_refusal_comes_with_its_code_and_what_it_says(way):
    refusal = await refusal_of(way.api.put(way.dataset, "notes.txt", way.chosen("notes.txt", b"text " * 100_000)))
    assert (refusal.status, refusal.code) == (415, "not_a_photo")
    assert "text" in refusal.detail


async def a_list_is_searched_page_by_page_in_cyrillic(way):
    for number in range(5):
        file = way.chosen("IMG.jpg", padded(way.photo, len(way.photo) + number + 1))
        await way.api.put(way.dataset, f"{'Кот' if number % 2 else 'Пёс'} {number}.jpg", file)
    first = await way.api.photos(dataset=way.dataset, name="пёс", limit=2)
    second = await way.api.photos(dataset=way.dataset, name="пёс", limit=2, cursor=first.next)
    assert [photo.name for photo in (*first.photos, *second.photos)] == ["Пёс 4.jpg", "Пёс 2.jpg", "Пёс 0.jpg"]
    assert second.next is None


async def photos_are_renamed_trashed_and_restored(way):
    receipt = await way.api.put(way.dataset, "a.jpg", way.chosen("a.jpg", way.photo))
    assert (await way.api.rename(receipt.id, "пёс.jpg")).name == "пёс.jpg"
    await way.api.trash(receipt.id)
    assert (await way.api.photos(dataset=way.dataset)).photos == ()
    await way.api.restore(receipt.id)
    assert [photo.name for photo in (await way.api.photos(dataset=way.dataset)).photos] == ["пёс.jpg"]


async def datasets_are_made_and_listed(way):
    made = await way.api.create_dataset("Кошки", f"{way.dataset}-made")
    listed = await way.api.datasets()
    assert made in listed
    assert len({dataset.slug for dataset in listed}) == len(listed) > 1000
    assert (await refusal_of(way.api.create_dataset("Кошки", f"{way.dataset}-made"))).code == "dataset_exists"


async def a_preview_comes_as_bytes(way):
    receipt = await way.api.put(way.dataset, "a.jpg", way.chosen("a.jpg", way.photo))
    assert (await way.api.picture(receipt.id, 256))[:2] == b"\xff\xd8"
    address = way.api.address(receipt.id, 256)
    assert address is None or address.endswith(f"/get/{receipt.id}?size=256")


async def the_session_tells_the_role(way):
    session = await way.api.session()
    assert session.may_change
    assert await way.api.is_alive()


async def nobody_there_is_unreachable(way):
    for call in (
        way.astray.send(Request("GET", "/health/live")),
        way.astray.put_file("/api/v1/photos", {"name": "a.jpg"}, way.chosen("a.jpg", way.photo)),
    ):
        try:
            await call
        except Unreachable:
            continue
        raise AssertionError("somebody answered")


CASES = (
    a_photo_arrives_byte_for_byte,
    a_file_can_be_sent_again_and_is_known_then,
    a_digest_is_the_sha256_that_the_server_knows,
    a_refusal_comes_with_its_code_and_what_it_says,
    a_list_is_searched_page_by_page_in_cyrillic,
    photos_are_renamed_trashed_and_restored,
    datasets_are_made_and_listed,
    a_preview_comes_as_bytes,
    the_session_tells_the_role,
    nobody_there_is_unreachable,
)
