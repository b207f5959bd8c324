"""Photo bytes for views: what the fast path does not take. And the list of all names, as the first clients know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from albumen.domain.access import Role
from albumen.errors import InvalidParameter, PhotoNotFound
from albumen.services.listing import Listing
from albumen.web import present
from albumen.web.auth import needs
from albumen.web.context import base_url, bytes_response, context, services
from albumen.web.delivery import read_wish
from albumen.web.listing import asked_limit, next_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from albumen.domain.photos import Photo
    from albumen.repository.photos import PhotoReference

deliver = Blueprint("deliver", __name__)


@deliver.get("/get/<photo_id>")
@needs(Role.VIEWER)
def get_photo(photo_id: str) -> Response:
    """Answer with the bytes of a photo or of its preview."""
    return _bytes_of(services().photos.get(photo_id))


@deliver.get("/get")
@needs(Role.VIEWER)
def get_photo_by_query() -> Response:
    """Answer with the bytes of the photo `?id=`."""
    return _bytes_of(services().photos.get(_asked_id()))


@deliver.get("/display")
@needs(Role.VIEWER)
def display_photo() -> Response:
    """Answer with the bytes of the photo `?id=`, which is an id or a name."""
    return _bytes_of(services().photos.find(_asked_id()))


@deliver.get("/get_value")
@needs(Role.VIEWER)
def list_names() -> Response:
    """Answer with id, name and link of all photos, or those of a dataset, streamed in steps, or of a page of them."""
    dataset, cursor = request.args.get("dataset"), request.args.get("cursor")
    if "limit" not in request.args and cursor is None:
        steps = services().photos.all_references(dataset)
        body = context().places.downloads.streamed(_all_references(steps, base_url()), request.remote_addr or "")
        return Response(body, mimetype="application/json")
    limit, base = asked_limit(), base_url()
    photos = services().photos.references(Listing(dataset, cursor=cursor, limit=limit))
    response = Response(present.as_json([present.reference(photo, base) for photo in photos]))
    response.mimetype = "application/json"
    response.headers.update(next_page(base, photos[-1].id if len(photos) == limit else None))
    return response


def _bytes_of(photo: Photo) -> Response:
    return bytes_response(context().delivery.answer(request.environ, photo, read_wish(request.args)))


def _asked_id() -> str:
    asked = request.args.get("id")
    if asked is None:
        raise InvalidParameter("id", "the id of a photo")
    if not asked:
        raise PhotoNotFound("There is no such photo, or you may not see it.")
    return asked


def _all_references(steps: Iterator[Sequence[PhotoReference]], base: str) -> Iterator[bytes]:
    separator = b"["
    for step in steps:
        shown = [present.as_json(present.reference(photo, base)) for photo in step]
        yield separator + ",\n".join(shown).encode()
        separator = b",\n"
    yield b"]\n" if separator == b",\n" else b"[]\n"
