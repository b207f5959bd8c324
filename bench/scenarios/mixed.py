"""How long a `GET` takes while four clients upload as fast as they can, against the same when nobody uploads.

And against nginx, asked for the same photo while the same uploads go to Albumen: where all cores are taken, every
program waits for its turn.
"""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.load import static_nginx, upload
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
PATIENCE_SECONDS = 60
TARGET = Target(5.0, at_most=True)
WHAT = "p99 of GET of 120 KB while 4 clients upload"
NOTE = (
    f"one client, a `GET` of 120 KB every {1000 * PAUSE_SECONDS:g} ms over a kept connection; "
    f"{UPLOADERS} clients upload {PHOTOS} photos of 120 KB per request; beside it: "
)
NGINX_NOTE = f"{NOTE}the photo comes from nginx, the uploads go to Albumen all the same"


@dataclass(frozen=True, slots=True)
class Round:
    """The 99th percentiles of one round in milliseconds, while clients upload and while nobody does."""

    busy: float
    idle: float
    nginx_busy: float
    nginx_idle: float


def measure(plan: Plan) -> Sequence[Result]:
    """Measure Albumen and nginx, busy and idle, in each round."""
    photo = fresh(small_scenes()[0])
    root = plan.folder / "mixed-static"
    root.mkdir()
    (root / "photo.jpg").write_bytes(photo)
    with (
        serving(plan.folder / "mixed", derive="false") as server,
        static_nginx(root, plan.folder / "mixed-nginx") as nginx,
    ):
        ours, theirs = f"{server.address}/get/{put_photo(server, photo, 'photo.jpg')}", f"{nginx}/photo.jpg"
        _watch(ours, _for_seconds(1))
        rounds = [
            Round(*(figure for url in (ours, theirs) for figure in (_busy(server, url, plan), _idle(url, plan))))
            for _ in range(plan.load_rounds)
        ]
    return [
        compare(WHAT, "ms", [(each.busy, each.idle) for each in rounds], TARGET, f"{NOTE}nobody uploads"),
        compare(f"{WHAT}, against nginx", "ms", [(each.busy, each.nginx_busy) for each in rounds], None, NGINX_NOTE),
        compare(
            f"{WHAT}, nginx alone",
            "ms",
            [(each.nginx_busy, each.nginx_idle) for each in rounds],
            None,
            "what the machine gives: in Albumen's column stands nginx, asked meanwhile; beside it: nobody uploads",
        ),
    ]


def _idle(url: str, plan: Plan) -> float:
    return _watch(url, _for_seconds(plan.load_seconds))


def _busy(server: Server, url: str, plan: Plan) -> float:
    """Return the 99th percentile in milliseconds while clients upload to the server."""
    batches = [
        [fresh_batch(small_scenes(), PHOTOS, plan.folder / f"mixed-{client}-{number}")
         for number in range(plan.mixed_requests)]
        for client in range(UPLOADERS)
    ]  # fmt: skip
    ended = threading.Event()
    with ThreadPoolExecutor(UPLOADERS) as uploaders:
        waiting = [uploaders.submit(_pour, server, each, ended) for each in batches]
        busy = _watch(url, ended.is_set)
        for each in waiting:
            each.result()
    for batch in (batch for each in batches for batch in each):
        batch.remove()
    return busy


def _pour(server: Server, batches: Sequence[Batch], ended: threading.Event) -> None:
    """Upload one request after the other; the first client that is done ends the measurement."""
    try:
        for batch in batches:
            upload(server.address, batch.paths)
    finally:
        ended.set()


def _watch(url: str, is_over: Callable[[], bool]) -> float:
    """Ask again and again over one connection; return the 99th percentile in milliseconds."""
    spent = []
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(address.netloc, timeout=PATIENCE_SECONDS)) as connection:
        while not is_over():
            started = time.perf_counter()
            get(connection, address.path)
            spent.append(1000 * (time.perf_counter() - started))
            time.sleep(PAUSE_SECONDS)
    return quantiles(spent, n=100)[98]


def _for_seconds(seconds: float) -> Callable[[], bool]:
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() > deadline
