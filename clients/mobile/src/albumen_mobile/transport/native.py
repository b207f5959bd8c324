"""The way of the apps for Android and iOS: httpx, with the key in the Authorization header of every request."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - dataclasses are read at run time
from typing import TYPE_CHECKING, BinaryIO

import httpx

from albumen_mobile.core.troubles import Unreachable
from albumen_mobile.transport.base import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from albumen_mobile.transport.base import ChosenFile, Request

CHUNK_BYTES = 256 * 1024
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 120.0


@dataclass(frozen=True, slots=True)
class NativeFile:
    """A file of the device, by its path."""

    name: str
    size: int
    path: Path


class NativeTransport:
    """httpx to one server. Redirects are not followed: the key is for the address that the person typed."""

    def __init__(self, server: str, key: str = "") -> None:
        self._has_key = bool(key)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.AsyncClient(base_url=server, headers=headers, timeout=timeout)

    async def send(self, request: Request) -> Response:
        """Call the API."""
        body = None if request.body is None else dict(request.body)
        return await self._answer(
            self._client.build_request(request.method, request.path, params=dict(request.query), json=body)
        )

    async def put_file(self, path: str, query: Mapping[str, str], file: ChosenFile) -> Response:
        """Send the bytes of a file in chunks of 256 KiB."""
        headers = {"Content-Length": str(file.size), "Content-Type": "application/octet-stream"}
        content = _chunks(_path_of(file))
        return await self._answer(
            self._client.build_request("PUT", path, params=dict(query), content=content, headers=headers)
        )

    async def digest(self, file: ChosenFile) -> str | None:
        """Hash a file, in a thread: the screen stays alive."""
        return await asyncio.get_running_loop().run_in_executor(None, _sha256, _path_of(file))

    def address(self, path: str, query: Mapping[str, str]) -> str | None:
        """Return None with a key: Flutter's image widget would not send it."""
        return None if self._has_key else str(self._client.base_url.copy_with(path=path, params=dict(query)))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _answer(self, request: httpx.Request) -> Response:
        try:
            answer = await self._client.send(request)
        except (httpx.TransportError, httpx.InvalidURL) as exc:
            raise Unreachable from exc
        headers = {name.lower(): text for name, text in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content)


def _path_of(file: ChosenFile) -> Path:
    if not isinstance(file, NativeFile):
        message = f"{file!r} was not chosen on this device"
        raise TypeError(message)
    return file.path


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    with await loop.run_in_executor(None, _opened, path) as source:
        while chunk := await loop.run_in_executor(None, source.read, CHUNK_BYTES):
            yield chunk


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
