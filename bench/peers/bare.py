"""Albumen's own server, and an application that decides nothing: it answers with the file that `BARE_FILE` names.

The bytes come from memory. What it reaches is the most that an application on this server can.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from albumen.server.connection import Patience
from albumen.server.fleet import Fleet, Member
from albumen.server.loop import Loop, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BODY = Path(os.environ["BARE_FILE"]).read_bytes()
HEADERS = [("Content-Type", "image/jpeg"), ("Content-Length", str(len(BODY)))]
TERMS = Terms(
    threads=1,
    connections=1000,
    head_seconds=30,
    patience=Patience(60, 10_000, lambda _waited_for, _address: None),
    shutdown_seconds=1,
)


def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer."""
    start_response("200 OK", HEADERS)
    return [BODY]


def main() -> None:
    """Serve on the port that is named, with a process per core."""
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    ready, _ = os.pipe()
    members = [Member("bare", partial(_serve, listener)) for _ in range(os.cpu_count() or 1)]
    Fleet(members, TERMS.shutdown_seconds, lambda _signal: listener.close()).run(ready, lambda: None)


def _serve(listener: socket.socket) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    Loop(listener, app, app, TERMS).run()


if __name__ == "__main__":
    main()
