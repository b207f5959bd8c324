"""One request in a thread of its own: run the application, send its answer, tell what becomes of the connection."""

from __future__ import annotations

import enum
import io
import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog

from albumen.server.answer import Answer, problem
from albumen.server.body import Body, ChunkedBody
from albumen.server.connection import ClientGone

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from albumen.server.answer import Budgets
    from albumen.server.connection import Connection
    from albumen.server.head import Head

log = structlog.get_logger("albumen.server")


class Ending(enum.Enum):
    """What becomes of a connection after an answer."""

    KEEP = "keep"
    """It takes the next request."""

    LINGER = "linger"
    """What the client still sends is dropped for a while, so that it gets to read its answer; then it is closed."""

    CLOSE = "close"
    """It is closed at once."""


def environment(host: str, port: int) -> WSGIEnvironment:
    """Return the variables that all requests to a listening address have in common."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }


def variables(common: WSGIEnvironment, connection: Connection, head: Head) -> WSGIEnvironment:
    """Return the variables of a request without a body."""
    return {
        **common,
        **head.fields,
        "REMOTE_ADDR": connection.address,
        "REMOTE_PORT": str(connection.port),
        "wsgi.input": io.BytesIO(),
    }


@dataclass(frozen=True, slots=True)
class Site:
    """What all requests to a server have in common."""

    application: WSGIApplication
    common: WSGIEnvironment
    budgets: Budgets


def exchange(connection: Connection, head: Head, site: Site, *, keeps: bool) -> Ending:
    """Answer a request; never raises. `keeps` says that the server wants the connection to stay, if the client does.

    What is `unsent` on the connection afterwards is to be sent before its ending comes.
    """
    body = _body(connection, head)
    environ = {**variables(site.common, connection, head), "wsgi.input": body}
    answer = Answer(connection, head, body, site.budgets, keeps=keeps and head.keeps)
    try:
        _run(site.application, environ, answer)
    except ClientGone:
        return Ending.CLOSE
    except Exception:
        log.exception("request_crashed")
        return _after_crash(connection, answer)
    finally:
        answer.close()
    if not connection.is_open:
        return Ending.CLOSE
    if body.is_cut or not (body.is_whole or (answer.keeps and body.skip(0))):
        return Ending.LINGER
    return Ending.KEEP if answer.keeps else Ending.CLOSE


def _body(connection: Connection, head: Head) -> Body:
    if head.length is None:
        return ChunkedBody(connection, expects=head.expects)
    return Body(connection, head.length, expects=head.expects)


def _run(application: WSGIApplication, environ: WSGIEnvironment, answer: Answer) -> None:
    result: Any = application(environ, answer.start)  # type: ignore[arg-type]
    try:
        answer.send(result)
    finally:
        if hasattr(result, "close"):
            result.close()


def _after_crash(connection: Connection, answer: Answer) -> Ending:
    """Tell the client, unless it got a part of an answer already: then only the end of the connection says so."""
    if answer.has_begun:
        if not answer.shows_its_end:
            connection.reset()
        return Ending.CLOSE
    try:
        connection.send([problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "The server's log tells more.")])
    except ClientGone:
        return Ending.CLOSE
    return Ending.LINGER
