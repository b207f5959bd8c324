"""The first screen: which server, and with which key. In the browser the server is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from albumen_mobile.core.preferences import server_address
from albumen_mobile.screens.parts import banner, page_of

if TYPE_CHECKING:
    from albumen_mobile.core.troubles import Trouble
    from albumen_mobile.screens.app import App


class ConnectScreen:
    """Shown as long as no photo may be seen."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._trouble: Trouble | None = None
        self._server = ft.TextField()
        self._key = ft.TextField()
        self._note = ft.Column(tight=True)

    def tell(self, trouble: Trouble | None) -> None:
        """Show what went wrong at the start."""
        self._trouble = trouble

    def view(self) -> ft.View:
        """Build the screen in the language of the moment."""
        app, words = self._app, self._app.words
        self._server = ft.TextField(
            value=app.preferences.server,
            label=words("server"),
            hint_text=words("server_hint"),
            keyboard_type=ft.KeyboardType.URL,
            autocorrect=False,
            on_submit=self._on_connect,
        )
        self._key = ft.TextField(
            label=words("key"),
            hint_text=words("key_hint"),
            password=True,
            can_reveal_password=True,
            autocorrect=False,
            on_submit=self._on_connect,
        )
        self._note = ft.Column(tight=True)
        self._show_trouble()
        is_unreachable = bool(app.own_server and self._trouble and self._trouble.code != "key_required")
        fields: list[ft.Control] = [self._key] if app.own_server else [self._server, self._key, self._plain()]
        label = words("again") if is_unreachable else words("connect")
        lead = ft.Text(words("key_lead" if app.own_server else "connect_lead"))
        shown = [] if is_unreachable else [lead, *fields]
        button = ft.FilledButton(label, on_click=self._on_connect, height=52)
        return ft.View(
            route="/connect",
            appbar=ft.AppBar(title=ft.Text(words("connect_title"))),
            controls=[page_of(self._note, *shown, button)],
        )

    def _plain(self) -> ft.Control:
        words = self._app.words
        return ft.Switch(
            label=words("plain_http"),
            tooltip=words("plain_http_note"),
            value=self._app.preferences.plain_http,
            on_change=self._on_plain,
        )

    async def _on_plain(self, event: ft.Event[ft.Switch]) -> None:
        await self._app.remember(plain_http=bool(event.control.value))

    async def _on_connect(self) -> None:
        app = self._app
        server = app.own_server or server_address(self._server.value or "")
        refusal = self._refusal(server)
        if server is None or refusal:
            self._show(refusal)
            return
        self._trouble = await app.connect_to(server, (self._key.value or "").strip())
        if app.session.may_look:
            await app.show()
            return
        self._show_trouble()
        self._note.update()

    def _refusal(self, server: str | None) -> str:
        words = self._app.words
        if server is None:
            return words("server_bad")
        is_plain = not self._app.own_server and server.startswith("http://")
        return words("plain_refused") if is_plain and not self._app.preferences.plain_http else ""

    def _show_trouble(self) -> None:
        if self._trouble is not None:
            text = self._app.words.trouble(self._trouble.code, getattr(self._trouble, "detail", ""))
            self._note.controls = [banner(text, icon=ft.Icons.ERROR_OUTLINE)]

    def _show(self, text: str) -> None:
        self._note.controls = [banner(text, icon=ft.Icons.ERROR_OUTLINE)]
        self._note.update()
