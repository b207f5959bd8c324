"""The thread that holds all connections of a process: takes them in, reads heads, answers at once what is in memory.

It never waits for a disk, a database or a client. Everything else goes to a thread, and comes back when it is answered.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog

from albumen.domain.budget import Budget
from albumen.server import head as heads
from albumen.server.answer import Budgets, WrongAnswer, content_length, may_have_body, problem, render
from albumen.server.connection import ClientGone, Connection
from albumen.server.exchange import Ending, Site, environment, exchange, variables
from albumen.server.head import HeadRefused, read_head

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from albumen.server.connection import Buffer, Patience
    from albumen.server.head import Head

Instant = Callable[["WSGIEnvironment", "StartResponse"], "Iterable[bytes] | None"]
"""An application that answers from memory, with a list of bytes, or returns None without having begun."""

HEAD_BYTES = 2048  # read at once while heads come: who sends many requests ahead waits for the others after some 30
READ_BYTES = 64 * 1024
LONGEST_TICK = 1.0
FRESH_SECONDS = 1.0
LINGER_SECONDS = 30.0
LINGER_IDLE_SECONDS = 5.0
LINGER_BYTES = 256 << 20
REFUSING_SHARE = 16  # of the threads, one waits a moment for a body that it refuses
BLOCKED_SHARE = 8  # of the threads, one may be blocked by a slow reader of a small answer when memory is short
UNSENT_BYTES = 64 << 20  # copies of what threads had to send to slow clients
CUT_SECONDS = 2.0  # for the thread of a request that was cut off to notice
_INSTANT_METHODS = frozenset({"GET", "HEAD"})
_OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_MAPPED = "::ffff:"

log = structlog.get_logger("albumen.server")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a process grants its clients: requests and connections at once, and how long each step may take."""

    threads: int
    connections: int
    head_seconds: float
    patience: Patience
    shutdown_seconds: float


@dataclass(slots=True)
class Unsent:
    """An answer that its client has not taken yet, and what becomes of the connection then."""

    parts: list[Buffer]
    then: Ending
    since: float
    acknowledged: int
    budgeted: int


@dataclass(slots=True)
class Lingering:
    """A connection that was answered and whose client still sends."""

    since: float
    heard: float
    dropped: int = 0


class Loop:
    """Serves a listening socket until `stop`.

    `open_requests` tells afterwards how many were worked on when the stop began, `cut_off` how many of them had to be.
    """

    def __init__(self, listener: socket.socket, application: WSGIApplication, instant: Instant, terms: Terms) -> None:
        self._listener = listener
        self._instant = instant
        self._terms = terms
        self._unsent = Budget(UNSENT_BYTES)
        budgets = Budgets(self._unsent, _places(terms, REFUSING_SHARE), _places(terms, BLOCKED_SHARE))
        self._site = Site(application, environment(*listener.getsockname()[:2]), budgets)
        self._pool = ThreadPoolExecutor(terms.threads, "albumen-request")
        self._events = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._reading: dict[int, Connection] = {}
        self._writing: dict[int, tuple[Connection, Unsent]] = {}
        self._lingering: dict[int, tuple[Connection, Lingering]] = {}
        self._busy: dict[int, Connection] = {}
        self._returned: deque[tuple[Connection, Ending]] = deque()
        self._dropped = bytearray(READ_BYTES)
        self._is_listening = False
        self._stop_by: float | None = None
        self._is_stopping = False
        self.open_requests = 0
        self.cut_off = 0

    def run(self) -> bool:
        """Serve; return, after `stop`, whether all requests in flight have ended: they were answered, or cut off."""
        self._listener.setblocking(False)
        self._events.register(self._wake, select.EPOLLIN)
        self._listen()
        tick = min(LONGEST_TICK, self._terms.head_seconds / 4, self._terms.patience.seconds / 4)
        swept = time.monotonic()
        while not self._has_ended():
            for number, event in self._events.poll(tick):
                self._handle(number, event)
            if time.monotonic() - swept >= tick:
                self._sweep_safely()
                swept = time.monotonic()
        return self._end()

    def stop(self) -> None:
        """Take nothing new; answer what is in flight. May be called by a signal handler."""
        self._is_stopping = True
        os.eventfd_write(self._wake, 1)

    def _handle(self, number: int, event: int) -> None:
        """Do what an event asks for; an error that nobody foresaw costs its connection, not the process."""
        try:
            self._dispatch(number, event)
        except Exception:
            log.exception("connection_failed")
            for connection in [one for one in self._unattended() if one.number == number]:
                self._drop(connection)

    def _dispatch(self, number: int, event: int) -> None:
        if (connection := self._reading.get(number)) is not None:
            self._read(connection)
        elif number == self._wake:
            self._take_back()
        elif number == self._listener.fileno():
            self._accept()
        elif number in self._writing:
            self._write_on(number)
        elif number in self._lingering:
            self._drop_bytes(number, is_over=bool(event & select.EPOLLERR))

    def _listen(self) -> None:
        if not self._is_listening and not self._is_stopping:
            self._events.register(self._listener, select.EPOLLIN)
            self._is_listening = True

    def _pause_listening(self) -> None:
        if self._is_listening:
            self._events.unregister(self._listener)
            self._is_listening = False

    def _accept(self) -> None:
        """Take in one connection: the other processes are awake, too, and may take the next one."""
        if self._count() >= self._terms.connections and not self._drop_idlest():
            self._pause_listening()
            return
        try:
            client, address = self._listener.accept()
        except OSError as exc:
            if exc.errno in _OUT_OF_FILES:
                log.warning("connection_refused", reason=exc.strerror)
                self._pause_listening()
            return
        connection = Connection(client, address[0].removeprefix(_MAPPED), address[1], self._terms.patience)
        if self._hear(connection):
            self._reading[connection.number] = connection

    def _count(self) -> int:
        return len(self._reading) + len(self._writing) + len(self._lingering) + len(self._busy)

    def _count_requests(self) -> int:
        return len(self._busy) + len(self._writing)

    def _drop_idlest(self) -> bool:
        """Close the connection that can best be spared; tell whether there was one.

        First those that were answered and still send, then those without a request, then those of which a part of a
        head came, in each case the oldest. But one that is younger than a second goes after all that are not: it may
        be somebody who was let in just now.
        """
        now = time.monotonic()
        lingering = ((0, state.since, connection) for connection, state in self._lingering.values())
        reading = ((2 if one.buffer else 1, one.since, one) for one in self._reading.values())
        spared = min([*lingering, *reading], key=lambda one: (now - one[1] < FRESH_SECONDS, *one[:2]), default=None)
        if spared is not None:
            self._drop(spared[2])
        return spared is not None

    def _drop(self, connection: Connection) -> None:
        self._reading.pop(connection.number, None)
        self._lingering.pop(connection.number, None)
        if connection.number in self._writing:
            self._unsent.give_back(self._writing.pop(connection.number)[1].budgeted)
        connection.close()  # which takes it out of the epoll, too: nobody else has its file open

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.socket.recv(HEAD_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        if not connection.buffer:
            connection.since = time.monotonic()
        connection.buffer += data
        self._proceed(connection)

    def _proceed(self, connection: Connection) -> None:
        """Answer, or hand over, the requests that came whole."""
        buffer = connection.buffer
        while buffer and self._reading.get(connection.number) is connection:
            try:
                head = _next_head(buffer)
            except HeadRefused as exc:
                self._refuse(connection, exc)
                return
            if head is None:
                return
            if not self._answer_now(connection, head):
                self._hand_over(connection, head)

    def _answer_now(self, connection: Connection, head: Head) -> bool:
        """Answer from memory; tell whether that was possible."""
        if head.length != 0 or head.method not in _INSTANT_METHODS or self._is_stopping:
            return False
        try:
            parts = self._ask_instant(connection, head)
            if parts is None:
                return False
            left = connection.send_now(parts)
        except ClientGone:
            self._drop(connection)
            return True
        except Exception:
            log.exception("instant_answer_failed")
            return False  # the thread that gets it now meets the same and answers 500
        if left:
            del self._reading[connection.number]
            self._events.modify(connection.number, select.EPOLLOUT)
            self._begin_writing(connection, left, Ending.KEEP if head.keeps else Ending.CLOSE)
        elif head.keeps:
            connection.since = time.monotonic()
        else:
            self._drop(connection)
        return True

    def _ask_instant(self, connection: Connection, head: Head) -> list[bytes] | None:
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
            told.append((status, headers))

        body = self._instant(variables(self._site.common, connection, head), start)  # type: ignore[arg-type]
        if body is None:
            return None
        (status, headers), pieces = told[-1], list(body)
        if head.method == "HEAD" or not may_have_body(status):
            pieces = []
        elif content_length(headers) != sum(map(len, pieces)):
            raise WrongAnswer("an instant answer tells its length")
        return [render(status, headers, keeps=head.keeps, is_new=head.is_new), *pieces]

    def _begin_writing(self, connection: Connection, left: list[Buffer], then: Ending, budgeted: int = 0) -> None:
        unsent = Unsent(left, then, time.monotonic(), connection.acknowledged(), budgeted)
        self._writing[connection.number] = (connection, unsent)

    def _write_on(self, number: int) -> None:
        connection, unsent = self._writing[number]
        try:
            unsent.parts = connection.send_now(unsent.parts)
        except ClientGone:
            self._drop(connection)
            return
        if not unsent.parts:
            del self._writing[number]
            self._unsent.give_back(unsent.budgeted)
            self._events.unregister(number)
            self._settle(connection, unsent.then)

    def _hand_over(self, connection: Connection, head: Head) -> None:
        """Give the request to a thread; the connection is that thread's until it comes back."""
        del self._reading[connection.number]
        self._events.unregister(connection.number)
        self._busy[connection.number] = connection
        claim = threading.Lock()
        try:
            self._pool.submit(self._serve, connection, head, claim)
        except RuntimeError as exc:  # no thread can be started
            if not claim.acquire(blocking=False):
                return  # it stood in the queue already, and a thread that there was took it
            log.warning("request_refused", reason=str(exc))
            with suppress(ClientGone):
                connection.send_now([problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "No thread is free. Try again.")])
            self._returned.append((connection, Ending.LINGER))
            self.wake()

    def _serve(self, connection: Connection, head: Head, claim: threading.Lock) -> None:
        """Answer in this thread, unless the request was refused since: then the connection is not ours any more."""
        if not claim.acquire(blocking=False):
            return
        ending = Ending.CLOSE
        try:
            ending = exchange(connection, head, self._site, keeps=not self._is_stopping)
        finally:  # whatever happens, such as SystemExit: what is not given back stays open for ever
            self._returned.append((connection, ending))
            self.wake()

    def wake(self) -> None:
        """Let the loop look at what came back."""
        os.eventfd_write(self._wake, 1)

    def _take_back(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._returned:
            connection, ending = self._returned.popleft()
            del self._busy[connection.number]
            self._send_rest(connection, ending)
        if self._is_stopping and self._stop_by is None:
            self._begin_to_stop()

    def _send_rest(self, connection: Connection, ending: Ending) -> None:
        """Send what a thread left of its answer; then its connection ends as it said."""
        rest, connection.unsent = connection.unsent, b""
        if not rest:
            self._settle(connection, ending)
        elif connection.is_open and self._hear(connection, select.EPOLLOUT):
            self._begin_writing(connection, [rest], ending, len(rest))
        else:
            self._unsent.give_back(len(rest))
            connection.close()

    def _settle(self, connection: Connection, ending: Ending) -> None:
        """Do with a connection that was answered what is to become of it."""
        if ending is Ending.KEEP and not self._is_stopping:
            self._keep(connection)
        elif ending is Ending.LINGER:
            self._linger(connection)
        else:
            connection.close()

    def _keep(self, connection: Connection) -> None:
        connection.since = time.monotonic()
        if self._hear(connection):
            self._reading[connection.number] = connection
            self._proceed(connection)

    def _hear(self, connection: Connection, event: int = select.EPOLLIN) -> bool:
        """Ask to be told of an event on a connection; close it when the system has no memory for that."""
        try:
            self._events.register(connection.number, event)
        except OSError as exc:
            log.warning("connection_refused", reason=exc.strerror)
            connection.close()
            return False
        return True

    def _refuse(self, connection: Connection, refusal: HeadRefused) -> None:
        del self._reading[connection.number]
        self._events.unregister(connection.number)
        with suppress(ClientGone):
            connection.send_now([problem(refusal.status, refusal.code, refusal.detail)])
        self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        """Let the client read its answer: closing at once would make its system drop it for what it still sends."""
        if not connection.is_open:
            connection.close()
            return
        connection.end_sending()
        now = time.monotonic()
        if self._hear(connection):
            self._lingering[connection.number] = (connection, Lingering(now, now, len(connection.buffer)))

    def _drop_bytes(self, number: int, *, is_over: bool) -> None:
        connection, state = self._lingering[number]
        try:
            count = 0 if is_over else connection.socket.recv_into(self._dropped)
        except BlockingIOError:
            return
        except OSError:
            count = 0
        state.dropped += count
        state.heard = time.monotonic()
        if not count or state.dropped > LINGER_BYTES:
            self._drop(connection)

    def _sweep_safely(self) -> None:
        try:
            self._sweep()
        except Exception:
            log.exception("sweep_failed")  # the next one is soon, and the others go on meanwhile

    def _sweep(self) -> None:
        """Let go of those who take too long."""
        now = time.monotonic()
        for connection in [one for one in self._reading.values() if now - one.since >= self._terms.head_seconds]:
            if connection.buffer:
                self._refuse(connection, heads.too_slow())
            else:
                self._drop(connection)
        for connection, state in list(self._lingering.values()):
            if now - state.since >= LINGER_SECONDS or now - state.heard >= LINGER_IDLE_SECONDS:
                self._drop(connection)
        for connection, unsent in list(self._writing.values()):
            self._look_at(connection, unsent, now)
        if self._count() < self._terms.connections:
            self._listen()

    def _look_at(self, connection: Connection, unsent: Unsent, now: float) -> None:
        if now - unsent.since < self._terms.patience.seconds:
            return
        if connection.has_stalled(unsent.acknowledged):
            self._drop(connection)
            return
        unsent.since, unsent.acknowledged = now, connection.acknowledged()

    def _begin_to_stop(self) -> None:
        self._stop_by = time.monotonic() + self._terms.shutdown_seconds
        self.open_requests = self._count_requests()
        self._pause_listening()
        self._listener.close()
        for connection in list(self._reading.values()):
            self._drop(connection)

    def _has_ended(self) -> bool:
        if self._stop_by is None:
            return False
        return not self._count() or time.monotonic() >= self._stop_by

    def _end(self) -> bool:
        """Cut off whoever is left, so that no thread waits for them any longer."""
        self.cut_off = self._count_requests()
        self._drop_all()
        for connection in self._busy.values():
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + CUT_SECONDS
        while self._busy and time.monotonic() < deadline:
            self._events.poll(CUT_SECONDS)
            self._take_back()
            self._drop_all()
        self._pool.shutdown(wait=not self._busy, cancel_futures=True)
        return not self._busy

    def _drop_all(self) -> None:
        for connection in self._unattended():
            self._drop(connection)

    def _unattended(self) -> list[Connection]:
        """Return the connections that no thread works on."""
        rooms = (*self._writing.values(), *self._lingering.values())
        return [*self._reading.values(), *(connection for connection, _ in rooms)]


def _places(terms: Terms, share: int) -> threading.Semaphore:
    """Return places for one of so many threads, one at least."""
    return threading.Semaphore(max(1, terms.threads // share))


def _next_head(buffer: bytearray) -> Head | None:
    """Take the next head out of what came, None when it has not come whole. Raises HeadRefused."""
    while buffer.startswith(b"\r\n"):
        del buffer[:2]  # RFC 9112, section 2.2
    end = buffer.find(heads.END, 0, heads.MOST_BYTES)
    if end < 0:
        if len(buffer) >= heads.MOST_BYTES:
            raise heads.too_large()
        return None
    data = bytes(memoryview(buffer)[:end])
    del buffer[: end + len(heads.END)]
    return read_head(data)
