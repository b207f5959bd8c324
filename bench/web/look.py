"""Looking at very many photos through the page, measured in Chromium, against a plain page of `<img loading=lazy>`.

    PYTHONPATH=tests:bench .venv/bin/python bench/web/look.py

Two questions, both answered by Chromium's own trace. How soon does the page show photos and listen, with an empty cache
and with a full one? How evenly do frames come, and how long is the main thread blocked, while a person scrolls?
The plain page holds the same previews from the same server, but fewer of them: one of a hundred thousand takes
Chromium very long to open. The two take turns.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from tracing import BLOCK_MS, LOCALE, PATIENCE_MS, PLAIN_PATH, chromium, serve_plain, traced

from galleries import fill_gallery, photo_id
from harness.server import serving
from pictures import noisy_jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Browser, BrowserContext, Page
    from tracing import Frame, Task, Trace

PHOTOS = 100_000
FEW_PHOTOS = 5_000  # with many more a plain page takes very long to open
SECONDS_APART = 300  # a hundred thousand photos are those of a year
SHAPES = [(1200, 800), (800, 1200), (1000, 1000), (1600, 800)]
PICTURES_PER_SHAPE = 6
ROW_PX = 208
VIEWPORT = {"width": 1440, "height": 900}
QUIET_MS = 2_000
QUIET = f"() => performance.now() - looked.last > {QUIET_MS}"
# Notes when pictures are decoded, and when anything happened last. Decoding all would be work that no page asks for.
NOTE = """
window.looked = { decoded: new Map(), last: performance.now() };
const note = () => (looked.last = performance.now());
new PerformanceObserver(note).observe({ type: "longtask", buffered: true });
document.addEventListener("load", ({ target }) => {
  note();
  const done = () => looked.decoded.set(target, performance.now());
  if (target instanceof HTMLImageElement && looked.decoded.size < 60) target.decode().then(done, () => {});
}, true);
"""
DECODED_IN_VIEW = """() => [...looked.decoded].filter(([image]) => {
  const { top, bottom } = image.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}).map(([, at]) => at)"""
COUNT_ELEMENTS = "document.querySelectorAll('*').length"

READING = {"pixels": 3_600, "speed": 600}
FLING = {"pixels": 15_000, "speed": 15_000}
FLINGS = (1, 1, 1, 1, -1, -1)
PAUSE_MS = 300
KEY_MS = 3_000
KEY_REPEAT_MS = 33
DRAG_MS = 4_000
MOVE_MS = 16
LONG_FRAMES_MS = (50, 100)


@dataclass(frozen=True, slots=True)
class Start:
    """How a page came up, in milliseconds since it was asked for. `interactive`: the end of its last long task."""

    first_paint: float
    contentful: float
    largest: float
    first_photo: float
    all_photos: float
    interactive: float

    def cells(self) -> list[float]:
        """The numbers in the order of the table."""
        return [
            self.first_paint, self.contentful, self.largest, self.first_photo, self.all_photos, self.interactive,
        ]  # fmt: skip


@dataclass(slots=True)
class Smoothness:
    """What is known of one way of scrolling, from all its rounds."""

    lengths: list[float] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    blocks: list[Task] = field(default_factory=list)
    milliseconds: float = 0
    elements: int = 0

    def add(self, trace: Trace, spans: Sequence[tuple[float, float]], elements: int) -> None:
        """Take in a trace: the frames of the spans in which the page moved, and all blocks."""
        every = trace.frames()
        for start, end in spans:
            frames = [frame for frame in every if start <= frame.at <= end]
            self.frames += frames
            self.lengths += [after.at - before.at for before, after in pairwise(frames)]
            self.milliseconds += end - start
        self.blocks += trace.blocks
        self.elements = max(self.elements, elements)


@dataclass(frozen=True, slots=True)
class Way:
    """A page to look at: where it is, and how its place in the list is dragged."""

    name: str
    address: str
    html: str | None
    drag: Callable[[Page], list[tuple[float, float]]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=PHOTOS)
    parser.add_argument("--plain", type=int, default=FEW_PHOTOS, help="photos of the plain page")
    parser.add_argument("--rounds", type=int, default=5, help="times that each page is opened")
    parser.add_argument("--scrolls", type=int, default=2, help="times that each is scrolled in each way")
    parser.add_argument("--quick", action="store_true", help=f"one round with {FEW_PHOTOS} photos: shows that it works")
    parser.add_argument("--folder", type=Path, help="where photos and data go: a directory on a real disk")
    options = parser.parse_args()
    if options.quick:
        options.photos, options.rounds, options.scrolls = FEW_PHOTOS, 1, 1
    work = Path(tempfile.mkdtemp(prefix="look-", dir=options.folder))
    try:
        sources = [noisy_jpeg(*shape, seed=seed) for seed in range(PICTURES_PER_SHAPE) for shape in SHAPES]
        fill_gallery(work / "data", options.photos, sources, seconds_apart=SECONDS_APART, previews=True)
        with serving(work / "data", derive="false") as server, chromium() as browser:
            ways = _ways(server.address, options.plain)
            _starts(browser, ways, options.rounds)
            _scrolls(browser, ways, options.scrolls)
    finally:
        shutil.rmtree(work)


def _ways(address: str, plain: int) -> list[Way]:
    html = _plain_html(plain)
    return [
        Way("page", f"{address}/", None, _drag_handle),
        Way(f"plain page of {plain:,}", f"{address}{PLAIN_PATH}", html, _drag_scroll_bar),
    ]


def _plain_html(count: int) -> str:
    """What a plain page has: a form, and all photos, newest first, each of its size."""
    images = (
        f'<img loading=lazy width={ROW_PX * width // height} height={ROW_PX} alt=""'
        f' src="/get/{photo_id(number, SECONDS_APART)}?size=512&amp;format=webp">'
        for number, (width, height) in ((n, SHAPES[n * 7919 % len(SHAPES)]) for n in range(1, count + 1))
    )
    form = "<form method=post enctype=multipart/form-data action=/upload><input name=file type=file multiple></form>"
    return f"<!doctype html><title>plain</title>{form}" + "\n".join(images)


def _starts(browser: Browser, ways: Sequence[Way], rounds: int) -> None:
    """Open every page with an empty cache, then again with the full one, and print medians."""
    starts: dict[tuple[str, str], list[Start]] = {(way.name, cache): [] for way in ways for cache in ("empty", "full")}
    for turn in range(rounds + 1):
        for way in ways:
            context = _context(browser)
            for cache in ("empty", "full"):
                start = _start(context, way)
                if turn > 0:  # the first round warms the server
                    starts[way.name, cache].append(start)
            context.close()
    print(f"Start, median ms of {rounds} rounds\n")
    _head(
        "page", "cache", "first paint", "first content", "largest content", "first photo", "all in view", "interactive"
    )
    for (name, cache), found in starts.items():
        columns = zip(*(start.cells() for start in found), strict=True)
        _row(name, cache, *(f"{median(column):.0f}" for column in columns))


def _start(context: BrowserContext, way: Way) -> Start:
    page = context.new_page()
    trace = traced(page, lambda: _open(page, way))
    photos: list[float] = page.evaluate(DECODED_IN_VIEW)
    page.close()
    return _started(trace, photos)


def _started(trace: Trace, photos: Sequence[float]) -> Start:
    """Read a start from its trace; the page itself has told when its photos were decoded."""
    painted = trace.moments("firstPaint")[0]
    begun = max(moment for moment in trace.moments("navigationStart") if moment < painted)
    paint, contentful, largest = (
        trace.moments(name)[-1] - begun
        for name in ("firstPaint", "firstContentfulPaint", "largestContentfulPaint::Candidate")
    )
    blocks = [task.end - begun for task in trace.blocks if task.end - begun > contentful]
    return Start(paint, contentful, largest, min(photos), max(photos), max([contentful, *blocks]))


def _open(page: Page, way: Way) -> None:
    """Open a page and wait until it has been quiet for a while: no long task, no picture."""
    if way.html is not None:
        serve_plain(page, way.html)
    page.goto(way.address, timeout=PATIENCE_MS)
    page.wait_for_selector("img", timeout=PATIENCE_MS)
    _rest(page)


def _rest(page: Page) -> None:
    page.wait_for_function(QUIET, polling=250, timeout=PATIENCE_MS)


def _scrolls(browser: Browser, ways: Sequence[Way], rounds: int) -> None:
    """Scroll every page in every way, and print how evenly its frames came."""
    found: dict[tuple[str, str], Smoothness] = {}
    for _ in range(rounds):
        for way in ways:
            context = _context(browser)
            page = context.new_page()
            _open(page, way)
            scrolls = {
                "wheel, reading": _read,
                "Page Down held": _hold_key,
                "flings": _fling,
                "drag to the end": way.drag,
            }
            for name, scroll in scrolls.items():
                _measure(page, scroll, found.setdefault((name, way.name), Smoothness()))
            context.close()
    print(f"\nScrolling, {rounds} rounds together; frames as presented, times in ms\n")
    shares = [f"over {length} ms" for length in LONG_FRAMES_MS]
    _head(
        "action",
        "page",
        "frames/s",
        "median",
        "p95",
        "longest",
        *shares,
        "with blanks",
        "blocks",
        "longest (CPU)",
        "elements",
    )
    for (name, page_name), smoothness in sorted(found.items()):
        _row(name, page_name, *_cells(smoothness))


def _measure(page: Page, scroll: Callable[[Page], list[tuple[float, float]]], smoothness: Smoothness) -> None:
    spans: list[tuple[float, float]] = []
    trace = traced(page, lambda: spans.extend(scroll(page)))
    smoothness.add(trace, spans, page.evaluate(COUNT_ELEMENTS))
    _rest(page)


def _cells(found: Smoothness) -> list[str]:
    lengths = found.lengths
    over = [sum(length > most for length in lengths) / len(lengths) for most in LONG_FRAMES_MS]
    blank = sum(not frame.is_whole for frame in found.frames) / len(found.frames)
    longest = max(found.blocks, key=lambda task: task.wall, default=None)
    return [
        f"{len(found.frames) / found.milliseconds * 1000:.0f}",
        *(f"{length:.0f}" for length in (median(lengths), quantiles(lengths, n=20)[-1], max(lengths))),
        *(f"{share:.1%}" for share in (*over, blank)),
        f"{len(found.blocks)} over {BLOCK_MS}",
        f"{longest.wall:.0f} ({longest.cpu:.0f})" if longest else "none",
        f"{found.elements:,}",
    ]


def _read(page: Page) -> list[tuple[float, float]]:
    return [_glide(page, **READING)]


def _fling(page: Page) -> list[tuple[float, float]]:
    spans = []
    for direction in FLINGS:
        spans.append(_glide(page, pixels=direction * FLING["pixels"], speed=FLING["speed"]))
        page.wait_for_timeout(PAUSE_MS)
    return spans


def _glide(page: Page, pixels: int, speed: int) -> tuple[float, float]:
    """Turn the wheel evenly, as a touch pad does: the browser itself makes an event for every frame."""
    session = page.context.new_cdp_session(page)
    gesture = {"x": 700, "y": 450, "yDistance": -pixels, "speed": speed, "gestureSourceType": "mouse"}
    started = _now()
    session.send("Input.synthesizeScrollGesture", gesture)
    span = (started, _now())
    session.detach()
    return span


def _hold_key(page: Page) -> list[tuple[float, float]]:
    started = _now()
    while (passed := _now() - started) < KEY_MS:
        page.keyboard.down("PageDown")
        _wait_until(started + passed + KEY_REPEAT_MS)
    page.keyboard.up("PageDown")
    return [(started, _now())]


def _drag_handle(page: Page) -> list[tuple[float, float]]:
    page.evaluate("scrollTo(0, 0)")
    box = page.get_by_role("slider", name="Date").bounding_box()
    assert box is not None  # noqa: S101 - the handle is there for so many photos
    return [_drag(page, box["x"] + box["width"] - 8, box["y"] + 8, box["y"] + box["height"])]


def _drag_scroll_bar(page: Page) -> list[tuple[float, float]]:
    page.evaluate("scrollTo(0, 0)")
    return [_drag(page, VIEWPORT["width"] - 7, 22, VIEWPORT["height"])]


def _drag(page: Page, x: float, top: float, bottom: float) -> tuple[float, float]:
    """Drag downwards in a fixed time: where the browser takes events late there are fewer of them, as with a mouse."""
    page.mouse.move(x, top)
    page.mouse.down()
    started = _now()
    while (passed := _now() - started) < DRAG_MS:
        page.mouse.move(x, top + (bottom - top) * passed / DRAG_MS)
        _wait_until(started + passed + MOVE_MS)
    page.mouse.move(x, bottom)
    span = (started, _now())
    page.mouse.up()
    return span


def _context(browser: Browser) -> BrowserContext:
    context = browser.new_context(locale=LOCALE, viewport=VIEWPORT)
    context.add_init_script(NOTE)
    return context


def _now() -> float:
    """Milliseconds of the clock of traces."""
    return time.monotonic() * 1000


def _wait_until(moment: float) -> None:
    time.sleep(max(0, moment - _now()) / 1000)


def _head(*names: str) -> None:
    _row(*names)
    _row(*("---" for _ in names))


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
