"""The trash of the web client: what lies there is seen, chosen and restored, one photo or thousands, and undone."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pysqlite3
import pytest
from playwright.sync_api import expect

from albums import chosen, expect_notice, tick, tile, tiles
from browsers import violations
from conftest import running
from forms import Uploader, ids, part
from galleries import fill_gallery, photo_id
from pictures import jpeg

DATASET = "zoo"
SHAPES = [(192, 128), (128, 192), (160, 160), (240, 120)]
MANY = 2500
MOST_MOVED = 1000
MOST_NODES = 2000
DAY_US = 86_400_000_000
COUNT_NODES = "document.querySelectorAll('*').length"
ALL_SHOWN = """() => {
  const images = [...document.querySelectorAll("a[data-photo] img")];
  return images.length > 0 && images.every((image) => image.naturalWidth > 0);
}"""


class Bin:
    """A server with photos in its trash alone."""

    def __init__(self, data, url, http):
        self.data = data
        self.url = url
        self.album = Uploader(http, url, DATASET)
        self.ids = {}

    def fill(self, count):
        """Upload photos 1.jpg, 2.jpg, … and move them to the trash."""
        parts = [part(photo(n), f"{n}.jpg") for n in range(1, count + 1)]
        found = ids(self.album.send(*parts).json())
        self.ids = {f"{n}.jpg": photo_id for n, photo_id in enumerate(found, 1)}
        self.move("trash", found)

    def move(self, where, photo_ids):
        """Move photos to the trash, or restore them."""
        address = f"{self.url}/api/v1/photos/{where}"
        answer = self.album.http.post(address, json={"ids": list(photo_ids)}, timeout=120)
        assert answer.json()["done"] == list(photo_ids)

    def age(self, name, days):
        """Let a photo lie in the trash for some days more."""
        with closing(pysqlite3.connect(str(self.data / "albumen.db"), timeout=60)) as database, database:
            database.execute("UPDATE photo SET deleted_at = deleted_at - ? WHERE name = ?", (days * DAY_US, name))

    def status(self, name):
        """Return the status that the link of a photo answers with."""
        return self.album.get(f"/get/{self.ids[name]}").status_code


def photo(number):
    return jpeg(*SHAPES[number % len(SHAPES)], seed=number)


@pytest.fixture
def trash(tmp_path, http):
    """A server of its own, as the trash is one for all datasets."""
    with running(tmp_path / "data", ALBUMEN_DERIVE="false") as server:
        yield Bin(tmp_path / "data", server.url, http)


def open_trash(visit, trash, **options):
    """Open the trash and wait for all pictures: one that is asked for while its photo leaves is not found."""
    page, watch = visit(f"{trash.url}/trash", **options)
    expect(tiles(page)).to_have_count(len(trash.ids))
    page.wait_for_function(ALL_SHOWN)
    return page, watch


def item(page, name):
    return page.locator("li", has=page.locator("a[data-photo]")).filter(has_text=name)


def names(page):
    return tiles(page).evaluate_all("all => all.map((tile) => tile.ariaLabel.split(',')[0])")


def expect_names(page, *wanted):
    expect(tiles(page)).to_have_count(len(wanted))
    assert names(page) == list(wanted)


def expect_empty(page):
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    expect(tiles(page)).to_have_count(0)


def test_pictures_are_seen_with_their_names_and_the_days_they_have_left(trash, visit):
    trash.fill(3)
    trash.age("2.jpg", 20)
    trash.age("3.jpg", 40)
    page, watch = open_trash(visit, trash)
    expect(item(page, "1.jpg")).to_contain_text("30 days left")
    expect(item(page, "2.jpg")).to_contain_text("10 days left")
    expect(item(page, "3.jpg")).to_contain_text("may go at any time")
    expect(page.get_by_text("Photos stay here for 30 days.")).to_be_visible()
    previews = [answer for answer in watch.responses if "/trashed-preview" in answer.url]
    assert {answer.headers["cache-control"] for answer in previews} == {"private, no-store"}


def test_days_are_told_in_russian_as_one_counts(trash, visit):
    trash.fill(4)
    for name, days in {"1.jpg": 9, "2.jpg": 28, "3.jpg": 29, "4.jpg": 30}.items():
        trash.age(name, days)
    page, _ = open_trash(visit, trash, locale="ru-RU")
    for name, left in {"1.jpg": "ещё 21 день", "2.jpg": "ещё 2 дня", "3.jpg": "ещё 1 день"}.items():
        expect(item(page, name)).to_contain_text(left)
    expect(item(page, "4.jpg")).to_contain_text("удалится в любой момент")
    page.get_by_role("button", name="Восстановить все (4)").click()
    expect_notice(page, "Снова на месте: 4 фотографии.")


def test_one_photo_is_restored_and_undo_moves_it_back(trash, visit):
    trash.fill(3)
    page, _ = open_trash(visit, trash)
    page.get_by_role("button", name="Restore: 2.jpg").click()
    expect_notice(page, "2.jpg is back.")
    expect_names(page, "3.jpg", "1.jpg")
    assert trash.status("2.jpg") == 200
    page.get_by_role("button", name="Undo").click()
    expect_notice(page, "1 photo moved to the trash.")
    expect(tile(page, "2.jpg")).to_be_visible()
    expect_names(page, "3.jpg", "2.jpg", "1.jpg")
    page.wait_for_function(ALL_SHOWN)


def test_photos_between_two_are_restored_together(trash, visit):
    trash.fill(5)
    page, _ = open_trash(visit, trash)
    tick(page, "4.jpg").click()
    tile(page, "2.jpg").click(modifiers=["Shift"])
    expect(chosen(page)).to_contain_text("3 selected")
    chosen(page).get_by_role("button", name="Restore").click()
    expect_notice(page, "3 photos back in place.")
    expect(chosen(page)).to_have_count(0)
    expect_names(page, "5.jpg", "1.jpg")
    page.get_by_role("link", name="All photos").click()
    expect(tiles(page)).to_have_text(["4.jpg", "3.jpg", "2.jpg"])


def test_all_photos_come_back_at_once_and_undo_moves_them_to_the_trash(trash, visit):
    trash.fill(4)
    page, _ = open_trash(visit, trash)
    page.get_by_role("button", name="Restore all (4)").click()
    expect_notice(page, "4 photos back in place.")
    expect_empty(page)
    expect(page.get_by_role("heading", level=1, name="Trash")).to_be_focused()
    page.keyboard.press("z")
    expect_notice(page, "4 photos moved to the trash.")
    expect(tiles(page)).to_have_count(4)


def test_photo_whose_twin_is_in_the_dataset_stays_and_that_is_told(trash, visit):
    trash.fill(2)
    assert trash.album.send(part(photo(1), "again.jpg")).status_code == 201
    page, _ = open_trash(visit, trash)
    page.get_by_role("button", name="Restore: 1.jpg").click()
    expect_notice(page, "1 photo stays in the trash: its dataset holds the same one already.")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    page.get_by_role("button", name="Restore all (2)").click()
    expect_notice(page, "1 photo back in place. 1 photo stays in the trash")
    expect_names(page, "1.jpg")


def test_photo_that_others_have_restored_meanwhile_is_told_and_leaves(trash, visit):
    trash.fill(2)
    page, _ = open_trash(visit, trash)
    trash.move("restore", [trash.ids["2.jpg"]])
    page.get_by_role("button", name="Restore: 2.jpg").click()
    expect_notice(page, "1 photo was no longer in the trash.")
    expect_names(page, "1.jpg")


def test_keyboard_chooses_restores_and_goes_on_beside_what_has_left(trash, visit):
    trash.fill(6)
    page, _ = open_trash(visit, trash)
    tile(page, "6.jpg").focus()
    page.keyboard.press("ArrowRight")
    expect(tile(page, "5.jpg")).to_be_focused()
    page.keyboard.press("Space")
    expect(chosen(page)).to_contain_text("1 selected")
    page.keyboard.press("Shift+ArrowRight")
    expect(chosen(page)).to_contain_text("2 selected")
    page.keyboard.press("r")
    expect_notice(page, "2 photos back in place.")
    expect_names(page, "6.jpg", "3.jpg", "2.jpg", "1.jpg")
    expect(tile(page, "3.jpg")).to_be_focused()
    page.keyboard.press("r")
    expect_notice(page, "3.jpg is back.")
    expect(tile(page, "2.jpg")).to_be_focused()
    page.keyboard.press("Control+a")
    expect(chosen(page)).to_contain_text("3 selected")
    page.keyboard.press("Escape")
    expect(chosen(page)).to_have_count(0)
    page.keyboard.press("Control+a")
    expect(chosen(page)).to_contain_text("3 selected")
    page.keyboard.press("r")
    expect_empty(page)
    expect(page.get_by_role("heading", level=1, name="Trash")).to_be_focused()


def test_help_sheet_lists_the_keys_of_the_trash(trash, visit):
    trash.fill(1)
    page, _ = open_trash(visit, trash)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard").locator("section").first
    expect(keys).to_contain_text("Trash")
    for label in ("From photo to photo", "Select the photo, or not", "Select all photos", "Restore"):
        expect(keys).to_contain_text(label)
    expect(keys).not_to_contain_text("Move to trash")


def test_photo_is_looked_at_larger_and_restored_from_there(trash, visit):
    trash.fill(3)
    page, _ = open_trash(visit, trash)
    tile(page, "3.jpg").click()
    room = page.get_by_role("dialog", name="3.jpg")
    expect(room.get_by_role("img", name="3.jpg")).not_to_have_js_property("naturalWidth", 0)
    expect(room).to_contain_text("30 days left")
    page.keyboard.press("ArrowRight")
    room = page.get_by_role("dialog", name="2.jpg")
    expect(room.get_by_role("img", name="2.jpg")).not_to_have_js_property("naturalWidth", 0)
    expect(page).to_have_url(f"{trash.url}/trash?photo={trash.ids['2.jpg']}")
    room.get_by_role("button", name="Restore").click()
    expect_notice(page, "2.jpg is back.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(tile(page, "1.jpg")).to_be_focused()
    expect(page).to_have_url(f"{trash.url}/trash")


def test_large_photo_that_did_not_come_is_there_when_the_server_is_back(trash, visit):
    trash.fill(1)
    page, watch = open_trash(visit, trash)
    page.route("**/health/live", lambda route: route.abort("connectionrefused"))
    page.route("**/trashed-preview*", lambda route: route.abort("connectionrefused"))
    tile(page, "1.jpg").click()
    room = page.get_by_role("dialog", name="1.jpg")
    expect(room).to_contain_text("This photo cannot be shown.")
    expect(page.get_by_text("No connection to the server.")).to_be_attached()
    page.unroute("**/trashed-preview*")
    page.unroute("**/health/live")
    expect(room.get_by_role("img", name="1.jpg")).not_to_have_js_property("naturalWidth", 0)
    watch.expect_trouble("ERR_CONNECTION_REFUSED")


def test_address_of_a_photo_in_the_trash_opens_it_and_back_closes_it(trash, visit):
    trash.fill(2)
    page, _ = open_trash(visit, trash)
    tile(page, "1.jpg").click()
    expect(page.get_by_role("dialog", name="1.jpg")).to_be_visible()
    page.reload()
    expect(page.get_by_role("dialog", name="1.jpg")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(tile(page, "1.jpg")).to_be_focused()
    page.goto(f"{trash.url}/trash?photo={photo_id(1)}")
    expect(tiles(page)).to_have_count(2)
    expect(page).to_have_url(f"{trash.url}/trash")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_state_of_the_trash_violates_a_rule_of_accessibility(trash, visit, theme):
    trash.fill(3)
    trash.age("3.jpg", 40)
    page, _ = open_trash(visit, trash, color_scheme=theme, reduced_motion="reduce")
    found = {"grid": violations(page)}
    tick(page, "2.jpg").click()
    expect(chosen(page)).to_be_visible()
    found["chosen"] = violations(page)
    page.keyboard.press("Escape")
    tile(page, "2.jpg").click()
    picture = page.get_by_role("dialog", name="2.jpg").get_by_role("img")
    expect(picture).not_to_have_js_property("naturalWidth", 0)
    found["larger"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Restore all (3)").click()
    expect_empty(page)
    found["empty"] = violations(page)
    assert {state: broken for state, broken in found.items() if broken} == {}


def test_viewer_is_told_that_the_trash_is_for_editors(tmp_path, visit):
    data = tmp_path / "data"
    command = [sys.executable, "-m", "albumen", "keys", "create", "us", "--role", "viewer", "--data", str(data)]
    key = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    with running(data, ALBUMEN_DERIVE="false") as server:
        page, watch = visit(f"{server.url}/trash")
        page.get_by_label("Key", exact=True).fill(key)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Only editors see the trash")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        page.wait_for_load_state("networkidle")
        assert [answer.url for answer in watch.responses if "trash=true" in answer.url] == []


def test_back_closes_the_large_photo_then_ends_the_selection_then_leaves(trash, visit):
    trash.fill(3)
    page, _ = open_trash(visit, trash)
    tile(page, "3.jpg").press("Space")
    expect(chosen(page)).to_contain_text("1 selected")
    tile(page, "3.jpg").press("Enter")
    expect(page.get_by_role("dialog", name="3.jpg")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(chosen(page)).to_contain_text("1 selected")
    page.go_back()
    expect(chosen(page)).to_have_count(0)
    expect(page).to_have_url(f"{trash.url}/trash")
    page.go_back()
    expect(page).to_have_url("about:blank")


def test_chosen_photo_that_is_restored_from_its_large_view_leaves_nothing_for_back(trash, visit):
    trash.fill(2)
    page, _ = open_trash(visit, trash)
    tile(page, "2.jpg").press("Space")
    expect(chosen(page)).to_contain_text("1 selected")
    tile(page, "2.jpg").press("Enter")
    expect(page.get_by_role("dialog", name="2.jpg")).to_be_visible()
    page.keyboard.press("r")
    expect_names(page, "1.jpg")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(chosen(page)).to_have_count(0)
    expect(page).to_have_url(f"{trash.url}/trash")
    page.go_back()
    expect(page).to_have_url("about:blank")


def test_thousands_of_photos_take_few_elements_and_come_back_together(tmp_path, visit, http):
    data = tmp_path / "data"
    fill_gallery(data, MANY, [jpeg(width, height) for width, height in SHAPES])
    with running(data, ALBUMEN_DERIVE="false") as server:
        trash = Bin(data, server.url, http)
        everything = [photo_id(number) for number in range(1, MANY + 1)]
        for first in range(0, MANY, MOST_MOVED):
            trash.move("trash", everything[first : first + MOST_MOVED])
        page, watch = visit(f"{server.url}/trash")
        expect(tile(page, "IMG_000001.jpg")).to_be_visible()
        page.get_by_role("slider", name="Date").press("End")
        expect(tile(page, f"IMG_{MANY:06}.jpg")).to_be_visible()
        page.wait_for_function(ALL_SHOWN)
        assert page.evaluate(COUNT_NODES) < MOST_NODES
        page.get_by_role("slider", name="Date").press("Home")
        expect(tile(page, "IMG_000001.jpg")).to_be_visible()
        page.wait_for_function(ALL_SHOWN)
        page.get_by_role("button", name="Restore all (2,500)").click()
        expect_notice(page, "2,500 photos back in place.")
        expect_empty(page)
        page.keyboard.press("z")
        expect_notice(page, "2,500 photos moved to the trash.")
        expect(page.get_by_role("button", name="Restore all (2,500)")).to_be_visible()
        sent = [answer.request for answer in watch.responses if answer.url.endswith("/photos/restore")]
        assert [len(request.post_data_json["ids"]) for request in sent] == [1000, 1000, 500]
