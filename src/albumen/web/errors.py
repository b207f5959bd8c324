"""Errors to HTTP: the one place that knows the status of each. Bodies are problems as RFC 9457 describes them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from flask import Response
from werkzeug.exceptions import HTTPException

from albumen import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

_STATUS: Mapping[type[errors.AlbumenError], HTTPStatus] = {
    errors.EmptyPhoto: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotAPhoto: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.TruncatedPhoto: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.PhotoTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.TooManyPixels: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooManyFrames: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.AllRejected: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooManyPhotos: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedBody: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.Refused: HTTPStatus.BAD_REQUEST,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.KeyRequired: HTTPStatus.UNAUTHORIZED,
    errors.UnknownHost: HTTPStatus.MISDIRECTED_REQUEST,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.PreviewFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.AlbumenError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

log = structlog.get_logger()


def status_of(error: type[errors.AlbumenError]) -> HTTPStatus:
    """Return the HTTP status of an error: that of the nearest class above it that has one."""
    return next(_STATUS[cls] for cls in error.__mro__ if cls in _STATUS)


def problem(error: errors.AlbumenError) -> dict[str, Any]:
    """Return the problem members of an error."""
    return {
        "type": f"/api/docs#{error.code}",
        "title": error.title,
        "status": int(status_of(type(error))),
        "detail": error.detail,
        "code": error.code,
        **error.members,
    }


def problem_response(error: errors.AlbumenError) -> Response:
    """Return the answer to a request that ended in an error of ours."""
    response = Response(
        json.dumps(problem(error), ensure_ascii=False), int(status_of(type(error))), mimetype=MEDIA_TYPE
    )
    if isinstance(error, errors.KeyRequired):
        response.headers["WWW-Authenticate"] = 'Bearer realm="albumen"'
    if isinstance(error, errors.Unavailable | errors.TooManyRequests):
        response.headers["Retry-After"] = str(error.members.get("retry_after", RETRY_SECONDS))
    return response


def register(app: Flask) -> None:
    """Let every error of the application answer with a problem."""
    app.register_error_handler(errors.AlbumenError, _answer_ours)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unknown)


def _answer_ours(error: errors.AlbumenError) -> Response:
    if isinstance(error, errors.Unavailable | errors.Damaged):
        log.error("request_failed", code=error.code, detail=error.detail, cause=repr(error.__cause__))
    return problem_response(error)


def _answer_http(error: HTTPException) -> Response:
    """Answer what Flask itself refuses (no such route, wrong method, bad JSON) in the same form."""
    status = error.code or 500
    code = error.name.lower().replace(" ", "_")  # Werkzeug's names, because those of Python change with its version
    body = {
        "type": f"/api/docs#{code}",
        "title": error.name,
        "status": status,
        "detail": error.description or error.name,
        "code": code,
    }
    kept = [(name, value) for name, value in error.get_headers() if name not in {"Content-Type", "Content-Length"}]
    return Response(json.dumps(body, ensure_ascii=False), status, kept, mimetype=MEDIA_TYPE)


def _answer_unknown(error: Exception) -> Response:
    """Tell the log everything and the client nothing."""
    log.error("request_crashed", exc_info=error)
    return problem_response(errors.AlbumenError("The server's log tells more."))
