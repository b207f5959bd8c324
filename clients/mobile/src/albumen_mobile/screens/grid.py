"""The photos of the dataset: a grid that grows while it is scrolled, and the search in it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import flet as ft

from albumen_mobile.core.api import GRID_SIZE
from albumen_mobile.core.troubles import Trouble
from albumen_mobile.screens.parts import labelled, message

if TYPE_CHECKING:
    from albumen_mobile.core.model import Photo
    from albumen_mobile.screens.app import App

TILE = 132
AHEAD = 900  # pixels before the end at which the next page is asked for
PULL = 70  # pixels of pulling down that mean: refresh
TYPING_SECONDS = 0.35


class GridScreen:
    """The grid keeps its tiles while other screens are on top."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._tiles: dict[str, ft.Control] = {}
        self._pulled = 0.0
        self._typing = 0
        self._grid = ft.GridView()
        self._body = ft.Container(expand=True)
        self._bar = ft.ProgressBar(visible=False)

    def view(self) -> ft.View:
        """Build the screen in the language of the moment."""
        app, words = self._app, self._app.words
        self._tiles = {}
        self._grid = ft.GridView(
            expand=True, max_extent=TILE, spacing=3, run_spacing=3, padding=3, on_scroll=self._on_scroll
        )
        self._grid.scroll_interval = 100
        self._bar = ft.ProgressBar(visible=False, semantics_label=words("refresh"))
        self._body = ft.Container(expand=True)
        self._draw()
        add = ft.FloatingActionButton(words("add"), icon=ft.Icons.ADD_PHOTO_ALTERNATE, action=app.pick())
        return ft.View(
            route="/",
            padding=0,
            spacing=0,
            appbar=self._appbar(),
            controls=[self._bar, self._body],
            floating_action_button=add if app.session.may_add else None,
            navigation_bar=app.navigation("/"),
        )

    async def load(self) -> None:
        """Get the first page unless it is there, as it is on the server."""
        gallery = self._app.gallery
        if gallery.is_outdated or not gallery.is_loaded:
            await self._reload()

    async def refresh(self) -> None:
        """Get the first page again."""
        await self._reload()

    def draw(self) -> None:
        """Show what the gallery holds now."""
        self._draw()
        self._body.update()

    def _appbar(self) -> ft.AppBar:
        words = self._app.words
        search = ft.TextField(
            value=self._app.gallery.search,
            label=words("search"),  # a hint would go as soon as something is typed, and with it the name of the field
            prefix_icon=ft.Icons.SEARCH,
            border=ft.NoInputBorder(),
            content_padding=ft.Padding.only(top=4, bottom=4),
            expand=True,
            autocorrect=False,
            on_change=self._on_typing,
            on_submit=self._on_search,
        )
        icon, tooltip = labelled(ft.Icons.REFRESH, words("refresh"))
        refresh = ft.IconButton(icon, tooltip=tooltip, on_click=self._on_refresh)
        field = ft.Container(ft.Row([search]), bgcolor=ft.Colors.SURFACE_CONTAINER_HIGHEST, border_radius=28)
        field.padding = ft.Padding.only(top=6, right=16)
        return ft.AppBar(title=field, title_spacing=8, actions=[refresh], toolbar_height=72)

    async def _reload(self, search: str | None = None) -> None:
        self._bar.visible = True
        self._bar.update()
        trouble = None
        try:
            await self._app.gallery.reload(search=search)
        except Trouble as exc:
            trouble = exc
        self._bar.visible = False
        self._bar.update()
        self._draw(trouble)
        self._body.update()

    def _draw(self, trouble: Trouble | None = None) -> None:
        gallery, words = self._app.gallery, self._app.words
        if gallery.photos:
            self._grid.controls = [self._tile(photo) for photo in gallery.photos]
            self._body.content = self._grid
            if trouble:
                self._app.say_trouble(trouble)
        elif trouble:
            again = ft.FilledButton(words("again"), on_click=self._on_refresh)
            text = words.trouble(trouble.code, getattr(trouble, "detail", ""))
            self._body.content = message(ft.Icons.CLOUD_OFF, words("trouble_trouble"), text, again)
        elif gallery.is_loaded:
            self._body.content = self._nothing()

    def _nothing(self) -> ft.Control:
        words, search = self._app.words, self._app.gallery.search
        if search:
            return message(ft.Icons.SEARCH_OFF, words("nothing_title"), words("nothing_text", text=search))
        return message(ft.Icons.PHOTO_LIBRARY_OUTLINED, words("empty_title"), words("empty_text"))

    def _tile(self, photo: Photo) -> ft.Control:
        if photo.id not in self._tiles:
            self._tiles[photo.id] = self._new_tile(photo)
        return self._tiles[photo.id]

    def _new_tile(self, photo: Photo) -> ft.Control:
        async def show(_: ft.Event[ft.Container]) -> None:
            await self._app.go(f"/photo/{photo.id}")

        holder = ft.Container(bgcolor=ft.Colors.SURFACE_CONTAINER_HIGHEST, border_radius=4, on_click=show)
        holder.clip_behavior = ft.ClipBehavior.HARD_EDGE
        address = self._app.api.address(photo.id, GRID_SIZE)
        if address is None:
            self._app.page.run_task(self._fill, holder, photo)
        else:
            holder.content = _image(address)
        return ft.Semantics(content=holder, label=self._app.words("photo_label", name=photo.name), button=True)

    async def _fill(self, holder: ft.Container, photo: Photo) -> None:
        with suppress(Trouble):  # the tile stays empty; its photo can still be opened
            holder.content = _image(await self._app.api.picture(photo.id, GRID_SIZE))
            holder.update()

    async def _on_scroll(self, event: ft.OnScrollEvent) -> None:
        if event.event_type is ft.ScrollType.OVERSCROLL and (event.overscroll or 0) < 0:
            self._pulled -= event.overscroll or 0
        elif event.pixels < -PULL:
            self._pulled = PULL + 1
        elif event.event_type is ft.ScrollType.END:
            was, self._pulled = self._pulled, 0.0
            if was > PULL:
                await self._reload()
        if event.pixels > event.max_scroll_extent - AHEAD:
            await self._more()

    async def _more(self) -> None:
        try:
            if await self._app.gallery.more():
                self._grid.controls = [self._tile(photo) for photo in self._app.gallery.photos]
                self._grid.update()
        except Trouble as exc:
            self._app.say_trouble(exc)

    async def _on_refresh(self) -> None:
        await self._reload()

    async def _on_typing(self, event: ft.Event[ft.TextField]) -> None:
        """Search once the person pauses."""
        self._typing += 1
        turn = self._typing
        await asyncio.sleep(TYPING_SECONDS)
        if turn == self._typing:
            await self._reload(search=event.control.value or "")

    async def _on_search(self, event: ft.Event[ft.TextField]) -> None:
        self._typing += 1
        await self._reload(search=event.control.value or "")


def _image(picture: str | bytes) -> ft.Image:
    broken = ft.Icon(ft.Icons.BROKEN_IMAGE)
    return ft.Image(picture, fit=ft.BoxFit.COVER, exclude_from_semantics=True, error_content=broken)
