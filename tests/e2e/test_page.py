"""The page for people, in a real browser on a real server. Every visit fails on any error that the browser reports."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid

import pytest
from playwright.sync_api import expect

from browsers import PATIENCE_MS
from conftest import running
from forms import Uploader, ids, part
from pictures import jpeg, of_size

PHOTOS = 118
HTML_NAME = "<img src=x onerror=\"document.title='owned'\"><b>bold.jpg"
ASK_FOR_WIDTHS = """(images) => {
  images.find((image) => !image.naturalWidth)?.scrollIntoView();
  return images.map((image) => image.naturalWidth);
}"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    with running(tmp_path_factory.mktemp("gallery") / "data", ALBUMEN_DERIVE="false") as server:
        yield server


@pytest.fixture
def album(gallery, http):
    """An uploader into a dataset of its own."""
    return Uploader(http, gallery.url, f"set-{uuid.uuid4().hex}")


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


def page_of(album):
    return f"{album.url}/?dataset={album.dataset}"


def fill(album, *names):
    """Upload one photo of each name; return their ids."""
    seeds = [uuid.uuid4().int % 10_000 for _ in names]
    answer = album.send(*(part(jpeg(320, 240, seed=seed), name) for seed, name in zip(seeds, names, strict=True)))
    assert answer.status_code == 201
    return ids(answer.json())


def tiles(page):
    return page.locator("#photos li")


def choose(page, files):
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose photos").click()
    chooser.value.set_files(files)


def expect_counters(page, *, created, duplicate, rejected):
    expect(page.locator("#state")).to_have_text(f"Done: {created + duplicate + rejected}")
    expect(page.locator("#created")).to_have_text(str(created))
    expect(page.locator("#duplicate")).to_have_text(str(duplicate))
    expect(page.locator("#rejected")).to_have_text(str(rejected))


def widths(page, selector):
    """Scroll to where a picture is missing until all are there; return their own widths."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while 0 in (found := page.locator(selector).evaluate_all(ASK_FOR_WIDTHS)):
        assert time.monotonic() < deadline, found
        page.wait_for_timeout(50)
    return found


def tab_to(page, selector):
    target = page.locator(selector)
    for _ in range(20):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not come to {selector}")


def test_empty_page_tells_what_to_do_in_the_language_of_the_reader(server, visit):
    english, _ = visit(server.url)
    expect(english.locator("#empty")).to_contain_text("No photos yet")
    expect(english.locator("#empty")).to_contain_text("Choose some on this device")
    expect(english.locator("html")).to_have_attribute("lang", "en")
    russian, _ = visit(server.url, locale="ru-RU")
    expect(russian.locator("#empty")).to_contain_text("Фотографий пока нет")
    expect(russian.get_by_text("Выбрать фотографии")).to_be_visible()
    expect(russian.locator("html")).to_have_attribute("lang", "ru")


def test_chosen_photos_are_counted_shown_and_known_the_second_time(server, visit, chosen_files):
    page, watch = visit(server.url)
    expect(page.locator("#empty")).to_be_visible()
    choose(page, chosen_files)
    expect_counters(page, created=PHOTOS, duplicate=0, rejected=2)
    reasons = page.locator("#rejects li")
    expect(reasons).to_have_count(2)
    expect(reasons.filter(has_text="notes.txt: This is text, not a photo")).to_have_count(1)
    expect(reasons.filter(has_text="void.jpg: ")).to_contain_text("no bytes")
    expect(page.locator("#totals")).to_contain_text(f"{PHOTOS} photos")
    page.locator("#more").scroll_into_view_if_needed()
    expect(tiles(page)).to_have_count(PHOTOS)
    assert widths(page, "#photos img") == [64] * PHOTOS
    assert_pictures_arrived(watch, PHOTOS)

    choose(page, chosen_files)
    expect_counters(page, created=0, duplicate=PHOTOS, rejected=2)
    expect(page.locator("#totals")).to_contain_text(f"{PHOTOS} photos")


def assert_pictures_arrived(watch, count):
    pictures = [answer for answer in watch.responses if "size=256" in answer.url]
    assert {answer.status for answer in pictures} == {200}
    assert all(answer.headers["content-type"].startswith("image/") for answer in pictures)
    assert len({answer.url for answer in pictures}) == count


def test_report_of_an_upload_follows_the_language(album, visit, chosen_files):
    page, _ = visit(album.url)
    page.locator("#target").fill(album.dataset)
    choose(page, [chosen_files[0], *chosen_files[-2:]])
    expect_counters(page, created=1, duplicate=0, rejected=2)
    page.get_by_role("button", name="Русский").click()
    expect(page.locator("#state")).to_have_text("Готово: 3")
    expect(page.locator("#rejects")).to_contain_text("notes.txt: Это не фотография")
    expect(page.locator("#rejects")).to_contain_text("void.jpg: Пустой файл")
    page.reload()
    expect(page.locator("#photos-title")).to_have_text("Фотографии")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#photos-title")).to_have_text("Photos")


def test_search_finds_by_a_part_of_a_cyrillic_name_and_by_id(album, visit):
    river, _, _ = fill(album, "Закат над Невой.jpg", "Закат зимой.jpg", "IMG_1.jpg")
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_count(3)
    page.locator("#query").fill("НАД нев")
    expect(tiles(page)).to_have_count(1)
    expect(tiles(page)).to_have_text("Закат над Невой.jpg")
    page.reload()
    expect(page.locator("#query")).to_have_value("НАД нев")
    expect(tiles(page)).to_have_count(1)
    page.locator("#query").fill("закат")
    expect(tiles(page)).to_have_count(2)
    page.locator("#query").fill(river)
    expect(tiles(page)).to_have_count(1)
    page.locator("#query").fill("нет такого")
    expect(page.locator("#empty-title")).to_have_text("Nothing found")


def test_photo_is_seen_at_its_full_size_and_its_link_leads_to_it(album, visit):
    (photo,) = fill(album, "one.jpg")
    page, _ = visit(page_of(album))
    page.get_by_role("button", name="one.jpg").click()
    expect(page.locator("#viewer-name")).to_have_text("one.jpg")
    expect(page.locator("#viewer-facts")).to_contain_text("320 × 240")  # noqa: RUF001 - the sign that the page writes
    assert widths(page, "#viewer-image") == [320]
    expect(page.locator("#viewer-link")).to_have_text(f"{album.url}/get/{photo}")
    expect(page.locator("#viewer-link")).to_have_attribute("href", f"get/{photo}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "one.jpg"
    assert download.value.path().read_bytes() == album.get(f"/get/{photo}").content
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#viewer")).to_be_hidden()


def test_renamed_photo_keeps_its_new_name(album, visit):
    fill(album, "old.jpg", "other.jpg")
    page, _ = visit(page_of(album))
    page.get_by_role("button", name="old.jpg").click()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Новое имя.jpg")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#viewer-name")).to_have_text("Новое имя.jpg")
    page.keyboard.press("Escape")
    expect(tiles(page)).to_have_text(["other.jpg", "Новое имя.jpg"])
    page.reload()
    expect(tiles(page)).to_have_text(["other.jpg", "Новое имя.jpg"])


def test_deleted_photo_goes_and_comes_back_to_its_place(album, visit):
    photos = fill(album, "first.jpg", "second.jpg", "third.jpg")
    page, _ = visit(page_of(album))
    page.get_by_role("button", name="second.jpg").click()
    page.get_by_role("button", name="Delete").click()
    expect(tiles(page)).to_have_text(["third.jpg", "first.jpg"])
    expect(page.locator("#toast-text")).to_have_text("second.jpg is in the trash.")
    assert album.get(f"/get/{photos[1]}").status_code == 404
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toast-text")).to_have_text("second.jpg is back.")
    expect(tiles(page)).to_have_text(["third.jpg", "second.jpg", "first.jpg"])
    assert album.get(f"/get/{photos[1]}").status_code == 200


def test_page_is_used_by_the_keyboard_alone(album, visit):
    fill(album, "first.jpg", "second.jpg")
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_count(2)
    tab_to(page, "#files")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    assert chooser.value.is_multiple()
    tab_to(page, "#photos li:first-child button")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#viewer-name")).to_have_text("first.jpg")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#viewer-name")).to_have_text("second.jpg")
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.get_by_role("button", name="second.jpg")).to_be_focused()


def test_name_with_html_is_shown_as_text(album, visit):
    (photo,) = fill(album, HTML_NAME)
    page, _ = visit(page_of(album))
    expect(tiles(page)).to_have_text(HTML_NAME)
    tiles(page).click()
    expect(page.locator("#viewer-name")).to_have_text(HTML_NAME)
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#toast-text")).to_have_text(f"{HTML_NAME} is in the trash.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f'[data-id="{photo}"]')).to_have_text(HTML_NAME)
    expect(page.locator("img[src=x], main b")).to_have_count(0)
    expect(page).to_have_title("Albumen")


def test_name_with_html_of_a_file_that_is_not_taken_is_shown_as_text(album, visit, chosen_files):
    page, _ = visit(album.url)
    page.locator("#target").fill(album.dataset)
    text = chosen_files[-2]
    choose(page, [chosen_files[0], text.rename(text.with_name(HTML_NAME))])
    expect_counters(page, created=1, duplicate=0, rejected=1)
    expect(page.locator("#rejects li")).to_contain_text(f"{HTML_NAME}: This is text")
    expect(page.locator("img[src=x], main b")).to_have_count(0)
    expect(page).to_have_title("Albumen")


def test_script_that_gets_into_the_page_is_refused_by_the_browser(gallery, visit):
    page, watch = visit(gallery.url)
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      document.body.append(script);
    }""")
    expect(page).to_have_title("Albumen")
    page.wait_for_load_state("networkidle")
    watch.expect_trouble("policy script-src-elem refused inline")
    watch.expect_trouble("Content Security Policy")


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
    expect(page.get_by_role("button", name="secret.jpg").first).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="This server wants a key")).to_be_visible()
    page.wait_for_load_state("networkidle")
    watch.responses.clear()
    page.reload()
    expect(page.get_by_role("heading", name="This server wants a key")).to_be_visible()
    assert_hidden(page, watch, secret_photo)


def assert_hidden(page, watch, secrets):
    """Nothing that the browser received or shows names the photo."""
    page.wait_for_load_state("networkidle")
    received = [answer.text() for answer in watch.responses if answer.status == 200]
    assert any('"mode":"keys"' in text.replace(" ", "") for text in received)
    assert not any(secret in text for secret in secrets for text in [*received, page.content()])
    expect(tiles(page)).to_have_count(0)
    expect(page.locator("#upload")).to_be_hidden()
    expect(page.locator("#totals")).to_be_empty()


def test_wrong_key_is_told_and_the_right_one_still_opens(locked, visit, secret_photo):
    url, secrets = locked
    page, watch = visit(f"{url}/?dataset={secret_photo[-1]}")
    log_in(page, "alb_000000000000_" + "0" * 64)
    expect(page.locator("#key-trouble")).to_contain_text("key")
    expect(tiles(page)).to_have_count(0)
    watch.expect_trouble("status of 401")
    log_in(page, secrets["editor"])
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.locator("#upload")).to_be_visible()
    expect(tiles(page)).to_have_text("secret.jpg")
    assert widths(page, "#photos img") == [256]


def test_viewer_may_look_and_is_offered_nothing_else(locked, visit, secret_photo):
    url, secrets = locked
    page, _ = visit(f"{url}/?dataset={secret_photo[-1]}")
    log_in(page, secrets["viewer"])
    tiles(page).click()
    expect(page.locator("#viewer-name")).to_have_text("secret.jpg")
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    for button in ("#start-rename", "#delete", "#upload"):
        expect(page.locator(button)).to_be_hidden()
