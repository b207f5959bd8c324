"""nginx in front: answers that let it send the bytes itself, or keep them until the current second is over.

Every request from our nginx carries the header `X-Albumen-Accel`; what a client writes there, nginx replaces. A request
without it gets plain bytes, so a server with `nginx_accel` on can be reached directly, too. The header grants nothing:
who may was decided before. This module knows nginx's words and nothing of photos; `delivery` decides when to use them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from albumen.services.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from _typeshed.wsgi import WSGIEnvironment

    Headers = Sequence[tuple[str, str]]

HEADER = "X-Albumen-Accel"
ASKING, MAKING = "ask", "make"  # what nginx writes there: an ordinary request; one that may make a preview
INTERNAL = "/_albumen"  # locations that nginx enters only when an answer of ours sends it there
FILES = f"{INTERNAL}/files"
MAKE = f"{INTERNAL}/make"
HOT_SECONDS = 1.0
MOST_WATCHED = 10_000
_KEY = "HTTP_X_ALBUMEN_ACCEL"
_NEVER_KEPT = frozenset({"HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_IF_RANGE", "HTTP_IF_MODIFIED_SINCE"})
_NEVER_SENT = frozenset({"HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE"})  # nginx looks at them before it knows our ETag
_SET_BY_NGINX = frozenset({"Content-Length", "Accept-Ranges"})


class Accel:
    """Words for an nginx that sees the data directory under `FILES`."""

    def __init__(self, data: Path, clock: Callable[[], float] = time.time) -> None:
        self._root = str(data)
        self._clock = clock
        self._asked: Recent[object] = Recent(HOT_SECONDS, MOST_WATCHED)

    def may_keep(self, environ: WSGIEnvironment, path: str) -> bool:
        """Tell whether nginx should keep the answer with this file: it was asked for just now, or is kept already."""
        if _KEY not in environ or not _NEVER_KEPT.isdisjoint(environ):
            return False
        return "HTTP_IF_NONE_MATCH" in environ or self._is_hot(path)

    def may_send(self, environ: WSGIEnvironment) -> bool:
        """Tell whether nginx can send a file in answer to this request, and come to the same status as we do."""
        return _KEY in environ and _NEVER_SENT.isdisjoint(environ)

    def may_not_make(self, environ: WSGIEnvironment) -> bool:
        """Tell whether nginx wants to be asked before a preview is made."""
        return environ.get(_KEY) == ASKING

    def kept(self, headers: Headers) -> list[tuple[str, str]]:
        """Return the headers of an answer that nginx may give to anyone until the current second is over.

        The end is an absolute time, so nothing that happens on the way makes the answer live longer.
        """
        return [*headers, ("X-Accel-Expires", f"@{int(self._clock())}")]

    def sent(self, path: str, headers: Headers) -> list[tuple[str, str]]:
        """Return the headers of an answer without a body that makes nginx send the file at `path`."""
        ours = [pair for pair in headers if pair[0] not in _SET_BY_NGINX]
        target = f"{FILES}{path.removeprefix(self._root)}"
        return [*ours, ("Content-Length", "0"), ("X-Accel-Redirect", target)]

    def asked_again(self, environ: WSGIEnvironment) -> list[tuple[str, str]]:
        """Return the headers that make nginx ask the same once more, through the location that limits makers."""
        target = f"{MAKE}{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
        return [("Content-Type", "application/octet-stream"), ("Content-Length", "0"), ("X-Accel-Redirect", target)]

    def _is_hot(self, path: str) -> bool:
        first = object()
        return self._asked.get(path, lambda: first) is not first
