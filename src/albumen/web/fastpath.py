"""The fast way out: GET and HEAD of photo bytes, before Flask is asked.

What is in memory is answered by the thread that holds the connections (`Instant`), what is on disk by any other
(`FastPath`). Neither decides anything by itself: the gate authorises, `Delivery` answers. Whatever is not plain sailing
(a name instead of an id, a preview still to be made, any error) falls through to Flask's views, which do the same with
the same objects.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException

from albumen.domain.access import Role
from albumen.domain.ids import is_photo_id
from albumen.errors import AlbumenError
from albumen.services.recent import NotKept, about_to_wait
from albumen.web.rates import REQUESTS, quota_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from albumen.web.auth import Gate
    from albumen.web.delivery import Answer, Delivery
    from albumen.web.observe import Observer
    from albumen.web.rates import Rates

PREFIX = "/get/"
_METHODS = frozenset({"GET", "HEAD"})


class Instant:
    """Answers what is ready; returns None for the rest. In a thread that never waits, ready is what is in memory."""

    def __init__(self, gate: Gate, delivery: Delivery, observer: Observer, rates: Rates) -> None:
        self._gate = gate
        self._delivery = delivery
        self._observer = observer
        self._rates = rates

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """Answer a GET or HEAD of photo bytes, or leave it."""
        began = time.perf_counter()
        answer = self._try(environ) if environ["PATH_INFO"].startswith(PREFIX) else None
        if answer is None:
            return None
        self._observer.note_fast(environ, answer.status, began)
        start_response(
            answer.status, [*answer.headers, *quota_headers(environ)] if self._rates.are_set else answer.headers
        )
        return answer.body

    def _try(self, environ: WSGIEnvironment) -> Answer | None:
        photo_id = environ["PATH_INFO"][len(PREFIX) :]
        if environ["REQUEST_METHOD"] not in _METHODS or not is_photo_id(photo_id):
            return None
        try:
            caller = self._gate.authorise(environ, Role.VIEWER)
            if self._rates.are_set:
                about_to_wait()  # other processes count, too
                self._rates.admit(environ, caller, REQUESTS)
            return self._delivery.ready(environ, photo_id)
        except (AlbumenError, HTTPException, OSError, NotKept):
            return None


class FastPath:
    """WSGI middleware in front of Flask."""

    def __init__(self, application: WSGIApplication, instant: Instant) -> None:
        self._application = application
        self._instant = instant

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer what is ready; hand on the rest."""
        answer = self._instant(environ, start_response)
        return self._application(environ, start_response) if answer is None else answer
