"""A WSGI function that decides nothing: every request gets the bytes of the file that `BARE_FILE` names, from memory.

What it reaches is the most that an application on this server program can.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BODY = Path(os.environ["BARE_FILE"]).read_bytes()
HEADERS = [("Content-Type", "image/jpeg"), ("Content-Length", str(len(BODY)))]


def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer."""
    start_response("200 OK", HEADERS)
    return [BODY]
