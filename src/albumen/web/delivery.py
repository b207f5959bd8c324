"""A photo's way out: bytes of originals and previews, with validators, ranges and safe headers.

Used by the fast path and by Flask's views alike. Files up to 1 MiB leave in one piece, larger ones in chunks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from urllib.parse import quote

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

from albumen.domain.previews import FORMATS, PRESETS, PREVIEW_VERSION
from albumen.errors import BlobDamaged, InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from _typeshed.wsgi import WSGIEnvironment

    from albumen.domain.photos import Photo
    from albumen.services.access import Access
    from albumen.services.photos import Photos
    from albumen.services.previews import Previews

WHOLE_BYTES = 1 << 20
CHUNK_BYTES = 256 * 1024
_CONDITIONS = ("HTTP_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH", "HTTP_IF_RANGE", "HTTP_IF_MODIFIED_SINCE")
_PREFERENCE = ("webp", "jpeg", "avif")
_SAFE_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Accept-Ranges", "bytes"),
)


class Answer(NamedTuple):
    """What WSGI sends."""

    status: str
    headers: list[tuple[str, str]]
    body: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which bytes of a photo: the original, or the preview of a size in a format; shown or saved."""

    size: int | None = None
    format: str | None = None
    download: bool = False


class Delivery:
    """Answers GET and HEAD of photo bytes."""

    def __init__(self, photos: Photos, previews: Previews, access: Access) -> None:
        self._photos = photos
        self._previews = previews
        self._access = access

    def ready(self, environ: WSGIEnvironment, photo_id: str, wish: Wish) -> Answer | None:
        """Answer if the bytes are on disk already, else None. Raises PhotoNotFound."""
        photo = self._photos.get(photo_id)
        path = self._store_path(photo) if wish.size is None else self._ready_preview(photo, wish, environ)
        try:
            return self._send(environ, photo, wish, path)
        except FileNotFoundError:
            return None

    def answer(self, environ: WSGIEnvironment, photo: Photo, wish: Wish) -> Answer:
        """Answer, making the preview first when needed. Raises BlobDamaged, PreviewFailed, Busy."""
        if wish.size is not None:
            media_format = _format(wish, environ)
            path = self._previews.get(photo.blob, wish.size, media_format)
        else:
            path = self._store_path(photo)
        try:
            return self._send(environ, photo, wish, path)
        except FileNotFoundError as exc:
            raise BlobDamaged("The bytes of this photo are missing; it can be uploaded again.") from exc

    def _store_path(self, photo: Photo) -> Path:
        return self._previews.original(photo.blob)

    def _ready_preview(self, photo: Photo, wish: Wish, environ: WSGIEnvironment) -> Path:
        return self._previews.ready(photo.blob, wish.size or 0, _format(wish, environ))

    def _send(self, environ: WSGIEnvironment, photo: Photo, wish: Wish, path: Path) -> Answer:
        file = open(path, "rb", buffering=0)  # noqa: SIM115, PTH123 - closed by the body; Path.open costs more here
        size = os.fstat(file.fileno()).st_size
        headers = self._headers(environ, photo, wish, size)
        if any(name in environ for name in _CONDITIONS):
            return _conditional(environ, headers, file, size)
        if environ["REQUEST_METHOD"] == "HEAD":
            file.close()
            return Answer("200 OK", headers, [])
        return Answer("200 OK", headers, _body(file, size))

    def _headers(self, environ: WSGIEnvironment, photo: Photo, wish: Wish, size: int) -> list[tuple[str, str]]:
        etag, media_type, name = photo.blob.sha256, photo.blob.header.media_type, photo.name
        headers = [("Content-Length", str(size)), ("Cache-Control", self._cache_control()), *_SAFE_HEADERS]
        if wish.size is not None:
            media_format = _format(wish, environ)
            etag = f"{etag}-{wish.size}-{media_format}-{PREVIEW_VERSION}"
            media_type, name = FORMATS[media_format], f"{name.rpartition('.')[0] or name}.{media_format}"
            if wish.format is None:
                headers.append(("Vary", "Accept"))
        headers.append(("Content-Type", media_type))
        headers.append(("ETag", f'"{etag}"'))
        headers.append(("Content-Disposition", disposition(name, download=wish.download)))
        return headers

    def _cache_control(self) -> str:
        return f"{'public' if self._access.is_open else 'private'}, max-age=31536000, immutable"


def read_wish(query: Mapping[str, str]) -> Wish:
    """Read `size`, `format` and `download` of a query. Raises InvalidParameter, naming what is allowed."""
    size, media_format = query.get("size"), query.get("format")
    if size is not None and (not size.isascii() or not size.isdigit() or int(size) not in PRESETS):
        raise InvalidParameter("size", f"one of {', '.join(map(str, PRESETS))}")
    if media_format is not None and media_format not in FORMATS:
        raise InvalidParameter("format", f"one of {', '.join(FORMATS)}")
    if media_format is not None and size is None:
        raise InvalidParameter("size", "given together with 'format': the original has one format")
    return Wish(int(size) if size else None, media_format, "download" in query)


def disposition(name: str, *, download: bool) -> str:
    """Return Content-Disposition with an ASCII name for old clients and the true one (RFC 6266, RFC 8187)."""
    plain = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in name)
    kind = "attachment" if download else "inline"
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'{kind}; filename="{plain}"{extended}'


def _format(wish: Wish, environ: WSGIEnvironment) -> str:
    """Return the wished format, else the best that `Accept` names outright; `*/*` alone gives JPEG."""
    if wish.format is not None:
        return wish.format
    header = environ.get("HTTP_ACCEPT", "*/*")
    if header == "*/*" or "image/" not in header:
        return "jpeg"
    return _negotiate(header)


def _negotiate(header: str) -> str:
    named = dict(parse_accept_header(header, MIMEAccept))
    offered = [(named.get(FORMATS[name], 0.0), name) for name in _PREFERENCE]
    best = max(quality for quality, _ in offered)
    return next(name for quality, name in offered if quality == best) if best > 0 else "jpeg"


def _conditional(environ: WSGIEnvironment, headers: list[tuple[str, str]], file: BinaryIO, size: int) -> Answer:
    """Let Werkzeug decide between 200, 206, 304, 412 and 416."""
    response = Response(FileWrapper(file, CHUNK_BYTES), 200, headers, direct_passthrough=True)
    try:
        response.make_conditional(environ, accept_ranges=True, complete_length=size)
    except RequestedRangeNotSatisfiable:
        file.close()
        return Answer("416 Range Not Satisfiable", [("Content-Range", f"bytes */{size}"), ("Content-Length", "0")], [])
    body, status, wsgi_headers = response.get_wsgi_response(environ)
    if not body:
        file.close()
    return Answer(status, wsgi_headers, body)


def _body(file: BinaryIO, size: int) -> Iterable[bytes]:
    if size > WHOLE_BYTES:
        return FileWrapper(file, CHUNK_BYTES)
    with file:
        return [file.read(size)]
