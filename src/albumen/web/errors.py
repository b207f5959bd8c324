"""Errors to HTTP: the one place that knows the status of each.

Bodies are problems as RFC 9457 describes them, for a program. A person, whose browser asks for a page, gets one.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from flask import Response, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from albumen import errors
from albumen.web.context import services
from albumen.web.headers import guarded
from albumen.web.observe import shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed.wsgi import WSGIEnvironment
    from flask import Flask

    from albumen.storage.space import Floor

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
PAGE_TYPE = "text/html"
PHOTO_VIEW = "deliver.get_photo"
CLIENT_GONE = "client_gone"  # no code of a problem: nobody is there to get one

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
    response = _respond(problem(error))
    if isinstance(error, errors.KeyRequired):
        _ask_for_key(response)
    if isinstance(error, errors.Unavailable | errors.TooManyRequests):
        response.headers["Retry-After"] = str(error.members.get("retry_after", RETRY_SECONDS))
    return response


def register(app: Flask) -> None:
    """Let every error of the application answer with a problem."""
    app.register_error_handler(errors.AlbumenError, _answer_ours)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unknown)


def _answer_ours(error: errors.AlbumenError) -> Response:
    log_failure(error, request.environ, services().floor)
    return problem_response(error)


def log_failure(error: errors.AlbumenError, environ: WSGIEnvironment, floor: Floor) -> None:
    """Tell the log of a request that the server failed, if that is no fault of its client; crowds are a warning.

    Of a full disk it tells the numbers, which clients do not see.
    """
    if not _is_ours(error):
        return
    tell = log.warning if isinstance(error, errors.Busy | errors.TooManyUploads) else log.error
    cause = repr(error.__cause__) if error.__cause__ else None
    room = _room(error, environ, floor) if isinstance(error, errors.StorageFull) else {}
    tell("request_failed", code=error.code, detail=error.detail, cause=cause, **_request_fields(environ), **room)


def log_broken_off(error: errors.AlbumenError, environ: WSGIEnvironment, floor: Floor) -> None:
    """Tell the log of an upload that broke off when its answer had begun, whose status is a good one therefore."""
    log_failure(error, environ, floor)
    if not _is_ours(error):
        log.info("upload_broken_off", code=error.code, detail=error.detail, **_request_fields(environ))


def log_client_gone(environ: WSGIEnvironment) -> None:
    """Tell the log of an upload whose client was gone before it had the whole answer."""
    log.info(
        "upload_broken_off", code=CLIENT_GONE, detail="The client did not take its answer.", **_request_fields(environ)
    )


def _is_ours(error: errors.AlbumenError) -> bool:
    return isinstance(error, errors.Unavailable | errors.Damaged)


def _room(error: errors.StorageFull, environ: WSGIEnvironment, floor: Floor) -> dict[str, int]:
    """Return bytes: available, reserved, and wanted if the request told how long it is."""
    floor.complete(error)
    length = environ.get("CONTENT_LENGTH", "")
    return {**error.room, "wanted": int(length)} if length.isdigit() else error.room


def _request_fields(environ: WSGIEnvironment) -> dict[str, str | None]:
    return {
        "method": environ["REQUEST_METHOD"],
        "path": shown_path(environ),
        "client": environ.get("REMOTE_ADDR"),
    }


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
    response = _respond(body)
    response.headers.extend(pair for pair in error.get_headers() if pair[0] not in {"Content-Type", "Content-Length"})
    return response


def _answer_unknown(error: Exception) -> Response:
    """Tell the log everything and the client nothing."""
    log.error("request_crashed", exc_info=error)
    return problem_response(errors.AlbumenError("The server's log tells more."))


def _respond(body: Mapping[str, Any]) -> Response:
    """Answer with a problem, or with a page for a browser that follows a link: it asks for that type by its name."""
    if PAGE_TYPE not in request.headers.get("Accept", ""):
        return Response(json.dumps(body, ensure_ascii=False), body["status"], mimetype=MEDIA_TYPE)
    response = Response(render_template("problem.html", problem=body), body["status"], mimetype=PAGE_TYPE)
    response.cache_control.no_store = True
    return guarded(response)


def _ask_for_key(response: Response) -> None:
    """Say how to show a key; a person who opened the link of a photo is led to its page, which asks for one."""
    response.headers["WWW-Authenticate"] = 'Bearer realm="albumen"'
    if request.endpoint == PHOTO_VIEW and response.mimetype == PAGE_TYPE:
        photo_id = (request.view_args or {})["photo_id"]
        response.status_code = HTTPStatus.SEE_OTHER
        response.headers["Location"] = url_for("client.page", photo_id=photo_id)
