"""The built mobile client, when the distribution `albumen-mobile` is installed beside this one.

Its files are static. Those that shrink are stored as `.gz` alone; a folder named after a digest never changes.
"""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "albumen_mobile"
PAGE = "index.html"
_UNCHANGING = re.compile(r"[0-9a-f]{16}/")
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".frag": "text/plain; charset=utf-8",
    ".gz": "application/gzip",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".otf": "font/otf",
    ".png": "image/png",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class BundledFile:
    """A file of the bundle: where it is, what it is, and whether its bytes are gzip of what the browser asked for."""

    path: Path
    media_type: str
    is_packed: bool
    is_unchanging: bool


class Bundle:
    """The files under one folder; every name that leads out of it, or to a name that begins with a dot, is unknown."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def find(self, name: str) -> BundledFile | None:
        """Return the file of a name with slashes, or None."""
        if "\0" in name or any(part.startswith(".") for part in name.split("/")):
            return None
        media_type = _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
        for stored, is_packed in ((name, False), (f"{name}.gz", True)):
            path = (self._folder / stored).resolve()
            if path.is_relative_to(self._folder) and os.path.isfile(path):  # noqa: PTH113 - no error for a long name
                return BundledFile(path, media_type, is_packed, _UNCHANGING.match(name) is not None)
        return None


def installed_bundle() -> Bundle | None:
    """Return the bundle of the installed `albumen-mobile`, or None. Nothing of that package is imported."""
    spec = find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "web"
        if (folder / PAGE).is_file():
            return Bundle(folder)
    return None
