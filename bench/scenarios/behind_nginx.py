"""Photos out and in through the nginx of `albumen nginx-config`: against static files, and against going direct."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from harness.load import fronting_nginx, responses_per_second, static_nginx, upload
from harness.photos import fresh, fresh_batch, large_scenes, small_scenes
from harness.report import Result, Target, compare
from harness.server import get, put_photo, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.plan import Plan

PREVIEW = "?size=256"
NOTE = "`wrk -t2 -c16`; nginx: 2 workers, no access log; background work off (`ALBUMEN_DERIVE=false`)"
KEYS_NOTE = "a key shown with every request; " + NOTE
UPLOAD_NOTE = "one request by curl; against the same straight to Albumen"


def measure(plan: Plan) -> Sequence[Result]:
    """Measure uploads, then a photo and its preview, open to all and then with a key."""
    data = plan.folder / "behind"
    root = plan.folder / "behind-static"
    root.mkdir()
    with (
        serving(data, derive="false", nginx_accel="true", proxy_hops="1", open="true") as server,
        fronting_nginx(server.address, data, plan.folder / "behind-front") as front,
        static_nginx(root, plan.folder / "behind-nginx") as static,
    ):
        large = _uploads(server.address, front, large_scenes(), plan.large_photos, plan)
        small = _uploads(server.address, front, small_scenes(), plan.small_photos, plan)
        link = f"/get/{put_photo(server, fresh(small_scenes()[0]), 'photo.jpg')}"
        with closing(server.connect()) as connection:
            (root / "photo").write_bytes(get(connection, link))
            (root / "preview").write_bytes(get(connection, f"{link}{PREVIEW}"))
        os.sync()  # the disk still writes what was uploaded, which takes half a core
        photo = _rounds(f"{front}{link}", f"{static}/photo", plan)
        preview = _rounds(f"{front}{link}{PREVIEW}", f"{static}/preview", plan)
    key = _make_key(data)
    with (
        serving(data, derive="false", nginx_accel="true", proxy_hops="1") as server,
        fronting_nginx(server.address, data, plan.folder / "behind-keyed") as front,
        static_nginx(root, plan.folder / "behind-nginx-keyed") as static,
    ):
        keyed_photo = _rounds(f"{front}{link}", f"{static}/photo", plan, key)
        keyed_preview = _rounds(f"{front}{link}{PREVIEW}", f"{static}/preview", plan, key)
    return [
        compare("GET of a photo of 120 KB behind nginx", "responses/s", photo, Target(0.80), NOTE),
        compare("GET of a ready preview of 256 px behind nginx", "responses/s", preview, Target(0.90), NOTE),
        compare("GET of a private photo of 120 KB behind nginx", "responses/s", keyed_photo, None, KEYS_NOTE),
        compare("GET of a private preview behind nginx", "responses/s", keyed_preview, None, KEYS_NOTE),
        compare(
            f"upload of {plan.large_photos} photos of 2 MB through nginx", "photos/s", large, Target(0.75), UPLOAD_NOTE
        ),
        compare(
            f"upload of {plan.small_photos} photos of 120 KB through nginx",
            "photos/s",
            small,
            Target(0.75),
            UPLOAD_NOTE,
        ),
    ]


def _rounds(ours: str, static: str, plan: Plan, key: str | None = None) -> list[tuple[float, float]]:
    """Return responses per second by (Albumen behind nginx, nginx alone)."""
    responses_per_second(ours, 1, key=key)  # warms both before the clock
    responses_per_second(static, 1)
    return [
        (responses_per_second(ours, plan.load_seconds, key=key), responses_per_second(static, plan.load_seconds))
        for _ in range(plan.load_rounds)
    ]


def _uploads(direct: str, front: str, scenes: Sequence[bytes], count: int, plan: Plan) -> list[tuple[float, float]]:
    """Return photos per second by (through nginx, direct); the two take turns in going first."""
    rates = []
    for number in range(plan.rounds + 1):
        both = {address: _upload_once(address, scenes, count, plan) for address in _turns(front, direct, number)}
        rates.append((both[front], both[direct]))
    return rates[1:]  # the first one warmed threads and connections


def _turns(first: str, second: str, number: int) -> tuple[str, str]:
    return (second, first) if number % 2 else (first, second)


def _upload_once(address: str, scenes: Sequence[bytes], count: int, plan: Plan) -> float:
    batch = fresh_batch(scenes, count, plan.folder / "photos")
    seconds = upload(address, batch.paths).seconds
    batch.remove()
    return count / seconds


def _make_key(data: Path) -> str:
    """Close the data directory to strangers, and return a key that opens it."""
    command = [sys.executable, "-m", "albumen", "keys", "create", "bench", "--role", "viewer", "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()[-1]
