"""Lists in the web client: what is shown while another one comes, where the keyboard stands, what is told of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from albums import fill, heading, page_of, tiles
from forms import Uploader

MANY = 12  # pictures that are in view together
MOST_KEYS = 50
CUT = """(texts) => texts.filter(({scrollWidth, clientWidth, scrollHeight, clientHeight}) =>
  scrollWidth > clientWidth || scrollHeight > clientHeight + 1).map(({innerText}) => innerText)"""
SCROLLED_TO_THE_END = """() => {
  scrollTo({ top: document.body.scrollHeight }) // again and again: the browser may still be at the key before
  return [...document.querySelectorAll('a[data-photo]')].some((link) => link.textContent.trim() === '1.jpg')
}"""
IS_STILL = """() => new Promise((done) => {
  const before = scrollY
  setTimeout(() => done(scrollY === before), 150)
})"""
FOCUSED = "document.activeElement.dataset.photo"


def grid(page):
    return page.locator("main [aria-busy]")


class Gate:
    """Keeps back what a page asks for, of the lists if not told, until it is opened."""

    def __init__(self, page, pattern="**/api/v1/photos?*"):
        self._kept = []
        self._is_open = False
        page.route(pattern, self._pass)

    def open(self):
        self._is_open = True
        for route in self._kept:
            route.continue_()

    def _pass(self, route):
        if self._is_open:
            route.continue_()
        else:
            self._kept.append(route)


def test_photos_of_the_list_before_cannot_be_touched_while_another_one_comes(album, visit):
    fill(album, 3)
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_count(3)
    gate = Gate(page)
    page.get_by_role("textbox", name="Search").fill("2.jpg")
    status = page.locator("[aria-live]", has_text="Photos with")
    expect(status).to_have_text("Photos with “2.jpg” in their name · Loading…")
    expect(grid(page)).to_have_attribute("aria-busy", "true")
    expect(grid(page)).to_have_js_property("inert", True)
    page.get_by_role("textbox", name="Search").blur()
    page.keyboard.press("Control+a")
    gate.open()
    expect(status).to_have_text("Photos with “2.jpg” in their name · 1 photo")
    expect(tiles(page)).to_have_text(["2.jpg"])
    expect(grid(page)).to_have_js_property("inert", False)
    expect(page.get_by_role("toolbar", name="Selection")).to_have_count(0)


def test_list_that_does_not_come_is_told_and_comes_when_the_server_is_back(album, visit):
    fill(album, 2)
    page, watch = visit(album.url)
    expect(tiles(page).first).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("link", name=album.dataset).click()
    expect(page.get_by_role("alert").filter(has_text="The server cannot be reached.")).to_be_visible()
    expect(page.get_by_text("2 photos ·")).to_have_count(0)
    page.context.set_offline(False)
    expect(tiles(page)).to_have_text(["2.jpg", "1.jpg"])
    expect(page.get_by_text("2 photos ·")).to_be_visible()
    watch.expect_trouble("ERR_INTERNET_DISCONNECTED")


def press(page, key, code, modifiers=0):
    """Press a key of another layout than the browser's own."""
    session = page.context.new_cdp_session(page)
    for kind in ("rawKeyDown", "keyUp"):
        session.send("Input.dispatchKeyEvent", {"type": kind, "key": key, "code": code, "modifiers": modifiers})


def test_keyboard_keeps_its_place_while_the_page_is_scrolled(album, visit):
    fill(album, 90)
    page, _ = visit(page_of(album), viewport={"width": 700, "height": 400})
    tiles(page).nth(3).focus()
    held = page.evaluate(FOCUSED)
    for key, is_there in (("PageDown", "scrollY > 900"), ("PageUp", "scrollY === 0")):
        for _ in range(MOST_KEYS):  # one that comes on the way of the one before goes less far
            page.keyboard.press(key)
            page.wait_for_function(IS_STILL)
            assert page.evaluate(FOCUSED) == held
            if page.evaluate(is_there):
                break
        else:
            pytest.fail(f"{key} does not scroll")
    page.wait_for_function(SCROLLED_TO_THE_END)
    assert page.evaluate(FOCUSED) == held
    page.keyboard.press("ArrowRight")
    expect(tiles(page).nth(4)).to_be_focused()


def test_letters_of_a_russian_layout_do_what_lies_on_the_same_keys(album, visit):
    fill(album, 3)
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_count(3)
    press(page, "ф", "KeyA", modifiers=2)
    expect(page.get_by_role("toolbar", name="Selection")).to_contain_text("3 selected")
    page.keyboard.press("Escape")
    press(page, "г", "KeyU")  # noqa: RUF001 - a Russian letter
    expect(heading(page, "Upload photos")).to_be_visible()


def test_focus_that_has_gone_elsewhere_while_a_photo_leaves_stays_there(album, visit):
    fill(album, 4)
    page, _ = visit(page_of(album))
    gate = Gate(page, "**/api/v1/photos/*")
    with page.expect_request("**/api/v1/photos/*"):
        tiles(page).nth(1).press("Delete")
    tiles(page).nth(3).focus()
    held = page.evaluate(FOCUSED)
    gate.open()
    expect(tiles(page)).to_have_text(["4.jpg", "2.jpg", "1.jpg"])
    page.wait_for_timeout(300)
    assert page.evaluate(FOCUSED) == held


def test_backspace_moves_to_the_trash_as_delete_does(album, visit):
    fill(album, 3)
    page, _ = visit(page_of(album))
    tiles(page).first.press("Backspace")
    expect(tiles(page)).to_have_text(["2.jpg", "1.jpg"])
    tiles(page).first.press("Space")
    page.keyboard.press("Backspace")
    expect(tiles(page)).to_have_text(["1.jpg"])


def test_titles_tell_the_views_apart(album, visit):
    fill(album, 2)
    page, _ = visit(album.url)
    expect(page).to_have_title("All photos · Albumen")
    page.get_by_role("link", name=album.dataset).click()
    expect(page).to_have_title(f"{album.dataset} · Albumen")
    page.get_by_role("textbox", name="Search").fill("2")
    expect(page).to_have_title(f"“2” · {album.dataset} · Albumen")
    expect(tiles(page)).to_have_text(["2.jpg"])
    tiles(page).click()
    expect(page).to_have_title("2.jpg · Albumen")
    page.keyboard.press("Escape")
    expect(page).to_have_title(f"“2” · {album.dataset} · Albumen")
    page.get_by_role("link", name="Trash").click()
    expect(page).to_have_title("Trash · Albumen")
    page.get_by_role("button", name="Русский").click()
    expect(page).to_have_title("Корзина · Albumen")


def test_keyboard_does_not_come_under_the_bar_of_the_selection(album, visit):
    fill(album, 2)
    page, _ = visit(page_of(album))
    tiles(page).first.press("Space")
    page.get_by_role("button", name="Clear the selection").focus()
    for _ in range(25):
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.closest('header')") is None
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Upload", exact=True).focus()
    assert page.evaluate("document.activeElement.closest('header')") is not None


def test_keyboard_comes_to_the_title_when_the_last_photo_has_left(album, visit):
    fill(album, 2)
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_count(2)
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(heading(page, album.dataset)).to_be_focused()


def test_search_that_finds_nothing_in_a_dataset_goes_on_in_all_photos(album, visit):
    fill(album, 2)
    fill(Uploader(album.http, album.url, f"{album.dataset}-other"), 3)
    page, _ = visit(f"{page_of(album)}?q=3.jpg")
    expect(page.get_by_text("or search in all photos")).to_be_visible()
    page.get_by_role("link", name="Search in all photos").click()
    expect(page).to_have_url(f"{album.url}/?q=3.jpg")
    expect(tiles(page).first).to_have_text("3.jpg")
    page.get_by_role("textbox", name="Search").fill("no such thing")
    expect(page.get_by_text("Try a shorter part of the name.", exact=True)).to_be_visible()


def test_any_answer_of_the_server_ends_what_is_told_of_a_lost_connection(album, visit):
    fill(album, 2)
    page, watch = visit(page_of(album))
    expect(tiles(page)).to_have_count(2)
    page.route("**/health/live", lambda route: route.abort("connectionrefused"))
    page.route("**/api/v1/photos?*", lambda route: route.abort("connectionrefused"))
    page.get_by_role("textbox", name="Search").fill("1")
    expect(page.get_by_text("No connection to the server.")).to_be_visible()
    page.unroute("**/api/v1/photos?*")
    page.get_by_role("textbox", name="Search").fill("2")
    expect(tiles(page)).to_have_text(["2.jpg"])
    expect(page.get_by_text("No connection to the server.")).to_have_count(0)
    watch.expect_trouble("ERR_CONNECTION_REFUSED")


def images(page, state):
    return page.locator(f"img[data-state={state}]")


def test_previews_that_do_not_come_tell_of_a_lost_connection_and_come_when_it_is_back(album, visit):
    fill(album, MANY)
    page, watch = visit(f"{album.url}/uploads")
    asked = []
    page.route("**/get/**", lambda route: route.abort("connectionrefused"))
    page.route("**/health/live", lambda route: (asked.append(route), route.abort("connectionrefused")))
    page.get_by_role("link", name=album.dataset).click()
    expect(page.get_by_text("No connection to the server.")).to_be_visible()
    assert len(asked) < MANY / 3  # one for all pictures, then one now and then
    expect(images(page, "failed")).to_have_count(MANY)
    page.unroute("**/get/**")
    page.unroute("**/health/live")
    expect(images(page, "shown")).to_have_count(MANY)
    expect(page.get_by_text("No connection to the server.")).to_have_count(0)
    watch.expect_trouble("ERR_CONNECTION_REFUSED")


def test_previews_that_did_not_come_for_a_moment_are_asked_for_once_more_by_themselves(album, visit):
    fill(album, MANY)
    page, watch = visit(f"{album.url}/uploads")
    page.route("**/get/**", lambda route: route.fulfill(status=503))
    page.get_by_role("link", name=album.dataset).click()
    expect(images(page, "failed")).to_have_count(MANY)
    page.unroute("**/get/**")
    expect(images(page, "shown")).to_have_count(MANY)
    watch.expect_trouble("503")


def test_previews_that_cannot_be_made_are_no_lost_connection(album, visit):
    fill(album, MANY)
    page, watch = visit(f"{album.url}/uploads")
    page.route("**/get/**", lambda route: route.fulfill(status=500))
    with page.expect_response("**/health/live"):
        page.get_by_role("link", name=album.dataset).click()
    expect(images(page, "failed")).to_have_count(MANY)
    page.wait_for_timeout(500)
    assert sum("/health/live" in answer.url for answer in watch.responses) < MANY / 3
    expect(page.get_by_text("No connection to the server.")).to_have_count(0)
    watch.expect_trouble("500")


def test_handle_tells_what_the_mouse_points_at_and_is_silent_after_a_drag(album, visit):
    fill(album, 90)
    page, _ = visit(page_of(album), viewport={"width": 700, "height": 400})
    handle = page.get_by_role("slider", name="Date")
    label = handle.locator("strong + span")
    box = handle.bounding_box()
    right, bottom = box["x"] + box["width"] - 8, box["y"] + box["height"] - 4
    page.mouse.move(right, bottom)
    expect(label).to_have_text("90 of 90")
    expect(handle).to_have_attribute("aria-valuenow", "1")
    page.mouse.down()
    page.mouse.move(right, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    expect(handle).to_be_focused()
    page.mouse.move(100, 200)
    expect(label.locator("..")).to_have_css("opacity", "0")
    page.keyboard.press("Home")
    expect(label).to_have_text("1 of 90")
    expect(label.locator("..")).to_have_css("opacity", "1")


def cut(page, selector):
    """The texts of which something is cut off."""
    expect(page.locator(selector).first).to_be_visible()
    return page.locator(selector).evaluate_all(CUT)


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("locale", ["en-GB", "ru-RU"])
def test_narrow_windows_show_days_counts_and_reasons_whole(album, visit, locale, width):
    fill(album, 2)
    page, _ = visit(page_of(album), locale=locale, viewport={"width": width, "height": 700}, has_touch=True)
    assert cut(page, "section h2") == []
    tiles(page).first.press("Space")
    assert cut(page, "[role=toolbar] [role=status] > span:last-child") == []
    expect(page.locator("[role=toolbar] [role=status]")).to_contain_text("1")
    page.goto(f"{album.url}/uploads?dataset={album.dataset}")
    texts = {
        "page.html": b"<!doctype html><html></html>",
        "notes.txt": b"words\n" * 9,
        "drawing.svg": b"<svg/>",
        "void.jpg": b"",
    }
    files = [{"name": name, "mimeType": "image/jpeg", "buffer": text} for name, text in texts.items()]
    page.locator("input[type=file]").first.set_input_files(files)
    expect(page.locator("[data-counter=rejected]")).to_have_text("4")
    assert cut(page, ".told") == []


def test_names_in_the_sidebar_are_whole_on_a_desk(album, visit):
    fill(album, 2)
    page, _ = visit(album.url, locale="ru-RU", viewport={"width": 1280, "height": 800})
    assert cut(page, "aside nav > ul:first-child .name") == []


def test_list_says_that_its_days_are_those_of_the_upload(album, visit):
    fill(album, 1)
    page, _ = visit(page_of(album))
    expect(page.get_by_text("by day of upload (UTC)")).to_be_visible()
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_text("по дням загрузки (UTC)")).to_be_visible()
