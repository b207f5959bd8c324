"""Uploads and looks at the disk for tests that work on services in this process."""

from __future__ import annotations

import hashlib


def upload(services, photos, dataset="main"):
    """Upload photos, bytes or pairs of name and bytes, as one request; return the outcomes in order."""
    with services.ingest.batch(dataset) as batch:
        outcomes = []
        for photo in photos:
            name, data = photo if isinstance(photo, tuple) else ("photo.jpg", photo)
            batch.begin(name).write(data)
            outcomes += batch.end()
        return [*outcomes, *batch.finish()]


def upload_one(services, data, name="photo.jpg", dataset="main"):
    """Upload one photo; return what was accepted."""
    return upload(services, [(name, data)], dataset)[0].accepted


def statuses(outcomes):
    """Return the statuses as words."""
    return [outcome.status.value for outcome in outcomes]


def stored(services, accepted):
    """Return the bytes of an accepted photo as they are on disk, None when there are none."""
    path = services.store.locate(accepted.blob.key)
    return path.read_bytes() if path.exists() else None


def files(folder):
    """Return all files under a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def preview_files(services):
    """Return the files of previews, and of failures to make them."""
    return [path for path in files(services.settings.data / "previews") if path.parent.name != "locks"]


def blobs(services):
    """Return the digests that the store holds, after a look at each file: it has the bytes that its name says."""
    found = [services.store.locate(key) for key in services.store.keys()]  # noqa: SIM118 - a store is no dict
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.stem for path in found)
    return {path.stem for path in found}


def make_unreadable(path):
    """Put a file in its place that opens and whose first byte cannot be read (EIO), as one with a bad sector."""
    path.unlink()
    path.symlink_to("/proc/self/mem")
