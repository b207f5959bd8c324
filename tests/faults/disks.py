"""Small disks of one's own: file systems in memory, mounted for the length of a block. Needs root."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager

import pytest

_STEP = 4096


@contextmanager
def small_disk(path, size):
    """A file system of `size` bytes at `path`; without the right to mount it, skips, or fails in CI."""
    path.mkdir()
    mounted = _run("mount", "-t", "tmpfs", "-o", f"size={size}", "albumen-test", path)
    if mounted.returncode:
        explain = pytest.fail if os.environ.get("CI") else pytest.skip
        explain(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    try:
        yield path
    finally:
        _run("umount", "--lazy", path)


def make_read_only(path):
    """Let nobody write to a small disk from now on; open files keep it busy, so this may be refused."""
    done = _run("mount", "-o", "remount,ro", path)
    assert done.returncode == 0, done.stderr


def make_writable(path):
    """Undo `make_read_only`."""
    done = _run("mount", "-o", "remount,rw", path)
    assert done.returncode == 0, done.stderr


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


def _run(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
