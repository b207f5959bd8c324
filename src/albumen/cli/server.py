"""The server processes: Granian in this process, its workers as children, the background worker next to them.

Import this module only after `PROMETHEUS_MULTIPROC_DIR` is set: `prometheus_client` reads it once, when imported.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

import click
import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from albumen.bootstrap import build
from albumen.errors import StartRefused
from albumen.web.app import create_app
from albumen.web.context import context_of
from albumen.web.observe import MULTIPROCESS_VARIABLE
from albumen.worker.lifetime import die_with, give_up_after
from albumen.worker.run import run_worker

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from albumen.config import Settings

BACKLOG = 2048
CONNECTIONS_PER_WORKER = 4096
FILES_PER_CONNECTION = 4  # the connection, a file in tmp/, and some to spare
LONGEST_IDLE_SECONDS = 30.0
READY_STEP_SECONDS = 0.02
RESTART_SECONDS = 5.0
_KEPT_VARIABLES = frozenset({"PATH", "HOME", "LANG", "TZ", "TMPDIR", MULTIPROCESS_VARIABLE})

log = structlog.get_logger()


def run_server(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight then have `shutdown_seconds` to finish.

    Raises:
        StartRefused: The address is taken, or others could reach the server and there are no keys.
    """
    who = _admitted(settings)
    address, port = _resolve(settings.host, settings.port)
    chosen = settings.model_copy(update={"port": port})
    server = Server(
        "albumen",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        backlog=BACKLOG,
        backpressure=_most_connections(),
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_header_milliseconds(settings)),
        websockets=False,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=settings.shutdown_seconds,
    )
    company = Company(chosen, _url(address, port), who)
    server.on_startup(company.start)
    server.on_shutdown(company.stop)
    server.serve(target_loader=partial(load_application, chosen, os.getpid()), wrap_loader=False)


def load_application(settings: Settings, parent: int) -> WSGIApplication:
    """Wire the application in a worker process that does not outlive `parent`.

    Ctrl-C reaches every process of a terminal, but only the parent acts on it and then asks each worker to end: one
    that gets SIGINT and SIGTERM at once may never end. Until Granian listens, SIGTERM has its default action: in the
    handler of the parent, which a fork inherits, it would be lost.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with(parent)
    give_up_after(parent, settings.shutdown_seconds)
    services = build(settings)
    services.start()
    Finalize(None, services.close, exitpriority=1)
    app = create_app(services)
    observer = context_of(app).observer
    observer.start()
    context_of(app).patience.watch(settings.port)
    Finalize(None, observer.add_up, exitpriority=2)
    return app.wsgi_app


class Company:
    """Runs beside the workers: a thread that says when the server is ready and keeps the background worker alive."""

    def __init__(self, settings: Settings, url: str, who: str) -> None:
        self._settings = settings
        self._url = url
        self._who = who
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="albumen-company", daemon=True)

    def start(self) -> None:
        """Begin; the workers are forked right after this."""
        self._thread.start()

    def stop(self) -> None:
        """End the background worker and wait for it."""
        self._stopping.set()
        self._thread.join(self._settings.shutdown_seconds)

    def _run(self) -> None:
        resource_tracker.ensure_running()  # it lets SIGINT through when it starts, so it starts first
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited: Ctrl-C is for the first process alone
        while not self._stopping.wait(READY_STEP_SECONDS):
            if _answers(self._url):
                click.echo(f"Albumen is ready at {self._url} ({self._who}, data in {self._settings.data})")
                break
        if self._settings.derive:
            self._keep_background_worker()

    def _keep_background_worker(self) -> None:
        while not self._stopping.is_set():
            worker = multiprocessing.get_context("spawn").Process(
                target=run_worker, args=(self._settings, os.getpid()), name="albumen-background", daemon=True
            )
            worker.start()
            began = time.monotonic()
            while worker.is_alive() and not self._stopping.wait(0.2):
                pass
            if self._stopping.is_set():
                worker.terminate()
            worker.join()
            self._pause_after(began)

    def _pause_after(self, began: float) -> None:
        """Do not start a worker that keeps dying again and again without a pause."""
        if not self._stopping.is_set():
            log.warning("background_worker_ended", restarting=True)
            self._stopping.wait(max(0.0, RESTART_SECONDS - (time.monotonic() - began)))


def _most_connections() -> int:
    """Return how many connections a process may hold, after raising its limit of open files for that where it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_PER_CONNECTION * CONNECTIONS_PER_WORKER
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
    return reachable // FILES_PER_CONNECTION


def _header_milliseconds(settings: Settings) -> int:
    """Return how long a connection may be without a complete request.

    It is half of what a client has to move bytes, so that one that is only idle never looks like one that stalls.
    """
    return int(1000 * min(LONGEST_IDLE_SECONDS, settings.slow_seconds / 2))


def _shed_environment() -> None:
    """Drop what the settings were read from: Granian lays all variables under every request, HTTP_… ones as headers."""
    for name in set(os.environ) - _KEPT_VARIABLES:
        del os.environ[name]


def _admitted(settings: Settings) -> str:
    """Return in words who may use the server. Raises StartRefused when strangers could and nobody asked for that."""
    if settings.open:
        return "open to all who reach it"
    services = build(settings)
    try:
        if services.access.has_keys():
            return "keys are needed"
    finally:
        services.close()
    if settings.is_loopback:
        return "open to this machine"
    raise StartRefused(
        f"Others could reach {settings.host}, and there is no key yet. Make one with "
        f"'albumen keys create NAME --role admin --data {settings.data}', or let everybody in with --open."
    )


def _resolve(host: str, port: int) -> tuple[str, int]:
    """Return the numeric address and the port to listen on, a free one for 0.

    Granian lets several servers share a port; we do not, so a taken one is noticed here.
    """
    try:
        family, _, _, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            probe.listen()
            return str(target[0]), int(probe.getsockname()[1])
    except OSError as exc:
        raise StartRefused(f"Cannot listen on {host} port {port}: {exc.strerror}. Try another --port.") from exc


def _url(address: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health/live", timeout=1):
            return True
    except (OSError, urllib.error.URLError):
        return False
