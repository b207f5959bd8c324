"""The client as a whole: what it remembers, where it is connected to, and which screen stands on top."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import flet as ft

from albumen_mobile.core.api import Api
from albumen_mobile.core.gallery import Gallery
from albumen_mobile.core.model import Session
from albumen_mobile.core.preferences import Preferences
from albumen_mobile.core.queue import Queue
from albumen_mobile.core.troubles import Refused, Trouble
from albumen_mobile.core.words import Words
from albumen_mobile.device import Device
from albumen_mobile.screens.connect import ConnectScreen
from albumen_mobile.screens.datasets import DatasetsScreen
from albumen_mobile.screens.grid import GridScreen
from albumen_mobile.screens.photo import PhotoScreen
from albumen_mobile.screens.settings import SettingsScreen
from albumen_mobile.screens.theme import DARK, LIGHT, MODES, theme
from albumen_mobile.screens.upload import UploadScreen
from albumen_mobile.transport.choice import make_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from albumen_mobile.transport.base import ChosenFile

KEPT_UNDER = "albumen.preferences"
SECTIONS = ("/", "/upload", "/datasets", "/settings")
PHOTO = "/photo/"


class App:
    """One page. Screens reach everything through it, and it knows of them only how to build their views."""

    def __init__(self, page: ft.Page) -> None:
        self.page = page
        self.device = Device()
        self.preferences = Preferences()
        self.words = Words("en")
        self.session = Session("keys", None)
        self.picker = ft.FilePicker(on_result=self._on_chosen)
        self.connectivity = ft.Connectivity(on_change=self._on_connectivity)
        self._kept = ft.SharedPreferences()
        self.own_server = self.device.own_server(page.url)
        self._section = "/"
        self._attach(self.own_server or "", "")
        self._make_screens()

    async def start(self) -> None:
        """Remember, connect, and show what the address of the page asks for."""
        page = self.page
        page.title, page.theme, page.dark_theme = "Albumen", theme(LIGHT), theme(DARK)
        page.on_route_change = self._on_route_change
        page.on_view_pop = self._on_view_pop
        self.preferences = Preferences.from_text(await self._read_kept())
        self._speak_and_paint()
        await self._use_server(self.own_server or self.preferences.server, self.preferences.key)
        trouble = await self.connect() if self.own_server or self.preferences.server else None
        self.connect_screen.tell(trouble)
        await self.show()

    async def close(self) -> None:
        """End uploads and let go of connections."""
        await self.queue.stop()
        await self.api.transport.close()

    async def connect(self) -> Trouble | None:
        """Ask the server who we are; return what went wrong."""
        try:
            self.session = await self.api.session()
        except Trouble as exc:
            self.session = Session("keys", None)
            return exc
        return None

    async def connect_to(self, server: str, key: str) -> Trouble | None:
        """Go over to a server, with a key or without; return what went wrong. What worked is remembered."""
        await self._use_server(server, key)
        try:
            if key and self.own_server:
                await self.api.log_in(key)
            self.session = await self.api.session()
        except Trouble as exc:
            return exc
        if key and not self.session.may_look:
            return Refused(401, "key_required", "")
        if self.session.may_look and not self.own_server:
            await self.remember(server=server, key=key)
        return None

    async def log_out(self) -> None:
        """Forget the key, here and in the browser's cookie."""
        if self.own_server:
            await self.api.log_out()
        await self.remember(key="")
        await self._use_server(self.own_server or self.preferences.server, "")
        await self.connect()
        await self.show()

    async def remember(self, **changed: str | bool) -> None:
        """Keep changed preferences on the device."""
        self.preferences = replace(self.preferences, **changed)  # type: ignore[arg-type]
        await self._kept.set(KEPT_UNDER, self.preferences.to_text())

    async def restyle(self) -> None:
        """Draw everything anew after the language or the appearance changed."""
        self._speak_and_paint()
        await self.show()

    async def choose_dataset(self, slug: str) -> None:
        """Show and fill another dataset from now on."""
        await self.remember(dataset=slug)
        self.gallery.dataset, self.gallery.photos, self.gallery.is_loaded = slug, [], False
        await self.go("/")

    async def go(self, route: str) -> None:
        """Show another screen."""
        await self.page.push_route(route)

    async def back(self) -> None:
        """Show the screen under the topmost one."""
        await self.go(self._section)

    def say(self, text: str, *, action: ft.SnackBarAction | None = None) -> None:
        """Tell something in passing."""
        bar = ft.SnackBar(ft.Text(text), action=action, behavior=ft.SnackBarBehavior.FLOATING, persist=False)
        self.page.show_dialog(bar)

    def say_trouble(self, trouble: Trouble) -> None:
        """Tell what went wrong."""
        self.say(self.words.trouble(trouble.code, getattr(trouble, "detail", "")))

    def pick(self) -> ft.PickFiles:
        """Return the action of a button that lets the person choose photos."""
        return ft.PickFiles(self.picker, allow_multiple=True, file_type=ft.FilePickerFileType.IMAGE)

    def navigation(self, section: str) -> ft.NavigationBar:
        """Return the bar at the bottom."""
        icons = (
            (ft.Icons.PHOTO_LIBRARY_OUTLINED, ft.Icons.PHOTO_LIBRARY, "nav_photos"),
            (ft.Icons.CLOUD_UPLOAD_OUTLINED, ft.Icons.CLOUD_UPLOAD, "nav_upload"),
            (ft.Icons.FOLDER_OUTLINED, ft.Icons.FOLDER, "nav_datasets"),
            (ft.Icons.SETTINGS_OUTLINED, ft.Icons.SETTINGS, "nav_settings"),
        )
        return ft.NavigationBar(
            [ft.NavigationBarDestination(icon, selected_icon=on, label=self.words(key)) for icon, on, key in icons],
            selected_index=SECTIONS.index(section),
            on_change=self._on_section,
        )

    async def show(self) -> None:
        """Draw what the current route asks for."""
        route = self.page.route or "/"
        if not self.session.may_look:
            self.page.views = [self.connect_screen.view()]
        elif route.startswith(PHOTO):
            self.page.views = [self._section_view(), self.photo_screen.view(route)]
        else:
            self._section = route if route in SECTIONS else "/"
            self.page.views = [self._section_view()]
        self.page.update()
        await self._after_show(route)

    def _section_view(self) -> ft.View:
        return self._sections[self._section].view()

    async def _after_show(self, route: str) -> None:
        if not self.session.may_look:
            return
        if route.startswith(PHOTO):
            await self.photo_screen.load(route.removeprefix(PHOTO))
        else:
            await self._sections[self._section].load()

    async def _use_server(self, server: str, key: str) -> None:
        await self.close()
        self._attach(server, key)

    def _attach(self, server: str, key: str) -> None:
        self.api = Api(make_transport(server, key))
        self.gallery = Gallery(self.api, self.preferences.dataset)
        self.queue = Queue(self.api, clock=time.monotonic)

    def _make_screens(self) -> None:
        self.connect_screen = ConnectScreen(self)
        self.grid_screen = GridScreen(self)
        self.photo_screen = PhotoScreen(self)
        self.upload_screen = UploadScreen(self)
        self._sections: dict[str, GridScreen | UploadScreen | DatasetsScreen | SettingsScreen] = {
            "/": self.grid_screen,
            "/upload": self.upload_screen,
            "/datasets": DatasetsScreen(self),
            "/settings": SettingsScreen(self),
        }

    def _speak_and_paint(self) -> None:
        self.words = Words(self.preferences.language_for(self.device.language))
        self.page.theme_mode = MODES.get(self.preferences.theme, ft.ThemeMode.SYSTEM)
        locale = ft.Locale(self.words.language)
        self.page.locale_configuration = ft.LocaleConfiguration([ft.Locale("en"), ft.Locale("ru")], locale)

    async def _read_kept(self) -> str | None:
        kept = await self._kept.get(KEPT_UNDER)
        return kept if isinstance(kept, str) else None

    async def _on_route_change(self, _: ft.RouteChangeEvent) -> None:
        await self.show()

    async def _on_view_pop(self, _: ft.ViewPopEvent) -> None:
        await self.back()

    async def _on_section(self, event: ft.Event[ft.NavigationBar]) -> None:
        await self.go(SECTIONS[event.control.selected_index])

    async def _on_chosen(self, event: ft.FilePickerResultEvent) -> None:
        files = await self.device.chosen(event.files)
        if files:
            await self._hold_without_wifi()
            self.queue.add(files, self.preferences.dataset, name=self._namer(files))
            self.upload_screen.follow()
            await self.go("/upload")

    async def _on_connectivity(self, _: ft.ConnectivityChangeEvent) -> None:
        await self._hold_without_wifi()

    async def _hold_without_wifi(self) -> None:
        is_free = True
        if self.preferences.only_wifi:
            is_free = ft.ConnectivityType.MOBILE not in await self.connectivity.get_connectivity()
        self.queue.allow(is_allowed=is_free)

    def _namer(self, files: Sequence[ChosenFile]) -> Callable[[ChosenFile], str]:
        """Return how files are named: as on the device, or by the time of upload."""
        if self.preferences.keep_names:
            return lambda file: file.name
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        numbers = {id(file): number for number, file in enumerate(files, 1)}
        return lambda file: f"photo-{stamp}-{numbers[id(file)]:04}.{file.name.rpartition('.')[2].lower()}"


async def main(page: ft.Page) -> None:
    """Start the client on a page."""
    ft.context.disable_auto_update()  # type: ignore[no-untyped-call]
    await App(page).start()


def run() -> None:
    """Run the client until its window is closed."""
    ft.run(main)
