"""Clients of a real server in trouble, and a look at what it left on the disk. Nothing here imports Albumen."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path  # noqa: TC003 - readers of annotations meet it at run time
from urllib.parse import urlsplit

import psutil
import requests

from forms import BOUNDARY, FORM_TYPE, field, form, part, sha256
from wire import eventually

END = f"--{BOUNDARY}--\r\n".encode()


def marked(photo, number):
    """Return a JPEG as a photo of its own: its comment carries the number."""
    comment = b"\xff\xfe" + struct.pack(">HQ", 10, number)
    return photo[:2] + comment + photo[2:]


def photos_form(photos, dataset=None):
    """Return the form of these photos, named by their place."""
    parts = [part(photo, f"{number}.jpg") for number, photo in enumerate(photos)]
    return form(*parts) if dataset is None else form(field("dataset", dataset), *parts)


def post(url, photos, **options):
    """Send photos in one request; return the response."""
    return requests.post(
        f"{url}/upload", data=photos_form(photos), headers={"Content-Type": FORM_TYPE}, timeout=120, **options
    )


def get(url, target):
    """Get a path of the server."""
    return requests.get(url + target, timeout=60)


def get_photo(url, outcome, query=""):
    """Get the photo of an outcome from the server that runs at `url` now."""
    return get(url, f"/get/{outcome['id']}{query}")


def digests_of(url, outcomes):
    """Return the SHA-256 of what the links of these outcomes answer, from the server that runs at `url` now."""
    with requests.Session() as session:
        answers = [session.get(f"{url}/get/{outcome['id']}", timeout=60) for outcome in outcomes]
    return [sha256(answer.content) if answer.ok else answer.text for answer in answers]


def lines_of_upload(url, body):
    """Send a form; yield each whole line of the answer until its end, or until the server is gone."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname, address.port, timeout=60)
    try:
        with suppress(BrokenPipeError):  # an answer that came early can still be read
            connection.request("POST", "/upload", body, {"Content-Type": FORM_TYPE, "Accept": "application/x-ndjson"})
        yield from _whole_lines(connection.getresponse())
    except (OSError, HTTPException):
        return
    finally:
        connection.close()


def json_lines_of_upload(url, body):
    """Send a form; return what the lines of the answer say."""
    return [json.loads(line) for line in lines_of_upload(url, body)]


def _whole_lines(response: HTTPResponse):
    while (line := response.readline()).endswith(b"\n"):
        yield line


def albumen(*arguments, **environment):
    """Run a command of Albumen to its end."""
    return subprocess.run(
        [sys.executable, "-m", "albumen", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


def blob_path(data: Path, digest, extension="jpg"):
    """Return where the bytes of a photo are."""
    return data / "blobs" / digest[0] / f"{digest}.{extension}"


def broken_blobs(data: Path):
    """Return the files whose bytes are not those that their name promises."""
    files = [path for path in (data / "blobs").rglob("*") if path.is_file()]
    return [path for path in files if sha256(path.read_bytes()) != path.name.partition(".")[0]]


def received_files(data: Path):
    """Return every file that is being received, or was left behind."""
    return [path for path in (data / "tmp").rglob("*") if path.is_file()]


def workers(server):
    """Return the processes that answer requests."""
    return _processes(server, lambda process: process.name() == "albumen-serve")


def wait_for_workers(server, number):
    """Return the workers once all answer; a server is ready when its first one does."""
    eventually(lambda: len(workers(server)) == number, "not all workers came up")
    return workers(server)


def decoders(server):
    """Return the processes that decode photos."""
    return _processes(server, lambda process: "albumen.imaging.decoder" in process.cmdline())


def background(server):
    """Return the process that works in the background, if it is there."""
    return _processes(server, lambda process: process.name() == "albumen-derive")


def alive(processes):
    """Return those that still do anything; a dead one that nobody waited for does not."""
    return [process for process in processes if _holds(lambda one: one.status() != psutil.STATUS_ZOMBIE, process)]


def _processes(server, is_meant):
    return [process for process in server.family() if _holds(is_meant, process)]


def _holds(is_meant, process):
    """Nothing holds for a process that ended meanwhile."""
    try:
        return is_meant(process)
    except psutil.Error:
        return False
