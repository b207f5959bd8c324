"""Load: curl for one large upload, wrk for many small requests, and nginx as the measure of what the machine can do."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.processes import free_port, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CURL_SECONDS = 120
_RATE = re.compile(r"^Requests/sec:\s+([0-9.]+)$", re.MULTILINE)
_FAILURES = re.compile(r"^\s*(?:Non-2xx or 3xx responses|Socket errors):.*$", re.MULTILINE)
_NGINX = """
{user}
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 60s;
    keepalive_requests 1000000000;
    types {{ image/jpeg jpg; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


class LoadFailed(Exception):
    """A load generator saw refusals or broken connections, so its number means nothing."""


def missing_tools() -> list[str]:
    """Return which of the programs that the scenarios call are not installed."""
    return [name for name in ("curl", "wrk", "nginx") if shutil.which(name) is None]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of one upload: the seconds from connecting to the last byte back, and the new ids."""

    seconds: float
    ids: tuple[str, ...]


def upload(address: str, paths: Sequence[Path]) -> Uploaded:
    """Send all files in one multipart request by curl.

    Raises:
        LoadFailed: Not every photo was created.
    """
    forms = "".join(f'form = "file=@{path}"\n' for path in paths)
    command = ["curl", "-sS", "--max-time", str(CURL_SECONDS), "--config", "-", "-w", "\n%{time_total}"]
    done = subprocess.run([*command, f"{address}/upload"], input=forms, capture_output=True, text=True, check=True)
    body, _, seconds = done.stdout.rpartition("\n")
    answer = json.loads(body)
    if answer.get("created") != len(paths):
        raise LoadFailed(f"not all of {len(paths)} photos were created: {body[:500]}")
    return Uploaded(float(seconds), tuple(photo["id"] for photo in answer["photos"]))


def responses_per_second(url: str, seconds: int) -> float:
    """Ask for one URL with 16 connections of 2 threads of wrk.

    Raises:
        LoadFailed: Some responses were not successes, or connections broke.
    """
    command = ["wrk", "-t2", "-c16", f"-d{seconds}s", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)
    rate, failures = _RATE.search(done.stdout), _FAILURES.search(done.stdout)
    if failures or rate is None:
        raise LoadFailed(f"{url}: {failures.group().strip() if failures else done.stdout}")
    return float(rate.group(1))


@contextmanager
def static_nginx(root: Path, folder: Path) -> Iterator[str]:
    """Serve the files under `root` by an nginx of our own with its state in `folder`; yields its address."""
    folder.mkdir()
    port = free_port()
    configuration = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(_NGINX.format(user=user, folder=folder, port=port, root=root), "utf-8")
    log = folder / "output.log"
    command = ["nginx", "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(configuration)]
    with running(command, log) as process:
        wait_until(lambda: _listens(port), process, log, seconds=10)
        yield f"http://127.0.0.1:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
