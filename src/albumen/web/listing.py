"""What lists share: the parameters of their queries, the role that the trash needs, the address of the next page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import request

from albumen.domain.access import Role
from albumen.domain.times import parse_moment
from albumen.errors import InvalidParameter
from albumen.services.listing import DEFAULT_PER_PAGE, MOST_PER_PAGE, Listing
from albumen.web.context import context, number

if TYPE_CHECKING:
    from datetime import datetime

MOST_NAMED = 64  # characters of a parameter in an answer
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


def refuse_others(*known: str) -> None:
    """Refuse a query with any other parameter than these: misspelt, it would list others than meant.

    Raises:
        InvalidParameter: It names the parameter and those that there are.
    """
    names = ", ".join(known)
    for parameter in request.args:
        if parameter in known:
            continue
        shown = parameter[:MOST_NAMED]
        raise InvalidParameter(shown, f"one of {names}", f"This list has no parameter '{shown}', only {names}.")


def asked_limit(default: int = DEFAULT_PER_PAGE) -> int:
    """Return how many entries the query asks for. Raises InvalidParameter."""
    return number("limit", default, f"a number from 1 to {MOST_PER_PAGE}")


def next_page(base: str, cursor: str | None) -> dict[str, str]:
    """Return the header that leads to the page after this one, none when there is no such page."""
    if cursor is None:
        return {}
    query = urlencode({**request.args.to_dict(), "cursor": cursor})
    return {"Link": f'<{base}{request.path}?{query}>; rel="next"'}


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
