"""The web client, in a real browser on a real server. Every visit fails on any error that the browser reports."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid

import pytest
from playwright.sync_api import expect

from albums import fill_named, heading, page_of, tiles
from browsers import PATIENCE_MS
from conftest import running
from forms import Uploader, ids, part
from pictures import jpeg, of_size

PHOTOS = 118
MOST_SCRIPT_BYTES = 150_000
SCRIPT_SIZES = """performance.getEntriesByType("resource")
  .filter(({name}) => name.endsWith(".js")).map(({encodedBodySize}) => encodedBodySize)"""
HTML_NAME = "<img src=x onerror=\"document.title='owned'\"><b>bold.jpg"
ASK_FOR_WIDTHS = """(images) => {
  images.find((image) => !image.naturalWidth)?.scrollIntoView();
  return images.map((image) => image.naturalWidth);
}"""


@pytest.fixture
def chosen_files(tmp_path):
    """Photos, a text and a file without bytes, as a person would choose them."""
    folder = tmp_path / "chosen"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"IMG_{number:04}.jpg").write_bytes(of_size(3000, seed=number))
    (folder / "notes.txt").write_text("Not a photo at all.\n" * 10)
    (folder / "void.jpg").touch()
    return sorted(folder.iterdir())


def search_field(page):
    return page.get_by_role("textbox", name="Search")


def choose(page, files):
    with page.expect_file_chooser() as chooser:
        page.locator("label").get_by_text("Choose photos").click()
    chooser.value.set_files(files)


def expect_counters(page, *, created, duplicate, rejected):
    expect(page.get_by_role("status").filter(has_text="Done: ")).to_be_visible()
    for name, count in {"created": created, "duplicate": duplicate, "rejected": rejected}.items():
        expect(page.locator(f"[data-counter={name}]")).to_have_text(str(count))


def widths(page, selector):
    """Scroll to where a picture is missing until all are there; return their own widths."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while 0 in (found := page.locator(selector).evaluate_all(ASK_FOR_WIDTHS)):
        assert time.monotonic() < deadline, found
        page.wait_for_timeout(50)
    return found


def tab_to(page, target):
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not come to {target}")


def test_empty_page_tells_what_to_do_in_the_language_of_the_reader(server, visit, tmp_path):
    english, _ = visit(server.url)
    expect(english.get_by_role("heading", name="No photos yet")).to_be_visible()
    expect(english.get_by_text("Drop photos or whole folders anywhere on this page.")).to_be_visible()
    expect(english.locator("html")).to_have_attribute("lang", "en")
    russian, _ = visit(server.url, locale="ru-RU")
    expect(russian.get_by_role("heading", name="Фотографий пока нет")).to_be_visible()
    with russian.expect_file_chooser() as chooser:
        russian.locator("label").get_by_text("Выбрать фотографии").click()
    photo = tmp_path / "река.jpg"
    photo.write_bytes(jpeg(64, 64, seed=1))
    chooser.value.set_files(photo)
    expect(heading(russian, "Загрузить фотографии")).to_be_visible()
    expect(russian.get_by_role("status").filter(has_text="Готово: 1 новая")).to_be_visible()
    expect(russian.locator("html")).to_have_attribute("lang", "ru")


def test_chosen_photos_are_counted_shown_and_known_the_second_time(server, visit, chosen_files):
    page, watch = visit(f"{server.url}/uploads")
    choose(page, chosen_files)
    expect_counters(page, created=PHOTOS, duplicate=0, rejected=2)
    expect(page.get_by_role("listitem").filter(has_text="notes.txt This is not a photo")).to_have_count(1)
    expect(page.get_by_role("listitem").filter(has_text="void.jpg The file is empty")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text=f"Done: {PHOTOS} new, 2 not taken")).to_be_visible()
    choose(page, chosen_files)
    expect(page.get_by_role("status").filter(has_text=f"Done: {PHOTOS} there already, 2 not taken")).to_be_visible()
    expect_counters(page, created=PHOTOS, duplicate=PHOTOS, rejected=4)
    expect(page.get_by_role("listitem").filter(has_text="notes.txt This is not a photo")).to_have_count(2)
    page.get_by_role("button", name="Clear the list").click()
    expect(page.locator("[data-counter]")).to_have_count(0)

    page.get_by_role("link", name="All photos").click()
    expect(page.get_by_text(f"{PHOTOS} photos ·")).to_be_visible()
    assert set(widths(page, "a[data-photo] img")) == {64}
    pictures = [answer for answer in watch.responses if "size=" in answer.url]
    assert {answer.status for answer in pictures} == {200}


def test_uploads_go_to_the_dataset_that_is_shown_and_their_report_follows_the_language(album, visit, chosen_files):
    fill_named(album, "first.jpg")
    page, _ = visit(page_of(album))
    page.get_by_role("link", name="Upload", exact=True).click()
    choose(page, [chosen_files[0], *chosen_files[-2:]])
    expect_counters(page, created=1, duplicate=0, rejected=2)
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("status").filter(has_text="Готово: 1 новая, 2 не приняты")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="notes.txt Это не фотография")).to_have_count(1)
    page.reload()
    expect(heading(page, "Загрузить фотографии")).to_be_visible()
    page.go_back()
    expect(tiles(page)).to_have_count(2)


def test_photos_dropped_anywhere_are_uploaded(album, visit):
    fill_named(album, "first.jpg")
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_count(1)
    transfer = page.evaluate_handle(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg"));
          return transfer;
        }""",
        list(jpeg(64, 64, seed=4242)),
    )
    page.dispatch_event("main", "dragover", {"dataTransfer": transfer})
    expect(page.get_by_text("Let go to upload")).to_be_visible()
    page.dispatch_event("main", "drop", {"dataTransfer": transfer})
    expect_counters(page, created=1, duplicate=0, rejected=0)
    page.go_back()
    expect(tiles(page)).to_have_text(["dropped.jpg", "first.jpg"])


def test_search_finds_by_a_part_of_a_cyrillic_name_and_by_id(album, visit):
    river, _, _ = fill_named(album, "Закат над Невой.jpg", "Закат зимой.jpg", "IMG_1.jpg")
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_count(3)
    search_field(page).fill("НАД нев")
    expect(tiles(page)).to_have_text(["Закат над Невой.jpg"])
    page.reload()
    expect(search_field(page)).to_have_value("НАД нев")
    expect(tiles(page)).to_have_count(1)
    search_field(page).fill("закат")
    expect(tiles(page)).to_have_count(2)
    search_field(page).fill(river)
    expect(tiles(page)).to_have_count(1)
    search_field(page).fill("нет такого")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.go_back()
    expect(tiles(page)).to_have_count(3)


def test_every_view_has_an_address_and_back_returns(album, visit):
    (photo,) = fill_named(album, "one.jpg")
    page, _ = visit(album.url)
    page.get_by_role("link", name=album.dataset).click()
    expect(heading(page, album.dataset)).to_be_visible()
    expect(page).to_have_url(page_of(album))
    expect(tiles(page)).to_have_count(1)
    tiles(page).click()
    expect(page).to_have_url(f"{album.url}/photo/{photo}?dataset={album.dataset}")
    page.go_back()
    expect(page).to_have_url(page_of(album))
    expect(tiles(page)).to_be_focused()
    page.get_by_role("link", name="Trash").click()
    expect(page).to_have_url(f"{album.url}/trash")
    page.go_back()
    expect(heading(page, album.dataset)).to_be_visible()


def test_address_of_a_photo_opens_it_and_closing_shows_where_it_lies(album, visit):
    photo, _ = fill_named(album, "shared.jpg", "other.jpg")
    page, _ = visit(f"{album.url}/photo/{photo}?dataset={album.dataset}")
    expect(heading(page, "shared.jpg")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url(page_of(album))
    expect(tiles(page)).to_have_text(["other.jpg", "shared.jpg"])


def test_photos_that_come_after_their_view_was_left_trouble_nobody(album, visit):
    fill_named(album, "first.jpg")
    page, _ = visit(f"{album.url}/uploads")
    held = []

    def hold(route):
        held.append(route)

    page.route("**/api/v1/photos?*", hold, times=1)
    page.get_by_role("link", name=album.dataset).click()
    expect(heading(page, album.dataset)).to_be_visible()
    page.get_by_role("link", name="Upload", exact=True).click()
    expect(heading(page, "Upload photos")).to_be_visible()
    with page.expect_response("**/api/v1/photos?*"):
        held[0].continue_()
    page.go_back()
    expect(tiles(page)).to_have_text(["first.jpg"])


def test_address_that_leads_nowhere_says_so(library, visit):
    page, _ = visit(f"{library.url}/photo/unknown")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("link", name="To all photos").click()
    expect(heading(page, "All photos")).to_be_visible()


def test_photo_is_seen_at_its_full_size_and_its_link_leads_to_it(album, visit):
    (photo,) = fill_named(album, "one.jpg")
    page, _ = visit(page_of(album))
    tiles(page).click()
    room = page.get_by_role("dialog", name="one.jpg")
    expect(room).to_contain_text("320 × 240")  # noqa: RUF001 - the sign that the page writes
    expect(room.get_by_role("img", name="one.jpg")).to_have_js_property("naturalWidth", 320)
    link = room.get_by_role("link", name=f"{album.url}/get/{photo}")
    expect(link).to_have_attribute("href", f"/get/{photo}")
    with page.expect_download() as download:
        room.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "one.jpg"
    assert download.value.path().read_bytes() == album.get(f"/get/{photo}").content
    room.get_by_role("button", name="Close").click()
    expect(room).to_be_hidden()


def test_renamed_photo_keeps_its_new_name(album, visit):
    fill_named(album, "old.jpg", "other.jpg")
    page, _ = visit(page_of(album))
    page.get_by_role("link", name="old.jpg").click()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Новое имя.jpg")
    page.get_by_role("button", name="Save").click()
    expect(heading(page, "Новое имя.jpg")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(tiles(page)).to_have_text(["other.jpg", "Новое имя.jpg"])
    page.reload()
    expect(tiles(page)).to_have_text(["other.jpg", "Новое имя.jpg"])


def test_photo_in_the_trash_comes_back_to_its_place_by_undo(album, visit):
    photos = fill_named(album, "first.jpg", "second.jpg", "third.jpg")
    page, _ = visit(page_of(album))
    page.get_by_role("link", name="second.jpg").click()
    page.get_by_role("button", name="Move to trash").click()
    expect(tiles(page)).to_have_text(["third.jpg", "first.jpg"])
    expect(page.get_by_role("status")).to_contain_text("second.jpg is in the trash.")
    assert album.get(f"/get/{photos[1]}").status_code == 404
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("second.jpg is back.")
    expect(tiles(page)).to_have_text(["third.jpg", "second.jpg", "first.jpg"])
    assert album.get(f"/get/{photos[1]}").status_code == 200


def test_photo_is_restored_from_the_trash(album, visit):
    (photo,) = fill_named(album, f"{uuid.uuid4().hex}.jpg")
    name = album.get(f"/api/v1/photos/{photo}").json()["name"]
    assert album.http.delete(f"{album.url}/api/v1/photos/{photo}", timeout=30).status_code == 204
    page, _ = visit(f"{album.url}/trash")
    expect(page.locator(f'[data-photo="{photo}"] img')).not_to_have_js_property("naturalWidth", 0)
    page.get_by_role("button", name=f"Restore: {name}").click()
    expect(page.get_by_role("status")).to_contain_text(f"{name} is back.")
    expect(page.get_by_role("listitem").filter(has_text=name)).to_have_count(0)
    assert album.get(f"/get/{photo}").status_code == 200


def test_page_is_used_by_the_keyboard_alone(album, visit):
    fill_named(album, "first.jpg", "second.jpg")
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_count(2)
    tab_to(page, tiles(page).first)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(heading(page, "first.jpg")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(heading(page, "second.jpg")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="second.jpg")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("Search")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(search_field(page)).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(heading(page, "Upload photos")).to_be_visible()
    tab_to(page, page.locator("input[type=file]").first)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    assert chooser.value.is_multiple()


def test_chosen_theme_holds_from_the_first_paint_of_the_next_visit(library, visit):
    page, watch = visit(library.url, color_scheme="light")
    assert background(page) == "rgb(246, 242, 234)"
    page.get_by_label("Theme").select_option("Dark")
    assert background(page) == "rgb(20, 17, 14)"
    page.route("**/*.js", lambda route: route.continue_() if "theme" in route.request.url else route.abort())
    page.reload()
    assert background(page) == "rgb(20, 17, 14)"
    watch.expect_trouble("ERR_FAILED")


def background(page):
    return page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")


def test_menu_of_a_phone_leads_to_the_datasets(album, visit):
    fill_named(album, "one.jpg")
    page, _ = visit(album.url, viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("dialog").get_by_role("link", name=album.dataset).click()
    expect(heading(page, album.dataset)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_name_with_html_is_shown_as_text(album, visit):
    (photo,) = fill_named(album, HTML_NAME)
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_text(HTML_NAME)
    tiles(page).click()
    expect(heading(page, HTML_NAME)).to_be_visible()
    page.get_by_role("button", name="Move to trash").click()
    expect(page.get_by_role("status")).to_contain_text(f"{HTML_NAME} is in the trash.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f'[data-photo="{photo}"]')).to_have_text(HTML_NAME)
    expect(page.locator("img[src=x], main b")).to_have_count(0)
    expect(page).to_have_title(f"{album.dataset} · Albumen")


def test_name_with_html_of_a_file_that_is_not_taken_is_shown_as_text(album, visit, chosen_files):
    page, _ = visit(f"{album.url}/uploads?dataset={album.dataset}")
    text = chosen_files[-2]
    choose(page, [chosen_files[0], text.rename(text.with_name(HTML_NAME))])
    expect_counters(page, created=1, duplicate=0, rejected=1)
    expect(page.get_by_role("listitem").filter(has_text=f"{HTML_NAME} This is not a photo")).to_have_count(1)
    expect(page.locator("img[src=x], main b")).to_have_count(0)
    expect(page).to_have_title("Upload photos · Albumen")


def test_script_that_gets_into_the_page_is_refused_by_the_browser(library, visit):
    page, watch = visit(library.url)
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      document.body.append(script);
    }""")
    expect(page).to_have_title("All photos · Albumen")
    page.wait_for_load_state("networkidle")
    watch.expect_trouble("policy script-src-elem refused inline")
    watch.expect_trouble("Content Security Policy")


def test_first_load_is_small(library, visit):
    page, _ = visit(library.url)
    expect(heading(page, "All photos")).to_be_visible()
    sizes = page.evaluate(SCRIPT_SIZES)
    assert 0 < sum(sizes) < MOST_SCRIPT_BYTES


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A server that wants a key, and a key of two roles."""
    data = tmp_path_factory.mktemp("locked") / "data"
    secrets = {role: create_key(data, role) for role in ("viewer", "editor")}
    with running(data, ALBUMEN_DERIVE="false") as server:
        yield server.url, secrets


@pytest.fixture
def secret_photo(locked, http):
    """The name, id and dataset of one photo on the server that wants a key."""
    url, secrets = locked
    slug = f"set-{uuid.uuid4().hex}"
    parts = [part(jpeg(320, 240, seed=1), "secret.jpg")]
    answer = Uploader(http, url, slug).send(*parts, headers={"Authorization": f"Bearer {secrets['editor']}"})
    return "secret.jpg", *ids(answer.json()), slug


def create_key(data, role):
    command = [sys.executable, "-m", "albumen", "keys", "create", role, "--role", role, "--data", str(data)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def log_in(page, key):
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Enter").click()


def test_nothing_is_told_before_the_log_in_nor_after_the_log_out(locked, visit, secret_photo):
    url, secrets = locked
    page, watch = visit(url)
    expect(page.get_by_role("heading", name="This server wants a key")).to_be_visible()
    assert_hidden(page, watch, secret_photo)
    log_in(page, secrets["editor"])
    expect(page.get_by_role("link", name="secret.jpg").first).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="This server wants a key")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert_hidden_on(page)
    watch.responses.clear()
    again = page.context.new_page()
    again.goto(url)
    expect(again.get_by_role("heading", name="This server wants a key")).to_be_visible()
    assert_hidden(again, watch, secret_photo)


def assert_hidden(page, watch, secrets):
    """Nothing that the browser received or shows names the photo."""
    page.wait_for_load_state("networkidle")
    received = [answer.text() for answer in watch.responses if answer.status == 200 and "/client/" not in answer.url]
    assert any('"mode":"keys"' in text.replace(" ", "") for text in received)
    assert not any(secret in text for secret in secrets for text in [*received, page.content()])
    assert_hidden_on(page)


def assert_hidden_on(page):
    """The page shows neither photos nor a way to upload."""
    expect(tiles(page)).to_have_count(0)
    expect(page.get_by_role("link", name="Upload", exact=True, include_hidden=True)).to_have_count(0)


def test_wrong_key_is_told_and_the_right_one_still_opens(locked, visit, secret_photo):
    url, secrets = locked
    page, watch = visit(f"{url}/d/{secret_photo[-1]}")
    log_in(page, "alb_000000000000_" + "0" * 64)
    expect(page.get_by_role("alert")).to_contain_text("That key does not open this server.")
    expect(tiles(page)).to_have_count(0)
    watch.expect_trouble("status of 401")
    log_in(page, secrets["editor"])
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(tiles(page)).to_have_text("secret.jpg")
    assert widths(page, "a[data-photo] img") == [320]


def test_viewer_may_look_and_is_offered_nothing_else(locked, visit, secret_photo):
    url, secrets = locked
    page, _ = visit(f"{url}/d/{secret_photo[-1]}")
    log_in(page, secrets["viewer"])
    tiles(page).click()
    room = page.get_by_role("dialog", name="secret.jpg")
    expect(room.get_by_role("link", name="Download")).to_be_visible()
    for name in ("Rename", "Move to trash"):
        expect(room.get_by_role("button", name=name)).to_have_count(0)
    room.get_by_role("button", name="Close").click()
    expect(page.get_by_role("link", name="Trash")).to_be_visible()
    for name in ("Upload", "Uploads"):
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="New dataset")).to_have_count(0)
