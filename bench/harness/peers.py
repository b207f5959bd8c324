"""Programs of others, each in a virtual environment of its own outside the clone, locked with hashes.

An environment is made at the first run that needs it (`~/.cache/albumen-bench`, or `XDG_CACHE_HOME`), from PyPI, and
made anew when its lock changes. None of it is a dependency of Albumen.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.processes import free_port, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCKS = Path(__file__).resolve().parent.parent / "peers"
WORKERS = os.cpu_count() or 1
THREADS = 64
START_SECONDS = 60.0
_THUMBOR = """
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = "{photos}"
STORAGE = "thumbor.storages.no_storage"
ALLOW_UNSAFE_URL = True
QUALITY = {quality}
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that listens: its address without a slash at the end, and the id of its first process."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def plain_flask(folder: Path, *, is_durable: bool) -> Iterator[Peer]:
    """Serve the plain application on Granian, the fastest server for it, with one worker per core."""
    folder.mkdir()
    port = free_port()
    where = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--working-dir", str(LOCKS))
    size = ("--workers", str(WORKERS), "--blocking-threads", str(THREADS))
    command = _command("plain", "granian", *where, *size, "plain:app")
    variables = {"PLAIN_FOLDER": str(folder), "PLAIN_DURABLE": str(int(is_durable))}
    with _serving(command, folder.with_name(f"{folder.name}.log"), port, variables) as peer:
        yield peer


@contextmanager
def bare_function(file: Path, log: Path) -> Iterator[Peer]:
    """Serve a file's bytes by a function that does nothing else, on Albumen's own server, set up alike."""
    port = free_port()
    command = [sys.executable, str(LOCKS / "bare.py"), str(port)]
    with _serving(command, log, port, {"BARE_FILE": str(file)}) as peer:
        yield peer


@contextmanager
def thumbor(photos: Path, folder: Path, quality: int) -> Iterator[Peer]:
    """Serve previews of the files in `photos` by Thumbor, with one process per core and no store of results."""
    folder.mkdir()
    port = free_port()
    configuration = folder / "thumbor.conf"
    configuration.write_text(_THUMBOR.format(photos=photos, quality=quality), "utf-8")
    command = [
        *_command("thumbor", "thumbor", "--ip", "127.0.0.1", "--port", str(port), "--conf", str(configuration)),
        *("--processes", str(WORKERS)),
    ]
    with _serving(command, folder / "output.log", port, {}) as peer:
        yield peer


@contextmanager
def _serving(command: list[str], log: Path, port: int, variables: dict[str, str]) -> Iterator[Peer]:
    with running(command, log, {**os.environ, **variables}) as process:
        wait_until(lambda: _listens(port), process, log, seconds=START_SECONDS)
        yield Peer(port, process.pid)


def _command(environment: str, program: str, *arguments: str) -> list[str]:
    return [str(_environment(environment) / "bin" / program), *arguments]


def _environment(name: str) -> Path:
    """Return the folder of a virtual environment, made when it is not there."""
    lock = LOCKS / f"{name}.txt"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "albumen-bench"
    folder = cache / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not (folder / "complete").exists():
        print(f"installing {name} into {folder} …", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "-qq", "--require-hashes", "-r", str(lock)]
        subprocess.run(pip, check=True)
        (folder / "complete").touch()
    return folder


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
