"""The query parameters that lists of photos share, and the role that the trash needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from albumen.domain.access import Role
from albumen.domain.times import parse_moment
from albumen.errors import InvalidParameter
from albumen.services.listing import DEFAULT_PER_PAGE, MOST_PER_PAGE, Listing
from albumen.web.context import context, number

if TYPE_CHECKING:
    from datetime import datetime

_MOMENT = "a day such as 2026-11-23 or a time such as 2026-11-23T10:00:00Z"


def asked_listing() -> Listing:
    """Return what the query asks to list.

    Raises:
        InvalidParameter: A parameter cannot be read.
        KeyRequired, RoleTooSmall: The trash is for editors.
    """
    return Listing(
        dataset=request.args.get("dataset"),
        name=request.args.get("name"),
        cursor=request.args.get("cursor"),
        limit=asked_limit(),
        trash=_asked_trash(),
        since=_moment("since"),
        before=_moment("before"),
    )


def asked_limit() -> int:
    """Return how many photos the query asks for. Raises InvalidParameter."""
    return number("limit", DEFAULT_PER_PAGE, f"a number from 1 to {MOST_PER_PAGE}")


def _asked_trash() -> bool:
    trash = request.args.get("trash", "false")
    if trash not in {"true", "false"}:
        raise InvalidParameter("trash", "'true' or 'false'")
    if trash == "true":
        context().gate.authorise(request.environ, Role.EDITOR)
    return trash == "true"


def _moment(parameter: str) -> datetime | None:
    text = request.args.get(parameter)
    if not text:
        return None
    try:
        return parse_moment(text)
    except ValueError as exc:
        raise InvalidParameter(parameter, _MOMENT) from exc
