"""What the server tells of itself: Prometheus metrics, right across worker processes, and the access log.

`prometheus_client` keeps values of several processes in mapped files when PROMETHEUS_MULTIPROC_DIR names a directory
before it is first imported; `albumen serve` sees to that.
"""

from __future__ import annotations

import collections
import os
import threading
import time
from collections import deque
from functools import lru_cache
from multiprocessing import current_process
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client import REGISTRY as OWN_REGISTRY
from prometheus_client.multiprocess import MultiProcessCollector

from albumen.web.closing import do_nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from prometheus_client.registry import Collector

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = CONTENT_TYPE_LATEST
ADD_UP_SECONDS = 0.25
MOST_PUT_DOWN = 10_000
FAST_ROUTE = "photo_bytes"
_ROUTE = "albumen.route"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

REQUESTS = Counter("albumen_http_requests", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram(
    "albumen_http_request_seconds", "Time until the answer began, the fast path left out.", ("route",), buckets=_BUCKETS
)
RECEIVED = Counter("albumen_photos_received", "Photos received, by outcome.", ("outcome",))
RECEIVED_BYTES = Counter("albumen_photo_bytes_received", "Bytes of photos accepted.")
BROKEN_OFF = Counter("albumen_uploads_broken_off", "Uploads that broke off, by the reason.", ("code",))

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
log = structlog.get_logger("albumen.access")


def mark_route(environ: WSGIEnvironment, route: str) -> None:
    """Note which route answers: a name from the code, never the path, which has no bounds."""
    environ[_ROUTE] = route


def shared_folder() -> Path | None:
    """Return the folder that the processes of this server share while it runs, None when there is one process only."""
    name = os.environ.get(MULTIPROCESS_VARIABLE)
    return Path(name) if name else None


def metrics_text(common: Collector) -> bytes:
    """Return all metrics in Prometheus' text form: those of the processes, summed, and once what is `common` to all."""
    once = CollectorRegistry()
    once.register(common)
    return generate_latest(_registry_of_processes()) + generate_latest(once)


def _registry_of_processes() -> CollectorRegistry:
    if shared_folder() is None:
        return OWN_REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def begin_process() -> None:
    """Forget what was under way in the process that this one replaces: nothing of it is. Its counters go on."""
    folder = shared_folder()
    if folder is not None:
        for path in folder.glob(f"gauge_live*_{current_process().name}.db"):
            path.unlink()


class Observer:
    """Counts, times and (when asked) logs requests.

    The fast path is counted only, and in two steps: a metric shared by processes costs a lock that all threads want,
    so its answers are put down first and added up every quarter of a second. As often it calls `refresh`, which brings
    gauges up to date.
    """

    def __init__(self, *, access_log: bool, refresh: Callable[[], None] = do_nothing) -> None:
        self._access_log = access_log
        self._refresh = refresh
        self._fast: deque[tuple[str, str]] = deque()
        self._adding_up = threading.Lock()

    def start(self) -> None:
        """Begin to add up in the background; without it the counts are right only after `add_up`."""
        threading.Thread(target=self._keep_catching_up, name="albumen-observer", daemon=True).start()

    def note_fast(self, environ: WSGIEnvironment, status: str, began: float) -> None:
        """Note an answer of the fast path: its status line, and `time.perf_counter` when the request came."""
        self._fast.append((environ["REQUEST_METHOD"], status[:3]))
        if len(self._fast) >= MOST_PUT_DOWN:
            self.add_up()
        if self._access_log:
            mark_route(environ, FAST_ROUTE)
            self._log(environ, status, time.perf_counter() - began)

    def add_up(self) -> None:
        """Count what the fast path put down."""
        with self._adding_up:
            noted = [self._fast.popleft() for _ in range(len(self._fast))]
        for (method, status), count in collections.Counter(noted).items():
            REQUESTS.labels(method, FAST_ROUTE, status).inc(count)

    def catch_up(self) -> None:
        """Bring all metrics of this process up to date."""
        self.add_up()
        self._refresh()

    def _keep_catching_up(self) -> None:
        while True:
            time.sleep(ADD_UP_SECONDS)
            self.catch_up()

    def note(self, environ: WSGIEnvironment, status: str, began: float) -> None:
        """Note an answer that begins now: its status line, and `time.perf_counter` when the request came."""
        route, seconds = environ.get(_ROUTE, "none"), time.perf_counter() - began
        requests, histogram = _series(environ["REQUEST_METHOD"], route, status[:3])
        requests.inc()
        histogram.observe(seconds)
        if self._access_log:
            self._log(environ, status, seconds)

    def _log(self, environ: WSGIEnvironment, status: str, seconds: float) -> None:
        log.info(
            "request",
            method=environ["REQUEST_METHOD"],
            path=shown_path(environ),
            status=int(status[:3]),
            seconds=round(seconds, 6),
            client=environ.get("REMOTE_ADDR"),
            route=environ.get(_ROUTE, "none"),
        )


class Observed:
    """WSGI middleware that notes every answer of the application under it."""

    def __init__(self, application: WSGIApplication, observer: Observer) -> None:
        self._application = application
        self._observer = observer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand on, then note what was answered."""
        began = time.perf_counter()
        status = "500"

        def start(line: str, headers: list[tuple[str, str]], *rest: object) -> object:
            nonlocal status
            status = line
            return start_response(line, headers, *rest)  # type: ignore[arg-type]

        try:
            return self._application(environ, start)  # type: ignore[arg-type]
        finally:
            self._observer.note(environ, status, began)


def shown_path(environ: WSGIEnvironment) -> str:
    """Return the path of a request for a log, encoded as it came: a terminal may obey what it decodes to."""
    return quote(environ["PATH_INFO"], encoding="latin-1")


@lru_cache(maxsize=512)
def _series(method: str, route: str, status: str) -> tuple[Counter, Histogram]:
    """Find the series once: `labels` costs more than counting does."""
    known_method = method if method in _METHODS else "other"
    return REQUESTS.labels(known_method, route, status), SECONDS.labels(route)
