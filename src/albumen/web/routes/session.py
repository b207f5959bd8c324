"""The session of a browser: a key in a cookie that scripts cannot read."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from albumen.domain.access import Role
from albumen.web import present
from albumen.web.auth import COOKIE, public
from albumen.web.context import context, json_object, member, services

session = Blueprint("session", __name__, url_prefix="/api/v1")
COOKIE_SECONDS = 30 * 86400
MOST_LOGIN_BYTES = 4096


@session.get("/session")
@public
def read_session() -> Response:
    """Answer whether a key is needed, the caller's role if it has one, and what the server takes."""
    caller = context().gate.recognise(request.environ)
    mode = "open" if services().access.is_open else "keys"
    role = caller.role.label if caller else None
    limits = present.limits(services().ingest.limits, services().settings.trash_days)
    return jsonify({"mode": mode, "role": role, "limits": limits})


@session.post("/session")
@public
def log_in() -> Response:
    """Check a key and keep it in an HttpOnly cookie."""
    request.max_content_length = MOST_LOGIN_BYTES
    key = member(json_object(context().places.logins), "key")
    services().access.require(key, Role.VIEWER)
    response = Response(status=204)
    response.set_cookie(COOKIE, key, max_age=COOKIE_SECONDS, secure=request.is_secure, httponly=True, samesite="Strict")
    return response


@session.delete("/session")
@public
def log_out() -> Response:
    """Forget the key."""
    response = Response(status=204)
    response.delete_cookie(COOKIE, secure=request.is_secure, httponly=True, samesite="Strict")
    return response
