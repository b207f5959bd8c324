"""Pieces that several screens are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

if TYPE_CHECKING:
    from collections.abc import Callable

WIDEST = 560


def message(icon: ft.IconData, title: str, text: str, *buttons: ft.Control) -> ft.Control:
    """Return what stands in the middle of a screen that has nothing else to show."""
    lines: list[ft.Control] = [
        ft.Icon(icon, size=56, color=ft.Colors.ON_SURFACE_VARIANT),
        ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_LARGE, text_align=ft.TextAlign.CENTER),
        ft.Text(text, text_align=ft.TextAlign.CENTER, color=ft.Colors.ON_SURFACE_VARIANT),
        *buttons,
    ]
    column = ft.Column(lines, tight=True, spacing=12, horizontal_alignment=ft.CrossAxisAlignment.CENTER)
    return ft.Container(column, expand=True, alignment=ft.Alignment.CENTER, padding=32)


def banner(text: str, *, icon: ft.IconData) -> ft.Control:
    """Return a line of notice above other things; screen readers tell it when it comes."""
    row = ft.Row([ft.Icon(icon, color=ft.Colors.PRIMARY), ft.Text(text, expand=True)], spacing=12)
    return ft.Semantics(
        content=ft.Container(row, bgcolor=ft.Colors.SECONDARY_CONTAINER, padding=12, border_radius=12), live_region=True
    )


def page_of(*controls: ft.Control) -> ft.Control:
    """Return controls under one another, scrolling, not wider than is comfortable to read."""
    column = ft.Column(list(controls), spacing=16, width=WIDEST, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    outer = ft.Column([column], expand=True, scroll=ft.ScrollMode.AUTO)
    outer.horizontal_alignment = ft.CrossAxisAlignment.CENTER
    return ft.SafeArea(ft.Container(outer, padding=16, expand=True), expand=True)


def heading(text: str) -> ft.Control:
    """Return the heading of a group of settings."""
    style = ft.TextThemeStyle.TITLE_SMALL
    return ft.Semantics(content=ft.Text(text, theme_style=style, color=ft.Colors.PRIMARY), header=True)


def labelled(icon: ft.IconData, label: str, colour: str | None = None) -> tuple[ft.Icon, ft.Tooltip]:
    """Return the icon and the tooltip of a button without words. The icon names the button to screen readers.

    A tooltip alone would name a node above the button.
    """
    return ft.Icon(icon, semantics_label=label, color=colour), ft.Tooltip(label, exclude_from_semantics=True)


def ask(page: ft.Page, title: str, fields: list[ft.Control], yes: str, no: str, answer: Callable[[], object]) -> None:
    """Show a dialog with fields; `answer` is called when the person agrees, and closes it itself."""
    page.show_dialog(
        ft.AlertDialog(
            title=ft.Text(title),
            content=ft.Column(fields, tight=True, width=WIDEST),
            actions=[
                ft.TextButton(no, on_click=lambda _: page.pop_dialog()),
                ft.FilledButton(yes, on_click=lambda _: answer()),
            ],
        )
    )
