"""Responses per second for one photo and for one ready preview, against nginx that serves the very same bytes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from harness.load import responses_per_second, static_nginx
from harness.photos import fresh, small_scenes
from harness.report import Result, Target, compare
from harness.server import get, put_photo, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.plan import Plan
    from harness.server import Server

NOTE = "`wrk -t2 -c16`; nginx: 2 workers, sendfile, no access log; background work off (`ALBUMEN_DERIVE=false`)"


def measure(plan: Plan) -> Sequence[Result]:
    """Measure the photo and its preview of 256 pixels."""
    root = plan.folder / "static"
    root.mkdir()
    with (
        serving(plan.folder / "download", derive="false") as server,
        static_nginx(root, plan.folder / "nginx") as nginx,
    ):
        target = f"/get/{put_photo(server, fresh(small_scenes()[0]), 'photo.jpg')}"
        photo = _rounds(server, target, nginx, root / "photo.jpg", plan)
        preview = _rounds(server, f"{target}?size=256", nginx, root / "preview.jpg", plan)
    return [
        compare("GET of a photo of 120 KB", "responses/s", photo, Target(0.55), NOTE),
        compare("GET of a ready preview of 256 px", "responses/s", preview, Target(0.55), NOTE),
    ]


def _rounds(server: Server, target: str, nginx: str, copy: Path, plan: Plan) -> list[tuple[float, float]]:
    with closing(server.connect()) as connection:
        copy.write_bytes(get(connection, target))
    responses_per_second(f"{server.address}{target}", 1)  # warms both before the clock
    responses_per_second(f"{nginx}/{copy.name}", 1)
    return [
        (
            responses_per_second(f"{server.address}{target}", plan.load_seconds),
            responses_per_second(f"{nginx}/{copy.name}", plan.load_seconds),
        )
        for _ in range(plan.load_rounds)
    ]
