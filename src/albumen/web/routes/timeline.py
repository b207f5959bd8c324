"""The timeline: what a client needs to draw a scroll area for all photos before it has read any."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from albumen.domain.access import Role
from albumen.services.timeline import DEFAULT_STEP, LEAST_STEP, MOST_STEP
from albumen.web import present
from albumen.web.auth import needs
from albumen.web.context import number, services
from albumen.web.listing import asked_listing, refuse_others

timeline = Blueprint("timeline", __name__, url_prefix="/api/v1/timeline")


@timeline.get("")
@needs(Role.VIEWER)
def read_timeline() -> Response:
    """Answer how many photos a list has, whole and by day."""
    refuse_others("dataset", "name", "trash")
    days = services().timeline.days(asked_listing())
    return jsonify({"photos": sum(day.photos for day in days), "days": [present.day(day) for day in days]})


@timeline.get("/marks")
@needs(Role.VIEWER)
def read_marks() -> Response:
    """Answer with cursors that lie evenly in a list."""
    refuse_others("dataset", "name", "trash", "since", "before", "every", "cursor")
    every = number("every", DEFAULT_STEP, f"a number from {LEAST_STEP} to {MOST_STEP}")
    found = services().timeline.marks(asked_listing(), every)
    return jsonify({"every": found.every, "marks": found.marks, "next": found.next})
