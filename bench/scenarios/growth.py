"""How cost grows with the number of clients, and with the size of a photo."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.load import put_files, responses_per_second, static_nginx, storing_nginx, upload
from harness.photos import fresh, fresh_batch, scenes_of, small_scenes
from harness.report import Point, Result, compare
from harness.server import get, put_photo, serving
from scenarios.upload import in_turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.plan import Plan
    from harness.server import Server

CONNECTIONS = 16
FEW_CONNECTIONS = 4
LARGE = 10_000_000
MOST_PHOTOS = 1000
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """Albumen, and nginx beside it: one that takes files into `root` and one that serves `static`."""

    server: Server
    putting: str
    root: Path
    nginx: str
    static: Path


def measure_clients(plan: Plan) -> Sequence[Result]:
    """Upload the same number of photos, and get one photo, with more and more clients."""
    root, static = _folders(plan, "clients")
    with (
        serving(plan.folder / "clients", derive="false") as server,
        storing_nginx(root, plan.folder / "clients-put") as putting,
        static_nginx(static, plan.folder / "clients-nginx") as nginx,
    ):
        site = Site(server, putting, root, nginx, static)
        target = _published(site, fresh(small_scenes()[0]))
        _uploads(site, plan.clients[-1], plan)  # warms both
        return [
            result
            for clients in plan.clients
            for result in (_upload_by(site, clients, plan), _get_by(site, target, clients, plan))
        ]


def measure_sizes(plan: Plan) -> Sequence[Result]:
    """Upload and get photos of more and more bytes."""
    _, static = _folders(plan, "sizes")
    with (
        serving(plan.folder / "sizes", derive="false") as server,
        static_nginx(static, plan.folder / "sizes-nginx") as nginx,
    ):
        return [
            result
            for size in plan.sizes
            for result in (_upload_of(server, size, plan), _get_of(server, nginx, static, size, plan))
        ]


def _folders(plan: Plan, name: str) -> tuple[Path, Path]:
    folders = plan.folder / f"{name}-root", plan.folder / f"{name}-static"
    for folder in folders:
        folder.mkdir()
    return folders


def _published(site: Site, photo: bytes) -> str:
    """Put one photo into both; return its path on ours."""
    (site.static / "photo.jpg").write_bytes(photo)
    return f"/get/{put_photo(site.server, photo, 'photo.jpg')}"


def _upload_by(site: Site, clients: int, plan: Plan) -> Result:
    pairs = [_uploads(site, clients, plan) for _ in range(plan.load_rounds)]
    note = f"{plan.client_photos} photos of 120 KB, a request for each client; beside it: nginx `PUT`, not durable"
    return compare(f"upload by {clients} clients", "photos/s", pairs, None, note, Point("clients-upload", clients))


def _uploads(site: Site, clients: int, plan: Plan) -> tuple[float, float]:
    batch = fresh_batch(small_scenes(), plan.client_photos, plan.folder / "photos")
    shares = [batch.paths[number::clients] for number in range(clients)]
    with ThreadPoolExecutor(clients) as pool:
        started = time.perf_counter()
        list(pool.map(lambda share: upload(site.server.address, share), shares))
        seconds = time.perf_counter() - started
    started = time.perf_counter()
    put_files(site.putting, batch.paths, clients)
    beside = time.perf_counter() - started
    for path in site.root.iterdir():
        path.unlink()
    batch.remove()
    return len(batch.paths) / seconds, len(batch.paths) / beside


def _get_by(site: Site, target: str, clients: int, plan: Plan) -> Result:
    pairs = [
        (
            responses_per_second(f"{site.server.address}{target}", plan.growth_seconds, clients),
            responses_per_second(f"{site.nginx}/photo.jpg", plan.growth_seconds, clients),
        )
        for _ in range(plan.load_rounds)
    ]
    note = f"`wrk -c{clients}`; beside it: nginx, static"
    return compare(
        f"GET of 120 KB by {clients} clients", "responses/s", pairs, None, note, Point("clients-get", clients)
    )


def _upload_of(server: Server, size: int, plan: Plan) -> Result:
    count = max(1, min(MOST_PHOTOS, plan.size_bytes // size))
    scenes = scenes_of(size)
    megabytes = sum(map(len, scenes)) / len(scenes) / MEGABYTE
    rates = in_turns(server, scenes, count, plan.load_rounds, plan.folder)
    pairs = [(ours * megabytes, bare * megabytes) for ours, bare in rates]
    note = f"{count} photos in one request; beside it: the bare loop"
    return compare(f"upload of photos of {_size(size)}", "MB/s", pairs, None, note, Point("sizes-upload", size))


def _get_of(server: Server, nginx: str, static: Path, size: int, plan: Plan) -> Result:
    photo = fresh(scenes_of(size)[0])
    copy = static / f"{size}.jpg"
    copy.write_bytes(photo)
    target = f"/get/{put_photo(server, photo, 'photo.jpg')}"
    with closing(server.connect()) as connection:
        get(connection, target)
    megabytes = len(photo) / MEGABYTE
    connections = FEW_CONNECTIONS if size >= LARGE else CONNECTIONS
    pairs = [
        (
            megabytes * responses_per_second(f"{server.address}{target}", plan.growth_seconds, connections),
            megabytes * responses_per_second(f"{nginx}/{copy.name}", plan.growth_seconds, connections),
        )
        for _ in range(plan.load_rounds)
    ]
    note = f"`wrk -c{connections}`; beside it: nginx, static"
    return compare(f"GET of photos of {_size(size)}", "MB/s", pairs, None, note, Point("sizes-get", size))


def _size(size: int) -> str:
    return f"{size // MEGABYTE} MB" if size >= MEGABYTE else f"{size // 1000} KB"
