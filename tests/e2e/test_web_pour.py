"""Pouring photos into a dataset through the page: by drop, by folder, by paste; through troubles; and what it costs."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from albums import page_of
from conftest import running, start_server
from forms import Uploader
from pictures import of_size, png_bomb
from wire import eventually

FOLDERS = 2
PHOTOS = 300
AT_ONCE = 3  # requests, before anything went wrong
PHOTO_BYTES = 3000
CLIPBOARD = ["clipboard-read", "clipboard-write"]
HAND_OVER = """async ([event, names, bytes]) => {
  const transfer = new DataTransfer();
  for (const name of names) transfer.items.add(new File([new Uint8Array(bytes), name], name, {type: "image/jpeg"}));
  const init = {bubbles: true, cancelable: true};
  document.querySelector("main").dispatchEvent(event === "paste"
    ? new ClipboardEvent(event, {...init, clipboardData: transfer})
    : new DragEvent(event, {...init, dataTransfer: transfer}));
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photos in folders within a folder, more of them than browsers hand out at once."""
    top = tmp_path_factory.mktemp("pictures") / "Kama"
    for number in range(PHOTOS):
        place = top / f"day {number % FOLDERS}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"IMG_{number:04}.jpg").write_bytes(of_size(PHOTO_BYTES, seed=number))
    (top / ".DS_Store").write_bytes(b"left by a system")
    return top


def uploads_of(album):
    return f"{album.url}/uploads?dataset={album.dataset}"


def made(album):
    """Make the dataset; return the address of its photos."""
    body = {"name": album.dataset, "slug": album.dataset}
    assert album.http.post(f"{album.url}/api/v1/datasets", json=body, timeout=30).status_code == 201
    return page_of(album)


def counter(page, name):
    return page.locator(f"[data-counter={name}]")


def expect_done(page, *, created=0, duplicate=0, rejected=0):
    expect(page.get_by_role("status").filter(has_text="Done: ")).to_be_visible()
    for name, count in {"created": created, "duplicate": duplicate, "rejected": rejected}.items():
        expect(counter(page, name)).to_have_text(str(count))


def hold(_route):
    """Neither let a request go nor answer it."""


def state(page):
    return page.locator(".report").get_by_role("status")


def choose(page, files):
    page.locator("input[type=file][multiple]:not([webkitdirectory])").set_input_files(files)


def choose_folder(page, folder):
    page.locator("input[webkitdirectory]").set_input_files(folder)


def in_dataset(album):
    return album.http.get(f"{album.url}/api/v1/datasets/{album.dataset}", timeout=30).json()["photos"]


def has_tried(page, watch, count):
    page.wait_for_timeout(50)  # only meanwhile the test hears of answers
    return len(upload_bodies(watch)) == count


def upload_bodies(watch):
    return [answer.request for answer in watch.responses if answer.url.endswith("/upload")]


def test_folder_with_folders_arrives_whole_and_a_second_time_sends_no_photo(album, visit, folder):
    page, watch = visit(uploads_of(album))
    expect(page.get_by_text("A new dataset")).to_be_visible()
    choose_folder(page, folder)
    expect_done(page, created=PHOTOS)
    expect(page.get_by_text("Left out: 1 file of the system")).to_be_visible()
    assert in_dataset(album) == PHOTOS
    assert 3 < len(upload_bodies(watch)) < PHOTOS / 8

    watch.responses.clear()
    choose_folder(page, folder)
    expect(state(page)).to_have_text(f"Done: {PHOTOS} there already")
    expect_done(page, created=PHOTOS, duplicate=PHOTOS)
    expect(page.get_by_text("nothing had to be sent")).to_be_visible()
    assert upload_bodies(watch) == []
    assert in_dataset(album) == PHOTOS


def test_dropped_folder_arrives_whole(album, visit, folder):
    page, _ = visit(uploads_of(album))
    page.get_by_role("heading", level=1).wait_for()
    drop(page, folder)
    expect_done(page, created=PHOTOS)
    assert in_dataset(album) == PHOTOS
    page.get_by_role("button", name="all").click()
    expect(page.get_by_role("listitem").filter(has_text="Kama/day 0/").first).to_be_visible()


def drop(page, path):
    """Drop what lies at a path as the system does it."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def test_dropped_photos_go_to_the_dataset_that_is_shown(album, visit):
    page, _ = visit(made(album))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    names = [f"{number}.jpg" for number in range(PHOTOS)]
    photo = list(of_size(PHOTO_BYTES))
    page.evaluate(HAND_OVER, ["dragover", names[:1], photo])
    expect(page.get_by_text("Let go to upload")).to_be_visible()
    expect(page.get_by_text(f"into the dataset “{album.dataset}”")).to_be_visible()
    page.evaluate(HAND_OVER, ["drop", names, photo])
    expect(page).to_have_url(uploads_of(album))
    expect_done(page, created=PHOTOS)
    assert in_dataset(album) == PHOTOS


def test_name_in_the_field_becomes_the_short_name_that_photos_go_to(album, visit):
    page, _ = visit(f"{album.url}/uploads")
    field = page.get_by_label("Into the dataset")
    field.fill(f"My {album.dataset.upper()}")
    expect(page.get_by_text(f"A new dataset, “my-{album.dataset}”")).to_be_visible()
    field.blur()
    expect(field).to_have_value(f"my-{album.dataset}")
    page.evaluate(HAND_OVER, ["drop", ["cat.jpg"], list(of_size(PHOTO_BYTES, seed=5))])
    expect_done(page, created=1)
    mine = Uploader(album.http, album.url, f"my-{album.dataset}")
    assert in_dataset(mine) == 1
    expect(page).to_have_url(uploads_of(mine))


def test_nothing_is_sent_while_the_field_names_no_dataset_and_that_is_told_in_russian(album, visit):
    page, watch = visit(f"{album.url}/uploads", locale="ru-RU")
    field = page.get_by_label("В набор")  # noqa: RUF001 - as the page writes it
    field.fill("東京")
    choosers = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))  # noqa: PLW0108 - Playwright marks the function
    page.locator("label").get_by_text("Выбрать фотографии").click()
    expect(field).to_be_focused()
    assert field.evaluate("field => field.validationMessage").startswith("Напишите, в какой набор загружать")
    page.evaluate(HAND_OVER, ["drop", ["cat.jpg"], list(of_size(PHOTO_BYTES, seed=6))])
    expect(page.locator("[popover]", has_text="Напишите, в какой набор загружать")).to_be_visible()
    assert choosers == []
    assert upload_bodies(watch) == []
    field.fill(album.dataset)
    page.evaluate(HAND_OVER, ["drop", ["cat.jpg"], list(of_size(PHOTO_BYTES, seed=6))])
    expect(page.get_by_role("status").filter(has_text="Готово: ")).to_be_visible()
    assert in_dataset(album) == 1


def test_pasted_picture_is_uploaded_under_a_name_that_tells_when(album, visit):
    page, _ = visit(made(album))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate(HAND_OVER, ["paste", ["image.png"], list(of_size(PHOTO_BYTES, seed=77))])
    expect_done(page, created=1)
    name = album.http.get(f"{album.url}/api/v1/photos?dataset={album.dataset}", timeout=30).json()["photos"][0]["name"]
    assert name.startswith("20")
    assert name.endswith(".png")


def test_forced_colours_show_the_bar_and_which_list_is_chosen(album, visit):
    page, _ = visit(uploads_of(album), forced_colors="active")
    choose(page, [{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": of_size(PHOTO_BYTES, seed=8)}])
    expect_done(page, created=1)
    edge = "button => getComputedStyle(button).borderBottomColor"
    edges = {edge_of.evaluate(edge) for edge_of in page.locator(".counter").all()}
    chosen = page.locator(".counter[aria-pressed=true]")
    expect(chosen).to_have_count(1)
    assert len(edges) == 2  # that of the chosen one, and that of all others
    expect(page.get_by_role("progressbar")).to_have_css("border-top-style", "solid")


def test_reasons_tell_what_a_file_is_and_what_the_server_takes(album, visit, tmp_path):
    files = {
        "good.jpg": of_size(PHOTO_BYTES),
        "void.jpg": b"",
        "bomb.png": png_bomb(),
        "letter.jpg": b"%PDF-1.7 and more" * 9,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    page, _ = visit(uploads_of(album))
    choose(page, sorted(tmp_path.iterdir()))
    expect_done(page, created=1, rejected=3)
    rows = page.get_by_role("list", name="not taken").get_by_role("listitem")
    expect(rows.filter(has_text="letter.jpg This is not a photo but a PDF document.")).to_have_count(1)
    expect(rows.filter(has_text="bomb.png The photo has 3,600 megapixels, this server takes 200.")).to_have_count(1)
    expect(rows.filter(has_text="void.jpg The file is empty.")).to_have_count(1)
    page.get_by_role("group", name="Which photos").get_by_role("button", name="new").click()
    page.get_by_role("list", name="new").get_by_role("link", name="good.jpg").click()
    expect(page.get_by_role("heading", level=1, name="good.jpg")).to_be_visible()


def test_upload_goes_on_by_itself_when_the_server_was_killed_in_its_middle(visit, tmp_path, folder, http):
    first = start_server(tmp_path / "data", ALBUMEN_DERIVE="false")
    port = first.url.rsplit(":", 1)[1]
    page, watch = visit(f"{first.url}/uploads")
    slow_down(page)
    choose_folder(page, folder)
    expect(counter(page, "created")).not_to_have_text("0")
    first.kill()
    expect(state(page)).to_contain_text("The server cannot be reached")
    expect(page.get_by_role("button", name="Try now")).to_be_visible()
    with running(tmp_path / "data", "--port", port, ALBUMEN_DERIVE="false") as second:
        expect_done(page, created=PHOTOS)
        assert in_dataset(Uploader(http, second.url, "main")) == PHOTOS
    watch.expect_trouble("Failed to load resource: net::ERR_")


def slow_down(page):
    """Let the photos of this file take some seconds."""
    network = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": PHOTOS * PHOTO_BYTES / 4}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", network)


def test_server_that_takes_one_upload_at_a_time_gets_all_photos(visit, tmp_path, folder):
    with running(tmp_path / "data", ALBUMEN_DERIVE="false", ALBUMEN_UPLOADS_PER_ADDRESS="1") as server:
        page, watch = visit(f"{server.url}/uploads")
        slow_down(page)
        choose_folder(page, folder)
        expect(state(page)).to_contain_text("as many uploads as it can")
        page.get_by_role("button", name="Try now").click()
        expect_done(page, created=PHOTOS)
    watch.expect_trouble("status of 503")


def test_server_without_space_is_told_and_nothing_is_tried_before_a_person_says_so(visit, tmp_path, folder):
    with running(tmp_path / "data", ALBUMEN_DERIVE="false", ALBUMEN_MIN_FREE_BYTES=str(10**15)) as server:
        page, watch = visit(f"{server.url}/uploads")
        choose_folder(page, folder)
        expect(state(page)).to_contain_text("The server has no space left.")
        eventually(lambda: has_tried(page, watch, AT_ONCE), "some requests were never tried")
        with page.expect_response("**/upload"):
            page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
        assert len(upload_bodies(watch)) == AT_ONCE + 1
        page.get_by_role("button", name="Stop").click()
        expect(counter(page, "failed")).to_have_text(str(PHOTOS))
    watch.expect_trouble("status of 507")


def test_pause_holds_everything_until_one_goes_on_and_stop_leaves_the_rest_to_be_sent_later(album, visit, folder):
    page, _ = visit(uploads_of(album))
    page.route("**/upload", hold)
    choose_folder(page, folder)
    page.wait_for_function("() => performance.getEntriesByType('resource').some(({name}) => name.endsWith('/known'))")
    page.keyboard.press("p")
    expect(state(page)).to_have_text("Paused. Nothing is being sent.")
    expect(page.get_by_role("link", name="Uploads: ")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(state(page)).to_have_text("Uploading")
    page.get_by_role("button", name="Stop").click()
    expect(counter(page, "failed")).to_have_text(str(PHOTOS))
    expect(page.get_by_role("listitem").filter(has_text="because the upload was stopped").first).to_be_visible()
    page.unroute("**/upload")
    page.get_by_role("button", name=f"Send what is missing ({PHOTOS})").click()
    expect_done(page, created=PHOTOS)
    assert in_dataset(album) == PHOTOS


def test_file_that_changed_since_it_was_chosen_is_told_and_all_others_arrive(album, visit, tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(of_size(PHOTO_BYTES, seed=number))
    files = sorted(tmp_path.iterdir())
    page, watch = visit(uploads_of(album))
    # After the digest was taken, and before the request with the photos.
    page.route("**/known", lambda route: (files[1].unlink(missing_ok=True), route.continue_()))
    choose(page, files)
    expect(counter(page, "created")).to_have_text("2")
    expect(counter(page, "failed")).to_have_text("1")
    expect(page.get_by_role("listitem").filter(has_text="1.jpg The file was moved, changed or deleted")).to_have_count(
        1
    )
    watch.expect_trouble("ERR_")


def test_key_that_runs_out_is_asked_for_and_the_upload_goes_on(visit, tmp_path, folder, http):
    data = tmp_path / "data"
    first, second = (create_key(data, name) for name in ("first", "second"))
    with running(data, ALBUMEN_DERIVE="false") as server:
        page, watch = visit(f"{server.url}/uploads")
        enter(page, first)
        page.get_by_role("heading", name="Upload photos").wait_for()
        revoke(data, first, server.url, http)
        choose_folder(page, folder)
        expect(page.get_by_role("heading", name="This server wants a key")).to_be_visible()
        enter(page, second)
        expect_done(page, created=PHOTOS)
    watch.expect_trouble("status of 401")


def create_key(data, name):
    command = [sys.executable, "-m", "albumen", "keys", "create", name, "--role", "contributor", "--data", str(data)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def revoke(data, key, url, http):
    """Revoke a key and wait until the server knows."""
    command = [sys.executable, "-m", "albumen", "keys", "revoke", key.split("_")[1], "--data", str(data)]
    subprocess.run(command, check=True, capture_output=True)
    deadline = time.monotonic() + 30
    while http.get(f"{url}/get_value", headers={"Authorization": f"Bearer {key}"}, timeout=30).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def enter(page, key):
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Enter").click()


def test_links_are_copied_and_saved(album, visit, tmp_path):
    (tmp_path / "=1+1.jpg").write_bytes(of_size(PHOTO_BYTES, seed=1))
    (tmp_path / "notes.txt").write_text("no photo " * 20)
    page, _ = visit(uploads_of(album), permissions=CLIPBOARD)
    choose(page, sorted(tmp_path.iterdir()))
    expect_done(page, created=1, rejected=1)
    link = album.http.get(f"{album.url}/api/v1/photos?dataset={album.dataset}", timeout=30).json()["photos"][0]["link"]
    page.get_by_role("button", name="Copy the links").click()
    expect(page.get_by_text("1 link copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link
    assert saved(page, "Text") == f"{link}\n"
    photo, text = csv.DictReader(io.StringIO(saved(page, "CSV")))
    assert (photo["name"], photo["link"], photo["status"]) == ("'=1+1.jpg", link, "created")
    assert (text["name"], text["link"], text["problem"]) == ("notes.txt", "", "not_a_photo")
    assert [(row["name"], row["link"]) for row in json.loads(saved(page, "JSON"))] == [
        ("=1+1.jpg", link),
        ("notes.txt", None),
    ]


def saved(page, name):
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return download.value.path().read_text("utf-8")


def test_uploads_are_followed_and_sorted_out_by_the_keyboard_alone(album, visit, folder):
    page, _ = visit(made(album))
    page.get_by_role("heading", level=1).wait_for()
    page.keyboard.press("u")
    expect(page).to_have_url(uploads_of(album))
    with page.expect_file_chooser() as chooser:
        tab_to(page, page.locator("input[type=file]").first)
        page.keyboard.press("Enter")
    chooser.value.set_files(sorted(folder.glob("day 0/*")))
    expect_done(page, created=PHOTOS // FOLDERS)
    tab_to(page, page.get_by_role("button", name="there already"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="there already").get_by_role("listitem")).to_have_count(0)


def tab_to(page, target):
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not come to {target}")


def test_tab_with_photos_on_their_way_asks_before_it_closes(album, visit, folder):
    page, watch = visit(uploads_of(album))
    page.route("**/upload", hold)
    choose_folder(page, folder)
    page.locator("main h1").click()  # browsers ask only where somebody has done something
    expect(state(page)).to_have_text("Uploading")
    page.close(run_before_unload=True)
    page.wait_for_timeout(500)
    watch.expect_trouble("dialog: ")
