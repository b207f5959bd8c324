"""A line to a server that can be cut: the mobile client's way to the network for tests without one."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field

from albumen_mobile.core.troubles import Unreachable
from albumen_mobile.transport.base import Request, Response

PROBLEM = {"content-type": "application/problem+json"}


@dataclass(frozen=True)
class MemoryFile:
    """A chosen file whose bytes are at hand."""

    name: str
    content: bytes

    @property
    def size(self):
        return len(self.content)


def answer(status, value=None, **headers):
    return Response(status, headers, json.dumps(value).encode())


def refusal(status, code, **headers):
    return Response(status, {**PROBLEM, **headers}, json.dumps({"code": code, "detail": f"about {code}"}).encode())


@dataclass
class Line:
    """Keeps what was sent and answers as Albumen does; `refusals` maps a name to the answers that come first."""

    hashes: bool = True
    is_cut: bool = False
    cut_after: int | None = None
    refusals: dict[str, list[Response]] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    most_at_once: int = 0
    under_way: int = 0
    answers: dict[tuple[str, str], Response] = field(default_factory=dict)

    async def send(self, request):
        await self._travel()
        self.requests.append(request)
        if request.path == "/api/v1/photos/known":
            known = [self._entry(digest) for digest in request.body["sha256"] if digest in self.kept]
            return answer(200, {"known": known})
        return self.answers.get((request.method, request.path), answer(200, {}))

    async def put_file(self, path, query, file):
        assert path == "/api/v1/photos"
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await self._travel()
        finally:
            self.under_way -= 1
        self.sent.append(query["name"])
        if self.cut_after is not None and len(self.sent) >= self.cut_after:
            self.is_cut, self.cut_after = True, None
        if self.refusals.get(query["name"]):
            return self.refusals[query["name"]].pop(0)
        digest = hashlib.sha256(file.content).hexdigest()
        status = "duplicate" if digest in self.kept else "created"
        self.kept.setdefault(digest, f"id-{len(self.kept)}")
        return answer(201, {"status": status, **self._entry(digest)})

    async def digest(self, file):
        return hashlib.sha256(file.content).hexdigest() if self.hashes else None

    def address(self, path, query):
        return f"{path}?{query}"

    async def close(self):
        """Nothing is open."""

    async def _travel(self):
        await asyncio.sleep(0)
        if self.is_cut:
            raise Unreachable

    def _entry(self, digest):
        return {"sha256": digest, "id": self.kept[digest], "link": f"http://host/get/{self.kept[digest]}"}
