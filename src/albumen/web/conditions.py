"""Conditions of requests (RFC 9110, section 13): which of them count, and what Werkzeug cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import PreconditionFailed
from werkzeug.http import parse_date, parse_etags

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def settle(environ: WSGIEnvironment, etag: str) -> WSGIEnvironment:
    """Decide the conditions of a GET or HEAD of something with a strong tag and no date (RFC 9110, section 13.2.2).

    Return the method with the one that is left for Werkzeug: `If-None-Match` when the client has these bytes, `Range`
    when it may be answered with a part of them. Raises PreconditionFailed for an `If-Match` that names other bytes.
    """
    method = environ["REQUEST_METHOD"]
    if "HTTP_IF_MATCH" in environ and not parse_etags(environ["HTTP_IF_MATCH"]).contains(etag):
        raise PreconditionFailed
    if parse_etags(environ.get("HTTP_IF_NONE_MATCH")).contains_weak(etag):
        return {"REQUEST_METHOD": method, "HTTP_IF_NONE_MATCH": "*"}
    tag = f'"{etag}"'
    if method == "GET" and "HTTP_RANGE" in environ and environ.get("HTTP_IF_RANGE", tag) == tag:
        return {"REQUEST_METHOD": method, "HTTP_RANGE": environ["HTTP_RANGE"]}
    return {"REQUEST_METHOD": method}


def drop_unreadable(environ: WSGIEnvironment) -> None:
    """Take away dates beyond every calendar, which are an error in Werkzeug: they are to be ignored.

    What an unreadable date guards counts as changed, so its `Range` goes, too.
    """
    if not _is_readable(environ.get("HTTP_IF_MODIFIED_SINCE")):
        del environ["HTTP_IF_MODIFIED_SINCE"]
    if not _is_readable(environ.get("HTTP_IF_RANGE")):
        del environ["HTTP_IF_RANGE"]
        environ.pop("HTTP_RANGE", None)


def _is_readable(date: str | None) -> bool:
    """Tell whether Werkzeug comes to an end with the text, whether it is a date or not."""
    try:
        parse_date(date)
    except OverflowError:
        return False
    return True
