"""A real nginx in front of a real server, from the configuration that `albumen nginx-config` prints.

Tests of the modules in `THROUGH_NGINX` run twice: straight to the server, and through nginx. Those marked `direct` say
what is true of the server alone.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003 - dataclasses meet it at run time

from wire import eventually

THROUGH_NGINX = {
    "test_batches",
    "test_broken_uploads",
    "test_bytes",
    "test_datasets_api",
    "test_forms",
    "test_hostile_photos",
    "test_photos_api",
    "test_preview_bytes",
}
BEHIND_NGINX = {"ALBUMEN_NGINX_ACCEL": "true", "ALBUMEN_PROXY_HOPS": "1", "ALBUMEN_OPEN": "true"}
STOP_SECONDS = 40


@dataclass
class Nginx:
    """A running nginx: its first process, its address, and the folder that holds its logs and its cache."""

    process: subprocess.Popen
    url: str
    state: Path

    def cached(self):
        """Return what lies in its cache: one text per answer, head and bytes."""
        return [path.read_bytes() for path in self.state.glob("cache/*/*/*")]

    def errors(self):
        return (self.state / "error.log").read_text(errors="replace")


def fronts_of(module, *, is_direct):
    """Return how the servers of a test module are reached."""
    is_direct = is_direct or module.rpartition(".")[2] not in THROUGH_NGINX
    return ["direct"] if is_direct else ["direct", "nginx"]


def free_port():
    """Return a port that is free and stays so: the system gives it to nobody who asks for any, nor do other workers."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    lowest = 20_000 + 500 * (worker % 20)
    for port in random.sample(range(lowest, lowest + 500), 50):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def nginx_config(*options, **environment):
    """Return what `albumen nginx-config` prints."""
    command = [sys.executable, "-m", "albumen", "nginx-config", *map(str, options)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **environment}, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def as_worker_user():
    """Options for nginx's workers: as root they would be nobody and could not read the data of a test."""
    return ["--user", "root"] if os.geteuid() == 0 else []


@contextmanager
def nginx_before(upstream, data, state, *options):
    """An nginx on a free port in front of the server at `upstream`, for the length of a block."""
    from conftest import tool  # noqa: PLC0415 - conftest loads this module

    nginx = tool("nginx")
    state.mkdir(parents=True)
    port = free_port()
    text = nginx_config(
        *("--data", data, "--upstream", upstream.removeprefix("http://"), "--listen", f"127.0.0.1:{port}"),
        *("--standalone", state, "--cache", state / "cache", *as_worker_user(), *options),
    )
    configuration = state / "nginx.conf"
    configuration.write_text(text, "utf-8")
    command = [nginx, "-e", str(state / "error.log"), "-p", str(state), "-c", str(configuration)]
    with (state / "output.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        eventually(lambda: _listens(port) or process.poll() is not None, "nginx did not start")
        assert process.poll() is None, (state / "output.log").read_text() + (state / "error.log").read_text()
        yield Nginx(process, f"http://127.0.0.1:{port}", state)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def settings_behind(front):
    """Return the environment of a server that is reached this way."""
    return BEHIND_NGINX if front == "nginx" else {}


@contextmanager
def fronted(server, state, front):
    """The server as it is reached: itself for `direct`, by nginx's address for `nginx`."""
    if front == "direct":
        yield server
        return
    with nginx_before(server.url, server.data, state) as nginx:
        yield replace(server, url=nginx.url)
