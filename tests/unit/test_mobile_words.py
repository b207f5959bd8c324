"""The words of the mobile client in both languages; and that its core knows nothing of Flet."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import albumen_mobile
from albumen_mobile.core.english import ENGLISH
from albumen_mobile.core.russian import RUSSIAN
from albumen_mobile.core.words import Words

PACKAGE = Path(albumen_mobile.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "web" not in path.parts)
WITHOUT_FLET = sorted(path for folder in ("core", "transport") for path in (PACKAGE / folder).glob("*.py"))
USED = re.compile(r"""words\(\s*"([a-z_]+)"(?: if [^"]*? else "([a-z_]+)")?""")


def gaps(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def forms(entry):
    return [entry] if isinstance(entry, str) else list(entry)


def test_both_languages_have_the_same_words_with_the_same_gaps():
    assert set(ENGLISH) == set(RUSSIAN)
    different = {key for key in ENGLISH if gaps(forms(ENGLISH[key])[-1]) != gaps(forms(RUSSIAN[key])[-1])}
    assert different == set()


def test_no_russian_word_was_left_in_english():
    same = {key for key in RUSSIAN if RUSSIAN[key] == ENGLISH[key]}
    assert same <= {"server_hint", "key_hint"}


def test_every_word_on_a_screen_is_in_the_tables():
    named = {key for path in SOURCES for match in USED.findall(path.read_text("utf-8")) for key in match if key}
    assert named - set(ENGLISH) == set()
    assert len(named) > 60


def test_no_word_is_kept_that_no_screen_shows():
    code = "".join(path.read_text("utf-8") for path in SOURCES if path.stem not in {"english", "russian"})
    made = ("state_", "trouble_", "role_", "theme_")  # keys that code puts together
    assert not [key for key in ENGLISH if f'"{key}"' not in code and not key.startswith(made) and "_note" not in key]


@pytest.mark.parametrize(
    ("number", "english", "russian"),
    [
        (0, "0 photos", "0 фотографий"),
        (1, "1 photo", "1 фотография"),
        (2, "2 photos", "2 фотографии"),
        (5, "5 photos", "5 фотографий"),
        (11, "11 photos", "11 фотографий"),
        (12, "12 photos", "12 фотографий"),
        (21, "21 photos", "21 фотография"),
        (104, "104 photos", "104 фотографии"),
        (111, "111 photos", "111 фотографий"),
        (1234567, "1\u00a0234\u00a0567 photos", "1\u00a0234\u00a0567 фотографий"),
    ],
)
def test_counts_have_their_plural_form(number, english, russian):
    assert Words("en").count("photos", number) == english
    assert Words("ru").count("photos", number) == russian


@pytest.mark.parametrize(
    ("size", "english", "russian"),
    [(0, "0 B", "0 Б"), (999, "999 B", "999 Б"), (1500, "1.5 kB", "1,5 КБ"), (2_000_000, "2.0 MB", "2,0 МБ")],
)
def test_sizes_are_read_in_powers_of_ten(size, english, russian):
    assert (Words("en").size(size), Words("ru").size(size)) == (english, russian)


def test_times_are_seconds_then_minutes():
    assert [Words("en").seconds(value) for value in (1.26, 59.9, 61, 600)] == [
        "1.3 s",
        "59.9 s",
        "1 min 01 s",
        "10 min 00 s",
    ]
    assert Words("ru").seconds(61).startswith("1 мин 01")


def test_an_unknown_trouble_is_told_in_the_words_of_the_server():
    assert Words("ru").trouble("teapot", "I am a teapot.") == "I am a teapot."
    assert Words("ru").trouble("teapot") == RUSSIAN["trouble_trouble"]
    assert Words("ru").trouble("not_a_photo", "This is text.") == RUSSIAN["trouble_not_a_photo"]


@pytest.mark.parametrize("path", WITHOUT_FLET, ids=lambda path: path.name)
def test_core_and_transport_import_neither_flet_nor_screens(path):
    tree = ast.parse(path.read_text("utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [name for name in modules if name.split(".")[0] == "flet" or "screens" in name]
