"""Back in the web client while photos are chosen: it ends the selection first, and nothing of that stays in the way."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from albums import chosen, fill, heading, page_of, tile

SCROLL_DOWN = "scrollTo(0, 600)"
IS_STILL = "new Promise((done) => setTimeout(() => done(scrollY), 400))"


@pytest.fixture
def page(album, visit):
    """A page that came from the trash to a dataset, of which one photo is chosen."""
    fill(album, 60)
    opened, _ = visit(f"{album.url}/trash")
    opened.get_by_role("link", name=album.dataset).click()
    expect(heading(opened, album.dataset)).to_be_visible()
    expect(tile(opened, "60.jpg")).to_be_visible()
    choose(opened)
    return opened


def choose(page, name="60.jpg"):
    tile(page, name).press("Space")
    expect(chosen(page)).to_contain_text("1 selected")


def test_back_ends_the_selection_and_leaves_the_list_only_then(album, page):
    page.evaluate(SCROLL_DOWN)
    assert page.evaluate(IS_STILL) == 600
    page.go_back()
    expect(chosen(page)).to_have_count(0)
    expect(page).to_have_url(page_of(album))
    assert page.evaluate(IS_STILL) == 600
    page.go_back()
    expect(heading(page, "Trash")).to_be_visible()


def test_selection_that_ended_otherwise_is_not_in_the_way_of_back(album, page):
    page.evaluate(SCROLL_DOWN)
    page.keyboard.press("Escape")
    expect(chosen(page)).to_have_count(0)
    assert page.evaluate(IS_STILL) == 600
    page.go_back()
    expect(heading(page, "Trash")).to_be_visible()
    page.go_forward()
    expect(heading(page, album.dataset)).to_be_visible()
    page.wait_for_function("Math.abs(scrollY - 600) < 2")


def test_back_closes_a_photo_that_is_open_over_a_selection_first(album, page):
    tile(page, "60.jpg").press("Enter")
    expect(page.get_by_role("dialog", name="60.jpg")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(chosen(page)).to_contain_text("1 selected")
    page.go_back()
    expect(chosen(page)).to_have_count(0)
    expect(page).to_have_url(page_of(album))


def test_forward_and_a_reload_bring_no_selection_and_back_leaves_at_once(album, page):
    page.go_back()
    expect(chosen(page)).to_have_count(0)
    page.go_forward()
    expect(page).to_have_url(page_of(album))
    expect(chosen(page)).to_have_count(0)
    choose(page)
    page.reload()
    expect(tile(page, "60.jpg")).to_be_visible()
    expect(chosen(page)).to_have_count(0)
    page.go_back()
    expect(heading(page, "Trash")).to_be_visible()


def test_other_view_that_is_opened_while_photos_are_chosen_has_only_the_list_behind_it(album, page):
    page.get_by_role("link", name="Uploads").click()
    expect(heading(page, "Upload photos")).to_be_visible()
    page.go_back()
    expect(heading(page, album.dataset)).to_be_visible()
    expect(chosen(page)).to_have_count(0)
    page.go_back()
    expect(heading(page, "Trash")).to_be_visible()
    page.go_forward()
    expect(heading(page, album.dataset)).to_be_visible()
    page.go_forward()
    expect(heading(page, "Upload photos")).to_be_visible()


def test_photos_that_leave_with_their_selection_leave_nothing_for_back(album, page):
    page.keyboard.press("Delete")
    expect(chosen(page)).to_have_count(0)
    expect(tile(page, "59.jpg")).to_be_focused()
    page.go_back()
    expect(heading(page, "Trash")).to_be_visible()
    expect(page).to_have_url(f"{album.url}/trash")


def test_skipping_to_the_content_is_nothing_that_back_has_to_undo(album, page):
    page.get_by_role("link", name="To the photos").press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Escape")
    expect(chosen(page)).to_have_count(0)
    expect(page).to_have_url(page_of(album))
    page.go_back()
    expect(heading(page, "Trash")).to_be_visible()
