"""One connection: bytes from its client and to it, waited for as long as a client may take."""

from __future__ import annotations

import select
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.errors import BodyTooSlow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Buffer = bytes | bytearray | memoryview

_INFO = struct.Struct("=120xQ")  # struct tcp_info of linux/tcp.h: bytes that the other side acknowledged
_RESET = struct.pack("=ii", 1, 0)  # SO_LINGER: closing drops what was not sent


class ClientGone(Exception):
    """The client closed its connection, broke it, or was let go because it did not read."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client may move fewer than `least_bytes`; `tell` hears who waited for whom when one is let go."""

    seconds: float
    least_bytes: int
    tell: Callable[[str, str], None]


class Connection:
    """A socket that never blocks the system's way; waiting is done here. Used by one thread at a time."""

    __slots__ = (
        "_moved",
        "_patience",
        "_waited",
        "address",
        "buffer",
        "held",
        "is_open",
        "number",
        "port",
        "since",
        "socket",
        "unsent",
    )

    def __init__(self, client: socket.socket, address: str, port: int, patience: Patience) -> None:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = client
        self.number = client.fileno()
        self.address = address
        self.port = port
        self.buffer = bytearray()  # received and not used yet
        self.held = bytearray()  # of an answer that began within its request, to be sent before anything else
        self.unsent = b""  # the end of an answer, which a thread left to the loop
        self.since = time.monotonic()
        self.is_open = True
        self._patience = patience
        self._waited = 0.0
        self._moved = 0

    def receive(self, most: int) -> bytes:
        """Return up to `most` bytes, none at the end of what the client sends or will ever send.

        Raises:
            BodyTooSlow: Too few bytes came in the time that a client has; time at work elsewhere does not count.
        """
        if self.buffer:
            data = bytes(memoryview(self.buffer)[:most])
            del self.buffer[:most]
            return data
        return self._receive(most)

    def has_more_by(self, deadline: float) -> bool:
        """Wait until there are bytes, or the end of them, but not longer; tell whether there are."""
        return bool(self.buffer) or _ready(self.number, select.POLLIN, deadline - time.monotonic())

    def receive_line(self, most: int) -> bytes | None:
        """Return a line without its end, None when there is none of at most so many bytes. Raises BodyTooSlow."""
        while (end := self.buffer.find(b"\r\n", 0, most)) < 0:
            data = self._receive(most) if len(self.buffer) < most else b""
            if not data:
                return None
            self.buffer += data
        line = bytes(memoryview(self.buffer)[:end])
        del self.buffer[: end + 2]
        return line

    def _receive(self, most: int) -> bytes:
        while self.is_open:
            try:
                data = self.socket.recv(most)
            except BlockingIOError:
                self._wait_for_bytes()
            except OSError:
                self.is_open = False
            else:
                self._note_progress(len(data))
                return data
        return b""

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send all of these bytes, behind those that are held. Raises ClientGone."""
        left = self.send_now(parts)
        while left or self.held:
            self._wait_for_room()
            left = self.send_now(left)

    def send_now(self, parts: Sequence[Buffer]) -> list[Buffer]:
        """Send what the system takes at once; return what is left. Raises ClientGone."""
        if self.held:
            self._send_held()
        return list(parts) if self.held else after(parts, self._give(parts))

    def _send_held(self) -> None:
        """Send what the system takes at once of what is held. Raises ClientGone."""
        sent = self._give([self.held])
        del self.held[:sent]

    def _give(self, parts: Sequence[Buffer]) -> int:
        """Give bytes to the system; return how many it took. Raises ClientGone."""
        try:
            return self.socket.sendmsg(parts)
        except BlockingIOError:
            return 0
        except OSError as exc:
            self.is_open = False
            raise ClientGone from exc

    def acknowledged(self) -> int:
        """Return how many bytes the client took so far."""
        try:
            info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        except OSError:
            return 0
        (taken,) = _INFO.unpack(info)
        return int(taken)

    def has_stalled(self, acknowledged: int) -> bool:
        """Tell whether the client took too little since it had taken so many bytes, and let it go then."""
        if self.acknowledged() - acknowledged >= self._patience.least_bytes:
            return False
        self.let_reader_go()
        return True

    def let_reader_go(self) -> None:
        """End the connection of a client that does not read fast enough."""
        self._patience.tell("reader", self.address)
        self.reset()

    def end_sending(self) -> None:
        """Tell the client that nothing more comes."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Let closing end the connection at once and drop what the client did not take."""
        self.is_open = False
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def close(self) -> None:
        """Close the socket. Only the loop does so: its number may stand for another connection at once."""
        self.is_open = False
        self.socket.close()

    def _wait_for_bytes(self) -> None:
        left = self._patience.seconds - self._waited
        began = time.monotonic()
        is_ready = left > 0 and self._come_by(began + left)
        self._waited += time.monotonic() - began
        if not is_ready:
            self._patience.tell("sender", self.address)
            raise BodyTooSlow("The body came too slowly, or not at all. Send the request again.")

    def _come_by(self, deadline: float) -> bool:
        """Wait for bytes, or the end of them, and send what is held meanwhile: the client may wait for that."""
        while self.held:
            event = _event(self.number, select.POLLIN | select.POLLOUT, deadline - time.monotonic())
            if event != select.POLLOUT:
                return bool(event)
            try:
                self._send_held()
            except ClientGone:
                return True
        return _ready(self.number, select.POLLIN, deadline - time.monotonic())

    def _note_progress(self, count: int) -> None:
        self._moved += count
        if self._moved >= self._patience.least_bytes:
            self.begin_waiting()

    def begin_waiting(self) -> None:
        """Give the client its whole time anew."""
        self._moved, self._waited = 0, 0.0

    def _wait_for_room(self) -> None:
        """Wait until more can be sent. The system tells that late, so a slow reader is known by what it took."""
        acknowledged = self.acknowledged()
        while not _ready(self.number, select.POLLOUT, self._patience.seconds):
            if self.has_stalled(acknowledged):
                raise ClientGone("let go")
            acknowledged = self.acknowledged()


def after(parts: Sequence[Buffer], sent: int) -> list[Buffer]:
    """Return what is left of `parts` after so many bytes of them."""
    for index, part in enumerate(parts):
        if sent < len(part):
            return [memoryview(part)[sent:], *parts[index + 1 :]]
        sent -= len(part)
    return []


def _ready(number: int, event: int, seconds: float) -> bool:
    return bool(_event(number, event, seconds))


def _event(number: int, events: int, seconds: float) -> int:
    """Wait for one of these events, or an error, but not longer; return what happened, 0 for nothing."""
    waiting = select.poll()
    waiting.register(number, events)
    return sum(event for _, event in waiting.poll(1000 * max(seconds, 0)))
