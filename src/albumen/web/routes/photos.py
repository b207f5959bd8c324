"""The resource `photos`."""

from __future__ import annotations

import re

from flask import Blueprint, Response, jsonify, request

from albumen.domain.access import Role
from albumen.domain.datasets import DEFAULT_DATASET, check_slug
from albumen.domain.ids import checked_ids
from albumen.domain.previews import PRESETS
from albumen.errors import InvalidParameter
from albumen.services.download import MOST_DOWNLOADED
from albumen.services.trash import MOST_MOVED
from albumen.web import present
from albumen.web.auth import needs
from albumen.web.context import base_url, body_place, bytes_response, context, json_object, member, services
from albumen.web.delivery import Wish, disposition, read_wish
from albumen.web.listing import asked_listing, next_page, refuse_others

photos = Blueprint("photos", __name__, url_prefix="/api/v1/photos")
FORM = "application/x-www-form-urlencoded"
SMALLEST_PREVIEW = min(PRESETS)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@photos.get("")
@needs(Role.VIEWER)
def list_photos() -> Response:
    """Answer with one page of photos, newest first."""
    refuse_others("dataset", "name", "trash", "since", "before", "limit", "cursor")
    page = services().photos.page(asked_listing())
    base = base_url()
    response = jsonify({"photos": [present.listed(photo, base) for photo in page.photos], "next": page.next})
    response.headers.update(next_page(base, page.next))
    return response


@photos.post("/known")
@needs(Role.CONTRIBUTOR)
def known_photos() -> Response:
    """Answer which of these digests a dataset holds already, so that a client sends only the rest."""
    body = json_object()
    digests = body.get("sha256")
    if not isinstance(digests, list) or not all(isinstance(item, str) and _SHA256.fullmatch(item) for item in digests):
        raise InvalidParameter("sha256", "a list of SHA-256 digests in lower-case hex")
    dataset = check_slug(member(body, "dataset", DEFAULT_DATASET))
    known = services().photos.known(dataset, digests)
    base = base_url()
    return jsonify({"known": [present.known(photo, base) for photo in known.values()]})


@photos.post("/trash")
@needs(Role.EDITOR)
def delete_photos() -> Response:
    """Move many photos to the trash."""
    photo_ids = checked_ids(json_object().get("ids"), MOST_MOVED)
    return jsonify(present.moved(services().trash.delete(photo_ids)))


@photos.post("/restore")
@needs(Role.EDITOR)
def restore_photos() -> Response:
    """Take many photos out of the trash."""
    photo_ids = checked_ids(json_object().get("ids"), MOST_MOVED)
    return jsonify(present.moved(services().trash.restore(photo_ids)))


@photos.post("/archive")
@needs(Role.VIEWER)
def download_photos() -> Response:
    """Answer with many photos as one ZIP file."""
    download = services().downloads.open(checked_ids(_asked_ids(), MOST_DOWNLOADED))
    headers = {
        "Content-Length": str(download.size),
        "Content-Disposition": disposition("photos.zip", download=True),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    chunks = context().places.downloads.streamed(download.chunks, request.remote_addr or "")
    return Response(chunks, headers=headers, mimetype="application/zip", direct_passthrough=True)


@photos.get("/<photo_id>")
@needs(Role.VIEWER)
def read_photo(photo_id: str) -> Response:
    """Answer with everything known of a photo."""
    return jsonify(present.details(services().photos.details(photo_id), base_url()))


@photos.patch("/<photo_id>")
@needs(Role.EDITOR)
def rename_photo(photo_id: str) -> Response:
    """Give a photo another name."""
    name = member(json_object(), "name")
    if not name.strip():
        raise InvalidParameter("name", "at least one character")
    return jsonify(present.details(services().photos.rename(photo_id, name), base_url()))


@photos.delete("/<photo_id>")
@needs(Role.EDITOR)
def delete_photo(photo_id: str) -> Response:
    """Move a photo to the trash."""
    services().photos.delete(photo_id)
    return Response(status=204)


@photos.get("/<photo_id>/trashed-preview")
@needs(Role.EDITOR)
def preview_trashed_photo(photo_id: str) -> Response:
    """Answer with a preview of a photo in the trash, for the eyes of its caller alone."""
    wish = read_wish(request.args)
    photo = services().photos.trashed(photo_id)
    answer = context().delivery.answer(request.environ, photo, Wish(wish.size or SMALLEST_PREVIEW, wish.format))
    response = bytes_response(answer)
    if "Cache-Control" in response.headers:  # where it is not, nginx is told to ask once more
        response.headers["Cache-Control"] = "private, no-store"
    return response


@photos.post("/<photo_id>/restore")
@needs(Role.EDITOR)
def restore_photo(photo_id: str) -> Response:
    """Take a photo out of the trash."""
    return jsonify(present.details(services().photos.restore(photo_id), base_url()))


def _asked_ids() -> object:
    """Return `ids` of JSON, or of a form, where a browser saves what comes back; there they stand apart by commas."""
    if request.mimetype == FORM:
        with body_place():
            texts = request.form.getlist("ids")
        return [photo_id for text in texts for photo_id in text.replace(",", " ").split()]
    return json_object().get("ids")
