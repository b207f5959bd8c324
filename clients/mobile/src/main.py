"""The entry of the app: what Flet runs on phones and in the browser."""

from __future__ import annotations

from albumen_mobile.screens.app import run

run()
