"""What depends on where the client runs: in a browser or as an app. The only other such place is `transport/choice`."""

from __future__ import annotations

import locale
from pathlib import Path
from typing import TYPE_CHECKING

from albumen_mobile.transport.choice import IN_BROWSER

if TYPE_CHECKING:
    from collections.abc import Sequence

    import flet as ft

    from albumen_mobile.transport.base import ChosenFile

PAGE_PATH = "/mobile/"


class Device:
    """The device under this client."""

    def __init__(self) -> None:
        self._choices = None
        if IN_BROWSER:
            from albumen_mobile.transport.browser import Choices  # noqa: PLC0415 - there is no Pyodide elsewhere

            self._choices = Choices()

    @property
    def language(self) -> str | None:
        """The language that the person reads elsewhere on this device, such as `ru-RU`."""
        if IN_BROWSER:
            import js  # noqa: PLC0415 - likewise

            return str(js.navigator.language)
        return locale.getlocale()[0]

    def own_server(self, page_url: str | None) -> str | None:
        """Return the server that sent this page, or None in an app."""
        if not IN_BROWSER or not page_url:
            return None
        return page_url.partition("#")[0].partition("?")[0].rpartition(PAGE_PATH)[0]

    async def chosen(self, files: Sequence[ft.FilePickerFile]) -> Sequence[ChosenFile]:
        """Return what was chosen in the file picker, as files that a transport can send."""
        if not files:
            return ()
        if self._choices is not None:
            return await self._choices.next()
        from albumen_mobile.transport.native import NativeFile  # noqa: PLC0415 - there is no httpx in a browser

        return [NativeFile(file.name, file.size, Path(file.path)) for file in files if file.path]
