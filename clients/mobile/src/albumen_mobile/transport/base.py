"""What the core asks of a way to the server. One suite of tests runs on every implementation."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """A call of the API: a path that begins with a slash, the query, and a JSON body or none."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What the server answered; the names of headers are lower-case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:  # noqa: ANN401 - JSON is of any shape until the core has looked at it
        """Return the body as JSON, or None when it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None


class ChosenFile(Protocol):
    """A file that a person chose: it can be sent, and sent again, without being held in memory."""

    @property
    def name(self) -> str:
        """The name on the device."""

    @property
    def size(self) -> int:
        """Bytes."""


class Transport(Protocol):
    """A way to one server. Every method raises Unreachable when no answer comes."""

    async def send(self, request: Request) -> Response:
        """Call the API."""

    async def put_file(self, path: str, query: Mapping[str, str], file: ChosenFile) -> Response:
        """Send the bytes of a file as they are, streamed from the device."""

    async def digest(self, file: ChosenFile) -> str | None:
        """Return the SHA-256 of a file in hex, or None when this way cannot tell at a bearable cost."""

    def address(self, path: str, query: Mapping[str, str]) -> str | None:
        """Return where an image widget finds a picture by itself; None when it would lack the key."""

    async def close(self) -> None:
        """Let go of connections."""
