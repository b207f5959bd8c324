"""The page for people, the OpenAPI document and its readable page.

Nothing here reads the database: the page asks the API for everything, as any other client does.
"""

from __future__ import annotations

import functools
import json
import re

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup, escape

from albumen.web import openapi
from albumen.web.auth import public
from albumen.web.context import base_url

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_BACKTICKS = re.compile(r"`([^`]+)`")

pages = Blueprint(
    "pages", __name__, static_folder="../static", static_url_path="/static", template_folder="../templates"
)


@pages.get("/")
@public
def page() -> Response:
    """Answer with the page on which photos are looked at and uploaded."""
    return _revalidated(make_response(render_template("page.html")))


@pages.get("/api/openapi.json")
@public
def openapi_document() -> Response:
    """Answer with the OpenAPI 3.1 document."""
    return _revalidated(Response(_document_bytes(), mimetype="application/json"))


@pages.get("/api/docs")
@public
def docs() -> Response:
    """Answer with the document laid out for reading; every error code has an anchor of its own."""
    html = render_template(
        "docs.html",
        info=openapi.document()["info"],
        sections=openapi.sections(),
        shapes=openapi.shapes(),
        problems=openapi.problems(),
        server=base_url(),
    )
    return _revalidated(make_response(html))


@pages.app_template_filter("marked")
def marked(text: str) -> Markup:
    """Escape `text` and set what stands in backticks as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


@pages.after_request
def guard(response: Response) -> Response:
    """Let these pages load only what is ours, and nobody frame them."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@functools.cache
def _document_bytes() -> bytes:
    return json.dumps(openapi.document(), ensure_ascii=False).encode()


def _revalidated(response: Response) -> Response:
    """Let browsers keep a copy but ask each time whether it is still right."""
    response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(request)
    return response
