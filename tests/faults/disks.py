"""Disks in trouble, for the length of a block: small ones in memory, and read-only views. Both are mounts: needs root.

Without the right to mount, a test skips; in CI it fails.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager

import pytest

from conftest import tool

_STEP = 4096
_CLONING_BYTES = 256 << 20


@contextmanager
def small_disk(path, size, files=0):
    """A file system of `size` bytes at `path`, for at most so many files and folders if that is not 0."""
    path.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size},nr_inodes={files}", "albumen-test", path)
    try:
        yield path
    finally:
        _run("umount", "--lazy", path)


@contextmanager
def cloning_disk(path, image):
    """A file system at `path`, kept in the file `image`, on which files can share blocks (Btrfs)."""
    path.mkdir()
    with image.open("wb") as file:
        file.truncate(_CLONING_BYTES)
    subprocess.run([tool("mkfs.btrfs"), "--quiet", image], check=True)
    _mount("-o", "loop", image, path)
    try:
        yield path
    finally:
        _run("umount", "--lazy", path)


@contextmanager
def read_only(path):
    """Whoever opens something under `path` within the block cannot change it; what is open already can be."""
    _mount("--bind", path, path)
    try:
        _mount("-o", "remount,ro,bind", path)
        yield
    finally:
        _run("umount", "--lazy", path)


def free_bytes(path):
    """Return how much space is left."""
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize


def fill(path, leave=0):
    """Take the space of a small disk up to `leave` bytes; return the file that holds it."""
    filler = path / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, (free_bytes(path) - leave) // _STEP * _STEP)
    return filler


def _mount(*arguments):
    mounted = _run("mount", *arguments)
    if mounted.returncode:
        explain = pytest.fail if os.environ.get("CI") else pytest.skip
        explain(f"nothing can be mounted here: {mounted.stderr.strip()}")


def _run(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
