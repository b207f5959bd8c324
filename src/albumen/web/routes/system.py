"""Health and metrics."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from albumen.domain.access import Role
from albumen.web.auth import needs, public
from albumen.web.context import context, services
from albumen.web.gauges import Surroundings
from albumen.web.observe import MEDIA_TYPE, metrics_text

system = Blueprint("system", __name__)


@system.get("/health/live")
@public
def live() -> Response:
    """Answer that this process works."""
    return jsonify({"status": "live"})


@system.get("/health/ready")
@public
def ready() -> Response:
    """Answer that database and storage can be read and written; a problem with status 503 or 507 when not."""
    services().health.check()
    return jsonify({"status": "ready"})


@system.get("/metrics")
@needs(Role.VIEWER)
def metrics() -> Response:
    """Answer with Prometheus metrics of all processes; those of others are up to a quarter of a second old."""
    context().observer.catch_up()
    return Response(metrics_text(Surroundings(services().floor)), content_type=MEDIA_TYPE)
