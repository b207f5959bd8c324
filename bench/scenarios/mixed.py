"""How long a `GET` takes while four clients upload as fast as they can, against the same when nobody uploads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from statistics import quantiles
from typing import TYPE_CHECKING

from harness.load import upload
from harness.photos import Batch, fresh, fresh_batch, small_scenes
from harness.report import Result, Target, compare
from harness.server import get, put_photo, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.plan import Plan
    from harness.server import Server

UPLOADERS = 4
PHOTOS = 100
PAUSE_SECONDS = 0.003
TARGET = Target(5.0, at_most=True)
NOTE = (
    f"one client, a `GET` of 120 KB every {1000 * PAUSE_SECONDS:g} ms over a kept connection; "
    f"{UPLOADERS} clients upload {PHOTOS} photos of 120 KB per request; beside it: nobody uploads"
)


def measure(plan: Plan) -> Sequence[Result]:
    """Measure idle and busy in each round."""
    with serving(plan.folder / "mixed", derive="false") as server:
        target = f"/get/{put_photo(server, fresh(small_scenes()[0]), 'photo.jpg')}"
        _watch(server, target, _for_seconds(1))
        rounds = [_round(server, target, plan) for _ in range(plan.load_rounds)]
    return [compare("p99 of GET of 120 KB while 4 clients upload", "ms", rounds, TARGET, NOTE)]


def _round(server: Server, target: str, plan: Plan) -> tuple[float, float]:
    """Return the 99th percentile in milliseconds while (clients upload, nobody does)."""
    batches = [
        [fresh_batch(small_scenes(), PHOTOS, plan.folder / f"mixed-{client}-{number}")
         for number in range(plan.mixed_requests)]
        for client in range(UPLOADERS)
    ]  # fmt: skip
    idle = _watch(server, target, _for_seconds(plan.load_seconds))
    ended = threading.Event()
    with ThreadPoolExecutor(UPLOADERS) as uploaders:
        waiting = [uploaders.submit(_pour, server, each, ended) for each in batches]
        busy = _watch(server, target, ended.is_set)
        for each in waiting:
            each.result()
    for batch in (batch for each in batches for batch in each):
        batch.remove()
    return busy, idle


def _pour(server: Server, batches: Sequence[Batch], ended: threading.Event) -> None:
    """Upload one request after the other; the first client that is done ends the measurement."""
    try:
        for batch in batches:
            upload(server.address, batch.paths)
    finally:
        ended.set()


def _watch(server: Server, target: str, is_over: Callable[[], bool]) -> float:
    spent = []
    with closing(server.connect()) as connection:
        while not is_over():
            started = time.perf_counter()
            get(connection, target)
            spent.append(1000 * (time.perf_counter() - started))
            time.sleep(PAUSE_SECONDS)
    return quantiles(spent, n=100)[98]


def _for_seconds(seconds: float) -> Callable[[], bool]:
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() > deadline
