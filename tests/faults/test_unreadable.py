"""A file whose inode the disk cannot read: nobody can tell anything of it, nor move it. The others are looked after.

The kernel answers so when a file system is damaged (EIO, or EUCLEAN of ext4 and XFS); here `strace` does in its place.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from batches import files, upload_one
from conftest import tool
from pictures import of_size

CALLS = "open,openat,stat,lstat,newfstatat,statx,rename,renameat,renameat2,utimensat,linkat,link"


@pytest.fixture
def blobs(services):
    """Three stored blobs, of which the second is to be unreadable."""
    accepted = [upload_one(services, of_size(2000, seed=seed)) for seed in range(3)]
    services.close()
    return sorted((each.blob for each in accepted), key=lambda blob: blob.sha256)


def albumen(services, blobs, error, *command):
    """Run a command while every system call on the second blob ends with an error."""
    bad = services.store.locate(blobs[1].key)
    strace = [tool("strace"), "-f", "-qq", "-o", "/dev/null", "-P", str(bad), "-e", f"inject={CALLS}:error={error}"]
    whole = [*strace, sys.executable, "-m", "albumen", *command, "--data", str(services.settings.data)]
    return subprocess.run(whole, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("error", ["EIO", "EUCLEAN"])
def test_scrub_names_it_tells_that_it_is_stuck_and_reads_the_others(services, blobs, error):
    done = albumen(services, blobs, error, "scrub")
    assert done.returncode == 1
    assert f"damaged  {blobs[1].sha256}\n" in done.stdout
    assert "fsck" in done.stdout
    assert "3 files read, 1 bad" in done.stdout


def test_gc_counts_it_among_those_without_bytes(services, blobs):
    done = albumen(services, blobs, "EIO", "gc")
    assert done.returncode == 1
    assert "1 photos have no bytes" in done.stderr


def test_backup_names_it_and_takes_the_others(services, blobs, tmp_path):
    done = albumen(services, blobs, "EIO", "backup", str(tmp_path / "backup"))
    assert done.returncode == 1
    assert blobs[1].sha256 in done.stdout + done.stderr
    taken = {path.stem for path in files(tmp_path / "backup/blobs")}
    assert taken == {blobs[0].sha256, blobs[2].sha256}
