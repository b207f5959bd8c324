"""The resources `datasets` and `stats`."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from albumen.domain.access import Role
from albumen.services.listing import MOST_PER_PAGE
from albumen.web import present
from albumen.web.auth import needs
from albumen.web.context import base_url, json_object, member, services
from albumen.web.listing import asked_limit, next_page, refuse_others

datasets = Blueprint("datasets", __name__, url_prefix="/api/v1")


@datasets.get("/datasets")
@needs(Role.VIEWER)
def list_datasets() -> Response:
    """Answer with one page of datasets, by slug."""
    refuse_others("limit", "cursor")
    page = services().datasets.page(asked_limit(MOST_PER_PAGE), request.args.get("cursor"))
    response = jsonify({"datasets": [present.dataset(dataset) for dataset in page.datasets], "next": page.next})
    response.headers.update(next_page(base_url(), page.next))
    return response


@datasets.post("/datasets")
@needs(Role.CONTRIBUTOR)
def create_dataset() -> tuple[Response, int]:
    """Make a dataset."""
    body = json_object()
    slug = member(body, "slug") if body.get("slug") is not None else None
    return jsonify(present.dataset(services().datasets.create(member(body, "name"), slug))), 201


@datasets.get("/datasets/<slug>")
@needs(Role.VIEWER)
def read_dataset(slug: str) -> Response:
    """Answer with one dataset."""
    return jsonify(present.dataset(services().datasets.get(slug)))


@datasets.patch("/datasets/<slug>")
@needs(Role.EDITOR)
def rename_dataset(slug: str) -> Response:
    """Give a dataset another name."""
    return jsonify(present.dataset(services().datasets.rename(slug, member(json_object(), "name"))))


@datasets.get("/stats")
@needs(Role.VIEWER)
def read_stats() -> Response:
    """Answer with totals, whole and by day."""
    days = services().datasets.days()
    photos, size = sum(day.photos for day in days), sum(day.bytes or 0 for day in days)
    return jsonify({"photos": photos, "bytes": size, "days": [present.day(day) for day in days]})
