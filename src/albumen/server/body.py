"""The body of a request, as WSGI reads it: up to its end and never beyond."""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING

from albumen.server.connection import ClientGone

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from albumen.server.connection import Connection

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MOST_LINE_BYTES = 4096
MOST_TRAILER_LINES = 100
MOST_SKIPPED_BYTES = 64 * 1024
_WHOLE = 256 * 1024
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t -~\x80-\xff]*)?")


class Body(io.RawIOBase):
    """A body of known length.

    `left` bytes have not been read. `is_cut` tells, when a read returned nothing, that the client ended its side before
    the end of the body. A client that waits for `100 Continue` gets it at the first read.
    """

    def __init__(self, connection: Connection, length: int, *, expects: bool) -> None:
        super().__init__()
        self._connection = connection
        self._expects = expects
        self.left = length
        self.is_cut = False
        connection.begin_waiting()

    @property
    def is_whole(self) -> bool:
        """Tell whether the body was read to its end."""
        return self.left == 0

    def skip(self, seconds: float) -> bool:
        """Drop a small body that was not read, waiting so long for it; tell whether the body is at its end now.

        A client that waits for `100 Continue` is not waited for: what comes from it may be its next request.
        """
        if self.left <= (len(self._connection.buffer) if self._expects else MOST_SKIPPED_BYTES):
            deadline = time.monotonic() + seconds
            while not (self.is_whole or self.is_cut) and self._connection.has_more_by(deadline):
                self._take(self.left)
        return self.is_whole

    def invite(self) -> bytes:
        """Return what a client that waits is told before an answer begins: within one, nothing can be told any more."""
        expects, self._expects = self._expects, False
        return CONTINUE if expects and not self.is_whole else b""

    def readable(self) -> bool:
        """Bytes can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes as soon as some are there, none at the end; all that is left for no size.

        Raises:
            BodyTooSlow: The client brought too few bytes for too long.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_WHOLE), b""))
        if self.is_whole or self.is_cut or not size:
            return b""
        self._ask_for_it()
        return self._take(size)

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read into a buffer; return how many bytes, 0 at the end."""
        target = memoryview(buffer)
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)

    def _take(self, size: int) -> bytes:
        data = self._connection.receive(min(size, self.left))
        self.left -= len(data)
        self.is_cut = not data
        return data

    def _ask_for_it(self) -> None:
        if self._expects:
            self._expects = False
            try:
                self._connection.send([CONTINUE])
            except ClientGone:
                self.is_cut = True


class ChunkedBody(Body):
    """A body in chunked transfer encoding (RFC 9112, section 7.1). `left` is what is left of the current chunk.

    A chunk that breaks the rules counts as a cut: nothing after it can be understood.
    """

    def __init__(self, connection: Connection, *, expects: bool) -> None:
        super().__init__(connection, 0, expects=expects)
        self._owes_line_end = False
        self._is_last = False
        self._trailer_lines = 0
        self._has_ended = False

    @property
    def is_whole(self) -> bool:
        """Tell whether the last chunk was read."""
        return self._has_ended

    def skip(self, seconds: float) -> bool:  # noqa: ARG002
        """Tell whether the body is at its end: chunks are not looked through for it."""
        return self.is_whole

    def _take(self, size: int) -> bytes:
        """Take what is there of several chunks: a client may make them small, and may pause after any of them."""
        if not self.left and not self._is_last:
            self._begin_chunk()
        if self._is_last:
            self._read_trailer()
        taken = self._take_piece(size)
        if not self._is_more_here():
            return taken
        pieces = bytearray(taken)
        while self._is_more_here() and len(pieces) < size:
            pieces += self._take_more(size - len(pieces))
        return bytes(pieces)

    def _take_more(self, size: int) -> bytes:
        if self.left:
            return self._take_piece(size)
        step = self._read_trailer if self._is_last else self._begin_chunk
        step()
        return b""

    def _take_piece(self, size: int) -> bytes:
        return b"" if self.is_cut or self._has_ended else super()._take(size)

    def _is_more_here(self) -> bool:
        """Tell whether bytes of the current chunk, the whole line before the next, or the whole trailer have come."""
        if self.is_cut or self._has_ended:
            return False
        buffer = self._connection.buffer
        if self._is_last:
            return buffer.startswith(b"\r\n") or buffer.find(b"\r\n\r\n", 0, MOST_LINE_BYTES) >= 0
        return bool(buffer) if self.left else buffer.find(b"\r\n", 2 * self._owes_line_end) >= 0

    def _begin_chunk(self) -> None:
        """Read the line before a chunk, and the end of the chunk before it."""
        if self._owes_line_end:
            self.is_cut = self._line() != b""
            self._owes_line_end = False
        found = None if self.is_cut else _CHUNK_LINE.fullmatch(self._line() or b"")
        if found is None:
            self.is_cut = True
            return
        self.left = int(found[1], 16)
        self._is_last = not self.left
        self._owes_line_end = not self._is_last

    def _read_trailer(self) -> None:
        """Read what follows the last chunk; a client may be too slow for that and be heard once more."""
        while self._trailer_lines < MOST_TRAILER_LINES:
            line = self._line()
            self._trailer_lines += 1
            if line is None or b"\n" in line or b"\r" in line:  # for others the trailer may have ended there
                break
            if not line:
                self._has_ended = True
                return
        self.is_cut = True

    def _line(self) -> bytes | None:
        return self._connection.receive_line(MOST_LINE_BYTES)
