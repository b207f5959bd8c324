"""Refusals that reach the client: what is left of a refused body is read and dropped, up to a bound.

A server that answers and closes while the client still sends makes the client's system drop the answer: curl reports a
reset, nginx a 502. A client that waits for `100 Continue` has sent nothing yet and needs none of this.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHUNK_BYTES = 256 * 1024
MOST_BYTES = 256 * 1024 * 1024
MOST_AT_ONCE = 32  # a refused client that sends slowly holds a thread; strangers must not hold them all
_FIRST_REFUSAL = "400"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class Drained:
    """WSGI middleware that reads the rest of a body before it lets a refusal out."""

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
            drain(environ)
        return body


def drain(environ: WSGIEnvironment) -> None:
    """Read and drop what is left of a body, unless `MOST_AT_ONCE` others of this process are at it."""
    if environ.get("HTTP_EXPECT", "").lower() == "100-continue" or not _places.acquire(blocking=False):
        return
    try:
        left = MOST_BYTES
        while left > 0 and (chunk := environ["wsgi.input"].read(CHUNK_BYTES)):
            left -= len(chunk)
    finally:
        _places.release()
