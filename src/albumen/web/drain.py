"""Refusals that reach the client: after the answer what is left of a refused body is read and dropped, up to a bound.

A server that answers and closes while the client still sends makes the client's system drop the answer: curl reports a
reset, nginx a 502. A client that waits for `100 Continue` has sent nothing yet and needs none of this.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from albumen.errors import BodyTooSlow
from albumen.web.closing import Closing, do_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHUNK_BYTES = 256 * 1024
MOST_BYTES = 256 * 1024 * 1024
MOST_SECONDS = 30.0
MOST_AT_ONCE = 32  # a refused client that sends slowly holds a thread; strangers must not hold them all
_FIRST_REFUSAL = "400"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class Drained:
    """WSGI middleware that lets a refusal out and then reads the rest of the body, before the connection may end."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand on; read on when the answer is a refusal."""
        status = ""

        def start(line: str, headers: list[tuple[str, str]], *rest: object) -> object:
            nonlocal status
            status = line
            return start_response(line, headers, *rest)  # type: ignore[arg-type]

        body = self._application(environ, start)  # type: ignore[arg-type]
        if status >= _FIRST_REFUSAL and environ["REQUEST_METHOD"] in _WITH_BODY:
            return Closing(_then_drain(body, environ), getattr(body, "close", do_nothing))
        return body


def _then_drain(body: Iterable[bytes], environ: WSGIEnvironment) -> Iterator[bytes]:
    yield from body
    drain(environ)


def drain(environ: WSGIEnvironment) -> None:
    """Read and drop what is left of a body, unless `MOST_AT_ONCE` others of this process are at it.

    A client that sends slowly is left to the reset that it gets for it.
    """
    if environ.get("HTTP_EXPECT", "").lower() == "100-continue" or not _places.acquire(blocking=False):
        return
    try:
        left, deadline = MOST_BYTES, time.monotonic() + MOST_SECONDS
        while left > 0 and time.monotonic() < deadline and (chunk := environ["wsgi.input"].read(CHUNK_BYTES)):
            left -= len(chunk)
    except BodyTooSlow:
        return
    finally:
        _places.release()
