"""What all measurements of the page share: Chromium, plain pages to compare with, and what a trace tells."""

from __future__ import annotations

import base64
import json
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

BLOCK_MS = 50
PATIENCE_MS = 600_000
LOCALE = "en-GB"
PLAIN_PATH = "/plain"
TASK = "ThreadControllerImpl::RunTask"
CATEGORIES = [
    "__metadata",
    "toplevel",
    "loading",
    "blink.user_timing",
    "devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
]
PRESENTED = {"STATE_PRESENTED_ALL", "STATE_PRESENTED_PARTIAL"}


@dataclass(frozen=True, slots=True)
class Task:
    """What a main thread did in one go. Times are milliseconds; `cpu` leaves out what other programs took."""

    start: float
    wall: float
    cpu: float

    @property
    def end(self) -> float:
        """When it was over."""
        return self.start + self.wall


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of the page that reached the screen. `is_whole` is false where a part of it was not drawn yet."""

    at: float
    is_whole: bool


@dataclass(frozen=True)
class Trace:
    """The events of a trace, all times in milliseconds of the clock that `time.monotonic` reads."""

    events: list[dict[str, Any]]

    @cached_property
    def renderer(self) -> int:
        """The process of the page: the one that draws most."""
        return Counter(event["pid"] for event in self.events if event["name"] == "BeginMainThreadFrame").most_common(1)[
            0
        ][0]

    @cached_property
    def tasks(self) -> list[Task]:
        """The tasks of the main thread of the page, in order."""
        named = (event for event in self._own if event["name"] == "thread_name")
        main = next(event["tid"] for event in named if "RendererMain" in event["args"]["name"])
        runs = (event for event in self._own if event["name"] == TASK and event["ph"] == "X" and event["tid"] == main)
        tasks = (Task(run["ts"] / 1000, run["dur"] / 1000, run.get("tdur", 0) / 1000) for run in runs)
        return sorted(tasks, key=lambda task: task.start)

    @property
    def blocks(self) -> list[Task]:
        """The tasks that are long enough to be felt."""
        return [task for task in self.tasks if task.wall > BLOCK_MS]

    def moments(self, name: str) -> list[float]:
        """Return when the page's events of a name were, in order."""
        return sorted(event["ts"] / 1000 for event in self._own if event["name"] == name)

    def frames(self) -> list[Frame]:
        """Return the frames that reached the screen, in order, each once."""
        begun: dict[str, dict[str, Any]] = {}
        shown: dict[float, bool] = {}
        for event in self._own:
            if event["name"] != "PipelineReporter":
                continue
            track = str(event["id2"])
            if event["ph"] == "b":
                begun[track] = event["args"].get("frame_reporter", {})
            elif (report := begun.pop(track, {})).get("state") in PRESENTED:
                at = event["ts"] / 1000
                shown[at] = shown.get(at, True) and not report.get("has_missing_content")
        return [Frame(at, shown[at]) for at in sorted(shown)]

    @cached_property
    def _own(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["pid"] == self.renderer]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium without a screen, with scroll bars as on one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"], ignore_default_args=["--hide-scrollbars"]
        )
        yield browser
        browser.close()


def traced(page: Page, work: Callable[[], None]) -> Trace:
    """Return Chromium's trace of some work with a page."""
    browser = page.context.browser
    assert browser is not None  # noqa: S101 - a page of a launched browser has one
    browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        work()
    finally:
        content = browser.stop_tracing()
    return Trace(json.loads(content)["traceEvents"])


def serve_plain(page: Page, html: str) -> None:
    """Answer a page's requests for /plain with `html`, on any origin. Unlike with routes the cache stays at work."""
    body = base64.b64encode(html.encode()).decode()
    headers = [{"name": "Content-Type", "value": "text/html; charset=utf-8"}]
    session = page.context.new_cdp_session(page)

    def answer(request: dict[str, Any]) -> None:
        fulfilment = {"requestId": request["requestId"], "responseCode": 200, "responseHeaders": headers, "body": body}
        session.send("Fetch.fulfillRequest", fulfilment)

    session.on("Fetch.requestPaused", answer)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": f"*{PLAIN_PATH}"}]})
