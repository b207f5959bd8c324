"""The mobile client in Chromium at phone size: what the first visit loads, how long it takes, and how fast it uploads.

Uploads stand beside curl, which puts the same photos into another dataset, four at a time as the client does. Chromium
runs on the same cores as the server, and draws without a graphics processor.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from browsers import FLAGS
from harness.photos import fresh_batch, large_scenes
from harness.report import Result, Target, absolute, compare
from harness.server import serving
from phones import MOBILE, PHONE, SEE_FOR_ALL, START_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Request

    from harness.plan import Plan
    from harness.server import Server

FIRST_LOAD = Target(12.0, "MB", at_most=True)
FIRST_GRID = Target(10.0, "s", at_most=True)
GRID_PHOTOS = 30
MEGA = 1_000_000


def measure(plan: Plan) -> Sequence[Result]:
    """Measure first visits with an empty cache, then uploads."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - half a second that others need not wait

    subprocess.run([sys.executable, MOBILE / "bundler"], check=True)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(MOBILE / "src"), os.environ.get("PYTHONPATH", "")])
    with serving(plan.folder / "mobile", derive="false") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        _fill(server, plan)
        visits = [_first_visit(browser, server) for _ in range(plan.load_rounds)]
        uploads = [_uploads(browser, server, plan, number) for number in range(plan.load_rounds)]
        browser.close()
    count = f"{plan.mobile_photos} photos of 2 MB"
    return [
        absolute("mobile client, first visit, bytes", [size for size, _ in visits], FIRST_LOAD, "empty cache, gzip"),
        absolute("mobile client, first visit to the grid", [seconds for _, seconds in visits], FIRST_GRID, "no GPU"),
        compare(f"mobile client, upload of {count}", "photos/s", uploads, None, "beside it curl, four PUT at a time"),
    ]


def _fill(server: Server, plan: Plan) -> None:
    batch = fresh_batch(large_scenes(), GRID_PHOTOS, plan.folder / "photos")
    _curl(server, batch.paths, "main")
    batch.remove()


def _first_visit(browser: Browser, server: Server) -> tuple[float, float]:
    """Return megabytes over the wire, and seconds until the first preview is on the grid; previews do not count."""
    with _client(browser) as page:
        finished: list[Request] = []
        page.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108 - it takes no built-in method
        began = time.monotonic()
        with page.expect_response(lambda answer: "size=256" in answer.url, timeout=START_MS):
            page.goto(f"{server.address}/mobile/")
        seconds = time.monotonic() - began
        loaded = [request for request in finished if "size=256" not in request.url]
        return sum(request.sizes()["responseBodySize"] for request in loaded) / MEGA, seconds


def _uploads(browser: Browser, server: Server, plan: Plan, number: int) -> tuple[float, float]:
    """Return photos per second by (client, curl)."""
    batch = fresh_batch(large_scenes(), plan.mobile_photos, plan.folder / "photos")
    curl = plan.mobile_photos / _curl(server, batch.paths, f"curl-{number}")
    with _client(browser) as page:
        page.goto(f"{server.address}/mobile/")
        page.locator("flt-semantics-placeholder").wait_for(state="attached", timeout=START_MS)
        page.evaluate(SEE_FOR_ALL)
        add = page.get_by_role("button", name="Add photos")
        add.wait_for(timeout=START_MS)
        with page.expect_file_chooser() as chooser:
            add.click()
        began = time.monotonic()
        chooser.value.set_files(batch.paths)
        page.get_by_text(f"Done: {plan.mobile_photos}").first.wait_for(timeout=START_MS)
        seconds = time.monotonic() - began
    batch.remove()
    return plan.mobile_photos / seconds, curl


def _curl(server: Server, paths: Sequence[Path], dataset: str) -> float:
    """Put photos one by one, four at a time; return the seconds."""
    address = f"{server.address}/api/v1/photos?dataset={dataset}&name="
    parts = [part for path in paths for part in ("-T", str(path), f"{address}{path.name}", "-o", "/dev/null")]
    began = time.monotonic()
    subprocess.run(["curl", "-sS", "--no-progress-meter", "-Z", "--parallel-max", "4", *parts], check=True)
    return time.monotonic() - began


@contextmanager
def _client(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**{"locale": "en-GB", **PHONE})
    try:
        page = context.new_page()
        page.on("filechooser", lambda _: None)
        yield page
    finally:
        context.close()
