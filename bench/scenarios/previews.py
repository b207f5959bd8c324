"""First previews of 12 MP photos per second, over HTTP, against a bare loop of libvips on all cores."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

from harness.load import upload
from harness.photos import Batch, fresh_batch, large_scenes
from harness.report import Result, Target, compare
from harness.server import get, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.pool import Pool
    from pathlib import Path

    from harness.plan import Plan
    from harness.server import Server

SIZE = 256
QUALITY = 82
CORES = os.cpu_count() or 1
CLIENTS = 4 * CORES
WARM_UP = 2 * CLIENTS
NOTE = f"{CLIENTS} clients; bare loop: {CORES} processes, JPEG in memory; background work off (`ALBUMEN_DERIVE=false`)"


def measure(plan: Plan) -> Sequence[Result]:
    """Measure rounds in which server and bare loop take turns in going first, each on photos new to the server."""
    with (
        serving(plan.folder / "previews", derive="false") as server,
        multiprocessing.get_context("spawn").Pool(CORES, _start_libvips) as pool,
    ):
        _round(server, pool, WARM_UP, plan.folder, ours_first=True)
        pairs = [
            _round(server, pool, plan.preview_photos, plan.folder, ours_first=number % 2 == 0)
            for number in range(plan.rounds)
        ]
    return [compare(f"first {SIZE} px previews of 12 MP photos", "photos/s", pairs, Target(0.85), NOTE)]


def _round(server: Server, pool: Pool, count: int, folder: Path, *, ours_first: bool) -> tuple[float, float]:
    """Return photos per second by (server, bare loop)."""
    batch = fresh_batch(large_scenes(), count, folder / "photos")
    ids = upload(server.address, batch.paths).ids
    os.sync()
    bare = 0.0 if ours_first else _bare_once(pool, batch)
    ours = count / _ask_for_all(server, ids)
    if ours_first:
        bare = _bare_once(pool, batch)
    batch.remove()
    return ours, bare


def _ask_for_all(server: Server, ids: Sequence[str]) -> float:
    """Let all clients ask for their share of the previews at once; return the seconds until the last one came."""
    shares = [ids[number::CLIENTS] for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        started = time.perf_counter()
        for each in [clients.submit(_ask, server, share) for share in shares]:
            each.result()
        return time.perf_counter() - started


def _ask(server: Server, ids: Sequence[str]) -> None:
    with closing(server.connect()) as connection:
        for photo_id in ids:
            get(connection, f"/get/{photo_id}?size={SIZE}")


def _bare_once(pool: Pool, batch: Batch) -> float:
    started = time.perf_counter()
    pool.map(_thumbnail, [str(path) for path in batch.paths], chunksize=1)
    return len(batch.paths) / (time.perf_counter() - started)


def _start_libvips() -> None:
    """Run in each process of the bare loop: one thread each, as many processes as cores."""
    os.environ["VIPS_CONCURRENCY"] = "1"
    import pyvips  # noqa: PLC0415 - the number of threads is read when libvips starts

    pyvips.cache_set_max(0)


def _thumbnail(path: str) -> int:
    import pyvips  # noqa: PLC0415 - only the processes of the bare loop load libvips

    picture = pyvips.Image.thumbnail(path, SIZE, size="down")
    return len(picture.jpegsave_buffer(Q=QUALITY, optimize_coding=True, keep="none"))
