"""The mobile client in the browser: the static files of the optional distribution `albumen-mobile`."""

from __future__ import annotations

import gzip
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for

from albumen.web.auth import public
from albumen.web.bundle import PAGE
from albumen.web.context import SMALL_BYTES, context, take_file_place
from albumen.web.headers import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from albumen.web.bundle import BundledFile

# Flutter and Python run as WebAssembly, and Flutter writes styles of its own into the page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; "
    "form-action 'none'; frame-ancestors 'none'"
)
CHUNK_BYTES = 256 * 1024
YEAR_SECONDS = 365 * 86400

mobile = Blueprint("mobile", __name__, url_prefix="/mobile")


@mobile.get("")
@public
def without_slash() -> Response:
    """Lead to the page: the addresses in it are relative."""
    return redirect(url_for("mobile.start"), 308)  # type: ignore[return-value]


@mobile.get("/")
@public
def start() -> Response:
    """Answer with the mobile client, or with how to install it."""
    return _answer(PAGE)


@mobile.get("/<path:name>")
@public
def file(name: str) -> Response:
    """Answer with a file of the mobile client."""
    return _answer(name)


@mobile.after_request
def guard(response: Response) -> Response:
    """Guard it as every page of ours, with the policy that it needs."""
    guarded(response).headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def _answer(name: str) -> Response:
    bundle = context().mobile
    found = bundle.find(name) if bundle else None
    if found is None:
        return Response(render_template("no_mobile.html", is_installed=bundle is not None), 404)
    return _unpacked(found) if found.is_packed and not _takes_gzip() else _as_stored(found)


def _as_stored(found: BundledFile) -> Response:
    stat = found.path.stat()
    is_large = stat.st_size > SMALL_BYTES
    if is_large:
        take_file_place()
    response = send_file(found.path if is_large else BytesIO(found.path.read_bytes()), found.media_type)
    response.set_etag(f"{stat.st_mtime_ns:x}-{stat.st_size:x}")
    if found.is_packed:
        response.headers["Content-Encoding"] = "gzip"
    _cached(response, found).make_conditional(request)
    return response


def _unpacked(found: BundledFile) -> Response:
    take_file_place()
    return _cached(Response(_unpack(found.path), content_type=found.media_type), found)


def _unpack(path: Path) -> Iterator[bytes]:
    """Yield the bytes a chunk at a time: whole, tens of megabytes for each of many clients would fill the memory."""
    with gzip.open(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _cached(response: Response, found: BundledFile) -> Response:
    if found.is_packed:
        response.vary.add("Accept-Encoding")
    if found.is_unchanging:
        response.cache_control.public = response.cache_control.immutable = True
        response.cache_control.max_age = YEAR_SECONDS
        response.cache_control.no_cache = None
    else:
        response.cache_control.no_cache, response.cache_control.max_age = True, None
    return response


def _takes_gzip() -> bool:
    return bool(request.accept_encodings["gzip"])
