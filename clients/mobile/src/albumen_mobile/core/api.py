"""Albumen's HTTP API, as far as this client needs it, over any transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from albumen_mobile.core.model import Dataset, Details, Photo, PhotoPage, Receipt, Session
from albumen_mobile.core.troubles import NotAlbumen, Refused
from albumen_mobile.transport.base import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from albumen_mobile.transport.base import ChosenFile, Response, Transport

GRID_SIZE, FULL_SIZE = 256, 2048
_PROBLEM = "application/problem+json"
_FIRST_ERROR = 400
_NOT_FOUND = 404


class Api:
    """One server. Every method raises Unreachable, NotAlbumen or Refused."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def session(self) -> Session:
        """Ask who we are to the server. Any other server than Albumen, or a wrong path on one, gives NotAlbumen."""
        try:
            value = await self._call(Request("GET", "/api/v1/session"))
        except Refused as exc:
            if exc.status != _NOT_FOUND:
                raise
            raise NotAlbumen from exc
        if not isinstance(value, dict) or "mode" not in value:
            raise NotAlbumen
        return Session(value["mode"], value["role"])

    async def log_in(self, key: str) -> None:
        """Let the server check a key and, in a browser, keep it in a cookie that scripts cannot read."""
        await self._call(Request("POST", "/api/v1/session", body={"key": key}))

    async def log_out(self) -> None:
        """Forget the key."""
        await self._call(Request("DELETE", "/api/v1/session"))

    async def is_alive(self) -> bool:
        """Ask whether the server answers at all. Raises Unreachable when it does not."""
        response = await self.transport.send(Request("GET", "/health/live"))
        return response.status < _FIRST_ERROR

    async def photos(self, *, dataset: str, name: str = "", cursor: str | None = None, limit: int = 60) -> PhotoPage:
        """Return a page of a dataset, newest first; `name` keeps those whose name contains it."""
        asked = {"dataset": dataset, "name": name, "cursor": cursor, "limit": str(limit)}
        query = {key: value for key, value in asked.items() if value}
        return PhotoPage.from_json(await self._call(Request("GET", "/api/v1/photos", query)))

    async def details(self, photo_id: str) -> Details:
        """Return all that is known of a photo."""
        return Details.from_json(await self._call(Request("GET", f"/api/v1/photos/{photo_id}")))

    async def rename(self, photo_id: str, name: str) -> Photo:
        """Give a photo another name."""
        return Photo.from_json(await self._call(Request("PATCH", f"/api/v1/photos/{photo_id}", body={"name": name})))

    async def trash(self, photo_id: str) -> None:
        """Move a photo to the trash."""
        await self._call(Request("DELETE", f"/api/v1/photos/{photo_id}"))

    async def restore(self, photo_id: str) -> None:
        """Take a photo out of the trash."""
        await self._call(Request("POST", f"/api/v1/photos/{photo_id}/restore"))

    async def datasets(self) -> tuple[Dataset, ...]:
        """Return all datasets."""
        found: list[Dataset] = []
        query: dict[str, str] = {}
        while True:
            value = await self._call(Request("GET", "/api/v1/datasets", query))
            found += (Dataset.from_json(entry) for entry in value["datasets"])
            if value["next"] is None:
                return tuple(found)
            query = {"cursor": value["next"]}

    async def create_dataset(self, name: str, slug: str | None) -> Dataset:
        """Make a dataset; without a slug the server makes one from the letters of the name."""
        body = {"name": name, "slug": slug} if slug else {"name": name}
        return Dataset.from_json(await self._call(Request("POST", "/api/v1/datasets", body=body)))

    async def known(self, dataset: str, digests: Sequence[str]) -> dict[str, Receipt]:
        """Return those of the SHA-256 digests that a dataset holds already, at most 10,000 at once."""
        body = {"dataset": dataset, "sha256": list(digests)}
        value = await self._call(Request("POST", "/api/v1/photos/known", body=body))
        return {entry["sha256"]: Receipt(entry["id"], entry["link"], is_new=False) for entry in value["known"]}

    async def put(self, dataset: str, name: str, file: ChosenFile) -> Receipt:
        """Upload a photo; repeating it gives the same id."""
        response = await self.transport.put_file("/api/v1/photos", {"dataset": dataset, "name": name}, file)
        value = _value(response)
        return Receipt(value["id"], value["link"], is_new=value["status"] == "created")

    def address(self, photo_id: str, size: int) -> str | None:
        """Return where the preview that fits into a square of `size` pixels is; None when only `picture` gets it."""
        return self.transport.address(f"/get/{photo_id}", {"size": str(size)})

    async def picture(self, photo_id: str, size: int) -> bytes:
        """Return the bytes of that preview."""
        response = await self.transport.send(Request("GET", f"/get/{photo_id}", {"size": str(size)}))
        if response.status >= _FIRST_ERROR:
            raise _refusal(response)
        return response.content

    async def _call(self, request: Request) -> Any:  # noqa: ANN401 - JSON, until a value is made of it
        return _value(await self.transport.send(request))


def _value(response: Response) -> Any:  # noqa: ANN401 - likewise
    if response.status >= _FIRST_ERROR:
        raise _refusal(response)
    return response.json()


def _refusal(response: Response) -> Exception:
    problem = response.json() if response.headers.get("content-type", "").startswith(_PROBLEM) else None
    if not isinstance(problem, dict):
        return Refused(response.status, "proxy", "") if response.status in {413, 502, 503, 504} else NotAlbumen()
    after = response.headers.get("retry-after", "")
    seconds = float(after) if after.isdigit() else None
    return Refused(response.status, str(problem.get("code", "internal")), str(problem.get("detail", "")), seconds)
