"""How much memory the server takes while it lists every photo in one answer."""

from __future__ import annotations

import mmap
import re
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING

from harness.report import Result, Target, absolute
from harness.rows import data_of
from harness.server import UnexpectedAnswer, get, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.plan import Plan
    from harness.server import Server

TARGET = Target(32, "MB", at_most=True)
SAMPLE_SECONDS = 0.02
WARM_UP_REQUESTS = 40
MEGABYTE = 1_000_000
_ID = re.compile(rb'"id"')


def measure(plan: Plan) -> Sequence[Result]:
    """Watch the resident memory of all processes of the server during `GET /get_value`."""
    data = data_of(plan.folder, plan.rows)
    extra, seconds = [], []
    for _ in range(plan.load_rounds):
        with serving(data, derive="false") as server:
            _warm_up(server)
            bytes_more, spent = _list_all(server, plan.folder / "values.json", plan.rows)
        extra.append(bytes_more / MEGABYTE)
        seconds.append(spent)
    note = f"resident memory above that before the request, peak of all processes; {min(seconds):.1f} s for the list"
    return [absolute(f"memory of GET /get_value at {plan.rows:,} photos", extra, TARGET, note)]


def _warm_up(server: Server) -> None:
    """Let every worker answer something first, so that only the list itself is counted."""
    for _ in range(WARM_UP_REQUESTS):
        with closing(server.connect()) as connection:
            get(connection, "/get_value?limit=100")


def _list_all(server: Server, answer: Path, rows: int) -> tuple[int, float]:
    """Return the most bytes above the start, and the seconds of the whole request."""
    before = peak = server.resident_bytes()
    started = time.perf_counter()
    with subprocess.Popen(["curl", "-sSf", "-o", str(answer), f"{server.address}/get_value"]) as curl:
        while curl.poll() is None:
            peak = max(peak, server.resident_bytes())
            time.sleep(SAMPLE_SECONDS)
    seconds = time.perf_counter() - started
    if curl.returncode or _count_ids(answer) != rows:
        raise UnexpectedAnswer(f"GET /get_value: {_count_ids(answer)} of {rows} photos")
    return peak - before, seconds


def _count_ids(answer: Path) -> int:
    with answer.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return sum(1 for _ in _ID.finditer(content))
