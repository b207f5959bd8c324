"""What goes back: the head of an answer, and its body in the framing that the client understands."""

from __future__ import annotations

import json
import time
from collections.abc import Sized
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from wsgiref.handlers import format_date_time

from albumen.server.connection import ClientGone
from albumen.server.head import CHARSET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from threading import Semaphore
    from types import TracebackType

    from albumen.domain.budget import Budget
    from albumen.server.body import Body
    from albumen.server.connection import Buffer, Connection
    from albumen.server.head import Head

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType]
    Headers = Sequence[tuple[str, str]]

SKIP_SECONDS = 0.1
MOST_HELD_BYTES = 8 << 20  # of one answer, an eighth of what is held for all: 10,000 outcomes of photos are about 4 MB
_LAST_CHUNK = b"0\r\n\r\n"
_FIRST_FINAL = "200"
_FIRST_REFUSAL = "400"
_WITHOUT_BODY = ("204", "304")


@dataclass(frozen=True, slots=True)
class Budgets:
    """What a process spends on slow clients.

    Bytes that are `unsent` or held; threads that wait a moment for a body while they are `refusing` it; and threads
    that are `blocked` by a slow reader of an answer for which no more bytes can be spent.
    """

    unsent: Budget
    refusing: Semaphore
    blocked: Semaphore


class WrongAnswer(Exception):
    """The application broke the rules of WSGI or of HTTP."""


class Answer:
    """The answer to one request. `keeps` tells, when it was sent, whether the connection can take another request."""

    def __init__(self, connection: Connection, head: Head, body: Body, budgets: Budgets, *, keeps: bool) -> None:
        self._connection = connection
        self._budgets = budgets
        self._head = head
        self._body = body
        self._begun: tuple[str, Headers] | None = None
        self._is_chunked = False
        self._left: int | None = None
        self._reserved = 0
        self.has_begun = False
        self.keeps = keeps

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /) -> object:
        """Take status and headers (`start_response` of PEP 3333); they go out with the first bytes of the body.

        Raises the error of `exc_info` when they went out already: it is too late for another answer.
        """
        if exc_info is not None and self.has_begun:
            raise exc_info[1]
        if self._begun is not None and exc_info is None:
            raise WrongAnswer("start_response was called twice")
        self._begun = (status, headers)
        return self._write

    def send(self, body: Iterable[bytes]) -> None:
        """Send the whole answer, or all but what is `unsent` on the connection.

        Raises ClientGone, WrongAnswer, and what the body raises.

        Its head goes out with the first bytes of the body, or before them when the body begins with an empty piece.
        """
        only = isinstance(body, Sized) and len(body) == 1
        for data in body:
            if data:
                self._send_piece(data, is_only=only)
            elif not only and not self.has_begun:
                self._connection.send([self._begin(None)])
        self._end()

    def close(self) -> None:
        """Give back what was reserved for this answer, however it ended."""
        self._budgets.unsent.give_back(self._reserved)

    @property
    def shows_its_end(self) -> bool:
        """Tell whether the client notices when the rest is missing."""
        return self._is_chunked or self._left is not None

    def _write(self, data: bytes) -> None:
        if data:
            self._send_piece(data, is_only=False)

    def _send_piece(self, data: bytes, *, is_only: bool) -> None:
        is_first = not self.has_begun
        parts = [self._begin(len(data) if is_only else None)] if is_first else []
        if not self._has_body():
            self._connection.send(parts)
            return
        if self._left is None:
            framed = [b"%x\r\n" % len(data), data, b"\r\n"] if self._is_chunked else [data]
            self._send_or_hold([*parts, *framed])
            return
        self._count(len(data))
        if self._left == 0:
            self._leave_rest([*parts, data], is_all=is_first)
        else:
            self._connection.send([*parts, data])

    def _send_or_hold(self, parts: Sequence[Buffer]) -> None:
        """Send, but do not wait for a client that has not sent its whole request: many read only after that.

        What it does not take at once is held, unless that is too much, and goes as soon as the client takes more.
        """
        if self._body.is_whole:
            self._connection.send(parts)
            return
        left = self._connection.send_now(parts)
        if self._reserve(len(self._connection.held) + sum(map(len, left))):
            self._connection.held += b"".join(left)
        else:
            self._connection.send(left)

    def _reserve(self, count: int) -> bool:
        """Have room for so many bytes of this answer and no more, unless that is too much; tell whether there is."""
        is_granted = count <= MOST_HELD_BYTES and self._budgets.unsent.take(count, self._reserved)
        if is_granted:
            self._reserved = count
        return is_granted

    def _leave_rest(self, parts: Sequence[Buffer], *, is_all: bool) -> None:
        """Send the end of the answer, but do not wait for a client that takes it slowly: the loop does so as well.

        It does so when the application is done, which should not work on after its last piece, and unless it holds too
        much for slow clients already. It gets a copy: a part would keep the whole in memory.
        """
        left = self._connection.send_now(parts)
        if self._budgets.unsent.take(sum(map(len, left))):
            self._connection.unsent = b"".join(left)
        elif is_all:
            self._wait_for_reader(left)
        else:
            self._connection.send(left)

    def _wait_for_reader(self, left: Sequence[Buffer]) -> None:
        """Wait for a slow client with this thread, unless too many do: then the client is let go.

        Answers of several pieces may wait: the application bounds them.
        """
        if not self._budgets.blocked.acquire(blocking=False):
            self._connection.let_reader_go()
            raise ClientGone("let go")
        try:
            self._connection.send(left)
        finally:
            self._budgets.blocked.release()

    def _end(self) -> None:
        if not self.has_begun:
            self._connection.send([self._begin(0)])
        if self._has_body():
            if self._left is None:
                self._connection.send([_LAST_CHUNK] if self._is_chunked else [])
            elif self._left:
                raise WrongAnswer("the body is shorter than its Content-Length")

    def _count(self, count: int) -> None:
        left = cast("int", self._left) - count
        if left < 0:
            raise WrongAnswer("the body is longer than its Content-Length")
        self._left = left

    def _has_body(self) -> bool:
        return self._head.method != "HEAD" and may_have_body(self._status())

    def _begin(self, whole: int | None) -> bytes:
        """Return the head of the answer and decide about the framing; `whole` is the length of all, if it is known."""
        status, headers = self._status(), self._headers()
        self._left = content_length(headers)
        is_refusal = status >= _FIRST_REFUSAL
        if is_refusal:
            self.keeps = self.keeps and self._skip()  # the client may stop sending what nobody reads
        invitation = self._body.invite()
        extra: list[tuple[str, str]] = []
        if self._left is None and may_have_body(status) and not (whole == 0 and self._head.method == "HEAD"):
            extra = self._frame(whole)
        head = render(status, [*headers, *extra], keeps=self.keeps, is_new=self._head.is_new)
        self.has_begun = True
        return head if is_refusal else invitation + head

    def _skip(self) -> bool:
        """Drop a small body, waiting a moment for it if few do; tell whether it is at its end.

        It may be right behind its head. Not to wait for it costs the connection, on which a client behind nginx may
        have sent its next request.
        """
        if not self._budgets.refusing.acquire(blocking=False):
            return self._body.skip(0)
        try:
            return self._body.skip(SKIP_SECONDS)
        finally:
            self._budgets.refusing.release()

    def _frame(self, whole: int | None) -> list[tuple[str, str]]:
        if whole is not None:
            self._left = whole
            return [("Content-Length", str(whole))]
        if self._head.is_new:
            self._is_chunked = True
            return [("Transfer-Encoding", "chunked")]
        self.keeps = False
        return []

    def _status(self) -> str:
        return self._told()[0]

    def _headers(self) -> Headers:
        return self._told()[1]

    def _told(self) -> tuple[str, Headers]:
        if self._begun is None:
            raise WrongAnswer("start_response was not called")
        return self._begun


def may_have_body(status: str) -> bool:
    """Tell whether answers of this status have a body (RFC 9110, section 6.4.1)."""
    return status >= _FIRST_FINAL and not status.startswith(_WITHOUT_BODY)


def content_length(headers: Headers) -> int | None:
    """Return the Content-Length among the headers, None when there is none."""
    for name, value in headers:
        if name.lower() == "content-length":
            return int(value)
    return None


def render(status: str, headers: Headers, *, keeps: bool, is_new: bool) -> bytes:
    """Return the head of an answer as bytes.

    Raises:
        WrongAnswer: A name or a value would break a line: what a client sent must never become a header of its own.
    """
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    option = "" if keeps and is_new else f"Connection: {'keep-alive' if keeps else 'close'}\r\n"
    fields = "".join(lines)
    date = "" if "\nDate: " in f"\n{fields}" else _date(int(time.time()))
    text = f"HTTP/1.1 {_status(status)}\r\n{fields}{date}{option}\r\n"
    expected = len(lines) + 2 + bool(date) + bool(option)
    if text.count("\n") != expected or text.count("\r") != expected:
        raise WrongAnswer("a header holds the end of a line")
    return text.encode(CHARSET)


def problem(status: HTTPStatus, code: str, detail: str) -> bytes:
    """Return a whole answer of the server itself, as a problem (RFC 9457); the connection ends with it."""
    members = {
        "type": f"/api/docs#{code}",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
    }
    body = json.dumps(members).encode()
    headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
    return render(f"{int(status)} {status.phrase}", headers, keeps=False, is_new=True) + body


@lru_cache(maxsize=128)
def _status(line: str) -> str:
    """Return a status line with the reason that the standard has for it; Werkzeug writes in capitals."""
    code = line[:3]
    try:
        return f"{code} {HTTPStatus(int(code)).phrase}"
    except ValueError:
        return line


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return f"Date: {format_date_time(second)}\r\n"
