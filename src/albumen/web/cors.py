"""Cross-origin calls from the browsers of chosen origins (the Fetch standard, section "CORS protocol")."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, Range"),
    ("Access-Control-Max-Age", "86400"),
)
_EXPOSED = (
    "Access-Control-Expose-Headers",
    "ETag, Link, Content-Disposition, Content-Range, Retry-After, RateLimit, RateLimit-Policy",
)


class CrossOriginSharing:
    """WSGI middleware; keys travel in the Authorization header, so cookies are not shared."""

    def __init__(self, application: WSGIApplication, origins: Iterable[str]) -> None:
        self._application = application
        self._origins = frozenset(origins)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Add the headers of the protocol for allowed origins."""
        origin = environ.get("HTTP_ORIGIN")
        allowed = [("Access-Control-Allow-Origin", origin), _EXPOSED] if origin in self._origins and origin else []
        if allowed and _is_preflight(environ):
            start_response("204 No Content", [*allowed, *_PREFLIGHT, ("Vary", "Origin")])
            return []

        def start(line: str, headers: list[tuple[str, str]], *rest: object) -> object:
            return start_response(line, [*_varied(headers), *allowed], *rest)  # type: ignore[arg-type]

        return self._application(environ, start)  # type: ignore[arg-type]


def _varied(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Add Origin to what the answer depends on, in one header: caches have been seen to read only one of several."""
    depends = [value for name, value in headers if name.lower() == "vary"]
    others = [(name, value) for name, value in headers if name.lower() != "vary"]
    return [*others, ("Vary", ", ".join([*depends, "Origin"]))]


def _is_preflight(environ: WSGIEnvironment) -> bool:
    return environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
