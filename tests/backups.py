"""Backups of services, made, pruned, read and looked into by tests."""

from __future__ import annotations

from contextlib import contextmanager

import pictures
from albumen.bootstrap import build_archive, build_backup
from albumen.storage.backup import BLOB_MODE
from albumen.storage.copies import Cloning
from batches import upload_one


@contextmanager
def silent(_total):
    """No progress to look at."""
    yield lambda _count: None


def back_up(services, folder, way=None):
    return build_backup(services, folder).make(way or Cloning(BLOB_MODE), silent)


def prune(services, folder, keep):
    return build_backup(services, folder).prune(keep)


def verify(folder):
    return build_archive(folder).verify(silent)


def add(services, *seeds, dataset="main"):
    return [upload_one(services, pictures.of_size(3000, seed=seed), dataset=dataset) for seed in seeds]


def file_of(folder, accepted):
    return folder / "blobs" / accepted.blob.sha256[0] / f"{accepted.blob.sha256}.{accepted.blob.key.extension}"
