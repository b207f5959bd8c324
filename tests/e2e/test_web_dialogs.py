"""Dialogs of the web client: where the keyboard stands in them, how they are left, and which one cannot be."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest
from playwright.sync_api import expect

from albums import heading
from conftest import running


@pytest.fixture(scope="module")
def open_server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("dialogs") / "data", ALBUMEN_DERIVE="false") as server:
        yield server


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """The address of a server that wants a key, and a key of it."""
    data = tmp_path_factory.mktemp("locked-dialogs") / "data"
    command = [sys.executable, "-m", "albumen", "keys", "create", "viewer", "--data", str(data)]
    key = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    with running(data, ALBUMEN_DERIVE="false") as server:
        yield server.url, key


def told(field):
    return field.evaluate("field => field.validationMessage")


def test_dataset_is_made_and_shown(open_server, visit):
    name = f"Cats {uuid.uuid4().hex[:8]}"
    page, watch = visit(open_server.url)
    page.get_by_role("button", name="New dataset").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create").click()
    expect(heading(page, name)).to_be_visible()
    expect(page).to_have_url(f"{open_server.url}/d/{name.lower().replace(' ', '-')}")
    page.get_by_role("button", name="New dataset").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a dataset of that short name already.")
    watch.expect_trouble("status of 409")


def test_dataset_is_made_and_renamed_by_typing_at_once(open_server, visit):
    page, _ = visit(open_server.url)
    page.get_by_role("button", name="New dataset").press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("Кошки 7")
    expect(page.get_by_label("Short name for addresses")).to_have_value("koshki-7")
    page.keyboard.press("Enter")
    expect(heading(page, "Кошки 7")).to_be_visible()
    page.get_by_role("button", name="Edit the dataset").press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("Коты 8")
    page.keyboard.press("Enter")
    expect(heading(page, "Коты 8")).to_be_visible()
    expect(page).to_have_url(f"{open_server.url}/d/koshki-7")


def test_fields_tell_what_they_want_in_the_language_of_the_page(open_server, visit):
    page, _ = visit(open_server.url, locale="ru-RU")
    page.get_by_role("button", name="Новый набор").click()
    name, slug = page.get_by_label("Название"), page.get_by_label("Короткое имя для адресов")
    assert told(name) == "Дайте набору название."
    name.fill("東京")
    assert told(name) == ""
    assert told(slug).startswith("Латинские буквы, цифры")
    slug.fill("tokyo")
    assert told(slug) == ""


def test_question_for_a_key_stays_however_often_escape_is_pressed(locked, visit):
    url, key = locked
    page, _ = visit(url)
    field = page.get_by_label("Key", exact=True)
    for _ in range(4):
        page.keyboard.press("Escape")
    expect(field).to_be_focused()
    field.evaluate("field => field.closest('dialog').close()")
    expect(page.locator("dialog[open]")).to_have_count(1)
    expect(field).to_be_focused()
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    expect(heading(page, "All photos")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_language_is_chosen_before_the_log_in(locked, visit):
    page, _ = visit(locked[0])
    dialog = page.get_by_role("dialog", name="This server wants a key")
    dialog.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("dialog", name="Этому серверу нужен ключ")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ru")
