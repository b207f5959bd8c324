"""The web client: its page at every address that it knows, and the files of its bundle.

The bundle is built from `clients/web` when the package is (`hatch_build.py`). Nothing here reads the database: the
client asks the API for everything, as any other client does.
"""

from __future__ import annotations

import functools
import mimetypes
import os.path
from pathlib import Path

from flask import Blueprint, Response, make_response, request, send_from_directory
from markupsafe import escape

from albumen.errors import NotFound
from albumen.web.auth import public
from albumen.web.context import SMALL_BYTES, take_file_place
from albumen.web.headers import guarded, revalidated

BUNDLE = Path(__file__).parents[1] / "client"
HASHED = "assets/"  # file names there tell their content, so a file never changes
FOREVER = "public, max-age=31536000, immutable"
ENCODINGS = {"br": ".br", "gzip": ".gz"}  # the best one first; the files were compressed when the bundle was built
MEDIA_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}

client = Blueprint("client", __name__)
client.after_request(guarded)


@client.get("/")
@client.get("/d/<slug>")
@client.get("/photo/<photo_id>")
@client.get("/trash")
@client.get("/uploads")
@public
def page(**_: str) -> Response:
    """Answer with the page of the client; what it shows is the browser's to read from the address."""
    return revalidated(make_response(_page(request.root_path)))


@client.get("/client/<path:filename>")
@public
def file(filename: str) -> Response:
    """Answer with a file of the bundle, compressed when the browser takes it so."""
    encoding = _encoding(filename) if filename.startswith(HASHED) else None
    stored = filename + ENCODINGS[encoding] if encoding else filename
    response = _in_one_piece(send_from_directory(BUNDLE, stored, mimetype=_media_type(filename)))
    if encoding:
        response.headers["Content-Encoding"] = encoding
    if filename.startswith(HASHED):
        response.headers["Cache-Control"] = FOREVER
        response.headers["Vary"] = "Accept-Encoding"
    return response


def _in_one_piece(response: Response) -> Response:
    """Read a file, all of which are small: what a slow reader has not taken then is sent without a thread, if possible.

    A large one has a place meanwhile, as those of the mobile client have.
    """
    if response.direct_passthrough:
        response.direct_passthrough = False
        response.set_data(response.get_data())
        response.close()  # the file, not the answer
        if (response.content_length or 0) > SMALL_BYTES:
            take_file_place()
    return response


@functools.lru_cache(maxsize=16)
def _page(root: str) -> str:
    """Return the page of a server below the path `root`. Raises NotFound when the bundle was never built."""
    try:
        html = (BUNDLE / "index.html").read_text("utf-8")
    except FileNotFoundError as exc:
        raise NotFound("The web client is not built in this tree; 'python hatch_build.py' builds it.") from exc
    below = escape(root)
    return html.replace('="./', f'="{below}/client/').replace('content="/"', f'content="{below}/"')


def _encoding(filename: str) -> str | None:
    """Return the best encoding that the browser takes and that the file is there in."""
    taken = request.accept_encodings
    taken_ones = (name for name in ENCODINGS if taken.quality(name) > 0)
    return next((name for name in taken_ones if _is_there(filename + ENCODINGS[name])), None)


def _is_there(filename: str) -> bool:
    return os.path.isfile(BUNDLE / filename)  # noqa: PTH113 - no error for a long name


def _media_type(filename: str) -> str:
    known = MEDIA_TYPES.get(Path(filename).suffix) or mimetypes.guess_type(filename)[0]
    return known or "application/octet-stream"
