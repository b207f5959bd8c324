"""The upload and the download that most people write: `request.files`, a file each, a row each, one commit.

`PLAIN_FOLDER` says where to, `PLAIN_DURABLE=1` that files, folder and rows are synced before the answer.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from pathlib import Path

from flask import Flask, Response, jsonify, request, send_from_directory, url_for

FOLDER = Path(os.environ["PLAIN_FOLDER"])
DURABLE = os.environ.get("PLAIN_DURABLE") == "1"
DATABASE = FOLDER / "photos.db"

app = Flask(__name__)


@app.get("/")
def ready() -> str:
    """Tell that the server answers."""
    return "ready"


@app.post("/upload")
def upload() -> Response:
    """Store every file of the form."""
    rows = []
    for file in request.files.getlist("file"):
        photo_id = str(uuid.uuid4())
        path = FOLDER / f"{photo_id}.jpg"
        file.save(path)
        if DURABLE:
            sync(path)
        rows.append((photo_id, file.filename))
    if DURABLE:
        sync(FOLDER)
    remember(rows)
    return jsonify([{"id": photo_id, "link": url_for("photo", photo_id=photo_id)} for photo_id, _ in rows])


@app.get("/photo/<photo_id>")
def photo(photo_id: str) -> Response:
    """Answer with a stored file."""
    return send_from_directory(FOLDER, f"{photo_id}.jpg")


def remember(rows: list[tuple[str, str | None]]) -> None:
    """Insert the rows of one request in one transaction."""
    connection = sqlite3.connect(DATABASE, timeout=60)
    connection.execute(f"PRAGMA synchronous = {'FULL' if DURABLE else 'OFF'}")
    connection.execute("CREATE TABLE IF NOT EXISTS photo (id TEXT PRIMARY KEY, name TEXT)")
    with connection:
        connection.executemany("INSERT INTO photo (id, name) VALUES (?, ?)", rows)
    connection.close()


def sync(path: Path) -> None:
    """Make a file or a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
