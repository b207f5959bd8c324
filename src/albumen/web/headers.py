"""Headers of what browsers show as a page of ours: what it may load, and when a copy is still right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from albumen.web.conditions import settle

if TYPE_CHECKING:
    from flask import Response

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def guarded(response: Response) -> Response:
    """Let a page load only what is ours, and nobody frame it."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def revalidated(response: Response) -> Response:
    """Let browsers keep a copy but ask each time whether it is still right. Raises PreconditionFailed."""
    response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(settle(request.environ, response.get_etag()[0] or ""))
    return response
