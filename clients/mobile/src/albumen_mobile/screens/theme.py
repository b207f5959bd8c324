"""Colours and shapes: those of the web client. Warm paper by day, a darkroom by night, one accent."""

from __future__ import annotations

from dataclasses import dataclass

import flet as ft


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one appearance, by the names of `clients/web/src/tokens.css`."""

    paper: str
    surface: str
    sunken: str
    ink: str
    muted: str
    line: str
    accent: str
    on_accent: str
    accent_soft: str
    bad: str


LIGHT = Palette(
    paper="#f6f2ea",
    surface="#fffdf8",
    sunken="#ece5d8",
    ink="#241e18",
    muted="#6a5f53",
    line="#ddd3c3",
    accent="#7f4420",
    on_accent="#fffaf2",
    accent_soft="#f0dfcf",
    bad="#a12c27",
)
DARK = Palette(
    paper="#14110e",
    surface="#1e1a16",
    sunken="#28231e",
    ink="#efe8dd",
    muted="#aca093",
    line="#372f28",
    accent="#e3aa7c",
    on_accent="#22160c",
    accent_soft="#3a2a1e",
    bad="#f2998e",
)
ROOM = "#100d0b"  # one photo is looked at in the dark by day, too: paper white would outshine it
MODES = {"system": ft.ThemeMode.SYSTEM, "light": ft.ThemeMode.LIGHT, "dark": ft.ThemeMode.DARK}


def theme(palette: Palette) -> ft.Theme:
    """Return the Material 3 theme of a palette."""
    colours = ft.ColorScheme(
        primary=palette.accent,
        on_primary=palette.on_accent,
        primary_container=palette.accent,
        on_primary_container=palette.on_accent,
        secondary=palette.accent,
        on_secondary=palette.on_accent,
        secondary_container=palette.accent_soft,
        on_secondary_container=palette.ink,
        surface=palette.paper,
        on_surface=palette.ink,
        on_surface_variant=palette.muted,
        surface_container_lowest=palette.surface,
        surface_container_low=palette.surface,
        surface_container=palette.surface,
        surface_container_high=palette.surface,
        surface_container_highest=palette.sunken,
        surface_dim=palette.sunken,
        surface_tint=palette.accent,
        inverse_surface=palette.ink,
        on_inverse_surface=palette.paper,
        inverse_primary=palette.line,
        outline=palette.muted,
        outline_variant=palette.line,
        error=palette.bad,
        on_error=palette.paper,
    )
    return ft.Theme(
        color_scheme=colours,
        font_family="Roboto",
        scaffold_bgcolor=palette.paper,
        appbar_theme=ft.AppBarTheme(bgcolor=palette.paper, color=palette.ink, elevation=0),
        navigation_bar_theme=ft.NavigationBarTheme(bgcolor=palette.surface, indicator_color=palette.accent_soft),
        card_theme=ft.CardTheme(color=palette.surface, elevation=0),
    )
