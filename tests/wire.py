"""HTTP by hand: for clients that send in odd ways, stop in the middle, or read while they still write."""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from http.client import HTTPResponse
from urllib.parse import urlsplit

WAIT_SECONDS = 60
SMALL_BUFFER = 4096
SHORT_SEGMENT = 1000  # the buffers of the local network are made for 64 KB


@contextmanager
def connected(url):
    """A connection to the server at `url`."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), WAIT_SECONDS) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield link


@contextmanager
def connected_tightly(url):
    """A connection that holds little on its way to the client, as through the internet."""
    address = urlsplit(url)
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SHORT_SEGMENT)
        link.settimeout(WAIT_SECONDS)
        link.connect((address.hostname, address.port))
        yield link


def head(method, target, *headers):
    """Return the head of a request; `headers` are whole lines."""
    lines = (f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")
    return "\r\n".join(lines).encode()


def chunk(data):
    """Return one chunk of a body in chunked transfer encoding; an empty one ends it."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def answer(link):
    """Read the head of the answer; the rest can be read from what is returned."""
    response = HTTPResponse(link)
    response.begin()
    return response


def status_and_json(link):
    """Read a whole answer; return its status and its JSON."""
    response = answer(link)
    return response.status, json.loads(response.read())


def eventually(probe, message):
    """Return the first truth that `probe` tells; fail with `message` when it tells none for a long time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(message)
