"""A system call on a photo's way to the disk fails once, each in its turn: no acknowledged photo is lost or wrong.

`strace` answers the call in the kernel's place. A failed sync must not be forgotten: many kernels report it only once.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from itertools import count

import pytest
import traffic

from conftest import running, tool
from forms import problem, sha256
from pictures import of_size

PHOTOS = 3
ONE = of_size(3_000, seed=8)
UNAVAILABLE = (503, "storage_unavailable")
FULL = (507, "storage_full")
NUMBERS = count()
PTRACE_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"
FAILURES = [
    ("openat", "EIO", UNAVAILABLE, 3),
    ("openat", "EMFILE", UNAVAILABLE, 3),
    ("writev", "EIO", UNAVAILABLE, PHOTOS),
    ("writev", "EDQUOT", FULL, PHOTOS),
    ("fdatasync", "EIO", UNAVAILABLE, PHOTOS),
    ("fdatasync", "ENOSPC", FULL, PHOTOS),
    ("flock", "ENOLCK", UNAVAILABLE, 2),
    ("renameat", "EIO", UNAVAILABLE, PHOTOS),
    ("renameat", "ENOSPC", FULL, PHOTOS),
    ("fsync", "EIO", UNAVAILABLE, PHOTOS),
    ("pwrite64", "EIO", UNAVAILABLE, 6),
    ("pwrite64", "ENOSPC", FULL, 6),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with one thread for the disk, so that calls come in the same order each time; its folders are open."""
    data = tmp_path_factory.mktemp("failing") / "data"
    settings = {"ALBUMEN_DERIVE": "false", "ALBUMEN_SYNC_THREADS": "1"}
    with running(data, "--workers", "1", **settings) as started:
        traffic.post(started.url, new_photos(100))
        yield started


@pytest.fixture(scope="module")
def strace():
    """The path of `strace`, where it may look at a process that runs already."""
    path = tool("strace")
    if os.geteuid() != 0 and os.path.exists(PTRACE_SCOPE):  # noqa: PTH110 - a path of the kernel's
        explain = pytest.fail if os.environ.get("CI") else pytest.skip
        explain("strace may not look at a running process here; run as root")
    return path


def new_photos(number):
    """Return photos that nobody has sent before."""
    return [traffic.marked(ONE, next(NUMBERS)) for _ in range(number)]


@contextmanager
def failing(strace, server, call, error, place, trace):
    """Let a call of each thread of the server fail, the one that comes at that place."""
    (worker,) = traffic.wait_for_workers(server, 1)
    fault = f"inject={call}:error={error}:when={place}"
    command = [strace, "-f", "-p", str(worker.pid), "-o", str(trace), "-e", f"trace={call}", "-e", fault]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert "attached" in process.stderr.readline()
        yield
        process.send_signal(signal.SIGINT)
        process.stderr.read()


@pytest.mark.parametrize(
    ("call", "error", "expected", "place"),
    [(call, error, expected, place) for call, error, expected, places in FAILURES for place in range(1, places + 1)],
)
def test_a_call_that_fails_is_told_costs_no_photo_and_leaves_nothing_behind(
    strace, server, call, error, expected, place, tmp_path
):
    photos, trace = new_photos(PHOTOS), tmp_path / "trace"
    with failing(strace, server, call, error, place, trace):
        answer = traffic.post(server.url, photos)
    assert "INJECTED" in trace.read_text(), "the call did not come"
    problem(answer, *expected)
    kept = [outcome for outcome in answer.json()["photos"] if outcome["status"] == "created"]
    assert traffic.digests_of(server.url, kept) == [sha256(photos[outcome["index"]]) for outcome in kept]
    again = traffic.post(server.url, photos)
    assert again.json()["rejected"] == 0
    assert traffic.digests_of(server.url, again.json()["photos"]) == list(map(sha256, photos))
    assert {outcome["id"] for outcome in kept} <= {outcome["id"] for outcome in again.json()["photos"]}
    assert traffic.received_files(server.data) == []
    assert traffic.broken_blobs(server.data) == []
