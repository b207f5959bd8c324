"""Names of files in an archive: safe on any system, and no two alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albumen.domain.filenames import LONGEST_BYTES, unique_filenames
from albumen.domain.names import fold_name

CLEANED_AWAY = "/\\\x00\n"


def only(name):
    (filename,) = unique_filenames([name])
    return filename


@pytest.mark.parametrize("name", ["IMG_1.jpg", "Мишка на Севере (2).jpg", ".hidden", "a.tar.gz", "no extension"])
def test_a_harmless_name_stays(name):
    assert only(name) == name


@pytest.mark.parametrize(
    ("name", "filename"),
    [
        *(("..", "photo"), (".", "photo"), ("", "photo"), (" ", "photo"), ("x.", "x"), ("x. .", "x")),
        *(
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("/abs", "_abs"),
            ("C:\\x.jpg", "C__x.jpg"),
            ('a"<b>|?*.jpg', "a__b____.jpg"),
        ),
        *(("con", "_con"), ("NUL.jpg", "_NUL.jpg"), ("com1.tar.gz", "_com1.tar.gz"), ("console.jpg", "console.jpg")),
        *(("aux .txt", "_aux.txt"), ("Nul  .tar.gz", "_Nul  .tar.gz"), ("com1 a.jpg", "com1 a.jpg")),
        ("a\nb\x7f.jpg", "a_b_.jpg"),
    ],
)
def test_a_name_that_a_system_would_take_for_something_else_is_changed(name, filename):
    assert only(name) == filename


def test_equal_names_get_numbers_before_the_extension():
    names = ["a.jpg", "a.jpg", "b", "a.jpg", "b"]
    assert list(unique_filenames(names)) == ["a.jpg", "a (2).jpg", "b", "a (3).jpg", "b (2)"]


def test_a_number_that_is_taken_is_passed_over():
    assert list(unique_filenames(["a (2).jpg", "a.jpg", "a.jpg"])) == ["a (2).jpg", "a.jpg", "a (3).jpg"]


def test_names_that_differ_in_case_or_in_composition_alone_are_equal():
    assert list(unique_filenames(["Ёж.JPG", "ёж.jpg", "e\u0301.jpg", "\u00e9.jpg"])) == [
        *("Ёж.JPG", "ёж (2).jpg", "e\u0301.jpg", "\u00e9 (2).jpg")
    ]


def test_a_name_too_long_for_a_file_system_is_cut_between_characters_and_keeps_number_and_extension():
    first, second = unique_filenames(["Ё" * 251 + ".jpg"] * 2)
    assert first.endswith("Ё.jpg")
    assert second.endswith("Ё (2).jpg")
    assert {len(first.encode()), len(second.encode())} <= {LONGEST_BYTES - 1, LONGEST_BYTES}


def test_a_name_that_is_cut_at_a_dot_does_not_end_with_it():
    first, second = unique_filenames(["я" * 127 + "." + "q" * 20] * 2)
    assert first == "я" * 127
    assert second == "я" * 125 + " (2)"
    assert only("." * 300 + "q" * 20) == "photo"


def test_dots_in_front_of_an_extension_or_a_number_stay():
    assert list(unique_filenames(["a...jpg", "a...jpg"])) == ["a...jpg", "a.. (2).jpg"]


def test_ten_thousand_equal_names_are_told_apart():
    names = list(unique_filenames(["a.jpg"] * 10_000))
    assert names[-1] == "a (10000).jpg"
    assert len(set(names)) == 10_000


def test_ten_thousand_long_names_that_are_the_same_once_they_are_cut_are_told_apart_in_short_time():
    longest = [f"{'x' * 246}{number:04}.jpg" for number in range(5_000)]
    names = list(unique_filenames(longest * 2))
    assert len(set(names)) == 10_000
    assert max(len(name) for name in names) <= LONGEST_BYTES


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), max_size=8))
def test_whatever_photos_are_called_their_files_are_safe_and_different(names):
    filenames = list(unique_filenames(names))
    assert len({fold_name(filename) for filename in filenames}) == len(names)
    for filename in filenames:
        assert 0 < len(filename.encode()) <= LONGEST_BYTES
        assert not set(filename) & set(CLEANED_AWAY)
        assert filename not in {".", ".."}
        assert filename.rstrip(". ") == filename
