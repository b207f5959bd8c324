"""A photo's way out: bytes of originals and previews, with validators, ranges and safe headers.

Used by the fast path and by Flask's views alike. What an answer says is prepared once and kept for a second, and so are
small bodies, 16 MiB of them at the most. Files up to 1 MiB leave in one piece, larger ones in chunks.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from urllib.parse import parse_qsl, quote

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import PreconditionFailed, RequestedRangeNotSatisfiable
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

from albumen.domain.previews import FORMATS, PRESETS, PREVIEW_VERSION
from albumen.errors import BlobDamaged, Busy, InvalidParameter
from albumen.services.recent import Recent, about_to_wait
from albumen.web.closing import Closing, do_nothing
from albumen.web.conditions import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _typeshed.wsgi import WSGIEnvironment

    from albumen.domain.photos import Photo
    from albumen.services.access import Access
    from albumen.services.photos import Photos
    from albumen.services.previews import Previews
    from albumen.web.accel import Accel
    from albumen.web.places import AllPlaces

WHOLE_BYTES = 1 << 20
CHUNK_BYTES = 256 * 1024
KEPT_SECONDS = 1.0
KEPT_SECONDS_BEHIND_NGINX = 0.25  # nginx may keep the answer for another second
MOST_KEPT = 10_000
KEPT_BYTES = 128 * 1024
NGINX_SENDS_BYTES = 64 * 1024  # from here on nginx is faster with a file than with our body
MOST_BODIES = 128
LONGEST_KEPT = 1024  # characters of query and Accept; what a client writes there must not fill our memory
_CONDITIONS = frozenset({"HTTP_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"})
_ONE_RANGE = re.compile(r"bytes=(?:\d{1,18}-\d{0,18}|-(?P<tail>\d{1,18}))", re.ASCII)
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


class Prepared(NamedTuple):
    """An answer without its bytes: the file, its size when prepared, and all headers."""

    path: str
    size: int
    headers: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which bytes of a photo: the original, or the preview of a size in a format; shown or saved."""

    size: int | None = None
    format: str | None = None
    download: bool = False


class Delivery:
    """Answers GET and HEAD of photo bytes."""

    def __init__(
        self, photos: Photos, previews: Previews, access: Access, places: AllPlaces, accel: Accel | None = None
    ) -> None:
        self._photos = photos
        self._previews = previews
        self._access = access
        self._places = places
        self._accel = accel
        self._kept: Recent[Prepared] = Recent(KEPT_SECONDS_BEHIND_NGINX if accel else KEPT_SECONDS, MOST_KEPT)
        self._bodies: Recent[bytes] = Recent(KEPT_SECONDS, MOST_BODIES)

    def ready(self, environ: WSGIEnvironment, photo_id: str) -> Answer:
        """Answer if the bytes are on disk already.

        Raises:
            FileNotFoundError: They are not, or not yet.
            PhotoNotFound, InvalidParameter: There is nothing to answer with.
            PreconditionFailed, RequestedRangeNotSatisfiable: As HTTP demands.
            Busy: Too many large answers are on their way.
            NotKept: The bytes are not in memory, and this thread never waits.
        """
        query, accept = environ.get("QUERY_STRING", ""), environ.get("HTTP_ACCEPT", "")
        if len(query) + len(accept) > LONGEST_KEPT:
            about_to_wait()
            return self._send(environ, self._prepare_ready(photo_id, query, accept))
        kept = self._kept.get((photo_id, query, accept), lambda: self._prepare_ready(photo_id, query, accept))
        return self._send(environ, kept)

    def answer(self, environ: WSGIEnvironment, photo: Photo, wish: Wish) -> Answer:
        """Answer, making the preview first when needed. Raises BlobDamaged, PreviewFailed, Busy."""
        accept = environ.get("HTTP_ACCEPT", "")
        if wish.size is not None:
            media_format = _format(wish, accept)
            if not self._previews.ready(photo.blob, wish.size, media_format).exists():
                if self._accel is not None and self._accel.may_not_make(environ):
                    return Answer("200 OK", self._accel.asked_again(environ), [])
                with self._places.previews.taken(environ.get("REMOTE_ADDR", "")):
                    self._previews.get(photo.blob, wish.size, media_format)
        try:
            return self._send(environ, self._prepare(photo, wish, accept))
        except FileNotFoundError as exc:
            raise BlobDamaged("The bytes of this photo are missing; it can be uploaded again.") from exc

    def _prepare_ready(self, photo_id: str, query: str, accept: str) -> Prepared:
        wish = read_wish(dict(reversed(parse_qsl(query, keep_blank_values=True))))  # the first value counts
        return self._prepare(self._photos.get(photo_id), wish, accept)

    def _prepare(self, photo: Photo, wish: Wish, accept: str) -> Prepared:
        """Lay out the answer. Raises FileNotFoundError, BlobDamaged for an original that has not its size."""
        path = str(self._previews.original(photo.blob))
        etag, media_type, name = photo.blob.sha256, photo.blob.header.media_type, photo.name
        if wish.size is not None:
            media_format = _format(wish, accept)
            path = str(self._previews.ready(photo.blob, wish.size, media_format))
            etag = f"{etag}-{wish.size}-{media_format}-{PREVIEW_VERSION}"
            media_type, name = FORMATS[media_format], f"{name.rpartition('.')[0] or name}.{media_format}"
        size = os.stat(path).st_size  # noqa: PTH116 - on the hot path a string is enough
        if wish.size is None and size != photo.blob.bytes:
            raise BlobDamaged("The stored file of this photo has not the size that it had; it can be uploaded again.")
        headers = [("Content-Type", media_type), ("Content-Length", str(size)), ("ETag", f'"{etag}"')]
        headers.append(("Content-Disposition", disposition(name, download=wish.download)))
        headers.append(("Cache-Control", self._cache_control()))
        if wish.size is not None and wish.format is None:
            headers.append(("Vary", "Accept"))
        return Prepared(path, size, [*headers, *_SAFE_HEADERS])

    def _send(self, environ: WSGIEnvironment, prepared: Prepared) -> Answer:
        """Answer with bytes, or let nginx send or keep them. Raises as `_send_bytes` does."""
        path, size, headers = prepared
        if self._accel is None:
            return self._send_bytes(environ, prepared)
        if size <= WHOLE_BYTES and self._access.is_open and self._accel.may_keep(environ, path):
            return self._send_bytes(environ, Prepared(path, size, self._accel.kept(headers)))
        if size < NGINX_SENDS_BYTES or not self._accel.may_send(environ):
            return self._send_bytes(environ, prepared)
        if not _CONDITIONS.isdisjoint(environ) and not _leads_to_bytes(environ, prepared):
            return self._send_bytes(environ, prepared)
        return Answer("200 OK", self._accel.sent(path, headers), [])

    def _send_bytes(self, environ: WSGIEnvironment, prepared: Prepared) -> Answer:
        """Read the bytes. Raises FileNotFoundError, BlobDamaged when the file has another size than it had."""
        path, size, headers = prepared
        if not _CONDITIONS.isdisjoint(environ):
            answer = _conditional(environ, headers, _open(path), size)
            return self._in_place(environ, answer) if size > WHOLE_BYTES and answer.body else answer
        if environ["REQUEST_METHOD"] == "HEAD":
            return Answer("200 OK", headers, [])
        if size > WHOLE_BYTES:
            return self._in_place(environ, Answer("200 OK", headers, FileWrapper(_open(path), CHUNK_BYTES)))
        if size > KEPT_BYTES:
            return Answer("200 OK", headers, [_read(path, size)])
        return Answer("200 OK", headers, [self._bodies.get(path, lambda: _read(path, size))])

    def _in_place(self, environ: WSGIEnvironment, answer: Answer) -> Answer:
        """Give a large answer a place while it holds a thread, which is for as long as its reader likes."""
        body = Closing(answer.body, do_nothing)
        try:
            return answer._replace(body=self._places.downloads.streamed(body, environ.get("REMOTE_ADDR", "")))
        except Busy:
            body.close()
            raise

    def _cache_control(self) -> str:
        return f"{'public' if self._access.is_open else 'private'}, max-age=31536000, immutable"


def read_wish(query: Mapping[str, str]) -> Wish:
    """Read `size`, `format` and `download` of a query. Raises InvalidParameter, naming what is allowed."""
    size, media_format = query.get("size"), query.get("format")
    if size is not None and size not in map(str, PRESETS):
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


def _format(wish: Wish, accept: str) -> str:
    """Return the wished format, else the best that `Accept` names outright; `*/*` alone gives JPEG."""
    if wish.format is not None:
        return wish.format
    wanted = accept.lower()
    named = dict(parse_accept_header(wanted, MIMEAccept)) if "image/" in wanted else {}
    offered = [(named.get(FORMATS[name], 0.0), name) for name in _PREFERENCE]
    best = max(quality for quality, _ in offered)
    return next(name for quality, name in offered if quality == best) if best > 0 else "jpeg"


def _open(path: str) -> BinaryIO:
    about_to_wait()
    return open(path, "rb", buffering=0)  # noqa: PTH123 - on the hot path a string is enough; the body closes it


def _read(path: str, size: int) -> bytes:
    about_to_wait()
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(fd, size)
    finally:
        os.close(fd)
    if len(data) != size:
        raise BlobDamaged("The stored file of this photo is shorter than it was.")
    return data


def _leads_to_bytes(environ: WSGIEnvironment, prepared: Prepared) -> bool:
    """Tell whether the answer is the range that is asked for, or the whole if none is. Raises as `_conditional`."""
    answer = _conditional(environ, prepared.headers, _open(prepared.path), prepared.size)
    Closing(answer.body, do_nothing).close()
    return answer.status.startswith("206" if "HTTP_RANGE" in environ else "200")


def _conditional(environ: WSGIEnvironment, headers: list[tuple[str, str]], file: BinaryIO, size: int) -> Answer:
    """Answer 200, 206 or 304. Raises PreconditionFailed, RequestedRangeNotSatisfiable."""
    piece = WHOLE_BYTES if size <= WHOLE_BYTES else CHUNK_BYTES  # the end of one piece is sent without a thread
    response = Response(FileWrapper(file, piece), 200, headers, direct_passthrough=True)
    try:
        left = settle(environ, response.get_etag()[0] or "")
        length = size if _wants_one_range(left, size) else None
        response.make_conditional(left, accept_ranges=True, complete_length=length)
    except (PreconditionFailed, RequestedRangeNotSatisfiable):
        file.close()
        raise
    body, status, wsgi_headers = response.get_wsgi_response(environ)
    if not body:
        file.close()
    return Answer(status, wsgi_headers, body)


def _wants_one_range(environ: WSGIEnvironment, size: int) -> bool:
    """Tell whether `Range` asks for one part of the bytes.

    What it cannot mean, several parts, and a longer tail than there is get the whole (RFC 9110, section 14).
    """
    wanted = _ONE_RANGE.fullmatch(environ.get("HTTP_RANGE", ""))
    return wanted is not None and int(wanted["tail"] or 0) <= size
