"""Albumen, a photo dataset server: hundreds of photos in one request, a durable link for each."""

__version__ = "0.1.0"
