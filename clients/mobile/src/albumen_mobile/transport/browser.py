"""The way of the web version: the browser's own fetch, to the origin that the page came from.

The key travels in a cookie that neither Python nor JavaScript can read. Files are the browser's `File` objects: what is
sent is streamed from the device by the browser, whatever its size. It runs in Pyodide only.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import js
from pyodide.ffi import JsException, create_proxy
from pyodide.http import pyfetch

from albumen_mobile.core.troubles import Unreachable
from albumen_mobile.transport.base import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from albumen_mobile.transport.base import ChosenFile, Request

MOST_HASHED_BYTES = 32_000_000  # the browser hashes a buffer, not a stream
CHOICE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class BrowserFile:
    """A file that the person chose, as the browser knows it."""

    name: str
    size: int
    handle: Any


class BrowserTransport:
    """`fetch` to the own origin; `server` is its address without a slash at its end."""

    def __init__(self, server: str) -> None:
        self._server = server

    async def send(self, request: Request) -> Response:
        """Call the API."""
        options: dict[str, Any] = {"method": request.method}
        if request.body is not None:
            options |= {"body": json.dumps(dict(request.body)), "headers": {"Content-Type": "application/json"}}
        return await self._answer(self._address(request.path, request.query), options)

    async def put_file(self, path: str, query: Mapping[str, str], file: ChosenFile) -> Response:
        """Let the browser stream a file."""
        return await self._answer(self._address(path, query), {"method": "PUT", "body": _handle_of(file)})

    async def digest(self, file: ChosenFile) -> str | None:
        """Let the browser hash a file. It does so for secure pages only, and never a file of more than 32 MB."""
        if file.size > MOST_HASHED_BYTES or not js.isSecureContext:
            return None
        try:
            buffer = await js.crypto.subtle.digest("SHA-256", await _handle_of(file).arrayBuffer())
        except JsException:
            return None
        digest: bytes = buffer.to_bytes()
        return digest.hex()

    def address(self, path: str, query: Mapping[str, str]) -> str | None:
        """Return the address: the browser sends its cookie and keeps the picture."""
        return self._address(path, query)

    async def close(self) -> None:
        """Do nothing: the browser owns the connections."""

    def _address(self, path: str, query: Mapping[str, str]) -> str:
        return f"{self._server}{path}?{urlencode(query)}" if query else f"{self._server}{path}"

    async def _answer(self, address: str, options: dict[str, Any]) -> Response:
        try:
            answer = await pyfetch(address, credentials="same-origin", redirect="error", cache="no-store", **options)
            content = await answer.bytes()
        except (JsException, OSError) as exc:
            raise Unreachable from exc
        return Response(answer.status, {name.lower(): text for name, text in answer.headers.items()}, content)


class Choices:
    """What the person chose, in the order of choosing; `start.js` sends the files of every choice to this worker."""

    def __init__(self) -> None:
        self._choices: asyncio.Queue[list[BrowserFile]] = asyncio.Queue()
        self._channel = js.BroadcastChannel.new(js.self.name)
        self._channel.onmessage = create_proxy(self._on_message)

    async def next(self) -> list[BrowserFile]:
        """Return the files of the next choice, none when they do not come."""
        try:
            return await asyncio.wait_for(self._choices.get(), CHOICE_SECONDS)
        except TimeoutError:
            return []

    def _on_message(self, event: Any) -> None:  # noqa: ANN401 - a proxy of a JavaScript object
        self._choices.put_nowait([BrowserFile(file.name, int(file.size), file) for file in event.data])


def _handle_of(file: ChosenFile) -> Any:  # noqa: ANN401 - likewise
    if not isinstance(file, BrowserFile):
        message = f"{file!r} was not chosen in this page"
        raise TypeError(message)
    return file.handle
