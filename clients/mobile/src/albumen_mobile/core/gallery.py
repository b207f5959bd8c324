"""The photos of one dataset, page after page, newest first; or those that a search finds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from albumen_mobile.core.troubles import Refused, Trouble

if TYPE_CHECKING:
    from albumen_mobile.core.api import Api
    from albumen_mobile.core.model import Photo

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_NOT_FOUND = 404


class Gallery:
    """A list that grows. Answers that come after the person has gone on to another list are dropped."""

    def __init__(self, api: Api, dataset: str) -> None:
        self._api = api
        self._cursor: str | None = None
        self._turn = 0
        self._is_loading = False
        self.dataset = dataset
        self.search = ""
        self.photos: list[Photo] = []
        self.is_complete = False
        self.is_loaded = False
        self.is_outdated = False

    async def reload(self, *, dataset: str | None = None, search: str | None = None) -> bool:
        """Begin anew, for another dataset or search when they are given; return False when this was overtaken.

        Raises:
            Trouble: The first page did not come; what was shown before stays.
        """
        if dataset is not None and dataset != self.dataset:
            self.dataset, self.photos, self.is_loaded = dataset, [], False
        if search is not None:
            self.search = search.strip()
        self._turn += 1
        self._is_loading = self.is_outdated = False
        try:
            return await self._load(None)
        except Trouble:
            self.is_outdated = True
            raise

    async def more(self) -> bool:
        """Get the next page; return whether photos were added. While one is on its way nothing is asked."""
        if self._is_loading or self.is_complete or not self.is_loaded:
            return False
        return await self._load(self._cursor)

    def replace(self, photo: Photo) -> None:
        """Show a photo as it is now."""
        self.photos = [photo if one.id == photo.id else one for one in self.photos]

    def remove(self, photo_id: str) -> None:
        """Show a photo no longer."""
        self.photos = [one for one in self.photos if one.id != photo_id]

    async def _load(self, cursor: str | None) -> bool:
        turn, self._is_loading = self._turn, True
        try:
            photos, following = await self._page(cursor)
        finally:
            if turn == self._turn:
                self._is_loading = False
        if turn != self._turn:
            return False
        have = {one.id for one in self.photos} if cursor else set()
        self.photos = [*(self.photos if cursor else ()), *(one for one in photos if one.id not in have)]
        self._cursor, self.is_complete, self.is_loaded = following, following is None, True
        return True

    async def _page(self, cursor: str | None) -> tuple[tuple[Photo, ...], str | None]:
        if _ID.fullmatch(self.search):
            return await self._of_id(self.search.lower()), None
        page = await self._api.photos(dataset=self.dataset, name=self.search, cursor=cursor)
        return page.photos, page.next

    async def _of_id(self, photo_id: str) -> tuple[Photo, ...]:
        try:
            return ((await self._api.details(photo_id)).photo,)
        except Refused as exc:
            if exc.status == _NOT_FOUND:
                return ()
            raise
