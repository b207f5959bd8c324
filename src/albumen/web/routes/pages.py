"""The OpenAPI document and its readable page."""

from __future__ import annotations

import functools
import json
import re

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup, escape

from albumen.web import openapi
from albumen.web.auth import public
from albumen.web.context import base_url
from albumen.web.headers import guarded, revalidated

SERVER = "{server}"  # in the examples of the document
_BACKTICKS = re.compile(r"`([^`]+)`")

pages = Blueprint(
    "pages", __name__, static_folder="../static", static_url_path="/static", template_folder="../templates"
)
pages.after_request(guarded)


@pages.get("/api/openapi.json")
@public
def openapi_document() -> Response:
    """Answer with the OpenAPI 3.1 document."""
    return revalidated(Response(_document_bytes(), mimetype="application/json"))


@pages.get("/api/docs")
@public
def docs() -> Response:
    """Answer with the document laid out for reading; every error code has an anchor of its own."""
    return revalidated(make_response(_docs_page(request.root_path).replace(SERVER, escape(base_url()))))


@pages.app_template_filter("marked")
def marked(text: str) -> Markup:
    """Escape `text` and set what stands in backticks as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


@functools.lru_cache(maxsize=16)
def _docs_page(_root: str) -> str:
    """Return the page of a server below a path without its address, which clients can make up: drawing takes 40 ms."""
    return render_template(
        "docs.html",
        info=openapi.document()["info"],
        sections=openapi.sections(),
        shapes=openapi.shapes(),
        problems=openapi.problems(),
    )


@functools.cache
def _document_bytes() -> bytes:
    return json.dumps(openapi.document(), ensure_ascii=False).encode()
