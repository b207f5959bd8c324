"""Counters in a shared table: exact among threads and processes, forgotten when their window ends."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from albumen.web import counters
from albumen.web.counters import SharedCounters

COUNT_IN_A_PROCESS = """
import sys
from pathlib import Path
from albumen.web.counters import SharedCounters
shared = SharedCounters(Path(sys.argv[1]))
for _ in range(500):
    shared.incr("key", 3600)
"""


@pytest.fixture
def shared(tmp_path):
    with closing(SharedCounters(tmp_path / "rates")) as opened:
        yield opened


def test_a_counter_counts_and_ends_with_its_window(shared):
    assert [shared.incr("a", 3600) for _ in range(3)] == [1, 2, 3]
    assert shared.incr("b", 3600) == 1
    assert shared.get("a") == 3
    assert [shared.incr("short", 0) for _ in range(3)] == [1, 1, 1]
    assert shared.get("short") == 0


def test_what_is_cleared_begins_anew(shared):
    shared.incr("a", 3600)
    shared.incr("b", 3600)
    shared.clear("a")
    assert (shared.get("a"), shared.get("b")) == (0, 1)
    shared.reset()
    assert shared.get("b") == 0


def test_no_count_is_lost_among_threads_and_processes(shared, tmp_path):
    command = [sys.executable, "-c", COUNT_IN_A_PROCESS, str(tmp_path / "rates")]
    children = [subprocess.Popen(command) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: shared.incr("key", 3600), range(500)))
    assert [child.wait(60) for child in children] == [0, 0]
    assert shared.get("key") == 1500


def test_a_full_table_forgets_those_that_end_first(monkeypatch, tmp_path):
    monkeypatch.setattr(counters, "SLOTS", counters.PROBES)
    with closing(SharedCounters(tmp_path / "rates")) as small:
        for number in range(counters.PROBES + 1):
            small.incr(f"key {number}", 3600 + number)
        assert [small.get(f"key {number}") for number in range(counters.PROBES + 1)] == [0] + [1] * counters.PROBES
