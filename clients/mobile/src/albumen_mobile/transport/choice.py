"""The one place where a way to the server is chosen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from albumen_mobile.transport.base import Transport

IN_BROWSER = sys.platform == "emscripten"


def make_transport(server: str, key: str) -> Transport:
    """Return the way of this platform to a server; in a browser the key is in its cookie, not here."""
    if IN_BROWSER:
        from albumen_mobile.transport.browser import BrowserTransport  # noqa: PLC0415 - there is no Pyodide elsewhere

        return BrowserTransport(server)
    from albumen_mobile.transport.native import NativeTransport  # noqa: PLC0415 - there is no httpx in a browser

    return NativeTransport(server, key)
