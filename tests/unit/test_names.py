"""Names of photos: what a client calls a file, made harmless, and the form in which names are searched."""

# ruff: noqa: RUF001 - Cyrillic and full-width letters are what these tests are about

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from albumen.domain.names import LONGEST_NAME, UNNAMED, clean_name, fold_name

QUICK_SECONDS = 10  # in order of the whole name it would be an hour


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("IMG_1.jpg", "IMG_1.jpg"),
        ("Фото с дачи.jpg", "Фото с дачи.jpg"),
        ("猫 🐈.png", "猫 🐈.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("/absolute/cat.png", "cat.png"),
        ("folder/sub\\cat.png", "cat.png"),
        ("folder/", "folder"),
        ("  cat.png\t", "cat.png"),
        ("ca\x00t.p\nng\r\x7f", "cat.png"),
        ("line\u2028and\u2029paragraph.png", "lineandparagraph.png"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("photo\u061c (1).jpg", "photo (1).jpg"),
        ("lone\ud800surrogate.png", "lonesurrogate.png"),
        ("и\u0306од.jpg", "йод.jpg"),
    ],
)
def test_name_is_made_harmless(raw, clean):
    assert clean_name(raw) == clean


@pytest.mark.parametrize("raw", ["", "/", "\\\\", "  ", "\x00\x01", "\u202e"])
def test_name_of_which_nothing_is_left_becomes_photo(raw):
    assert clean_name(raw) == UNNAMED


def test_joiner_inside_an_emoji_stays():
    assert clean_name("👩\u200d🔬.png") == "👩\u200d🔬.png"


def test_long_name_is_cut_and_keeps_its_extension():
    name = clean_name("я" * 5000 + ".jpeg")
    assert name == "я" * (LONGEST_NAME - 5) + ".jpeg"


@pytest.mark.parametrize("raw", ["x" * 5000, "." + "x" * 5000, "a." + "x" * 5000])
def test_long_name_without_an_extension_is_cut(raw):
    assert clean_name(raw) == raw[:LONGEST_NAME]


def test_name_of_a_million_combining_marks_is_cut_at_once():
    began = time.perf_counter()
    name = clean_name("\u0301\u0316" * 500_000 + ".jpg")
    assert time.perf_counter() - began < QUICK_SECONDS
    assert (len(name), name[-4:]) == (LONGEST_NAME, ".jpg")


@pytest.mark.parametrize("length", [LONGEST_NAME - 1, LONGEST_NAME])
def test_name_within_the_limit_stays_whole(length):
    assert clean_name("x" * length) == "x" * length


@given(st.text(st.characters(exclude_categories=())) | st.text(min_size=250, max_size=260))
@example("x" * 254 + " " + "y" * 20)
@example("x" * 250 + "    " + "y" * 20 + ".jpg")
def test_clean_name_is_short_normal_shown_and_clean_already(raw):
    name = clean_name(raw)
    assert 1 <= len(name) <= LONGEST_NAME
    assert not set(name) & set("/\\\0\r\n\u202e")
    assert unicodedata.is_normalized("NFC", name)
    assert clean_name(name) == name
    name.encode("utf-8")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IMG_1.JPG", "img_1.jpg"),
        ("ФОТО.jpg", "фото.JPG"),
        ("Straße", "STRASSE"),
        ("ｆｕｌｌ", "FULL"),
        ("и\u0306од", "ЙОД"),
    ],
)
def test_names_that_people_take_for_equal_fold_to_one(one, other):
    assert fold_name(one) == fold_name(other)


def test_different_names_fold_to_different_ones():
    assert fold_name("е.jpg") != fold_name("ё.jpg")
