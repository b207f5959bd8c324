"""The mobile client as a person uses it: uploads, looks, finds, renames, trashes, logs in, changes the language."""

from __future__ import annotations

import colorsys
import hashlib
import subprocess
import sys
import time
import uuid
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from browsers import PATIENCE_MS
from conftest import running
from forms import Uploader, ids, part
from pictures import of_size

pytestmark = pytest.mark.direct

PHOTOS = 120
RED, GREEN, BLUE = (200, 30, 30), (30, 160, 60), (40, 60, 200)
MANY = 150
LEFT, MIDDLE, RIGHT = (60, 400), (195, 400), (330, 400)
ABOVE = (60, 200)  # only a photo that is zoomed in reaches here
UPLOAD_MS = 180_000


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, mobile_client):
    with running(tmp_path_factory.mktemp("mobile") / "data", ALBUMEN_DERIVE="false", **mobile_client) as server:
        yield server


@pytest.fixture
def own_server(tmp_path, mobile_client):
    with running(tmp_path / "data", ALBUMEN_DERIVE="false", **mobile_client) as server:
        yield server


def plain(colour, width=640, height=480):
    """A photo of one colour."""
    target = BytesIO()
    Image.new("RGB", (width, height), colour).save(target, "JPEG", quality=95)
    return target.getvalue()


def halves(left, right):
    """A photo of two colours, side by side."""
    target = BytesIO()
    image = Image.new("RGB", (640, 480), left)
    image.paste(right, (320, 0, 640, 480))
    image.save(target, "JPEG", quality=95)
    return target.getvalue()


def colour(number):
    """One of 120 colours that can be told apart."""
    red, green, blue = colorsys.hsv_to_rgb(number / PHOTOS, 0.8, 0.5 + 0.5 * (number % 2))
    return round(red * 255), round(green * 255), round(blue * 255)


def fill(http, server, photos, dataset="main"):
    uploader = Uploader(http, server.url, dataset)
    answer = uploader.send(*(part(content, name) for name, content in photos.items()))
    assert answer.status_code == 201
    return dict(zip(photos, ids(answer.json()), strict=True))


def make_key(data):
    command = [sys.executable, "-m", "albumen", "keys", "create", "viewer", "--role", "viewer", "--data", str(data)]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout.split()[0]


def listed(http, url, **query):
    return http.get(f"{url}/api/v1/photos", params={"limit": 1000, **query}, timeout=60).json()["photos"]


@pytest.fixture
def chosen_files(tmp_path):
    """120 photos, the text that is among them, and their digests."""
    folder = tmp_path / "chosen"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"IMG_{number:04}.jpg").write_bytes(plain(colour(number)))
    files = sorted(folder.iterdir())
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (folder / "notes.jpg").write_text("Not a photo at all.")
    return [files[0], folder / "notes.jpg", *files[1:]], digests


def test_120_chosen_photos_are_on_the_server_byte_for_byte_and_on_the_grid(own_server, phone, http, chosen_files):
    files, digests = chosen_files
    client = phone(own_server.url)
    expect(client.line("No photos here yet")).to_be_visible()
    client.choose(files)
    expect(client.line("Done: 121 photos")).to_be_visible(timeout=UPLOAD_MS)
    expect(client.line("Not a photo.")).to_be_visible()
    assert {photo["name"]: photo["sha256"] for photo in listed(http, own_server.url)} == digests

    client.go_to("Photos")
    newest = listed(http, own_server.url)[0]["name"]
    number = int(newest.removeprefix("IMG_").removesuffix(".jpg"))
    client.expect_colour(client.button(f"Photo {newest}"), colour(number))
    previews = [answer for answer in client.watch.responses if "size=256" in answer.url]
    assert {answer.status for answer in previews} == {200}
    assert len(previews) >= 12

    client.choose(files)
    expect(client.line("Done: 242 photos")).to_be_visible(timeout=UPLOAD_MS)
    assert len(listed(http, own_server.url)) == PHOTOS


def test_the_grid_grows_while_it_is_scrolled(gallery, phone, http):
    slug = f"set-{uuid.uuid4().hex}"
    fill(http, gallery, {f"IMG_{number:03}.jpg": of_size(2000 + number) for number in range(150)}, slug)
    client = phone(gallery.url)
    client.go_to("Datasets")
    client.line(slug).click()
    expect(client.button("Photo IMG_149.jpg")).to_be_visible()
    client.page.mouse.move(200, 400)
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while "IMG_000.jpg" not in client.photos():
        assert time.monotonic() < deadline, client.photos()
        client.page.mouse.wheel(0, 1500)
        client.page.wait_for_timeout(150)


def test_a_photo_is_found_looked_at_renamed_trashed_and_taken_back(gallery, phone, http):
    photos = {"Кот.jpg": plain(RED), "dog.jpg": plain(GREEN), "котёнок.jpg": plain(BLUE)}
    numbers = fill(http, gallery, photos)
    client = phone(gallery.url)
    client.fill("Name or id", "кот")
    expect(client.button("Photo dog.jpg")).to_have_count(0)
    client.expect_colour(client.button("Photo Кот.jpg"), RED)

    client.button("Photo Кот.jpg").click()
    image = client.page.get_by_role("img", name="Photo Кот.jpg")
    expect(image).to_be_visible()
    client.expect_colour(image, RED)
    assert client.page.url.endswith(f"#/photo/{numbers['Кот.jpg']}")
    client.button("Details").click()
    expect(client.line(numbers["Кот.jpg"])).to_be_visible()
    expect(client.line("640 × 480")).to_be_visible()  # noqa: RUF001 - a multiplication sign
    client.button("Dismiss").click()
    client.button("Previous photo").click()
    client.expect_colour(client.page.get_by_role("img", name="Photo котёнок.jpg"), BLUE)
    client.button("Next photo").click()
    expect(image).to_be_visible()

    client.button("More").click()
    client.page.get_by_role("menuitem", name="Rename").click()
    client.fill("Name", "Кошка 🐈.jpg")
    client.button("Save").click()
    expect(client.line("Кошка 🐈.jpg")).to_be_visible()
    assert [photo["id"] for photo in listed(http, gallery.url, name="кошка")] == [numbers["Кот.jpg"]]

    client.button("More").click()
    client.page.get_by_role("menuitem", name="Move to trash").click()
    expect(client.button("Photo котёнок.jpg")).to_be_visible()
    assert listed(http, gallery.url, name="кошка") == []
    client.button("Undo").click()
    expect(client.line("Restored")).to_be_visible()
    client.fill("Name or id", numbers["Кот.jpg"])
    client.expect_colour(client.button("Photo Кошка 🐈.jpg"), RED)


def test_a_link_into_the_client_opens_that_photo_and_back_leads_back(gallery, phone, http):
    names = {f"{uuid.uuid4().hex}.jpg": plain(shade) for shade in (GREEN, BLUE)}
    numbers = fill(http, gallery, names, f"set-{uuid.uuid4().hex}")
    first, second = numbers
    client = phone(gallery.url, f"#/photo/{numbers[first]}")
    client.expect_colour(client.page.get_by_role("img", name=f"Photo {first}"), GREEN)
    client.page.goto(f"{gallery.url}/mobile/#/photo/{numbers[second]}")
    client.expect_colour(client.page.get_by_role("img", name=f"Photo {second}"), BLUE)
    client.page.go_back()
    client.expect_colour(client.page.get_by_role("img", name=f"Photo {first}"), GREEN)
    client.button("Back").click()
    expect(client.button("Add photos")).to_be_visible()
    client.page.goto(f"{gallery.url}/mobile/#/photo/{uuid.uuid4()}")
    expect(client.line("There is no such photo")).to_be_visible()


def test_a_finger_moves_a_photo_that_is_zoomed_in_and_turns_one_of_natural_size(gallery, phone, http):
    slug = f"set-{uuid.uuid4().hex}"
    numbers = fill(http, gallery, {"plain.jpg": plain(BLUE), "halves.jpg": halves(RED, GREEN)}, slug)
    client = phone(gallery.url)
    client.go_to("Datasets")
    client.line(slug).click()
    client.button("Photo halves.jpg").click()
    client.expect_colour_at(LEFT, RED)
    client.expect_colour_at(RIGHT, GREEN)

    client.pinch(MIDDLE, (80, 240))
    client.expect_colour_at(ABOVE, RED)
    client.swipe(RIGHT, LEFT)
    client.expect_colour_at(LEFT, GREEN)
    client.expect_colour_at(RIGHT, GREEN)
    client.swipe(LEFT, RIGHT)
    client.swipe(LEFT, RIGHT)
    client.expect_colour_at(RIGHT, RED)
    expect(client.line("halves.jpg")).to_be_visible()
    client.pinch(MIDDLE, (300, 40))
    client.expect_colour_at(LEFT, RED)
    client.expect_colour_at(RIGHT, GREEN)

    client.swipe(RIGHT, LEFT)
    client.expect_colour_at(LEFT, BLUE)
    client.expect_colour_at(RIGHT, BLUE)
    expect(client.line("plain.jpg")).to_be_visible()
    client.swipe(RIGHT, LEFT)
    client.swipe(LEFT, RIGHT)
    client.expect_colour_at(LEFT, RED)
    client.expect_colour_at(RIGHT, GREEN)
    client.double_tap_until(RIGHT, LEFT, GREEN)
    client.button("Next photo").click()
    client.expect_colour_at(LEFT, BLUE)
    client.button("Previous photo").click()
    client.expect_colour_at(LEFT, RED)
    client.expect_colour_at(RIGHT, GREEN)
    assert client.page.url.endswith(numbers["halves.jpg"])


def test_uploads_go_on_when_a_server_that_was_stopped_comes_back(tmp_path, phone, http, mobile_client):
    folder = tmp_path / "chosen"
    folder.mkdir()
    for number in range(MANY):
        (folder / f"IMG_{number:04}.jpg").write_bytes(of_size(1_000_000, seed=number))
    environment = {"ALBUMEN_DERIVE": "false", **mobile_client}
    with running(tmp_path / "data", **environment) as server:
        client = phone(server.url)
        client.choose(sorted(folder.iterdir()))
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not listed(http, server.url):
            assert time.monotonic() < deadline
        server.kill()
    expect(client.line("No connection. It goes on by itself")).to_be_visible()
    client.go_to("Datasets")
    expect(client.line("The server does not answer")).to_be_visible()
    client.go_to("Upload")
    with running(tmp_path / "data", "--port", server.url.rpartition(":")[2], **environment):
        expect(client.line(f"Done: {MANY} photos")).to_be_visible(timeout=UPLOAD_MS)
        kept = {photo["sha256"] for photo in listed(http, server.url)}
        assert kept == {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    client.watch.expect_trouble("ERR_CONNECTION_REFUSED")


def test_a_server_with_keys_shows_nothing_without_one_and_to_a_viewer_no_buttons(tmp_path, phone, http, mobile_client):
    with running(tmp_path / "data", ALBUMEN_DERIVE="false", **mobile_client) as server:
        fill(http, server, {"secret.jpg": plain(RED)})
        viewer = make_key(server.data)
        client = phone(server.url)
        expect(client.line("This server asks for a key")).to_be_visible()
        assert client.photos() == []
        client.fill("Key", "alb_000000000000_" + "0" * 64)
        client.button("Connect").click()
        expect(client.line("This key does not work.")).to_be_visible()
        client.fill("Key", viewer)
        client.button("Connect").click()
        client.expect_colour(client.button("Photo secret.jpg"), RED)
        expect(client.button("Add photos")).to_have_count(0)
        client.button("Photo secret.jpg").click()
        expect(client.button("Details")).to_be_visible()
        expect(client.button("More")).to_have_count(0)
        client.button("Back").click()
        client.go_to("Settings")
        expect(client.line("may look")).to_be_visible()
        client.button("Log out").click()
        expect(client.line("This server asks for a key")).to_be_visible()


def test_every_screen_speaks_russian_and_changes_over_to_english(gallery, phone):
    client = phone(gallery.url, locale="ru-RU", color_scheme="dark")
    expect(client.button("Добавить фото")).to_be_visible()
    client.go_to("Загрузка")
    expect(client.line("Загружать нечего")).to_be_visible()
    client.go_to("Наборы")
    expect(client.button("Новый набор")).to_be_visible()
    client.button("Новый набор").click()
    slug = f"set-{uuid.uuid4().hex}"
    client.fill("Название", "東京")  # of which no short name can be made
    client.button("Сохранить").click()
    expect(client.page.get_by_role("textbox")).to_have_count(2)
    client.fill("Короткое имя", slug)
    client.button("Сохранить").click()
    expect(client.line("Здесь пока нет фотографий")).to_be_visible()
    client.go_to("Настройки")
    expect(client.line("можно всё")).to_be_visible()
    client.page.get_by_role("radio", name="English").click()
    expect(client.line("Upload on Wi-Fi only")).to_be_visible()
    client.page.reload()
    client.page.locator("flt-semantics-placeholder").wait_for(state="attached", timeout=UPLOAD_MS)
    client.page.evaluate("document.querySelector('flt-semantics-placeholder')?.click()")
    expect(client.line("may do everything")).to_be_visible(timeout=UPLOAD_MS)
