"""The server's processes and what runs in them: one per core that answers requests, one that works in the background.

Import this module only after `PROMETHEUS_MULTIPROC_DIR` is set: `prometheus_client` reads it once, when imported. All
that the processes need is imported here, so that it is in memory once.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click
import structlog
from prometheus_client import Counter

from albumen.bootstrap import build
from albumen.cli.lifecycle import Lifecycle
from albumen.errors import StartRefused
from albumen.server.connection import Patience
from albumen.server.fleet import Fleet, Member
from albumen.server.loop import Loop, Terms
from albumen.services.recent import never_wait
from albumen.web.app import create_app
from albumen.web.context import context_of
from albumen.web.observe import begin_process
from albumen.worker.lifetime import die_with, name_process
from albumen.worker.run import run_worker

if TYPE_CHECKING:
    from albumen.config import Settings

BACKLOG = 2048
CONNECTIONS_PER_PROCESS = 4096
FILES_PER_CONNECTION = 4  # the connection, a file in tmp/, and some to spare
LONGEST_IDLE_SECONDS = 30.0
BACKGROUND_PAUSE_SECONDS = 5.0
LET_GO = Counter("albumen_clients_let_go", "Clients that did not send, or did not take, for too long.", ("waited_for",))

log = structlog.get_logger()


def run_server(settings: Settings) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; requests in flight then have `shutdown_seconds` to finish.

    Raises:
        StartRefused: The address is taken, or others could reach the server and there are no keys.
    """
    who = _admitted(settings)
    with _listen(settings.host, settings.port) as listener:
        address, port = listener.getsockname()[:2]
        lifecycle = Lifecycle(settings, f"{_in_url(address)}:{port}")
        members = _members(settings, listener, lifecycle)

        def announce() -> None:
            click.echo(f"Albumen is ready at {_url(address, port)} ({who}, data in {settings.data})")
            lifecycle.started()
            _tell_service_manager("READY=1")

        def begin_to_stop(by: signal.Signals) -> None:
            listener.close()
            lifecycle.stopping(by)

        Fleet(members, settings.shutdown_seconds, begin_to_stop).run(lifecycle.ready.file, announce)
        lifecycle.stopped()


def _tell_service_manager(state: str) -> None:
    """Tell systemd, if it waits for that (`Type=notify`), that the server answers."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def _members(settings: Settings, listener: socket.socket, lifecycle: Lifecycle) -> list[Member]:
    parent, connections = os.getpid(), _most_connections()
    serve = partial(_serve, settings, listener, parent, connections, lifecycle)
    members = [Member(f"albumen-serve-{number}", serve) for number in range(1, settings.workers + 1)]
    if settings.derive:
        members.append(Member("albumen-derive", partial(_derive, settings, parent), BACKGROUND_PAUSE_SECONDS))
    return members


def _serve(settings: Settings, listener: socket.socket, parent: int, connections: int, lifecycle: Lifecycle) -> None:
    """Answer requests in this process, which does not outlive `parent`."""
    name_process("albumen-serve")
    die_with(parent)
    begin_process()
    services = build(settings)
    services.start()
    app = create_app(services)
    context = context_of(app)
    context.observer.start()
    loop = Loop(listener, app.wsgi_app, context.instant, _terms(settings, connections))
    signal.signal(signal.SIGTERM, lambda *_: loop.stop())
    ahead = ThreadPoolExecutor(1, "albumen-ahead")
    never_wait(ahead.submit)
    lifecycle.ready.add(1)
    is_done = loop.run()
    lifecycle.open_requests.add(loop.open_requests)
    lifecycle.cut_off.add(loop.cut_off)
    context.observer.add_up()
    ahead.shutdown(cancel_futures=True)
    if not is_done:
        os._exit(0)  # a thread that still works on a request holds what `close` would wait for
    services.close()


def _derive(settings: Settings, parent: int) -> None:
    name_process("albumen-derive")
    run_worker(settings, parent)


def _terms(settings: Settings, connections: int) -> Terms:
    return Terms(
        threads=settings.threads,
        connections=connections,
        head_seconds=_head_seconds(settings),
        patience=Patience(settings.slow_seconds, settings.slow_bytes, partial(_tell_let_go, settings.slow_seconds)),
        shutdown_seconds=settings.shutdown_seconds,
    )


def _tell_let_go(seconds: float, waited_for: str, address: str) -> None:
    LET_GO.labels(waited_for).inc()
    log.info("client_let_go", client=address, waited_for=waited_for, seconds=seconds)


def _most_connections() -> int:
    """Return how many connections a process may hold, after raising its limit of open files for that where it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_PER_CONNECTION * CONNECTIONS_PER_PROCESS
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
    return reachable // FILES_PER_CONNECTION


def _head_seconds(settings: Settings) -> float:
    """Return how long a connection may be without a complete request."""
    return min(LONGEST_IDLE_SECONDS, settings.slow_seconds / 2)


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
    if settings.is_local:
        return "open to this machine"
    reachable = "this server through the proxy in front" if settings.proxy_hops else settings.host
    raise StartRefused(
        f"Others could reach {reachable}, and no key lies in {settings.data}. If that is the right directory, make one "
        f"with 'albumen keys create NAME --role admin --data {settings.data}', or let everybody in with --open."
    )


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, on a free port for 0. Raises StartRefused."""
    try:
        family, _, _, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(target)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as exc:
        raise StartRefused(f"Cannot listen on {host} port {port}: {exc.strerror}. Try another --port.") from exc
    return listener


def _url(address: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared, not bound
    return f"http://{_in_url(shown)}:{port}"


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address
