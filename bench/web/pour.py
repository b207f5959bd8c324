"""Pouring photos in through the page, measured in Chromium.

    PYTHONPATH=tests:bench .venv/bin/python bench/web/pour.py

Two questions. How long is the main thread of the page blocked while 10,000 files are taken in and queued, told by
Chromium's own trace? How many photos of 120 KB come through, against curl and against a plain form in the same browser?
Each round has photos of its own; the three ways take turns.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tracing import BLOCK_MS, LOCALE, PATIENCE_MS, PLAIN_PATH, chromium, serve_plain, traced

from harness.server import serving
from pictures import of_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    from harness.server import Server

FILES = 10_000
FILES_PER_FOLDER = 1_000
FILE_BYTES = 2_000
PHOTOS = 400
PHOTO_BYTES = 120_000
FOLDER_CHOOSER = "input[webkitdirectory]"
PLAIN_FORM = """<!doctype html><title>plain</title>
<form method=post enctype=multipart/form-data action=/upload>
<input name=dataset value=plain><input name=file type=file multiple><button>Send</button></form>
<input type=file webkitdirectory>"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--folder", type=Path, help="where photos and data go: a directory on a real disk")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="pour-", dir=options.folder))
    try:
        with chromium() as browser:
            _blocks(browser, work, options.files)
            _speed(browser, work, options.rounds)
    finally:
        shutil.rmtree(work)


def _blocks(browser: Browser, work: Path, count: int) -> None:
    """Take in `count` files in each way and print the tasks of the main thread that took longer than 50 ms."""
    folder = work / "many"
    for number in range(count):
        place = folder / f"day {number // FILES_PER_FOLDER}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"IMG_{number:05}.jpg").write_bytes(of_size(FILE_BYTES, seed=number))
    with serving(work / "blocks", derive="false") as server:
        page = _page_at(browser, f"{server.address}/uploads?dataset=dropped")
        _measure(page, "page, folder dropped", _drop_and_wait, folder)
        _measure(page, "page, dropped again", _drop_and_wait, folder)
        page = _page_at(browser, f"{server.address}/uploads?dataset=chosen")
        _measure(page, "page, folder chosen", _choose_and_wait, folder)
        page = _plain_page(browser, server)
        _measure(page, "plain form, folder chosen and not sent", _choose, folder)


def _measure(page: Page, name: str, pour: Callable[[Page, Path], None], folder: Path) -> None:
    """Print how long the page's main thread was blocked while files were poured in."""
    started = time.perf_counter()
    trace = traced(page, lambda: pour(page, folder))
    seconds = time.perf_counter() - started
    blocks = sorted(trace.blocks, key=lambda task: task.wall, reverse=True)
    longest = ", ".join(f"{block.wall:.0f} ({block.cpu:.0f})" for block in blocks[:5]) or "none"
    print(f"{name}: {seconds:.1f} s, {len(blocks)} tasks over {BLOCK_MS} ms; ms and CPU ms: {longest}", flush=True)


def _drop(page: Page, path: Path) -> None:
    """Drop what lies at a path as the system does it."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 300, "data": data})


def _drop_and_wait(page: Page, path: Path) -> None:
    _drop(page, path)
    _until_done(page)


def _choose(page: Page, path: Path) -> None:
    page.locator(FOLDER_CHOOSER).set_input_files(path, timeout=PATIENCE_MS)
    page.wait_for_function("document.querySelector('input[webkitdirectory]')", timeout=PATIENCE_MS)


def _choose_and_wait(page: Page, path: Path) -> None:
    _choose(page, path)
    _until_done(page)


def _until_done(page: Page) -> None:
    page.get_by_role("status").filter(has_text="Done: ").wait_for(timeout=PATIENCE_MS)


def _speed(browser: Browser, work: Path, rounds: int) -> None:
    """Print photos per second through the page, through a plain form and through curl."""
    ways: dict[str, Callable[[Browser, Server, Path], float]] = {"page": _page, "plain form": _form, "curl": _curl}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with serving(work / "speed", derive="false") as server:
        for turn in range(rounds + 1):
            for place, (name, way) in enumerate(ways.items()):
                folder = _photos(work / f"{turn}-{place}", seed=(turn * len(ways) + place) * PHOTOS)
                taken = way(browser, server, folder)
                shutil.rmtree(folder)
                if turn > 0:  # the first round warms everything
                    seconds[name].append(taken)
    print(f"{PHOTOS} photos of {PHOTO_BYTES // 1000} KB, photos/s, median of {rounds} rounds (worst to best):")
    for name, times in seconds.items():
        rates = sorted(PHOTOS / taken for taken in times)
        print(f"{name}: {median(rates):.0f} ({rates[0]:.0f} to {rates[-1]:.0f})")


def _photos(folder: Path, seed: int) -> Path:
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"IMG_{number:04}.jpg").write_bytes(of_size(PHOTO_BYTES, seed=seed + number))
    return folder


def _page_at(browser: Browser, address: str) -> Page:
    page = browser.new_page(locale=LOCALE)
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    return page


def _plain_page(browser: Browser, server: Server) -> Page:
    page = browser.new_page()
    serve_plain(page, PLAIN_FORM)
    page.goto(f"{server.address}{PLAIN_PATH}")
    return page


def _page(browser: Browser, server: Server, folder: Path) -> float:
    page = _page_at(browser, f"{server.address}/uploads?dataset=page")
    started = time.perf_counter()
    _drop(page, folder)
    _until_done(page)
    seconds = time.perf_counter() - started
    page.close()
    return seconds


def _form(browser: Browser, server: Server, folder: Path) -> float:
    page = _plain_page(browser, server)
    started = time.perf_counter()
    page.locator("input[multiple]").set_input_files(sorted(folder.iterdir()))
    with page.expect_navigation(timeout=PATIENCE_MS):
        page.get_by_role("button", name="Send").click()
    seconds = time.perf_counter() - started
    page.close()
    return seconds


def _curl(_: Browser, server: Server, folder: Path) -> float:
    forms = "".join(f'form = "file=@{path}"\n' for path in sorted(folder.iterdir()))
    command = ["curl", "-sf", "-o", "/dev/null", "-K", "-", f"{server.address}/upload?dataset=curl"]
    started = time.perf_counter()
    subprocess.run(command, input=forms, text=True, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
