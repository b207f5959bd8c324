"""How long the server waits for its clients: one that neither sends nor takes is let go, and its thread is free again.

Granian gives every request a thread, has no deadline for bodies, and a thread that waits for a client cannot be
interrupted. So a thread of our own looks at the connections of this process. One that moved fewer than `least_bytes`
for `seconds` is ended: reading from it when a body does not come (the request then ends with `body_too_slow`), the
whole of it when the client does not take its answer.

Which request came on which connection is not known and need not be: a connection on which nothing moves waits for its
client, unless the server itself has been at work for so long on a request from that address. Then nothing is ended.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter

from albumen.errors import BodyTooSlow
from albumen.web.closing import Closing, do_nothing
from albumen.web.connections import connections, end_reading, plain_address, reset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from _typeshed.wsgi import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

    from albumen.web.connections import Connection

LET_GO = Counter("albumen_clients_let_go", "Clients that did not send, or did not take, for too long.", ("waited_for",))
LOOKS = 8  # in the time that a client has
LONGEST_PAUSE = 2.0
WORK_SHARE = 0.5  # of that time: a request at work for longer may be why its connection is silent
_ENDING = "albumen.ending"

log = structlog.get_logger()


class Engagement:
    """One request from its first line to the end of its answer: at work, or waiting for its client, since a moment."""

    __slots__ = ("address", "is_waiting", "since")

    def __init__(self, address: str) -> None:
        self.address = address
        self.is_waiting = False
        self.since = time.monotonic()

    def turn(self, *, is_waiting: bool) -> None:
        """Begin to wait for the client to send or to take something, or to work again."""
        self.since = time.monotonic()
        self.is_waiting = is_waiting


@dataclass(slots=True)
class Progress:
    """What a connection had moved when it was last seen to make progress."""

    since: float
    received: int
    acknowledged: int
    is_sending: bool


class Patience:
    """Watches the clients of one process."""

    def __init__(
        self, seconds: float, least_bytes: int, look: Callable[[], Sequence[Connection]] | None = None
    ) -> None:
        self._seconds = seconds
        self._least_bytes = least_bytes
        self._look = look or (lambda: ())
        self._engagements: set[Engagement] = set()
        self._progress: dict[int, Progress] = {}
        self._ended: dict[str, float] = {}

    def watch(self, port: int) -> None:
        """Begin to watch the clients of `port`, in a thread of its own."""
        self._look = lambda: connections(port)
        threading.Thread(target=self._keep_watching, name="albumen-patience", daemon=True).start()

    def engage(self, address: str) -> Engagement:
        """Note a request that begins."""
        engagement = Engagement(address)
        self._engagements.add(engagement)
        return engagement

    def release(self, engagement: Engagement) -> None:
        """Note that a request ended."""
        self._engagements.discard(engagement)

    def has_ended(self, address: str, since: float) -> bool:
        """Tell whether reading from a client of that address was ended after a moment."""
        return self._ended.get(address, 0.0) >= since

    def is_half_closed(self, address: str) -> bool:
        """Tell whether a client of that address has closed its sending side while it still waits for an answer."""
        return any(link.is_half_closed and link.address == address for link in self._look())

    def step(self) -> None:
        """Look at every connection once; let go those that made no progress for too long."""
        now = time.monotonic()
        found = self._look()
        for link in found:
            if now - self._note(link, now).since >= self._seconds:
                self._let_go(link, now)
        present = {link.inode for link in found}
        self._progress = {inode: seen for inode, seen in self._progress.items() if inode in present}
        self._ended = {address: when for address, when in self._ended.items() if now - when < 2 * self._seconds}

    def _note(self, link: Connection, now: float) -> Progress:
        """Return since when a connection makes no progress; any progress begins the time anew."""
        seen = self._progress.get(link.inode)
        if seen is None or self._has_moved(link, seen):
            seen = Progress(now, link.received, link.acknowledged, link.unsent > 0)
            self._progress[link.inode] = seen
        return seen

    def _has_moved(self, link: Connection, seen: Progress) -> bool:
        if seen.is_sending != (link.unsent > 0):
            return True
        if seen.is_sending:
            return link.acknowledged - seen.acknowledged >= self._least_bytes
        return link.received - seen.received >= self._least_bytes or link.acknowledged > seen.acknowledged

    def _let_go(self, link: Connection, now: float) -> None:
        if link.unsent:
            reset(link)
            self._tell(link, "reader")
        elif not self._is_at_work_for(link.address, now):
            self._ended[link.address] = now
            end_reading(link)
            self._tell(link, "sender")
        del self._progress[link.inode]

    def _is_at_work_for(self, address: str, now: float) -> bool:
        longest = WORK_SHARE * self._seconds
        return any(
            one.address == address and not one.is_waiting and now - one.since >= longest
            for one in tuple(self._engagements)
        )

    def _tell(self, link: Connection, waited_for: str) -> None:
        LET_GO.labels(waited_for).inc()
        log.info("client_let_go", client=link.address, waited_for=waited_for, seconds=self._seconds)

    def _keep_watching(self) -> None:
        while True:
            time.sleep(min(LONGEST_PAUSE, self._seconds / LOOKS))
            self.step()


class Body:
    """The body of a request, as WSGI gives it, but a client that does not send it ends the request."""

    def __init__(self, stream: InputStream, length: int | None, engagement: Engagement, patience: Patience) -> None:
        self._stream = stream
        self._left = length
        self._engagement = engagement
        self._patience = patience
        self._was_ended = False

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, none at the end.

        Raises:
            BodyTooSlow: The client brought too few bytes for too long.
        """
        began = time.monotonic()
        data = b"" if self._was_ended else self._wait(size)
        if self._left is not None:
            self._left -= len(data)
        is_short = size < 0 or len(data) < size
        if is_short and self._left != 0 and self._patience.has_ended(self._engagement.address, began):
            self._was_ended = True
        if self._was_ended and not data:  # what came before the end may still hold complete photos
            raise BodyTooSlow("The body came too slowly, or not at all. Send the request again.")
        return data

    def _wait(self, size: int) -> bytes:
        self._engagement.turn(is_waiting=True)
        try:
            return self._stream.read(size) if size >= 0 else self._stream.read()
        finally:
            self._engagement.turn(is_waiting=False)

    def has_lost_client(self) -> bool:
        """Tell, at the end of a body of unknown length, whether the client closed its side: it may have been cut."""
        return self._patience.is_half_closed(self._engagement.address)


class Told:
    """The body of an answer; from one chunk to the next the request waits for its client and is not at work."""

    def __init__(self, body: Iterable[bytes], engagement: Engagement) -> None:
        self._body = body
        self._engagement = engagement

    def __iter__(self) -> Iterator[bytes]:
        """Yield the chunks as they are."""
        for chunk in self._body:
            self._engagement.turn(is_waiting=True)
            yield chunk
            self._engagement.turn(is_waiting=False)

    def close(self) -> None:
        """Close the body itself."""
        getattr(self._body, "close", do_nothing)()


class Patient:
    """WSGI middleware: every request that it hands on is noted until its answer has gone out."""

    def __init__(self, application: WSGIApplication, patience: Patience) -> None:
        self._application = application
        self._patience = patience

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Note the request, give it a body that does not wait for ever, and forget it at the end of its answer."""
        engagement = self._patience.engage(_peer(environ))
        ending = ExitStack()
        ending.callback(self._patience.release, engagement)
        environ[_ENDING] = ending
        environ["wsgi.input"] = Body(environ["wsgi.input"], _length(environ), engagement, self._patience)
        try:
            return Closing(Told(self._application(environ, start_response), engagement), ending.close)
        except BaseException:
            ending.close()
            raise


def at_end(environ: WSGIEnvironment, then: Callable[[], None]) -> None:
    """Do something when the answer to this request has gone out, or was given up."""
    environ[_ENDING].callback(then)


def _peer(environ: WSGIEnvironment) -> str:
    """Return the address at the other end of the connection, whatever a proxy says."""
    before_proxy = environ.get("werkzeug.proxy_fix.orig", environ)
    return plain_address(before_proxy.get("REMOTE_ADDR") or "")


def _length(environ: WSGIEnvironment) -> int | None:
    text = environ.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() else None
