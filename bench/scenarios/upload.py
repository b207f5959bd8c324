"""Photos made durable per second: one request over loopback, against a bare loop on the same bytes and disk.

The bare loop does what any durable store must: SHA-256, write, fdatasync (in a pool of 8, so that the disk works while
the next photo is hashed) and rename. It has no HTTP, no database and no directory sync.

Nothing is deleted meanwhile: ext4 looks past the places of files that were deleted just now whenever it makes one. That
costs several times what a small photo does otherwise.
"""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from harness.load import upload
from harness.photos import Batch, fresh_batch, large_scenes, small_scenes
from harness.report import Result, Target, compare
from harness.server import serving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.plan import Plan
    from harness.server import Server

POOL = 8
NOTE = "one request by curl; background work off (`ALBUMEN_DERIVE=false`)"


def measure(plan: Plan) -> Sequence[Result]:
    """Measure large and small photos."""
    with serving(plan.folder / "upload", derive="false") as server:
        large = in_turns(server, large_scenes(), plan.large_photos, plan.rounds, plan.folder)
        small = in_turns(server, small_scenes(), plan.small_photos, plan.rounds, plan.folder)
    return [
        compare(f"upload of {plan.large_photos} photos of 12 MP (2 MB)", "photos/s", large, Target(0.80), NOTE),
        compare(f"upload of {plan.small_photos} photos of 0.8 MP (120 KB)", "photos/s", small, Target(0.70), NOTE),
    ]


def in_turns(
    server: Server, scenes: Sequence[bytes], count: int, rounds: int, folder: Path
) -> list[tuple[float, float]]:
    """Return photos per second by (server, bare loop); the two take turns in going first."""
    _upload_once(server, scenes, count, folder)  # warms the server's threads and connections
    pairs = []
    for number in range(rounds):
        if number % 2:
            bare = _bare_once(scenes, count, folder)
            ours = _upload_once(server, scenes, count, folder)
        else:
            ours = _upload_once(server, scenes, count, folder)
            bare = _bare_once(scenes, count, folder)
        pairs.append((ours, bare))
    return pairs


def _upload_once(server: Server, scenes: Sequence[bytes], count: int, folder: Path) -> float:
    batch = fresh_batch(scenes, count, folder / "photos")
    return count / upload(server.address, batch.paths).seconds


def _bare_once(scenes: Sequence[bytes], count: int, folder: Path) -> float:
    batch = fresh_batch(scenes, count, folder / "photos")
    return count / bare_loop(batch, Path(mkdtemp(prefix="bare-", dir=folder)))


def bare_loop(batch: Batch, target: Path) -> float:
    """Make the photos durable in `target` as fast as the machine can; return the seconds it took."""
    with ThreadPoolExecutor(POOL) as pool:
        list(pool.map(time.sleep, [0.001] * POOL))  # starts the threads before the clock
        started = time.perf_counter()
        waiting = [pool.submit(_finish, *_hash_and_write(content, target)) for content in batch.contents]
        for each in waiting:
            each.result()
        return time.perf_counter() - started


def _hash_and_write(content: bytes, target: Path) -> tuple[int, str, str]:
    final = f"{target}/{hashlib.sha256(content).hexdigest()}.jpg"
    partial = f"{final}.part"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    return descriptor, partial, final


def _finish(descriptor: int, partial: str, final: str) -> None:
    os.fdatasync(descriptor)
    os.close(descriptor)
    os.rename(partial, final)  # noqa: PTH104 - the bare loop spends nothing on objects
