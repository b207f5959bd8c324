"""One photo in the web client: zoomed, moved, swiped through, described, renamed, and taken away."""

from __future__ import annotations

import re
import struct
from functools import partial
from io import BytesIO

import pytest
from PIL import ExifTags, Image
from playwright.sync_api import expect

from albums import chosen, fill_named, page_of, tile
from conftest import running
from forms import ids, part
from pictures import PNG_SIGNATURE, jpeg, png, png_chunk

LARGE = (5000, 2600)
SEEN_LINK = "document.execCommand = (name) => { window.copied = document.getSelection().toString(); return true; };"
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', {value: undefined});" + SEEN_LINK
SCALE = "element => new DOMMatrix(getComputedStyle(element.querySelector('.photo')).transform).a"
LIGHT = {"rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"}
SHIFT = "element => new DOMMatrix(getComputedStyle(element.querySelector('.photo')).transform).e"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


fill = partial(fill_named, size=(640, 480))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with running(tmp_path_factory.mktemp("library") / "data") as server:
        yield server


def told_by_a_camera():
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Google", "Pixel 9"
    photo, gps = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    photo[ExifTags.Base.DateTimeOriginal] = "2026:11:20 14:03:11"
    photo[ExifTags.Base.LensModel] = "Pixel 9 back camera"
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
    gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLongitude] = (59, 56, 19.0), (30, 18, 51.0)
    return exif


def opened(visit, album, photo, **options):
    """Open a photo over its dataset; return the page, its watch and the room."""
    page, watch = visit(f"{album.url}/d/{album.dataset}", reduced_motion="reduce", **options)
    page.locator(f'[data-photo="{photo}"]').click()
    return page, watch, page.get_by_role("dialog")


def picture(room, name):
    return room.get_by_role("img", name=name)


def stage(page):
    return page.locator(".stage")


def shown_slide(page):
    return page.locator(".slide[aria-hidden=false]")


def expect_scale(page, scale):
    page.wait_for_function(
        f"scale => Math.abs(({SCALE})(document.querySelector('.slide[aria-hidden=false]')) - scale) < 0.01", arg=scale
    )


def drag(page, start, end):
    """Drag with the mouse, in a few steps, as a finger does."""
    page.mouse.move(*start)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(*(a + (b - a) * step / 5 for a, b in zip(start, end, strict=True)))
    page.mouse.up()


def test_photo_is_magnified_by_keys_buttons_wheel_and_double_click(album, visit):
    (photo,) = ids(album.send(part(jpeg(*LARGE, seed=1), "large.jpg")).json())
    page, watch, room = opened(visit, album, photo)
    expect(picture(room, "large.jpg")).not_to_have_js_property("naturalWidth", 0)
    page.keyboard.press("+")
    expect_scale(page, 1.5)
    page.get_by_role("button", name="Reduce").click()
    expect_scale(page, 1)
    stage(page).dblclick(position={"x": 300, "y": 300})
    expect(page.get_by_role("button", name="Show the whole photo: 100%")).to_be_visible()
    expect(picture(room, "large.jpg")).to_have_js_property("naturalWidth", LARGE[0])
    assert f"/get/{photo}" in {answer.url.removeprefix(album.url) for answer in watch.responses}
    page.keyboard.press("0")
    expect_scale(page, 1)
    stage(page).hover()
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"({SCALE})(document.querySelector('.slide')) > 2")


def test_magnified_photo_is_moved_by_dragging_and_by_arrows(album, visit):
    (photo,) = ids(album.send(part(jpeg(*LARGE, seed=2), "large.jpg")).json())
    page, _, _ = opened(visit, album, photo)
    for _ in range(3):
        page.keyboard.press("+")
    expect_scale(page, 1.5**3)
    drag(page, (500, 400), (440, 400))
    assert shown_slide(page).evaluate(SHIFT) == -60
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(f"{album.url}/photo/{photo}?dataset={album.dataset}")
    assert shown_slide(page).evaluate(SHIFT) == 20


def test_neighbours_are_ready_before_one_goes_to_them(album, visit):
    first, second, third = fill(album, "first.jpg", "second.jpg", "third.jpg")
    page, watch, room = opened(visit, album, second)
    for hidden in page.locator(".slide[aria-hidden=true] img").all():
        expect(hidden).not_to_have_js_property("naturalWidth", 0)
    expect(page.locator(".slide[aria-hidden=true]")).to_have_count(2)
    page.wait_for_load_state("networkidle")
    large = {answer.url for answer in watch.responses if "/get/" in answer.url and "size=256" not in answer.url}
    assert {url.split("/get/")[1][:36] for url in large} == {first, second, third}
    page.keyboard.press("ArrowRight")
    expect(picture(room, "first.jpg")).to_have_js_property("naturalWidth", 640)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(picture(room, "third.jpg")).to_have_js_property("naturalWidth", 640)
    expect(room.get_by_role("button", name="Previous photo")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator(f'[data-photo="{third}"]')).to_be_focused()


def test_swipes_lead_to_the_neighbours_and_down_closes(album, visit):
    first, second = fill(album, "first.jpg", "second.jpg")
    page, _, room = opened(visit, album, second)
    expect(room.get_by_role("button", name="Next photo")).to_be_enabled()
    drag(page, (700, 400), (250, 410))
    expect(page).to_have_url(f"{album.url}/photo/{first}?dataset={album.dataset}")
    drag(page, (300, 400), (310, 405))
    drag(page, (300, 400), (750, 410))
    expect(page).to_have_url(f"{album.url}/photo/{second}?dataset={album.dataset}")
    drag(page, (400, 200), (410, 600))
    expect(room).to_have_count(0)
    expect(page).to_have_url(f"{album.url}/d/{album.dataset}")
    expect(page.locator(f'[data-photo="{second}"]')).to_be_focused()


def test_two_fingers_magnify_the_photo_on_a_phone(album, visit):
    (photo,) = ids(album.send(part(jpeg(*LARGE, seed=3), "large.jpg")).json())
    page, _, room = opened(visit, album, photo, **PHONE)
    expect(picture(room, "large.jpg")).not_to_have_js_property("naturalWidth", 0)
    touch = page.context.new_cdp_session(page)

    def fingers(kind, *points):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    fingers("touchStart", (150, 400), (240, 400))
    fingers("touchMove", (105, 400), (285, 400))
    fingers("touchMove", (60, 400), (330, 400))
    fingers("touchEnd")
    expect_scale(page, 3)


def test_panel_tells_what_the_camera_has_told(album, visit):
    (photo,) = fill(album, "told.jpg", exif=told_by_a_camera())
    page, _ = visit(f"{album.url}/photo/{photo}")
    panel = page.get_by_role("complementary", name="Details")
    for text in ("Google Pixel 9", "Pixel 9 back camera", "20 Nov 2026, 14:03", "JPEG"):
        expect(panel).to_contain_text(text)
    place = panel.get_by_role("link", name="59.93861, 30.31417")
    expect(place).to_have_attribute("href", "geo:59.9386111,30.3141667")
    page.get_by_role("button", name="Details", exact=True).click()
    expect(panel).to_have_count(0)
    page.reload()
    expect(page.get_by_role("dialog", name="told.jpg")).to_be_visible()
    expect(panel).to_have_count(0)
    page.keyboard.press("i")
    expect(panel).to_be_visible()


def test_link_id_and_digest_are_copied(album, visit):
    (photo,) = fill(album, "one.jpg")
    page, _, room = opened(visit, album, photo)
    page.evaluate(NO_CLIPBOARD)
    sha256 = album.get(f"/api/v1/photos/{photo}").json()["sha256"]
    for name, text in (("link", f"{album.url}/get/{photo}"), ("id", photo), ("SHA-256", sha256)):
        room.get_by_role("button", name=f"Copy the {name}").last.click()
        expect(page.get_by_role("status")).to_contain_text("copied.")
        assert page.evaluate("window.copied") == text


def test_photos_are_cleared_out_by_the_keyboard_and_come_back(album, visit):
    first, second, third = fill(album, "first.jpg", "second.jpg", "third.jpg")
    page, _, room = opened(visit, album, second)
    page.keyboard.press("Delete")
    expect(page.get_by_role("status")).to_contain_text("second.jpg is in the trash.")
    expect(page).to_have_url(f"{album.url}/photo/{first}?dataset={album.dataset}")
    page.keyboard.press("z")
    expect(page.get_by_role("status")).to_contain_text("second.jpg is back.")
    assert [shown["id"] for shown in album.listed()] == [third, second, first]
    page.keyboard.press("Delete")
    expect(page).to_have_url(f"{album.url}/photo/{second}?dataset={album.dataset}")
    page.keyboard.press("Delete")
    expect(page).to_have_url(f"{album.url}/photo/{third}?dataset={album.dataset}")
    page.keyboard.press("Delete")
    expect(room).to_have_count(0)
    expect(page.get_by_role("heading", name="No photos yet")).to_be_visible()


def test_name_is_changed_in_place_by_the_keyboard(album, visit):
    (photo,) = fill(album, "old.jpg")
    page, _, room = opened(visit, album, photo)
    pencil = room.get_by_role("button", name="Rename")
    pencil.press("Enter")
    expect(page.get_by_label("New name")).to_be_focused()
    page.keyboard.type("other")
    page.keyboard.press("Escape")
    expect(room).to_be_visible()
    expect(pencil).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("new")
    page.keyboard.press("Enter")
    expect(room.get_by_role("heading", level=1)).to_have_text("new.jpg")
    expect(pencil).to_be_focused()
    assert album.get(f"/api/v1/photos/{photo}").json()["name"] == "new.jpg"


def test_photo_that_is_gone_says_so_and_how_to_go_on(album, visit):
    (photo,) = fill(album, "gone.jpg")
    album.http.delete(f"{album.url}/api/v1/photos/{photo}", timeout=60).raise_for_status()
    page, watch = visit(f"{album.url}/photo/{photo}")
    expect(page.get_by_role("alert")).to_contain_text("It may be in the trash.")
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url(f"{album.url}/")
    watch.expect_trouble("status of 404")


def middle_of(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_hidden_controls_of_a_phone_do_nothing_and_a_tap_brings_them_back(album, visit):
    first, second = fill(album, "first.jpg", "second.jpg")
    page, _, room = opened(visit, album, second, **PHONE)
    expect(picture(room, "second.jpg")).not_to_have_js_property("naturalWidth", 0)
    trash = middle_of(room.get_by_role("button", name="Move to trash"))
    page.touchscreen.tap(195, 400)
    expect(page.locator(".bar")).to_have_css("opacity", "0")
    page.touchscreen.tap(*trash)
    expect(page.locator(".bar")).to_have_css("opacity", "1")
    page.touchscreen.tap(195, 400)
    expect(page.locator(".bar")).to_have_css("opacity", "0")
    assert [shown["id"] for shown in album.listed()] == [second, first]
    expect(page).to_have_url(f"{album.url}/photo/{second}?dataset={album.dataset}")


def test_a_mouse_neither_hides_the_controls_nor_leaves_them_hidden(album, visit):
    (photo,) = fill(album, "one.jpg")
    page, _, room = opened(visit, album, photo, viewport={"width": 1280, "height": 800}, has_touch=True)
    page.keyboard.press("i")
    expect(room.get_by_role("complementary")).to_have_count(0)
    page.mouse.click(500, 400)
    expect(room).not_to_have_class(re.compile("is-bare"))
    page.touchscreen.tap(500, 600)
    expect(room).to_have_class(re.compile("is-bare"))
    page.mouse.move(520, 410)
    expect(room).not_to_have_class(re.compile("is-bare"))


def test_sheet_of_details_is_put_away_by_a_tap_above_it_and_by_pulling_its_handle(album, visit):
    (photo,) = fill(album, "one.jpg")
    page, _, room = opened(visit, album, photo, **PHONE)
    sheet = room.get_by_role("complementary", name="Details")
    touch = page.context.new_cdp_session(page)

    def finger(kind, *points):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    room.get_by_role("button", name="Details", exact=True).tap()
    expect(sheet).to_be_visible()
    page.touchscreen.tap(195, 120)
    expect(sheet).to_have_count(0)
    expect(room).not_to_have_class(re.compile("is-bare"))
    room.get_by_role("button", name="Details", exact=True).tap()
    x, y = middle_of(room.get_by_role("button", name="Hide the details"))
    finger("touchStart", (x, y))
    finger("touchMove", (x, y + 100))
    expect(sheet).to_have_css("translate", "0px 100px")
    finger("touchMove", (x, y + 300))
    finger("touchEnd")
    expect(sheet).to_have_count(0)


def damaged_png():
    """Return a PNG with a good header whose pixels are no compressed data."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 400, 300, 8, 2, 0, 0, 0))
    return PNG_SIGNATURE + header + png_chunk(b"IDAT", b"noise" * 600) + png_chunk(b"IEND")


def test_damaged_photo_says_that_no_preview_can_be_made(album, visit):
    answer = album.send(part(damaged_png(), "damaged.png"))
    (photo,) = ids(answer.json())
    _, watch, room = opened(visit, album, photo)
    expect(room.get_by_text("No preview can be made of this photo.")).to_be_visible()
    watch.expect_trouble("status of 422")


def test_pictures_that_failed_come_when_the_server_is_back(album, visit):
    first, second = fill(album, "first.jpg", "second.jpg")
    page, watch = visit(f"{album.url}/uploads")
    page.route(re.compile("/get/|/health/|/api/v1/photos/"), lambda route: route.abort("connectionrefused"))
    page.get_by_role("link", name=album.dataset).first.click()
    tile = page.locator(f'[data-photo="{second}"]')
    expect(tile.locator("img")).to_have_attribute("data-state", "failed")
    tile.click()
    expect(page.get_by_text("No connection to the server.")).to_be_visible()
    expect(page.get_by_text("No preview can be made")).to_have_count(0)
    page.unroute(re.compile("/get/|/health/|/api/v1/photos/"))
    room = page.get_by_role("dialog")
    expect(picture(room, "second.jpg")).not_to_have_js_property("naturalWidth", 0)
    for photo in (first, second):
        expect(page.locator(f'[data-photo="{photo}"] img')).to_have_attribute("data-state", "shown")
    watch.expect_trouble("ERR_CONNECTION_REFUSED")


def test_transparent_photo_lies_on_checks_and_not_on_its_placeholder(album, visit):
    (photo,) = ids(album.send(part(png(320, 240, mode="RGBA"), "clear.png")).json())
    page, _, room = opened(visit, album, photo)
    expect(picture(room, "clear.png")).not_to_have_js_property("naturalWidth", 0)
    expect(shown_slide(page).locator(".photo")).to_have_css("background-image", re.compile("conic-gradient"))
    tile = page.locator(f'[data-photo="{photo}"] img')
    expect(tile).to_have_css("background-image", re.compile("conic-gradient"))


def test_viewer_begins_with_the_picture_that_the_grid_has_loaded(album, visit):
    (photo,) = fill(album, "one.jpg")
    page, _ = visit(f"{album.url}/d/{album.dataset}", reduced_motion="reduce")
    tile = page.locator(f'[data-photo="{photo}"]')
    expect(tile.locator("img")).to_have_attribute("data-state", "shown")
    seen = tile.locator("img").get_attribute("src")
    page.route(re.compile("size=(1024|2048)"), lambda _: None)
    tile.click()
    expect(shown_slide(page).locator("img").first).to_have_attribute("src", seen)


def test_notice_on_a_phone_leaves_the_buttons_of_the_photo_free(album, visit):
    _, second = fill(album, "first.jpg", "second.jpg")
    page, _, room = opened(visit, album, second, **PHONE)
    room.get_by_role("button", name="Move to trash").tap()
    notice = page.get_by_role("status").locator(".notice")
    expect(notice).to_contain_text("second.jpg is in the trash.")
    box, acts = notice.bounding_box(), page.locator(".acts").bounding_box()
    assert box["y"] + box["height"] <= acts["y"]


def test_open_photo_is_printed_alone_on_one_page(album, visit):
    _, second = fill(album, *(f"{number}.jpg" for number in range(2)))
    page, _, room = opened(visit, album, second)
    expect(picture(room, "1.jpg")).not_to_have_js_property("naturalWidth", 0)
    assert len(re.findall(rb"/Type /Page\b", page.pdf())) == 1
    page.emulate_media(media="print")
    expect(room.get_by_role("complementary")).to_be_hidden()


def test_dark_theme_is_not_printed(album, visit):
    (photo,) = fill(album, "one.jpg")
    page, _, room = opened(visit, album, photo, color_scheme="dark")
    expect(picture(room, "one.jpg")).not_to_have_js_property("naturalWidth", 0)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    expect(room.get_by_role("button")).to_have_count(0)
    for ground in ("body", ".room", ".stage"):
        assert page.locator(ground).evaluate("element => getComputedStyle(element).backgroundColor") in LIGHT, ground
    assert page.locator(".room").evaluate("element => getComputedStyle(element).colorScheme") == "light"
    with Image.open(BytesIO(page.screenshot())) as paper:
        corners = [(0, 0), (paper.width - 1, 0), (0, paper.height - 1), (paper.width - 1, paper.height - 1)]
        assert {paper.convert("RGB").getpixel(corner) for corner in corners} == {(255, 255, 255)}


def test_list_is_printed_without_what_stands_around_it(album, visit):
    fill(album, "one.jpg")
    page, _ = visit(page_of(album), color_scheme="dark")
    tile(page, "one.jpg").press("Space")
    expect(chosen(page)).to_be_visible()
    page.emulate_media(media="print")
    for bar in (page.locator("header"), page.locator("aside"), chosen(page)):
        expect(bar).to_be_hidden()
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(tile(page, "one.jpg")).to_be_visible()


def test_help_over_a_photo_tells_only_the_keys_that_work_there(album, visit):
    (photo,) = fill(album, "one.jpg")
    page, _, _ = opened(visit, album, photo)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard")
    expect(sheet).to_contain_text("Copy the link")
    expect(sheet).not_to_contain_text("Ctrl A")
    expect(sheet.locator("kbd", has_text=re.compile("^/$"))).to_have_count(0)
