"""The wheel carries everything that the program reads at run time, and nothing of the work tree."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = [
    "albumen/py.typed",
    "albumen/repository/migrations/0001_core.sql",
    "albumen/web/openapi.json",
    "albumen/web/client/index.html",
    "albumen/web/client/manifest.webmanifest",
    "albumen/web/static/docs.css",
    "albumen/web/templates/docs.html",
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("albumen-*.whl")
    with zipfile.ZipFile(built) as archive:
        yield archive


def test_wheel_carries_what_the_program_reads(wheel):
    assert set(NEEDED) <= set(wheel.namelist())


def test_wheel_carries_the_package_alone(wheel):
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"albumen"}


def test_wheel_gives_the_command(wheel):
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "albumen = albumen.cli.main:main" in wheel.read(entry_points).decode()
