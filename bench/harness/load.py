"""Load: curl for uploads, wrk for many small requests, and nginx as the measure of what the machine can do."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.processes import free_port, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CURL_SECONDS = 120
_PUT_REPORT = "%{http_code} %{time_total}\n"
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
    client_max_body_size 0;
    server {{ listen 127.0.0.1:{port}; root {root}; {methods} }}
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
    body, seconds = post_form(f"{address}/upload", paths)
    answer = json.loads(body)
    if answer.get("created") != len(paths):
        raise LoadFailed(f"not all of {len(paths)} photos were created: {body[:500]}")
    return Uploaded(seconds, tuple(photo["id"] for photo in answer["photos"]))


def post_form(url: str, paths: Sequence[Path]) -> tuple[str, float]:
    """Send all files in one multipart request by curl; return the body of the answer, and the seconds it took."""
    forms = "".join(f'form = "file=@{path}"\n' for path in paths)
    command = ["curl", "-sS", "--max-time", str(CURL_SECONDS), "--config", "-", "-w", "\n%{time_total}"]
    done = subprocess.run([*command, url], input=forms, capture_output=True, text=True, check=True)
    body, _, seconds = done.stdout.rpartition("\n")
    return body, float(seconds)


def put_files(address: str, paths: Sequence[Path], connections: int) -> float:
    """Send each file with a `PUT` of its own, over so many connections that are kept, one curl for each of them.

    Returns the seconds of the slowest connection: the sum of its transfers, without the start of its curl.

    Raises:
        LoadFailed: Not every file was created.
    """
    shares = [paths[number::connections] for number in range(connections)]
    with ThreadPoolExecutor(connections) as pool:
        return max(pool.map(lambda share: _put_share(address, share), [share for share in shares if share]))


def _put_share(address: str, paths: Sequence[Path]) -> float:
    lines = "".join(f'url = "{address}/{path.name}"\nupload-file = "{path}"\n' for path in paths)
    command = ["curl", "-sS", "-H", "Expect:", "--max-time", str(CURL_SECONDS), "-w", _PUT_REPORT, "--config", "-"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    reports = [line.split() for line in done.stdout.splitlines()]
    if [status for status, _ in reports] != ["201"] * len(paths):
        raise LoadFailed(f"not all of {len(paths)} files were created: {done.stdout[:500]}")
    return sum(float(seconds) for _, seconds in reports)


def responses_per_second(url: str, seconds: int, connections: int = 16, key: str | None = None) -> float:
    """Ask for one URL over so many connections, with up to 2 threads of wrk; `key` is shown with every request.

    Raises:
        LoadFailed: Some responses were not successes, or connections broke.
    """
    shown = [] if key is None else ["-H", f"Authorization: Bearer {key}"]
    command = ["wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{seconds}s", *shown, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)
    rate, failures = _RATE.search(done.stdout), _FAILURES.search(done.stdout)
    if failures or rate is None:
        raise LoadFailed(f"{url}: {failures.group().strip() if failures else done.stdout}")
    return float(rate.group(1))


@contextmanager
def static_nginx(root: Path, folder: Path) -> Iterator[str]:
    """Serve the files under `root` by an nginx of our own with its state in `folder`; yields its address."""
    with _nginx(root, folder, "") as address:
        yield address


@contextmanager
def storing_nginx(root: Path, folder: Path) -> Iterator[str]:
    """Take files into `root` by `PUT` (WebDAV), which are not synced; yields the address. One file system for both."""
    with _nginx(root, folder, "dav_methods PUT; dav_access user:rw;") as address:
        yield address


@contextmanager
def fronting_nginx(upstream: str, data: Path, folder: Path) -> Iterator[str]:
    """Put the nginx of `albumen nginx-config` before the server at `upstream`, without a log; yields its address."""
    folder.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "albumen", "nginx-config", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    command += ["--upstream", upstream.removeprefix("http://"), "--standalone", str(folder)]
    command += ["--cache", str(folder / "cache"), *(["--user", "root"] if os.geteuid() == 0 else [])]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    text = re.sub(r"^access_log .*$", "access_log off;", printed, flags=re.MULTILINE)
    with _running_nginx(text, folder, port) as address:
        yield address


@contextmanager
def _nginx(root: Path, folder: Path, methods: str) -> Iterator[str]:
    folder.mkdir()
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    text = _NGINX.format(user=user, folder=folder, port=port, root=root, methods=methods)
    with _running_nginx(text, folder, port) as address:
        yield address


@contextmanager
def _running_nginx(text: str, folder: Path, port: int) -> Iterator[str]:
    configuration = folder / "nginx.conf"
    configuration.write_text(text, "utf-8")
    log = folder / "output.log"
    command = ["nginx", "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(configuration)]
    with running(command, log) as process:
        wait_until(lambda: _listens(port), process, log, seconds=10)
        yield f"http://127.0.0.1:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
