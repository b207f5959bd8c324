"""The upload queue on the screen: counts, progress, a line for every photo."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import flet as ft

from albumen_mobile.core.queue import BAD, GOOD, State
from albumen_mobile.screens.parts import banner, message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from albumen_mobile.core.queue import Item
    from albumen_mobile.screens.app import App

BLINK_SECONDS = 0.3
MOST_LINES = 400  # the counts tell of the others
_ICONS = {
    State.WAITING: ft.Icons.SCHEDULE,
    State.CHECKING: ft.Icons.SEARCH,
    State.SENDING: ft.Icons.UPLOAD,
    State.CREATED: ft.Icons.CHECK_CIRCLE,
    State.DUPLICATE: ft.Icons.CHECK_CIRCLE_OUTLINE,
    State.FAILED: ft.Icons.ERROR,
    State.REFUSED: ft.Icons.BLOCK,
}


class UploadScreen:
    """Follows the queue: what changed is drawn three times a second, however many photos change."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lines: dict[int, ft.ListTile] = {}
        self._changed: set[int] = set()
        self._is_following = False
        self._list = ft.ListView(expand=True)
        self._head = ft.Column()
        self._body = ft.Column(expand=True)

    def view(self) -> ft.View:
        """Build the screen in the language of the moment."""
        app, words = self._app, self._app.words
        self._lines = {}
        self._list = ft.ListView(expand=True, padding=ft.Padding.only(bottom=88))
        self._head = ft.Column(spacing=12, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
        self._body = ft.Column(expand=True, spacing=0, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
        self._draw()
        add = ft.FloatingActionButton(words("add"), icon=ft.Icons.ADD_PHOTO_ALTERNATE, action=app.pick())
        return ft.View(
            route="/upload",
            padding=0,
            appbar=ft.AppBar(title=ft.Text(words("upload_to", name=app.preferences.dataset))),
            controls=[self._body],
            floating_action_button=add if app.session.may_add else None,
            navigation_bar=app.navigation("/upload"),
        )

    async def load(self) -> None:
        """Nothing has to be asked for."""

    def follow(self) -> None:
        """Draw the queue as long as it works."""
        self._app.queue.on_change = self._note
        if not self._is_following:
            self._is_following = True
            self._app.page.run_task(self._follow)

    def _note(self, item: Item) -> None:
        self._changed.add(item.number)
        if item.state is State.CREATED:
            self._app.gallery.is_outdated = True

    async def _follow(self) -> None:
        queue = self._app.queue
        while queue.is_working or self._changed:
            self._draw()
            if self._body.parent is not None:
                self._body.update()
            await asyncio.sleep(BLINK_SECONDS)
        self._is_following = False
        self._draw()
        if self._body.parent is not None:
            self._body.update()

    def _draw(self) -> None:
        app, words = self._app, self._app.words
        items = app.queue.items
        if not items:
            key = "upload_none_text" if app.session.may_add else "no_right_to_add"
            self._body.controls = [message(ft.Icons.CLOUD_UPLOAD_OUTLINED, words("upload_none_title"), words(key))]
            return
        self._draw_lines()
        self._head.controls = self._heading()
        self._body.controls = [ft.Container(self._head, padding=16), ft.Divider(height=1), self._list]

    def _draw_lines(self) -> None:
        changed, self._changed = self._changed, set()
        for number, item in self._app.queue.items.items():
            if number not in self._lines and len(self._lines) < MOST_LINES:
                self._lines[number] = self._line(item)
                self._list.controls.append(self._lines[number])
            elif number in changed and number in self._lines:
                self._dress(self._lines[number], item)

    def _heading(self) -> list[ft.Control]:
        app, words, queue = self._app, self._app.words, self._app.queue
        totals = queue.totals
        title = words("upload_running", done=totals.finished, all=words.count("photos", totals.all))
        if not queue.is_working:
            title = words("upload_done", all=words.count("photos", totals.all))
        shown = ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_LARGE)
        lines: list[ft.Control] = [
            ft.Semantics(content=shown, live_region=not queue.is_working),
            ft.ProgressBar(totals.finished / totals.all, bar_height=8, border_radius=4, semantics_label=title),
            self._counts(),
        ]
        if queue.is_cut_off:
            lines.append(banner(words("upload_cut_off"), icon=ft.Icons.CLOUD_OFF))
        elif queue.is_working and app.own_server:
            lines.append(ft.Text(words("upload_stay"), color=ft.Colors.ON_SURFACE_VARIANT))
        if queue.is_held:
            lines.append(banner(words("upload_held"), icon=ft.Icons.WIFI_OFF))
        return [*lines, *self._buttons()]

    def _counts(self) -> ft.Control:
        words, totals = self._app.words, self._app.queue.totals
        counted = (
            ("upload_good", words.number(totals.good)),
            ("upload_known", words.number(totals.duplicate)),
            ("upload_bad", words.number(totals.bad)),
            ("upload_time", words.seconds(totals.seconds)),
        )
        return ft.Row([_count(words(key), value) for key, value in counted], wrap=True, spacing=24, run_spacing=8)

    def _buttons(self) -> list[ft.Control]:
        words, queue = self._app.words, self._app.queue
        buttons: list[ft.Control] = []
        if any(item.state is State.FAILED for item in queue.items.values()):
            buttons.append(ft.FilledButton(words("retry"), icon=ft.Icons.REFRESH, on_click=self._on_retry))
        if not queue.is_working:
            buttons.append(ft.OutlinedButton(words("clear"), on_click=self._on_clear))
        return [ft.Row(buttons, wrap=True)] if buttons else []

    def _line(self, item: Item) -> ft.ListTile:
        line = ft.ListTile(title=ft.Text(item.name, max_lines=1, overflow=ft.TextOverflow.ELLIPSIS), dense=True)
        self._dress(line, item)
        return line

    def _dress(self, line: ft.ListTile, item: Item) -> None:
        words = self._app.words
        colour = ft.Colors.PRIMARY if item.state in GOOD else ft.Colors.OUTLINE
        colour = ft.Colors.ERROR if item.state in BAD else colour
        line.leading = ft.Icon(_ICONS[item.state], color=colour)
        told = [words(f"state_{item.state.value}"), words.size(item.file.size)]
        if item.state in BAD:
            told.append(words.trouble(item.reason, item.detail))
        line.subtitle = ft.Text(" · ".join(told), color=colour if item.state in BAD else None)
        if item.photo_id:
            line.on_click = self._opener(item.photo_id)

    def _opener(self, photo_id: str) -> Callable[[], Awaitable[None]]:
        async def show() -> None:
            await self._app.go(f"/photo/{photo_id}")

        return show

    async def _on_retry(self) -> None:
        self._app.queue.retry()
        self.follow()

    async def _on_clear(self) -> None:
        self._app.queue.clear()
        await self._app.show()


def _count(label: str, value: str) -> ft.Control:
    name = ft.Text(label, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.ON_SURFACE_VARIANT)
    number = ft.Text(value, theme_style=ft.TextThemeStyle.TITLE_LARGE)
    return ft.MergeSemantics(ft.Column([name, number], spacing=0, tight=True))
