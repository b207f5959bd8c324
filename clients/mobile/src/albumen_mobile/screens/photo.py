"""One photo, as large as the screen: zoom, swipe to the neighbours, link, details, rename, trash."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import flet as ft

from albumen_mobile.core.api import FULL_SIZE
from albumen_mobile.core.troubles import Trouble
from albumen_mobile.screens.pager import Pager
from albumen_mobile.screens.parts import ask, labelled, message
from albumen_mobile.screens.theme import DARK, ROOM

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from albumen_mobile.core.model import Details, Photo
    from albumen_mobile.screens.app import App

Value = TypeVar("Value")
NEIGHBOURS = 25  # on either side that can be swiped to without coming back to the grid


class PhotoScreen:
    """Opened by a tap on the grid, or by its own address."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._photos: list[Photo] = []
        self._index = 0
        self._filled: set[str] = set()
        self._pager = Pager(0, 0, self._turn_to)
        self._body = ft.Container(expand=True)
        self._appbar = ft.AppBar()
        self._view = ft.View()

    def view(self, route: str) -> ft.View:
        """Build the screen; `load` fills it."""
        self._appbar = ft.AppBar(leading=self._back_button(), title=ft.Text(""), bgcolor=ROOM, color=DARK.ink)
        self._body = ft.Container(ft.ProgressRing(), expand=True, alignment=ft.Alignment.CENTER)
        self._view = ft.View(route=route, padding=0, bgcolor=ROOM, appbar=self._appbar, controls=[self._body])
        return self._view

    async def load(self, photo_id: str) -> None:
        """Show a photo and its neighbours in the grid; one that the grid has not is asked for."""
        at = next((number for number, one in enumerate(self._app.gallery.photos) if one.id == photo_id), None)
        if at is None:
            await self._load_alone(photo_id)
        else:
            first = max(0, at - NEIGHBOURS)
            self._photos = self._app.gallery.photos[first : at + NEIGHBOURS + 1]
            await self._show(at - first)

    @property
    def _photo(self) -> Photo:
        return self._photos[self._index]

    async def _load_alone(self, photo_id: str) -> None:
        try:
            self._photos = [(await self._app.api.details(photo_id)).photo]
        except Trouble as exc:
            words = self._app.words
            text = words.trouble(exc.code, getattr(exc, "detail", ""))
            self._body.content = message(ft.Icons.IMAGE_NOT_SUPPORTED, words("trouble_trouble"), text)
            self._view.update()
            return
        await self._show(0)

    async def _show(self, index: int) -> None:
        self._filled = set()
        self._pager = Pager(len(self._photos), index, self._turn_to)
        self._body.content = self._pager.control
        await self._come_to(index)

    async def _turn_to(self, index: int) -> None:
        """Go over to a neighbour."""
        await asyncio.gather(self._pager.turn_to(index), self._come_to(index))

    async def _come_to(self, index: int) -> None:
        """Show the name of a photo and fill it and its neighbours with pictures."""
        self._index = index
        self._dress()
        self._view.update()
        for near in (index, index + 1, index - 1):
            if 0 <= near < len(self._photos):
                await self._fill(self._pager, near)

    async def _fill(self, pager: Pager, index: int) -> None:
        photo, api = self._photos[index], self._app.api
        if photo.id in self._filled:
            return
        self._filled.add(photo.id)
        try:
            picture = api.address(photo.id, FULL_SIZE) or await api.picture(photo.id, FULL_SIZE)
        except Trouble as exc:
            self._filled.discard(photo.id)
            pager.tell(index, ft.Text(self._app.words.trouble(exc.code)))
        else:
            pager.fill(index, self._picture(photo, picture))
        if self._body.parent is not None:
            self._body.update()

    def _picture(self, photo: Photo, picture: str | bytes) -> ft.Control:
        label = self._app.words("photo_label", name=photo.name)
        broken = ft.Icon(ft.Icons.BROKEN_IMAGE)
        image = ft.Image(picture, fit=ft.BoxFit.CONTAIN, semantics_label=label, error_content=broken, expand=True)
        return ft.Container(image, alignment=ft.Alignment.CENTER)

    def _dress(self) -> None:
        photo, words = self._photo, self._app.words
        self._appbar.title = ft.Text(photo.name, max_lines=1, overflow=ft.TextOverflow.ELLIPSIS)
        self._appbar.actions = self._actions(photo)
        size = words.size(photo.bytes)
        line = ft.Text(f"{_pixels(photo)} · {size}", color=DARK.muted)
        row = ft.Row([self._step(-1), line, self._step(1)], alignment=ft.MainAxisAlignment.SPACE_BETWEEN)
        self._view.bottom_appbar = ft.BottomAppBar(row, padding=0, height=56, bgcolor=ROOM)

    def _back_button(self) -> ft.Control:
        async def leave(_: ft.Event[ft.IconButton]) -> None:
            await self._app.back()

        icon, tooltip = labelled(ft.Icons.ARROW_BACK, self._app.words("back"), DARK.ink)
        return ft.IconButton(icon, tooltip=tooltip, on_click=leave)

    def _step(self, by: int) -> ft.Control:
        async def step(_: ft.Event[ft.IconButton]) -> None:
            await self._turn_to(self._index + by)

        is_there = 0 <= self._index + by < len(self._photos)
        arrow = ft.Icons.CHEVRON_RIGHT if by > 0 else ft.Icons.CHEVRON_LEFT
        label = self._app.words("next" if by > 0 else "previous")
        icon, tooltip = labelled(arrow, label, DARK.ink if is_there else DARK.line)
        return ft.IconButton(icon, tooltip=tooltip, on_click=step, disabled=not is_there)

    def _actions(self, photo: Photo) -> list[ft.Control]:
        words = self._app.words
        copy = self._button(ft.Icons.LINK, "copy_link", lambda: self._app.say(words("link_copied")))
        copy.action = ft.CopyToClipboard(photo.link)
        share = self._button(ft.Icons.SHARE, "share", None)
        share.action = ft.ShareText(photo.link, photo.name)
        shown: list[ft.Control] = [copy, share, self._button(ft.Icons.INFO_OUTLINE, "details", self._on_details)]
        return [*shown, self._menu()] if self._app.session.may_change else shown

    def _button(self, icon: ft.IconData, word: str, on_click: Callable[[], object] | None) -> ft.IconButton:
        named, tooltip = labelled(icon, self._app.words(word), DARK.ink)
        return ft.IconButton(named, tooltip=tooltip, on_click=on_click)

    def _menu(self) -> ft.Control:
        words = self._app.words
        icon, tooltip = labelled(ft.Icons.MORE_VERT, words("more"), DARK.ink)
        rename = ft.PopupMenuItem(words("rename"), icon=ft.Icons.EDIT, on_click=self._on_rename)
        trash = ft.PopupMenuItem(words("trash"), icon=ft.Icons.DELETE_OUTLINE, on_click=self._on_trash)
        return ft.PopupMenuButton(icon=icon, tooltip=tooltip, items=[rename, trash])

    async def _on_details(self) -> None:
        details = await self._told(self._app.api.details(self._photo.id))
        if details is not None:
            rows: list[ft.Control] = [_fact(label, text) for label, text in self._facts(details) if text]
            column = ft.Column(rows, scroll=ft.ScrollMode.AUTO, tight=True, spacing=12)
            sheet = ft.Container(ft.SelectionArea(column), padding=24)
            self._app.page.show_dialog(ft.BottomSheet(sheet, show_drag_handle=True, scrollable=True))

    def _facts(self, details: Details) -> list[tuple[str, str]]:
        words, photo = self._app.words, details.photo
        place = f"{details.position[0]:.5f}, {details.position[1]:.5f}" if details.position else ""
        return [
            (words("name"), photo.name),
            (words("dataset"), photo.dataset),
            (words("taken"), (details.taken_at or "").replace("T", " ")),
            (words("uploaded"), photo.uploaded_at.astimezone().strftime("%Y-%m-%d %H:%M")),
            (words("pixels"), _pixels(photo)),
            (words("bytes"), words.size(photo.bytes)),
            (words("type"), details.media_type),
            (words("camera"), details.camera or ""),
            (words("lens"), details.lens or ""),
            (words("position"), place),
            (words("id"), photo.id),
            (words("link"), photo.link),
            ("SHA-256", details.sha256),
        ]

    async def _on_rename(self, _: ft.Event[ft.PopupMenuItem]) -> None:
        words, photo = self._app.words, self._photo
        field = ft.TextField(value=photo.name, label=words("name"), autofocus=True)

        async def rename() -> None:
            self._app.page.pop_dialog()
            name = (field.value or "").strip()
            renamed = await self._told(self._app.api.rename(photo.id, name)) if name else None
            if renamed is not None:
                self._photos[self._index] = renamed
                self._app.gallery.replace(renamed)
                self._dress()
                self._view.update()
                self._app.say(words("renamed"))

        ask(self._app.page, words("rename_title"), [field], words("save"), words("cancel"), self._task(rename))

    async def _on_trash(self, _: ft.Event[ft.PopupMenuItem]) -> None:
        photo, words = self._photo, self._app.words
        if await self._told(self._trashed(photo)) is None:
            return
        self._app.gallery.remove(photo.id)

        async def restore() -> None:
            if await self._told(self._restored(photo)):
                self._app.say(words("restored"))
                await self._app.grid_screen.refresh()

        undo = ft.SnackBarAction(words("undo"), on_click=lambda _: self._task(restore)())
        await self._app.back()
        self._app.say(words("trashed"), action=undo)

    async def _trashed(self, photo: Photo) -> bool:
        await self._app.api.trash(photo.id)
        return True

    async def _restored(self, photo: Photo) -> bool:
        await self._app.api.restore(photo.id)
        return True

    async def _told(self, call: Awaitable[Value]) -> Value | None:
        """Return what a call gives, or tell its trouble and return None."""
        try:
            return await call
        except Trouble as exc:
            self._app.say_trouble(exc)
            return None

    def _task(self, work: Callable[[], Awaitable[None]]) -> Callable[[], object]:
        return lambda: self._app.page.run_task(work)


def _pixels(photo: Photo) -> str:
    return f"{photo.width} \u00d7 {photo.height}"


def _fact(label: str, text: str) -> ft.Control:
    name = ft.Text(label, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.ON_SURFACE_VARIANT)
    return ft.MergeSemantics(ft.Column([name, ft.Text(text)], spacing=2, tight=True))
