"""Albumen's client for phones and for the browser: one source, drawn by Flutter through Flet."""
