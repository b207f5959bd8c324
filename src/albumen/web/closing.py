"""Bodies of answers that something must follow: a place given back, a request forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Closing:
    """The body of an answer, and what to do when it has gone out or was given up."""

    def __init__(self, body: Iterable[bytes], then: Callable[[], None]) -> None:
        self._body = body
        self._then = then

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the body itself."""
        return iter(self._body)

    def close(self) -> None:
        """Close the body, then do the rest, once."""
        then, self._then = self._then, do_nothing
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            then()


def do_nothing() -> None:
    """Stand for what has been done, or need not be."""
