"""All datasets: which one is shown and filled, and a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from albumen_mobile.core.troubles import Trouble
from albumen_mobile.screens.parts import ask, message

if TYPE_CHECKING:
    from albumen_mobile.core.model import Dataset
    from albumen_mobile.screens.app import App


class DatasetsScreen:
    """A list; a tap chooses."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._body = ft.Container(expand=True)

    def view(self) -> ft.View:
        """Build the screen in the language of the moment."""
        app, words = self._app, self._app.words
        self._body = ft.Container(ft.ProgressRing(), expand=True, alignment=ft.Alignment.CENTER)
        new = ft.FloatingActionButton(words("new_dataset"), icon=ft.Icons.CREATE_NEW_FOLDER, on_click=self._on_new)
        return ft.View(
            route="/datasets",
            padding=0,
            appbar=ft.AppBar(title=ft.Text(words("nav_datasets"))),
            controls=[self._body],
            floating_action_button=new if app.session.may_add else None,
            navigation_bar=app.navigation("/datasets"),
        )

    async def load(self) -> None:
        """Ask for the list."""
        try:
            datasets = await self._app.api.datasets()
        except Trouble as exc:
            words = self._app.words
            again = ft.FilledButton(words("again"), on_click=self._on_again)
            text = words.trouble(exc.code, getattr(exc, "detail", ""))
            self._body.content = message(ft.Icons.CLOUD_OFF, words("trouble_trouble"), text, again)
        else:
            lines: list[ft.Control] = [self._line(dataset) for dataset in datasets]
            self._body.content = ft.ListView(lines, padding=ft.Padding.only(bottom=88))
        self._body.update()

    def _line(self, dataset: Dataset) -> ft.Control:
        words, is_chosen = self._app.words, dataset.slug == self._app.preferences.dataset
        told = f"{dataset.slug} · {words.count('photos', dataset.photos)} · {words.size(dataset.bytes)}"

        async def choose(_: ft.Event[ft.ListTile]) -> None:
            await self._app.choose_dataset(dataset.slug)

        return ft.ListTile(
            title=ft.Text(dataset.name),
            subtitle=ft.Text(told),
            leading=ft.Icon(ft.Icons.FOLDER if is_chosen else ft.Icons.FOLDER_OUTLINED),
            trailing=ft.Icon(ft.Icons.CHECK, semantics_label=words("chosen")) if is_chosen else None,
            selected=is_chosen,
            on_click=choose,
        )

    async def _on_again(self) -> None:
        await self.load()

    async def _on_new(self, _: ft.Event[ft.FloatingActionButton]) -> None:
        words, page = self._app.words, self._app.page
        name = ft.TextField(label=words("dataset_name"), autofocus=True)
        slug = ft.TextField(label=words("dataset_slug"), autocorrect=False)

        async def make() -> None:
            try:
                made = await self._app.api.create_dataset(name.value.strip(), slug.value.strip() or None)
            except Trouble as exc:
                slug.error = words.trouble(exc.code, getattr(exc, "detail", ""))
                slug.update()
                return
            page.pop_dialog()
            self._app.say(words("dataset_made"))
            await self._app.choose_dataset(made.slug)

        ask(page, words("new_dataset"), [name, slug], words("save"), words("cancel"), lambda: page.run_task(make))
