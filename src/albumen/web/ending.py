"""What has to be done when the answer to a request was handed to the server whole, or was given up."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from albumen.web.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ENDING = "albumen.ending"


class Ending:
    """WSGI middleware that keeps a list of such things for every request."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand on; do what was asked for when the body is closed."""
        ending = ExitStack()
        environ[_ENDING] = ending
        try:
            return Closing(self._application(environ, start_response), ending.close)
        except BaseException:
            ending.close()
            raise


def at_end(environ: WSGIEnvironment, then: Callable[[], None]) -> None:
    """Do something when the answer to this request was handed to the server whole, or was given up."""
    environ[_ENDING].callback(then)
