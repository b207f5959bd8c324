"""Fingers on the grid of the web client, real to the browser: it makes pointers, scrolling and clicks of them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from albums import chosen, fill, page_of, tick, tile

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
EDGE_Y = 835
TOP_BAR_Y = 10
MIDDLE_Y = 420
CLICK_MS = 500  # more than a click of a finger takes to come


class Finger:
    """One finger on a page."""

    def __init__(self, page):
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._at = (0, 0)

    def down(self, x, y):
        self._at = (x, y)
        self._send("touchStart", [{"x": x, "y": y}])

    def move(self, x, y, steps=6):
        fromx, fromy = self._at
        for step in range(1, steps + 1):
            part = step / steps
            self._send("touchMove", [{"x": fromx + (x - fromx) * part, "y": fromy + (y - fromy) * part}])
        self._at = (x, y)

    def down_with_another(self, x, y):
        fingers = enumerate([self._at, (x, y)])
        self._send("touchStart", [{"x": atx, "y": aty, "id": number} for number, (atx, aty) in fingers])

    def up(self):
        self._send("touchEnd", [])

    def _send(self, kind, points):
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.fixture
def phone(album, visit):
    """A page with a hundred photos on a phone, and a finger for it."""
    fill(album, 100)
    page, _ = visit(page_of(album), **PHONE)
    expect(tile(page, "90.jpg")).to_be_visible()
    return page, Finger(page)


def rest_on(page, finger, name):
    finger.down(*middle(tile(page, name)))
    expect(chosen(page)).to_contain_text("1 selected")


def expect_range(page, newest, oldest):
    expect(chosen(page)).to_contain_text(f"{newest - oldest + 1} selected")
    for number in range(oldest, newest + 1):
        expect(tick(page, f"{number}.jpg")).to_be_checked()


def test_finger_that_rested_chooses_all_between_as_it_goes_and_fewer_as_it_comes_back(phone):
    page, finger = phone
    rest_on(page, finger, "95.jpg")
    finger.move(*middle(tile(page, "90.jpg")))
    expect_range(page, 95, 90)
    finger.move(*middle(tile(page, "92.jpg")))
    expect_range(page, 95, 92)
    finger.move(*middle(tile(page, "98.jpg")))
    expect_range(page, 98, 95)
    finger.up()
    tile(page, "93.jpg").tap()
    expect(chosen(page)).to_contain_text("5 selected")
    assert page.evaluate("scrollY") == 0


def test_page_goes_along_while_a_finger_that_rested_is_at_its_edge(phone):
    page, finger = phone
    rest_on(page, finger, "97.jpg")
    finger.move(middle(tile(page, "97.jpg"))[0], EDGE_Y)
    expect(tick(page, "20.jpg")).to_be_checked()
    finger.move(200, MIDDLE_Y)
    stands = page.evaluate("new Promise((done) => setTimeout(() => done(scrollY), 300))")
    finger.up()
    assert stands > 0
    assert page.evaluate("new Promise((done) => setTimeout(() => done(scrollY), 300))") == stands
    oldest = int(page.locator("li.chosen a").last.inner_text().removesuffix(".jpg"))
    expect(chosen(page)).to_contain_text(f"{97 - oldest + 1} selected")


def test_finger_that_moves_at_once_scrolls_and_chooses_nothing(phone):
    page, finger = phone
    finger.down(200, 700)
    finger.move(200, 200, steps=12)
    finger.up()
    page.wait_for_function("scrollY > 300")
    page.wait_for_timeout(600)
    expect(chosen(page)).to_have_count(0)


def test_finger_that_rests_on_a_chosen_photo_lets_it_be(phone):
    page, finger = phone
    rest_on(page, finger, "95.jpg")
    finger.up()
    tile(page, "92.jpg").tap()
    expect(chosen(page)).to_contain_text("2 selected")
    finger.down(*middle(tile(page, "92.jpg")))
    page.wait_for_timeout(700)
    finger.move(*middle(tile(page, "90.jpg")))
    expect(chosen(page)).to_contain_text("4 selected")
    finger.up()
    expect(tick(page, "92.jpg")).to_be_checked()


def test_two_fingers_that_rest_choose_nothing(phone):
    page, finger = phone
    finger.down(*middle(tile(page, "95.jpg")))
    finger.down_with_another(*middle(tile(page, "90.jpg")))
    page.wait_for_timeout(700)
    expect(chosen(page)).to_have_count(0)
    finger.up()


def test_page_stands_when_the_finger_lifts_though_its_photo_has_left(phone):
    page, finger = phone
    rest_on(page, finger, "97.jpg")
    finger.move(200, TOP_BAR_Y)
    tile(page, "97.jpg").evaluate("(photo) => photo.remove()")
    finger.up()
    page.evaluate("scrollTo(0, 1500)")
    assert page.evaluate("new Promise((done) => setTimeout(() => done(scrollY), 300))") == 1500


def test_click_that_comes_of_no_finger_counts_after_one_that_chose(phone):
    page, finger = phone
    rest_on(page, finger, "95.jpg")
    finger.move(*middle(tile(page, "92.jpg")))
    finger.up()
    expect_range(page, 95, 92)
    page.wait_for_timeout(CLICK_MS)
    tile(page, "90.jpg").dispatch_event("click", {"detail": 1, "bubbles": True, "cancelable": True})
    expect(chosen(page)).to_contain_text("5 selected")
