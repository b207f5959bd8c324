"""The web client for everyone: screen readers, both languages and themes, no connection, no key."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid

import pytest
from playwright.sync_api import expect

from browsers import violations
from conftest import running
from forms import FORM, form, ids, part
from pictures import jpeg

CYRILLIC = re.compile("[\u0400-\u04ff]")
OWN_WORDS = ("Albumen", "English", "HTTP API", "SHA-256", "id")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
NAME, SLUG = "secret-name.jpg", f"secret-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """A server with photos in a dataset and one in the trash."""
    with running(tmp_path_factory.mktemp("everyone") / "data", ALBUMEN_DERIVE="false") as server:
        server.photos = fill(server.url, "zoo")
        yield server


def fill(url, dataset, headers=None):
    """Upload three photos and move the last one to the trash; return the ids of the others."""
    import requests  # noqa: PLC0415 - the session fixture is made per test

    body = form(*(part(jpeg(320, 240, seed=seed), NAME) for seed in range(3)))
    answer = requests.post(
        f"{url}/upload?dataset={dataset}", data=body, headers={**FORM, **(headers or {})}, timeout=120
    )
    *shown, trashed = ids(answer.json())
    requests.delete(f"{url}/api/v1/photos/{trashed}", headers=headers, timeout=60).raise_for_status()
    return shown


def view(page, gallery, name):
    """Bring a page to one of the views, dialogs and messages."""
    page.goto(gallery.url + ADDRESSES.get(name, "/d/zoo").format(photo=gallery.photos[0]))
    expect(page.get_by_role("heading").first).to_be_attached()
    STEPS.get(name, lambda _: None)(page)
    page.wait_for_load_state("networkidle")


def open_menu(page):
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def open_help(page):
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def open_rename(page):
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_label("New name")).to_be_focused()


def open_new_dataset(page):
    page.get_by_role("button", name="New dataset").click()
    expect(page.get_by_role("dialog", name="New dataset")).to_be_visible()


def copy_link(page):
    page.get_by_role("button", name="Copy the link").first.click()
    expect(page.get_by_text("Link copied.")).to_be_visible()


ADDRESSES = {
    "photo": "/photo/{photo}?dataset=zoo",
    "photo help": "/photo/{photo}",
    "renaming": "/photo/{photo}",
    "notice": "/photo/{photo}",
    "trash": "/trash",
    "uploads": "/uploads",
    "nothing found": "/?q=no+such+photo",
    "empty": "/d/main",
    "missing": "/nowhere/at/all",
}
STEPS = {
    "help": open_help,
    "photo help": open_help,
    "renaming": open_rename,
    "new dataset": open_new_dataset,
    "notice": copy_link,
    "menu": open_menu,
}
VIEWS = (
    "grid",
    "photo",
    "renaming",
    "notice",
    "photo help",
    "trash",
    "uploads",
    "nothing found",
    "empty",
    "help",
    "new dataset",
)
OF_PHONES = ("grid", "photo", "trash", "uploads", "menu")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("size", "names"), [({}, VIEWS), (PHONE, OF_PHONES)], ids=["desk", "phone"])
def test_no_view_violates_a_rule_of_accessibility(gallery, visit, theme, size, names):
    page, _ = visit(gallery.url, color_scheme=theme, reduced_motion="reduce", **size)
    found = {}
    for name in names:
        view(page, gallery, name)
        found[name] = violations(page)
    assert {name: found[name] for name in found if found[name]} == {}


def test_question_for_a_key_violates_no_rule_of_accessibility(locked, visit):
    page, watch = visit(locked.url, color_scheme="dark", reduced_motion="reduce")
    expect(page.get_by_label("Key", exact=True)).to_be_focused()
    page.get_by_label("Key", exact=True).fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That key does not open this server.")
    assert violations(page) == []
    watch.expect_trouble("status of 401")


def test_dialogs_keep_the_focus_and_give_it_back(gallery, visit):
    page, _ = visit(f"{gallery.url}/photo/{gallery.photos[0]}?dataset=zoo")
    room = page.get_by_role("dialog", name=NAME)
    expect(room).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('.frame')") is None
    download = room.get_by_role("link", name="Download")
    download.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_focused()
    page.keyboard.press("Escape")
    expect(download).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(f'[data-photo="{gallery.photos[0]}"]')).to_be_focused()


def test_what_has_the_focus_is_seen(gallery, visit):
    page, _ = visit(f"{gallery.url}/photo/{gallery.photos[0]}?dataset=zoo")
    expect(page.get_by_role("dialog", name=NAME)).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(outline) != "none", page.evaluate("document.activeElement.outerHTML")


@pytest.mark.parametrize("name", ["grid", "photo", "trash", "uploads", "nothing found", "empty"])
def test_russian_screen_has_no_english_on_it(gallery, visit, name):
    page, _ = visit(gallery.url, locale="ru-RU")
    view(page, gallery, name)
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    texts = page.locator("body").inner_text().splitlines()
    labels = page.locator("[aria-label]").evaluate_all(
        "all => all.map((element) => element.getAttribute('aria-label'))"
    )
    words = [text.strip() for text in (*texts, *labels) if re.search("[A-Za-z]{2}", text)]
    known = (NAME, gallery.url, "zoo", "main", *OWN_WORDS)
    foreign = [text for text in words if not CYRILLIC.search(text) and not text.startswith(known) and not is_data(text)]
    assert foreign == []


def is_data(text):
    """Tell whether a text is a digest, an id, or a format."""
    return re.fullmatch(r"[0-9a-f-]{36,64}|.*(JPEG|jpg)", text) is not None


def test_lost_connection_is_told_and_the_page_goes_on_by_itself(gallery, visit):
    page, watch = visit(f"{gallery.url}/d/zoo")
    expect(page.locator("a[data-photo]")).to_have_count(2)
    page.context.set_offline(True)
    lost = page.get_by_text("No connection to the server.")
    expect(lost).to_be_visible()
    page.get_by_role("link", name="Trash").click()
    page.get_by_role("link", name="zoo").first.click()
    page.context.set_offline(False)
    expect(lost).to_have_count(0)
    expect(page.locator("a[data-photo]")).to_have_count(2)
    expect(page.get_by_role("alert")).to_have_count(0)
    watch.troubles = [trouble for trouble in watch.troubles if "ERR_INTERNET_DISCONNECTED" not in trouble]


def test_page_that_comes_before_its_server_goes_on_when_it_answers(gallery, visit):
    page, watch = visit(gallery.url)
    page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    page.route("**/health/live", lambda route: route.abort("connectionrefused"))
    page.goto(f"{gallery.url}/d/zoo")
    expect(page.get_by_text("No connection to the server.")).to_be_visible()
    page.unroute("**/api/**")
    page.unroute("**/health/live")
    expect(page.locator("a[data-photo]")).to_have_count(2)
    watch.expect_trouble("ERR_CONNECTION_REFUSED")


def test_page_can_be_installed(gallery, visit):
    page, _ = visit(gallery.url)
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    hindrances = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {hindrance["errorId"] for hindrance in hindrances} <= {"in-incognito"}
    told = json.loads(manifest["data"])
    assert (told["name"], told["display"]) == ("Albumen", "standalone")


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A server that wants a key, with photos on it."""
    data = tmp_path_factory.mktemp("locked") / "data"
    command = [sys.executable, "-m", "albumen", "keys", "create", "us", "--role", "editor", "--data", str(data)]
    key = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    with running(data, ALBUMEN_DERIVE="false") as server:
        server.key = key
        server.photos = fill(server.url, SLUG, {"Authorization": f"Bearer {key}"})
        yield server


@pytest.mark.parametrize("address", ["/", "/d/{slug}", "/photo/{photo}", "/trash", "/uploads", "/?q=secret"])
def test_no_address_tells_anything_before_the_log_in(locked, visit, address):
    asked = address.format(slug=SLUG, photo=locked.photos[0])
    page, watch = visit(locked.url + asked)
    expect(page.get_by_role("heading", name="This server wants a key")).to_be_visible()
    page.wait_for_load_state("networkidle")
    received = [answer.text() for answer in watch.responses if "/client/" not in answer.url]
    secrets = [secret for secret in (NAME, SLUG, *locked.photos) if secret not in asked]
    assert [secret for secret in secrets for text in (*received, page.content()) if secret in text] == []
    assert [answer.url for answer in watch.responses if "/api/" in answer.url] == [f"{locked.url}/api/v1/session"]
    expect(page.locator("main img, [data-photo]")).to_have_count(0)


def test_log_out_in_one_window_leaves_nothing_in_it(locked, visit):
    page, _ = visit(f"{locked.url}/photo/{locked.photos[0]}")
    page.get_by_label("Key", exact=True).fill(locked.key)
    page.keyboard.press("Enter")
    expect(page).to_have_title(f"{NAME} · Albumen")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="This server wants a key")).to_be_visible()
    expect(page).to_have_title("Albumen")
    assert NAME not in page.content()
    assert SLUG not in page.content()
