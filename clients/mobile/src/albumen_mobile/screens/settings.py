"""Settings: language, appearance, uploads, connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from albumen_mobile.core.preferences import THEMES
from albumen_mobile.core.troubles import Trouble
from albumen_mobile.screens.parts import heading, page_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from albumen_mobile.screens.app import App

LANGUAGE_NAMES = {"en": "English", "ru": "Русский"}


class SettingsScreen:
    """Every change holds at once and is remembered."""

    def __init__(self, app: App) -> None:
        self._app = app

    def view(self) -> ft.View:
        """Build the screen in the language of the moment."""
        words = self._app.words
        return ft.View(
            route="/settings",
            padding=0,
            appbar=ft.AppBar(title=ft.Text(words("nav_settings"))),
            controls=[page_of(*self._look(), *self._uploads(), *self._connection())],
            navigation_bar=self._app.navigation("/settings"),
        )

    async def load(self) -> None:
        """Nothing has to be asked for."""

    def _look(self) -> list[ft.Control]:
        words, preferences = self._app.words, self._app.preferences
        languages = {"": words("language_device"), **LANGUAGE_NAMES}
        themes = {name: words(f"theme_{name}") for name in THEMES}
        return [
            heading(words("language")),
            _choice(languages, preferences.language, self._on_language),
            heading(words("theme")),
            _choice(themes, preferences.theme, self._on_theme),
        ]

    def _uploads(self) -> list[ft.Control]:
        words, preferences = self._app.words, self._app.preferences
        return [
            heading(words("nav_upload")),
            self._switch("only_wifi", is_on=preferences.only_wifi),
            self._switch("keep_names", is_on=preferences.keep_names),
        ]

    def _switch(self, name: str, *, is_on: bool) -> ft.Control:
        words = self._app.words

        async def change(event: ft.Event[ft.Switch]) -> None:
            await self._app.remember(**{name: bool(event.control.value)})

        switch = ft.Switch(value=is_on, on_change=change)
        note = ft.Text(words(f"{name}_note"))
        return ft.MergeSemantics(
            ft.ListTile(title=ft.Text(words(name)), subtitle=note, trailing=switch, toggle_inputs=True)
        )

    def _connection(self) -> list[ft.Control]:
        app, words = self._app, self._app.words
        server = app.own_server or app.preferences.server
        role = ft.Text(f"{words('role')}: {words(f'role_{app.session.role}')}", color=ft.Colors.ON_SURFACE_VARIANT)
        lines: list[ft.Control] = [heading(words("connection")), ft.Text(server), role]
        if app.session.mode == "keys" or not app.own_server:
            label = words("log_out") if app.session.mode == "keys" else words("other_server")
            lines.append(ft.OutlinedButton(label, icon=ft.Icons.LOGOUT, on_click=self._on_log_out))
        return lines

    async def _on_language(self, value: str) -> None:
        await self._app.remember(language=value)
        await self._app.restyle()

    async def _on_theme(self, value: str) -> None:
        await self._app.remember(theme=value)
        await self._app.restyle()

    async def _on_log_out(self, _: ft.Event[ft.OutlinedButton]) -> None:
        try:
            await self._app.log_out()
        except Trouble as exc:
            self._app.say_trouble(exc)


def _choice(options: dict[str, str], chosen: str, on_change: Callable[[str], Awaitable[None]]) -> ft.Control:
    async def change(event: ft.Event[ft.RadioGroup]) -> None:
        await on_change(str(event.control.value))

    radios: list[ft.Control] = [ft.Radio(value=value, label=label) for value, label in options.items()]
    return ft.RadioGroup(ft.Column(radios, spacing=0), value=chosen, on_change=change)
