"""Looking in the web client: a hundred thousand photos, the way to any day, search, selecting, coming back."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from albums import SHAPES, chosen, expect_notice, fill, page_of, tick, tile, tiles
from conftest import running
from forms import part
from galleries import fill_gallery
from pictures import jpeg

MANY = 100_000
MOST_NODES = 2000
STOPS = 20  # of the mouse: on a slow machine each of them is looked at
LISTED = (
    "id",
    "name",
    "link",
    "dataset",
    "sha256",
    "bytes",
    "media_type",
    "width",
    "height",
    "uploaded_at",
    "taken_at",
)
COUNT_NODES = "document.querySelectorAll('*').length"
IN_VIEW = """() => [...document.querySelectorAll("a[data-photo]")].filter((tile) => {
  const {top, bottom} = tile.getBoundingClientRect();
  return top >= document.querySelector("header").offsetHeight && bottom <= innerHeight;
}).map((tile) => tile.innerText)"""
SHOWN_IN_VIEW = """() => {
  const images = [...document.querySelectorAll("a[data-photo] img")].filter((image) => {
    const {top, bottom} = image.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  });
  return images.length > 0 && images.every((image) => image.naturalWidth > 0);
}"""


@pytest.fixture(scope="module")
def vast(tmp_path_factory):
    """The address of a server with a hundred thousand photos of one day."""
    data = tmp_path_factory.mktemp("vast") / "data"
    fill_gallery(data, MANY, [jpeg(width, height, seed=seed) for seed in range(3) for width, height in SHAPES])
    with running(data, ALBUMEN_DERIVE="false") as server:
        yield server.url


def scrubber(page):
    return page.get_by_role("slider", name="Date")


def in_view(page):
    """The names of the photos that are in view as a whole, once they stand still."""
    last = None
    while (now := (page.evaluate(IN_VIEW), page.evaluate("scrollY"))) != last or not now[0]:
        last = now
        page.wait_for_timeout(250)
    return now[0]


def test_hundred_thousand_photos_take_few_elements_and_any_of_them_is_at_hand(vast, visit):
    page, _ = visit(vast)
    expect(page.get_by_text("100,000 photos ·")).to_be_visible()
    expect(tile(page, "IMG_000001.jpg")).to_be_visible()
    assert page.evaluate(COUNT_NODES) < MOST_NODES
    scrubber(page).press("End")
    expect(tile(page, "IMG_100000.jpg")).to_be_visible()
    expect(scrubber(page)).to_have_attribute("aria-valuetext", "Friday, 20 November 2026, photo 100,000 of 100,000")
    assert page.evaluate(COUNT_NODES) < MOST_NODES
    page.wait_for_function(SHOWN_IN_VIEW)


def test_handle_at_the_edge_is_dragged_to_any_place(vast, visit):
    page, watch = visit(vast)
    expect(tile(page, "IMG_000001.jpg")).to_be_visible()
    box = scrubber(page).bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"], box["y"] + box["height"] / 2, steps=STOPS)
    page.mouse.up()
    numbers = [int(name[4:10]) for name in in_view(page)]
    assert all(40_000 < number < 60_000 for number in numbers)
    assert numbers == sorted(numbers)
    page.wait_for_function(SHOWN_IN_VIEW)
    assert page.evaluate(COUNT_NODES) < MOST_NODES
    assert sum("/api/v1/photos?" in answer.url for answer in watch.responses) < STOPS + 10  # of 500 on the way


def test_place_in_the_grid_is_there_again_after_back_and_after_a_reload(vast, visit):
    page, _ = visit(vast)
    expect(tile(page, "IMG_000001.jpg")).to_be_visible()
    box = scrubber(page).bounding_box()
    page.mouse.click(box["x"] + 30, box["y"] + box["height"] / 3)
    place = in_view(page)
    page.get_by_role("link", name="Trash").click()
    expect(page.get_by_role("heading", level=1, name="Trash")).to_be_visible()
    page.go_back()
    assert in_view(page) == place
    page.reload()
    assert in_view(page) == place
    tile(page, place[3]).click()
    expect(page.get_by_role("dialog", name=place[3])).to_be_visible()
    page.keyboard.press("Escape")
    expect(tile(page, place[3])).to_be_focused()
    assert in_view(page) == place


def test_place_is_there_again_after_two_steps_back_at_once_from_a_photo_of_another_list(vast, visit):
    page, _ = visit(vast)
    expect(tile(page, "IMG_000001.jpg")).to_be_visible()
    box = scrubber(page).bounding_box()
    page.mouse.click(box["x"] + 30, box["y"] + box["height"] / 3)
    place = in_view(page)
    page.get_by_role("link", name="main", exact=False).first.click()
    expect(page.get_by_role("heading", level=1, name="main")).to_be_visible()
    tile(page, "IMG_000001.jpg").click()
    expect(page.get_by_role("dialog", name="IMG_000001.jpg")).to_be_visible()
    page.evaluate("history.go(-2)")
    expect(page.get_by_role("heading", level=1, name="All photos")).to_be_visible()
    expect(tile(page, place[0])).to_be_in_viewport()
    assert in_view(page) == place


def address_of(page, vast, name):
    """The address of a photo, found by the search of a page."""
    page.get_by_role("textbox", name="Search").fill(name)
    expect(tiles(page)).to_have_count(1)
    return f"{vast}/photo/{tiles(page).get_attribute('data-photo')}"


def test_address_of_a_photo_in_the_midst_of_all_shows_it_there_when_it_closes(vast, visit):
    page, _ = visit(vast)
    page.goto(address_of(page, vast, "IMG_073500"))
    expect(page.get_by_role("dialog", name="IMG_073500.jpg")).to_be_visible()
    page.keyboard.press("Escape")
    expect(tile(page, "IMG_073500.jpg")).to_be_in_viewport()
    expect(tile(page, "IMG_073501.jpg")).to_be_in_viewport()


def test_photo_that_closes_before_the_list_has_come_is_shown_there_all_the_same(vast, visit):
    page, _ = visit(vast)
    address = address_of(page, vast, "IMG_073500")
    held = []
    page.route("**/api/v1/timeline*", lambda route: held.append(route), times=1)  # noqa: PLW0108 - the page marks what it is given
    page.goto(address)
    expect(page.get_by_role("dialog", name="IMG_073500.jpg")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    held[0].continue_()
    expect(tile(page, "IMG_073500.jpg")).to_be_in_viewport()
    expect(tile(page, "IMG_073500.jpg")).to_be_focused()


def test_search_among_all_finds_many_and_reaches_the_last(vast, visit):
    page, _ = visit(f"{vast}/?q=IMG_05")
    expect(page.get_by_text("· 10,000 photos")).to_be_visible()
    scrubber(page).press("End")
    expect(tile(page, "IMG_059999.jpg")).to_be_visible()
    page.get_by_role("textbox", name="Search").fill("img_0777")
    expect(page.get_by_text("· 100 photos")).to_be_visible()
    expect(tile(page, "IMG_077700.jpg")).to_be_in_viewport()


def test_new_photos_appear_and_nothing_that_is_looked_at_moves(album, visit):
    fill(album, 90)
    page, _ = visit(page_of(album))
    expect(tile(page, "90.jpg")).to_be_visible()
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 1200)
    place = in_view(page)
    before = tile(page, place[0]).bounding_box()
    album.send(part(jpeg(90, 60, seed=77), "new.jpg"))
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.get_by_text("91 photos ·")).to_be_visible()
    assert in_view(page) == place
    assert abs(tile(page, place[0]).bounding_box()["y"] - before["y"]) <= 1
    page.evaluate("scrollTo(0, 0)")
    expect(tiles(page).first).to_have_text("new.jpg")


def test_photos_are_chosen_by_ticks_by_a_range_and_by_the_day(album, visit):
    fill(album, 12)
    page, _ = visit(page_of(album))
    tile(page, "10.jpg").hover()
    tick(page, "10.jpg").click()
    expect(chosen(page)).to_contain_text("1 selected")
    tile(page, "7.jpg").click(modifiers=["Shift"])
    expect(chosen(page)).to_contain_text("4 selected")
    expect(tick(page, "8.jpg")).to_be_checked()
    tile(page, "3.jpg").click()
    expect(chosen(page)).to_contain_text("5 selected")
    expect(page).to_have_url(page_of(album))
    day = page.get_by_role("checkbox", name="Select all of")
    expect(day).to_have_attribute("aria-checked", "mixed")
    day.click()
    expect(chosen(page)).to_contain_text("12 selected")
    day.click()
    expect(chosen(page)).to_be_hidden()


def test_links_of_chosen_photos_are_copied_and_their_files_come_as_one_archive(album, visit):
    photos = fill(album, 3)
    page, _ = visit(page_of(album), permissions=["clipboard-read", "clipboard-write"])
    expect(tiles(page)).to_have_count(3)
    page.keyboard.press("Control+a")
    chosen(page).get_by_role("button", name="Copy the links").click()
    expect_notice(page, "3 links copied.")
    links = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert links == [f"{album.url}/get/{photo}" for photo in reversed(photos)]
    with page.expect_download() as download:
        chosen(page).get_by_role("button", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["3.jpg", "2.jpg", "1.jpg"]
        assert archive.read("2.jpg") == album.get(f"/get/{photos[1]}").content


def test_chosen_photos_are_saved_as_a_list(album, visit):
    fill(album, 3)
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_count(3)
    page.keyboard.press("Control+a")
    rows = [{name: photo[name] for name in LISTED} for photo in album.listed()]
    assert json.loads(saved_list(page, "JSON")) == rows
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert list(csv.DictReader(io.StringIO(saved_list(page, "CSV").decode()))) == texts
    expect(chosen(page)).to_contain_text("3 selected")


def saved_list(page, form):
    """The bytes of the list of what is chosen, saved by the keyboard alone."""
    chosen(page).get_by_role("button", name="Save the list").press("Enter")
    dialog = page.get_by_role("dialog", name="Save the list")
    expect(dialog).to_contain_text("3 photos in one file")
    with page.expect_download() as download:
        dialog.get_by_role("button", name=form).press("Enter")
    expect(dialog).to_have_count(0)
    assert re.fullmatch(rf"albumen-photos-\d{{4}}-\d\d-\d\d\.{form.lower()}", download.value.suggested_filename)
    return Path(download.value.path()).read_bytes()


def test_keys_in_a_dialog_do_nothing_to_the_chosen_photos_below_it(album, visit):
    fill(album, 3)
    page, _ = visit(page_of(album), locale="ru-RU")
    expect(tiles(page)).to_have_count(3)
    page.keyboard.press("Control+a")
    bar = page.get_by_role("toolbar", name="Выбранное")
    bar.get_by_role("button", name="Сохранить список").click()
    expect(page.get_by_role("dialog")).to_contain_text("3 фотографии в одном файле")
    page.keyboard.press("Delete")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(bar).to_contain_text("Выбрано: 3")
    expect(bar.get_by_role("button", name="Сохранить список")).to_be_focused()
    expect(tiles(page)).to_have_count(3)


def test_archive_that_cannot_be_made_is_told_and_leaves_the_page(album, visit):
    photos = fill(album, 3)
    page, watch = visit(page_of(album))
    expect(tiles(page)).to_have_count(3)
    page.keyboard.press("Control+a")
    assert album.http.delete(f"{album.url}/api/v1/photos/{photos[0]}", timeout=30).status_code == 204
    chosen(page).get_by_role("button", name="Download").click()
    expect_notice(page, "There is no such photo")
    expect(page).to_have_url(page_of(album))
    watch.expect_trouble("status of 404")


def test_chosen_photos_go_to_the_trash_and_come_back_by_undo(album, visit):
    fill(album, 6)
    page, _ = visit(page_of(album))
    for name in ("5.jpg", "2.jpg"):
        tile(page, name).hover()
        tick(page, name).click()
    page.keyboard.press("Delete")
    expect_notice(page, "2 photos moved to the trash.")
    expect(tiles(page)).to_have_text(["6.jpg", "4.jpg", "3.jpg", "1.jpg"])
    expect(page.get_by_text("4 photos ·")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(tiles(page)).to_have_text([f"{n}.jpg" for n in (6, 5, 4, 3, 2, 1)])
    page.reload()
    expect(tiles(page)).to_have_count(6)


def test_grid_is_walked_and_photos_are_chosen_by_the_keyboard_alone(album, visit):
    fill(album, 40)
    page, _ = visit(page_of(album))
    tile(page, "40.jpg").focus()
    page.keyboard.press("ArrowRight")
    expect(tile(page, "39.jpg")).to_be_focused()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("document.activeElement.innerText")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(tile(page, below)).to_be_focused()
    page.keyboard.press("Home")
    expect(tile(page, "40.jpg")).to_be_focused()
    page.keyboard.press("Space")
    expect(chosen(page)).to_contain_text("1 selected")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    expect(chosen(page)).to_contain_text("4 selected")
    page.keyboard.press("Shift+ArrowLeft")
    expect(chosen(page)).to_contain_text("3 selected")
    page.keyboard.press("Escape")
    expect(chosen(page)).to_be_hidden()
    page.keyboard.press("End")
    expect(tile(page, "1.jpg")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="1.jpg")).to_be_visible()
    page.keyboard.press("Escape")
    expect(tile(page, "1.jpg")).to_be_focused()
    page.keyboard.press("Delete")
    expect_notice(page, "1 photo moved to the trash.")
    tile(page, "3.jpg").focus()
    page.keyboard.press("Delete")
    expect_notice(page, "3.jpg is in the trash.")
    expect(tile(page, "2.jpg")).to_be_focused()


def test_finger_that_rests_on_a_photo_chooses_it_and_taps_choose_more(album, visit):
    fill(album, 4)
    page, _ = visit(page_of(album), viewport={"width": 390, "height": 844}, has_touch=True)
    touch = {"pointerType": "touch", "isPrimary": True, "clientX": 60, "clientY": 300}
    tile(page, "4.jpg").dispatch_event("pointerdown", touch)
    expect(chosen(page)).to_contain_text("1 selected")
    tile(page, "4.jpg").dispatch_event("pointerup", touch)
    tile(page, "4.jpg").dispatch_event("click", {"detail": 1})
    expect(chosen(page)).to_contain_text("1 selected")
    tile(page, "2.jpg").tap()
    expect(chosen(page)).to_contain_text("2 selected")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_russian_page_counts_and_dates_in_russian(album, visit):
    fill(album, 3)
    page, _ = visit(page_of(album), locale="ru-RU")
    expect(page.get_by_role("heading", level=2).last).to_contain_text(
        re.compile(r"(понедельник|вторник|воскресенье|среда|четверг|пятница|суббота), \d+ ")
    )
    page.get_by_role("heading", level=2).last.hover()
    page.get_by_role("checkbox", name=re.compile("^Выбрать все: ")).click()
    expect(page.get_by_role("toolbar", name="Выбранное")).to_contain_text("Выбрано: 3")
    page.keyboard.press("Delete")
    expect_notice(page, "корзине: 3 фотографии.")
    page.get_by_role("button", name="Вернуть").click()
    expect(tiles(page)).to_have_count(3)


def test_dataset_gets_another_name_and_keeps_its_address(album, visit):
    fill(album, 1)
    page, _ = visit(page_of(album))
    name = f"Bridges {uuid.uuid4().hex[:6]}"
    page.get_by_role("button", name="Edit the dataset").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link", name=f"{name} 1")).to_be_visible()
    expect(page).to_have_url(page_of(album))
