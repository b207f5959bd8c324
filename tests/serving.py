"""The HTTP server alone, for tests of it: a loop in a thread of this process, with an application of the test's own."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from http.client import HTTPResponse

import pytest
from werkzeug.wsgi import FileWrapper

from albumen.server.connection import Patience
from albumen.server.loop import Loop, Terms

LARGE = 30_000_000


def echo(environ, start_response):
    """Answer with the length of the body, and how it ended."""
    stream = environ["wsgi.input"]
    received = sum(map(len, iter(lambda: stream.read(100_000), b"")))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{received} {getattr(stream, 'is_cut', False)}".encode()]


def nothing_instant(_environ, _start_response):
    return None


class Running:
    """A loop in a thread of this process."""

    def __init__(self, application, instant, terms):
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = listener.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}"
        self.let_go = []
        patience = Patience(terms.pop("seconds", 30), terms.pop("least_bytes", 1000), self._tell)
        defaults = {"threads": 8, "connections": 100, "head_seconds": 30, "shutdown_seconds": 10}
        self.loop = Loop(listener, application, instant, Terms(**{**defaults, **terms}, patience=patience))
        self.is_done = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _tell(self, waited_for, _address):
        self.let_go.append(waited_for)

    def _run(self):
        self.is_done = self.loop.run()

    def stop(self):
        self.loop.stop()
        self._thread.join(30)
        assert not self._thread.is_alive()

    @contextmanager
    def linked(self):
        with socket.create_connection(self.address, 20) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield link

    def ask(self, data):
        """Send bytes, and return everything that comes back until the end of the connection."""
        with self.linked() as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            return read_all(link)


def read_all(link):
    return b"".join(iter(lambda: link.recv(1 << 20), b""))


def answer(link):
    response = HTTPResponse(link)
    response.begin()
    return response.status, response.read()


@pytest.fixture
def serve():
    running = []

    def start(application=echo, instant=nothing_instant, **terms):
        running.append(Running(application, instant, terms))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def request(target="/", *fields, method="GET", body=b""):
    length = (f"Content-Length: {len(body)}",) if body else ()
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: here", *length, *fields, "", ""]).encode() + body


def file_of(path):
    def application(_environ, start_response):
        file = path.open("rb")
        file.seek(1)
        start_response("200 OK", [("Content-Length", str(path.stat().st_size - 1))])
        return FileWrapper(file, 100_000)

    return application


def memory(size):
    def instant(environ, start_response):
        if environ["PATH_INFO"] != "/instant":
            return None
        start_response("200 OK", [("Content-Length", str(size))])
        return [bytes(size)]

    return instant


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
