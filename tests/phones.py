"""The mobile client in Chromium at the size of a phone, on a real server that has it installed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from browsers import PATIENCE_MS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from browsers import Watch

ROOT = Path(__file__).resolve().parents[1]
MOBILE = ROOT / "clients" / "mobile"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
START_MS = 180_000  # 11 MB are compiled, twice at once on two cores when tests run side by side
OF_THE_GRAPHICS = "GL Driver Message"  # a machine without a graphics processor says so
SEE_FOR_ALL = "document.querySelector('flt-semantics-placeholder')?.click()"


@pytest.fixture(scope="session")
def mobile_client():
    """The bundle of this tree as it is now, and the environment in which a server finds it."""
    subprocess.run([sys.executable, MOBILE / "bundler"], check=True)
    places = [str(MOBILE / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(places)}


@dataclass
class Phone:
    """One page of the client; what it shows is found by its roles and names, as a screen reader finds it."""

    page: Page
    watch: Watch
    url: str

    def button(self, name) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def line(self, text) -> Locator:
        """A text on the screen, as such or as the name of something."""
        screen = self.page.locator("flt-semantics-host")
        return screen.get_by_text(text).or_(screen.get_by_label(text)).first

    def field(self, name) -> Locator:
        return self.page.get_by_role("textbox", name=name)

    def fill(self, name, text):
        """Write into a field; Flutter takes only what is written after it has seen the focus."""
        self.field(name).click()
        expect(self.field(name)).to_be_focused()
        self.page.wait_for_timeout(200)
        self.field(name).fill(text)

    def go_to(self, section):
        self.page.get_by_role("tab", name=section).click()

    def choose(self, files, word="Add photos"):
        with self.page.expect_file_chooser() as chooser:
            self.button(word).click()
        chooser.value.set_files(files)

    def touch(self, *moments):
        """Move fingers over the screen: every moment is the places (x, y) of those that touch it then."""
        session = self.page.context.new_cdp_session(self.page)
        for number, fingers in enumerate((*moments, ())):
            kind = "touchMove" if number else "touchStart"
            points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(fingers)]
            arguments = {"type": kind if points else "touchEnd", "touchPoints": points}
            session.send("Input.dispatchTouchEvent", arguments)
            self.page.wait_for_timeout(20)
        session.detach()

    def swipe(self, start, end):
        """Draw one finger over the screen."""
        steps = [number / 10 for number in range(11)]
        self.touch(
            *(((start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part),) for part in steps)
        )

    def pinch(self, place, apart):
        """Draw two fingers apart or together; `apart` are their distances at the beginning and at the end."""
        x, y = place
        halves = [(apart[0] + (apart[1] - apart[0]) * number / 20) / 2 for number in range(21)]
        self.touch(*(((x - half, y), (x + half, y)) for half in halves))
        self.page.wait_for_timeout(500)  # sooner, a finger counts as one that stayed

    def double_tap_until(self, place, seen, wanted):
        """Tap twice until a place has a colour: on a busy machine the second tap may come too late to count."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not _alike(found := self.colour_at(seen), wanted):
            assert time.monotonic() < deadline, (found, wanted)
            self.page.touchscreen.tap(*place)
            self.page.wait_for_timeout(60)  # two taps of less than 40 ms are taken for one
            self.page.touchscreen.tap(*place)
            self.page.wait_for_timeout(2000)

    def photos(self):
        """The names of the photos on the grid that are drawn now."""
        labels = self.page.get_by_role("button", name="Photo ").evaluate_all(
            "(found) => found.map((one) => one.getAttribute('aria-label') ?? one.innerText)"
        )
        return [label.removeprefix("Photo ") for label in labels if label]

    def colour_of(self, target):
        """The colour in the middle of a part of the screen, once it has been drawn."""
        box = target.bounding_box()
        return self.colour_at((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))

    def colour_at(self, place):
        """The colour at a place of the screen."""
        clip = {"x": place[0] - 2, "y": place[1] - 2, "width": 4, "height": 4}
        shot = Image.open(BytesIO(self.page.screenshot(clip=clip))).convert("RGB")
        return shot.getpixel((shot.width // 2, shot.height // 2))

    def expect_colour(self, target, wanted):
        """Wait until the middle of a part of the screen has about this colour."""
        self._until_alike(lambda: self.colour_of(target), wanted)

    def expect_colour_at(self, place, wanted):
        """Wait until a place of the screen has about this colour."""
        self._until_alike(lambda: self.colour_at(place), wanted)

    def _until_alike(self, look, wanted):
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not _alike(found := look(), wanted):
            assert time.monotonic() < deadline, (found, wanted)
            self.page.wait_for_timeout(100)

    def expect_whole(self):
        """Nothing on the screen says that the program broke."""
        expect(self.line("Error running app")).to_have_count(0)


def _alike(found, wanted):
    return all(abs(one - other) < 16 for one, other in zip(found, wanted, strict=True))


@pytest.fixture
def phone(visit):
    """An opener of the client on a server; at the end no page may have had a trouble."""
    opened = []

    def open_client(url, route="", **options):
        page, watch = visit(f"{url}/mobile/{route}", **{**PHONE, **options})
        opened.append(Phone(page, watch, url))
        page.locator("flt-semantics-placeholder").wait_for(state="attached", timeout=START_MS)
        page.evaluate(SEE_FOR_ALL)
        page.get_by_role("button").first.wait_for(timeout=START_MS)
        return opened[-1]

    yield open_client
    for one in opened:
        one.expect_whole()
        one.watch.troubles = [trouble for trouble in one.watch.troubles if OF_THE_GRAPHICS not in trouble]
