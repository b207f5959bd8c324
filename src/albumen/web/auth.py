"""Who may: the one function that every route, the fast path and every export asks.

Routes say what they need with `needs` or `public`; a route that says neither answers nobody.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from albumen.errors import CrossOrigin, UnknownHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIEnvironment

    from albumen.config import Settings
    from albumen.domain.access import Caller, Role
    from albumen.services.access import Access

COOKIE = "albumen_key"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST = re.compile(r"(?P<name>\[[^\[\]]*\]|[^:\[\]]*)(?::[0-9]*)?")
_NEEDS = "albumen_needs"

View = TypeVar("View", bound="Callable[..., Any]")


class Gate:
    """Decides about requests."""

    def __init__(self, access: Access, settings: Settings) -> None:
        self._access = access
        self._always_open = settings.open
        public = urlsplit(settings.public_url or "").netloc
        self._own_hosts = _LOOPBACK_NAMES | {_host_name(host) for host in (public, *settings.trusted_hosts) if host}
        self._trusted_origins = frozenset({*settings.cors_origins, settings.public_url or ""} - {""})

    def authorise(self, environ: WSGIEnvironment, needed: Role) -> Caller:
        """Return the caller when it may do what `needed` may.

        Raises:
            KeyRequired, RoleTooSmall: The key is missing, unknown, or too small.
            CrossOrigin: A page of another origin tries to change something without showing a key itself.
            UnknownHost: An open loopback server is addressed by a name that is not its own (DNS rebinding).
        """
        bearer, is_open = _bearer(environ), self._access.is_open
        if bearer is None or is_open:  # an open server checks no key, so showing one proves nothing
            self._refuse_foreign(environ, is_open=is_open)
        return self._access.require(bearer or _cookie(environ), needed)

    def recognise(self, environ: WSGIEnvironment) -> Caller | None:
        """Return who is calling, or None when a key is needed."""
        return self._access.recognise(_bearer(environ) or _cookie(environ))

    def _refuse_foreign(self, environ: WSGIEnvironment, *, is_open: bool) -> None:
        """Without a key of its own in the header, a request may be one that a page made a browser send."""
        host = environ.get("HTTP_HOST", "")
        if not self._always_open and is_open and _host_name(host) not in self._own_hosts:
            raise UnknownHost("Add this host name to 'trusted_hosts', or set 'public_url', or start with --open.")
        origin = environ.get("HTTP_ORIGIN")
        is_foreign = origin is not None and origin.partition("://")[2] != host and origin not in self._trusted_origins
        if is_foreign and environ["REQUEST_METHOD"] not in _SAFE_METHODS:
            raise CrossOrigin("Pages of this origin may not change anything; 'cors_origins' can allow it.")


def needs(role: Role) -> Callable[[View], View]:
    """Mark a view: callers need this role."""

    def mark(view: View) -> View:
        setattr(view, _NEEDS, role)
        return view

    return mark


def public(view: View) -> View:
    """Mark a view: anyone may call it."""
    setattr(view, _NEEDS, None)
    return view


def needed_role(view: Callable[..., Any]) -> Role | None:
    """Return the role that a view needs, None for a public one.

    Raises:
        AttributeError: The view is not marked.
    """
    role: Role | None = getattr(view, _NEEDS)
    return role


def _bearer(environ: WSGIEnvironment) -> str | None:
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _cookie(environ: WSGIEnvironment) -> str | None:
    """Return the key of a browser, whatever other cookies there are: some hosts share theirs between all ports.

    Of several the last one counts: browsers send those of longer paths, which are not ours, before it.
    """
    pairs = (pair.partition("=") for pair in environ.get("HTTP_COOKIE", "").split(";"))
    keys = [value.strip(' "') for name, _, value in pairs if name.strip() == COOKIE]
    return keys[-1] if keys else None


@lru_cache(maxsize=256)
def _host_name(host: str) -> str:
    """Return a Host value without its port, lower-case; nothing when it is no host with a port or without."""
    found = _HOST.fullmatch(host)
    return found["name"].lower() if found else ""
