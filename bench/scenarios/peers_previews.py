"""First previews of the same photos at the same sizes and quality, by Albumen and by Thumbor, and their peak memory."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from itertools import chain
from typing import TYPE_CHECKING

from harness.load import upload
from harness.memory import Peak
from harness.peers import thumbor
from harness.photos import fresh_batch, large_scenes
from harness.report import Result, Target, compare
from harness.server import get, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.peers import Peer
    from harness.plan import Plan
    from harness.server import Server

WISHES = ((256,), (1024,), (256, 1024))
QUALITY = 82
CLIENTS = 4 * (os.cpu_count() or 1)
MEGABYTE = 1_000_000
NOTE = f"{CLIENTS} clients; JPEG of quality {QUALITY}; Thumbor: one process per core, Pillow, keeps no results"
MEMORY_NOTE = "proportional set size of all processes together"

Measured = tuple[float, float]
"""Photos per second, and the peak of memory in MB."""


def measure(plan: Plan) -> Sequence[Result]:
    """Let both take turns in going first, each round on photos that neither has seen."""
    photos = plan.folder / "thumbor-photos"
    photos.mkdir()
    with (
        serving(plan.folder / "peers-previews", derive="false") as ours,
        thumbor(photos, plan.folder / "thumbor", QUALITY) as peer,
    ):
        return [result for sizes in WISHES for result in _compare(ours, peer, photos, sizes, plan)]


def _compare(ours: Server, peer: Peer, photos: Path, sizes: Sequence[int], plan: Plan) -> Sequence[Result]:
    _round(ours, peer, photos, sizes, CLIENTS, ours_first=True)  # warms both
    rounds = [
        _round(ours, peer, photos, sizes, plan.thumbor_photos, ours_first=number % 2 == 0)
        for number in range(plan.load_rounds)
    ]
    rates = [(our[0], their[0]) for our, their in rounds]
    peaks = [(our[1], their[1]) for our, their in rounds]
    name = f"first {' and '.join(map(str, sizes))} px previews of 12 MP photos"
    return [
        compare(f"{name} against Thumbor", "photos/s", rates, Target(1.5), NOTE),
        compare(f"peak memory of {name} against Thumbor", "MB", peaks, Target(0.7, at_most=True), MEMORY_NOTE),
    ]


def _round(
    ours: Server, peer: Peer, photos: Path, sizes: Sequence[int], count: int, *, ours_first: bool
) -> tuple[Measured, Measured]:
    batch = fresh_batch(large_scenes(), count, photos)
    ids = upload(ours.address, batch.paths).ids
    os.sync()
    targets = {
        ours.port: (ours.pid, [[f"/get/{each}?size={size}&format=jpeg" for size in sizes] for each in ids]),
        peer.port: (peer.pid, [[f"/unsafe/fit-in/{size}x{size}/{p.name}" for size in sizes] for p in batch.paths]),
    }
    order = list(targets) if ours_first else list(reversed(targets))
    measured = {port: _ask_for_all(port, *targets[port]) for port in order}
    batch.remove()
    return measured[ours.port], measured[peer.port]


def _ask_for_all(port: int, pid: int, targets: Sequence[Sequence[str]]) -> Measured:
    """Let all clients ask for their share of the photos at once, watching the memory of the server."""
    shares = [targets[number::CLIENTS] for number in range(CLIENTS)]
    with Peak(pid) as peak, ThreadPoolExecutor(CLIENTS) as clients:
        started = time.perf_counter()
        list(clients.map(lambda share: _ask(port, share), shares))
        seconds = time.perf_counter() - started
    return len(targets) / seconds, peak.bytes / MEGABYTE


def _ask(port: int, targets: Sequence[Sequence[str]]) -> None:
    """Ask for all sizes of one photo after the other."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        for target in chain.from_iterable(targets):
            get(connection, target)
