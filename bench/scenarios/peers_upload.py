"""Uploads of the same files to others: nginx that takes `PUT`, and a Flask application as most people write it.

nginx gets the files one by one over kept connections and syncs nothing. The Flask application gets the same one request
as Albumen, on Granian with the same number of workers. Where neither is durable, both lie in memory.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.load import LoadFailed, post_form, put_files, storing_nginx, upload
from harness.machine import TMPFS, filesystem
from harness.peers import plain_flask
from harness.photos import fresh_batch, large_scenes, small_scenes
from harness.report import Result, Target, compare
from harness.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.plan import Plan

    Contender = Callable[[Sequence[Path]], float]
    """Takes files in; returns the seconds."""

CONNECTIONS = 4
MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
NEEDED_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class Pairing:
    """Who is held against whom, and what that has to give."""

    ours: str
    peer: str
    against: str
    target: Target | None
    note: str


PAIRINGS = (
    Pairing("ours", "nginx", "nginx `PUT`", Target(1.0), f"nginx: {CONNECTIONS} kept connections, nothing synced"),
    Pairing("ours", "plain durable", "plain Flask, as durable", Target(2.0), "Flask: each file and the folder synced"),
    Pairing("ours in memory", "plain in memory", "plain Flask, both in memory", Target(4.0), "data in tmpfs"),
    Pairing("ours", "plain", "plain Flask, not durable", None, "Flask: nothing synced; Albumen as always"),
)


def measure(plan: Plan) -> Sequence[Result]:
    """Measure large and small photos, all contenders in turns."""
    with ExitStack() as stack:
        contenders = _contenders(plan, stack)
        large = _rounds(contenders, large_scenes(), plan.large_photos, plan)
        small = _rounds(contenders, small_scenes(), plan.small_photos, plan)
    return [
        *_compared(f"{plan.large_photos} photos of 12 MP (2 MB)", large),
        *_compared(f"{plan.small_photos} photos of 0.8 MP (120 KB)", small),
    ]


def _contenders(plan: Plan, stack: ExitStack) -> Mapping[str, Contender]:
    """Start everybody. Without enough memory for a disk in it, that pairing is left out."""
    root = plan.folder / "put"
    root.mkdir()
    ours = stack.enter_context(serving(plan.folder / "peers-ours", derive="false"))
    nginx = stack.enter_context(storing_nginx(root, plan.folder / "nginx-put"))
    plain = stack.enter_context(plain_flask(plan.folder / "plain", is_durable=False))
    durable = stack.enter_context(plain_flask(plan.folder / "plain-durable", is_durable=True))
    contenders: dict[str, Contender] = {
        "ours": lambda paths: upload(ours.address, paths).seconds,
        "nginx": lambda paths: _put(nginx, paths, root),
        "plain": lambda paths: _post(plain.address, paths),
        "plain durable": lambda paths: _post(durable.address, paths),
    }
    if _has_memory():
        memory = Path(tempfile.mkdtemp(prefix="albumen-bench-", dir=MEMORY))
        stack.callback(shutil.rmtree, memory, ignore_errors=True)
        our_memory = stack.enter_context(serving(memory / "ours", derive="false"))
        plain_memory = stack.enter_context(plain_flask(memory / "plain", is_durable=False))
        contenders["ours in memory"] = lambda paths: upload(our_memory.address, paths).seconds
        contenders["plain in memory"] = lambda paths: _post(plain_memory.address, paths)
    return contenders


def _has_memory() -> bool:
    return MEMORY.is_dir() and filesystem(MEMORY) in TMPFS and shutil.disk_usage(MEMORY).free > NEEDED_BYTES


def _rounds(
    contenders: Mapping[str, Contender], scenes: Sequence[bytes], count: int, plan: Plan
) -> Mapping[str, Sequence[float]]:
    """Return photos per second by contender and round; another one goes first in each, and the first round warms."""
    rates: dict[str, list[float]] = defaultdict(list)
    names = list(contenders)
    for number in range(plan.load_rounds + 1):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            batch = fresh_batch(scenes, count, plan.folder / "photos")
            rates[name].append(count / contenders[name](batch.paths))
            batch.remove()
    return {name: rate[1:] for name, rate in rates.items()}


def _compared(what: str, rates: Mapping[str, Sequence[float]]) -> Sequence[Result]:
    return [
        compare(
            f"upload of {what} against {pairing.against}",
            "photos/s",
            list(zip(rates[pairing.ours], rates[pairing.peer], strict=True)),
            pairing.target,
            pairing.note,
        )
        for pairing in PAIRINGS
        if pairing.peer in rates
    ]


def _put(address: str, paths: Sequence[Path], root: Path) -> float:
    seconds = put_files(address, paths, CONNECTIONS)
    for path in root.iterdir():
        path.unlink()
    return seconds


def _post(address: str, paths: Sequence[Path]) -> float:
    body, seconds = post_form(f"{address}/upload", paths)
    if not body.startswith("[") or len(json.loads(body)) != len(paths):
        raise LoadFailed(f"not all of {len(paths)} files were stored: {body[:500]}")
    return seconds
