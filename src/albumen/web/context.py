"""What views reach for: the services of this process and the facts of the request that several views need."""

from __future__ import annotations

import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from flask import Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import LimitedStream

from albumen.errors import InvalidParameter, MalformedBody, UnsupportedBody
from albumen.web.ending import at_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Flask

    from albumen.bootstrap import Services
    from albumen.web.auth import Gate
    from albumen.web.bundle import Bundle
    from albumen.web.delivery import Answer, Delivery
    from albumen.web.observe import Observer
    from albumen.web.places import AllPlaces, Places
    from albumen.web.rates import Rates

    InstantApplication = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes] | None]

SMALL_BYTES = 64 * 1024
_EXTENSION = "albumen"
_NO_TEXT = frozenset({"Cc", "Cs"})


@dataclass(frozen=True, slots=True)
class Context:
    """What one application works with. `instant` answers from memory, or not at all."""

    services: Services
    gate: Gate
    delivery: Delivery
    observer: Observer
    instant: InstantApplication
    places: AllPlaces
    rates: Rates
    mobile: Bundle | None


def attach(app: Flask, context: Context) -> None:
    """Give an application its context."""
    app.extensions[_EXTENSION] = context


def context() -> Context:
    """Return the context of the application that answers the current request."""
    return context_of(current_app)


def context_of(app: Flask) -> Context:
    """Return the context of an application."""
    return cast("Context", app.extensions[_EXTENSION])


def services() -> Services:
    """Return the services of this process."""
    return context().services


def base_url() -> str:
    """Return the address that links start with, in ASCII, without a slash at its end; a bad host counts as none."""
    host = request.host or "{SERVER_NAME}:{SERVER_PORT}".format_map(request.environ)
    own = f"{request.scheme}://{host}{quote(request.root_path)}"
    return services().settings.public_url or own.rstrip("/")


def number(parameter: str, default: int, allowed: str) -> int:
    """Return a query parameter as a number. Raises InvalidParameter, saying what is `allowed`."""
    text = request.args.get(parameter)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - no allowed number is longer
        raise InvalidParameter(parameter, allowed)
    return int(text)


def bytes_response(answer: Answer) -> Response:
    """Return an answer of `Delivery` as views return it."""
    response = Response(status=answer.status, headers=answer.headers, direct_passthrough=True)
    response.response = answer.body
    return response


@contextmanager
def body_place(places: Places | None = None) -> Iterator[None]:
    """Hold a place while a body is read in a block; one for bodies, if not told.

    Raises:
        Busy: There is none.
        RequestEntityTooLarge, MalformedBody: The block read a part of the body; the rest is too much, or missing.
    """
    with (places or context().places.bodies).taken(request.remote_addr or ""):
        yield
    _refuse_part()


def take_file_place() -> None:
    """Take a place for a file of a client over `SMALL_BYTES` until it has gone out. Raises Busy when there is none.

    It may hold a thread for as long as its reader likes.
    """
    files, address = context().places.files, request.remote_addr or ""
    files.take(address)
    at_end(request.environ, lambda: files.give_back(address))


def json_object(places: Places | None = None) -> dict[str, object]:
    """Return the JSON object in the body, which is read while it holds one of the `places`, of bodies if not told.

    Raises:
        UnsupportedBody: The body is not announced as JSON.
        MalformedBody: It is no JSON object.
        RequestEntityTooLarge: It is too large.
        BodyTooSlow: The client does not send it.
        Busy: Too many others do not send theirs.
    """
    if not request.is_json:
        raise UnsupportedBody("Send JSON with 'Content-Type: application/json'.")
    try:
        with body_place(places):
            value = request.get_json(silent=True)
    except RecursionError as exc:
        raise MalformedBody("The JSON is nested too deeply.") from exc
    if not isinstance(value, dict):
        raise MalformedBody("The body must be a JSON object.")
    return value


def _refuse_part() -> None:
    """Refuse a body that is not whole: one without a length was read up to the limit, or the client ended it early."""
    stream = request.stream
    if request.content_length is None and isinstance(stream, LimitedStream) and stream.is_exhausted:
        raise RequestEntityTooLarge
    if getattr(request.environ["wsgi.input"], "is_cut", False):
        raise MalformedBody("The body ended early.")


def member(body: dict[str, object], name: str, default: str | None = None) -> str:
    """Return a text member of a JSON object. Raises InvalidParameter when it is missing or no text."""
    value = body.get(name, default)
    if not isinstance(value, str) or any(unicodedata.category(char) in _NO_TEXT for char in value):
        raise InvalidParameter(name, "a text without control characters")
    return value
