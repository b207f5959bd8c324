"""Fixtures for all tests: a real data directory, a Flask client on it, and a real server on a free port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests
from hypothesis import settings as hypothesis_settings

from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.web.app import create_app
from forms import Uploader
from fronts import fronted, fronts_of, settings_behind

pytest_plugins = ("engines", "albums", "browsers", "phones", "serving")

# A busy machine is slow now and then; no example is wrong for that.
hypothesis_settings.register_profile("albumen", deadline=None)
hypothesis_settings.load_profile("albumen")

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 30
STOP_SECONDS = 40
STRICT_PHOTOS = 5
STRICT_BYTES = 100_000


def pytest_configure(config):
    """Name our markers."""
    config.addinivalue_line("markers", "direct: true of the server alone; nginx in front answers otherwise")


def pytest_generate_tests(metafunc):
    """Let tests of bytes and uploads run a second time, through nginx."""
    is_direct = metafunc.definition.get_closest_marker("direct") is not None
    fronts = fronts_of(metafunc.module.__name__, is_direct=is_direct)
    names = [pytest.HIDDEN_PARAM, "nginx"][: len(fronts)]
    for fixture in sorted({"shared_server", "strict_server"} & set(metafunc.fixturenames)):
        metafunc.parametrize(fixture, fronts, indirect=True, scope="session", ids=names)


@dataclass
class Server:
    """A running `albumen serve` and everything under it."""

    process: subprocess.Popen
    url: str
    data: Path
    log: Path

    def family(self) -> list[psutil.Process]:
        """Every process of the server, the first one first."""
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def stop(self) -> int:
        """End the server gracefully; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kill every process of the server at once, as a power cut would."""
        family = self.family()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        while any(_lives(process) for process in family):
            time.sleep(0.005)


def _lives(process: psutil.Process) -> bool:
    """Tell whether a process still does anything; a dead one that nobody waited for does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def tool(name: str) -> str:
    """Return the path of a system tool; without it the test skips on a person's machine and fails in CI."""
    path = shutil.which(name)
    if path is None:
        explain = pytest.fail if os.environ.get("CI") else pytest.skip
        explain(f"{name} is not installed")
    return path


def start_server(data: Path, *options: str, prefix: tuple[str, ...] = (), **environment: str) -> Server:
    """Start `albumen serve` on a free port and wait until it says that it is ready."""
    data.parent.mkdir(parents=True, exist_ok=True)
    log = data.parent / f"{data.name}.log"
    command = [*prefix, sys.executable, "-m", "albumen", "serve", "--port", "0", "--data", str(data), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}, start_new_session=True
        )
    return Server(process, _announced_url(process, log), data, log)


@contextmanager
def running(data: Path, *options: str, prefix: tuple[str, ...] = (), **environment: str):
    """A server for the length of a block; whatever happens, none of its processes stays."""
    server = start_server(data, *options, prefix=prefix, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def _announced_url(process: subprocess.Popen, log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for word in log.read_text(errors="replace").split():
            if word.startswith("http://"):
                return word
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="session", autouse=True)
def web_client():
    """The web client of this tree as it is now: pages are tested as people get them."""
    subprocess.run([sys.executable, ROOT / "hatch_build.py"], check=True)


@pytest.fixture
def settings(tmp_path):
    """Settings of a fresh data directory."""
    return load_settings({"data": tmp_path / "data", "decode_processes": 1})


@pytest.fixture
def services(settings):
    """The services of a fresh data directory, in this process."""
    prepare(settings)
    built = build(settings)
    yield built
    built.close()


@pytest.fixture
def app(services):
    """The Flask application on a fresh data directory."""
    return create_app(services)


@pytest.fixture
def client(app):
    """A client without a network, through all middleware."""
    return app.test_client()


@pytest.fixture
def server(tmp_path):
    """A real server on a fresh data directory, without background work unless a test starts its own."""
    with running(tmp_path / "data", ALBUMEN_DERIVE="false") as started:
        yield started


@pytest.fixture(scope="session")
def shared_server(request, tmp_path_factory):
    """One real server for all tests that only add photos of their own to it, alone or behind nginx."""
    yield from _reached(request, tmp_path_factory.mktemp("shared"))


@pytest.fixture
def http():
    """A session of HTTP requests."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="session")
def strict_server(request, tmp_path_factory):
    """One real server that takes few and small photos, alone or behind nginx."""
    limits = {"ALBUMEN_MAX_PHOTOS": str(STRICT_PHOTOS), "ALBUMEN_MAX_PHOTO_BYTES": str(STRICT_BYTES)}
    yield from _reached(request, tmp_path_factory.mktemp("strict"), **limits)


def _reached(request, folder, **environment):
    front = getattr(request, "param", "direct")
    chosen = {"ALBUMEN_DERIVE": "false", **settings_behind(front), **environment}
    with running(folder / "data", **chosen) as started, fronted(started, folder / "nginx", front) as reached:
        yield reached


@pytest.fixture
def uploader(shared_server, http):
    """An uploader into a dataset of its own on the shared server."""
    return Uploader(http, shared_server.url, f"set-{uuid.uuid4().hex}")


@pytest.fixture
def strict_uploader(strict_server, http):
    """An uploader into a dataset of its own on the strict server."""
    return Uploader(http, strict_server.url, f"set-{uuid.uuid4().hex}")


@pytest.fixture
def make_app(tmp_path):
    """A maker of applications with settings of one's own, all on one fresh data directory."""
    built = []

    def make(**chosen):
        settings = load_settings({"data": tmp_path / "data", "decode_processes": 1, **chosen})
        prepare(settings)
        built.append(build(settings))
        return create_app(built[-1])

    yield make
    for services in built:
        services.close()
