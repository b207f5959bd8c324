"""The TCP connections that clients hold to this process, as the kernel sees them (Linux: proc(5), tcp(7)).

Granian tells an application neither which connection a request came on nor how fast its bytes move, and a read of a
body cannot be interrupted. The kernel knows all of it, and the connections are files of this very process: it can
count their bytes and end them, and Granian then notices an ordinary end of the stream.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct
import termios
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILES = "/proc/self/fd"
_FAMILIES = frozenset({socket.AF_INET, socket.AF_INET6})
_INFO = struct.Struct("=B119xQQ")  # struct tcp_info of linux/tcp.h: state, bytes acknowledged, bytes received
_CLOSE_WAIT = 8
_COUNT = struct.Struct("=i")
_RESET = struct.pack("=ii", 1, 0)  # SO_LINGER: closing drops what was not sent
_MAPPED = "::ffff:"
_HOST_BITS = 64


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection at one moment: bytes received, bytes that the client acknowledged, bytes that wait for it."""

    file: int
    inode: int
    address: str
    received: int
    acknowledged: int
    unsent: int
    is_half_closed: bool


def connections(port: int) -> Sequence[Connection]:
    """Return what clients hold open to `port`; nothing on a system that does not tell."""
    try:
        files = [int(name) for name in os.listdir(_FILES)]  # noqa: PTH208 - numbers are wanted, not paths
    except OSError:
        return ()
    return [found for file in files if (found := _look(file, port))]


def plain_address(address: str) -> str:
    """Return an address in the form of its own family: an IPv4 client of an IPv6 listener counts as IPv4."""
    return address.removeprefix(_MAPPED)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or an IPv6 network of /64.

    One host has all addresses of such a network. What is no address stands for itself.
    """
    plain = plain_address(address)
    if ":" not in plain:
        return plain
    try:
        return str(IPv6Network((plain.partition("%")[0], _HOST_BITS), strict=False))
    except ValueError:
        return plain


def end_reading(connection: Connection) -> None:
    """Let the server read no more from it; an answer still goes out."""
    with suppress(OSError), _own(connection) or nullcontext() as link:
        if link is not None:
            link.shutdown(socket.SHUT_RD)


def reset(connection: Connection) -> None:
    """End it at once and drop what the client did not take."""
    with suppress(OSError), _own(connection) or nullcontext() as link:
        if link is not None:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            link.shutdown(socket.SHUT_RDWR)


def _look(file: int, port: int) -> Connection | None:
    """Return the connection behind a file of this process, None when it is none, or closed meanwhile."""
    try:
        found = os.fstat(file)
        if not stat.S_ISSOCK(found.st_mode):
            return None
        link = socket.socket(fileno=file)
    except OSError:
        return None
    try:
        return _describe(link, found.st_ino, port)
    except OSError:
        return None
    finally:
        link.detach()


def _describe(link: socket.socket, inode: int, port: int) -> Connection | None:
    if link.family not in _FAMILIES or link.type != socket.SOCK_STREAM or link.getsockname()[1] != port:
        return None
    address = plain_address(link.getpeername()[0])
    state, acknowledged, received = _INFO.unpack(link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
    (unsent,) = _COUNT.unpack(fcntl.ioctl(link, termios.TIOCOUTQ, bytes(_COUNT.size)))
    return Connection(link.fileno(), inode, address, received, acknowledged, unsent, state == _CLOSE_WAIT)


def _own(connection: Connection) -> socket.socket | None:
    """Open the connection by a file of our own; None when its number stands for something else by now."""
    file = os.dup(connection.file)
    if os.fstat(file).st_ino != connection.inode:
        os.close(file)
        return None
    return socket.socket(fileno=file)
