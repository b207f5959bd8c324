"""Slugs of datasets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albumen.domain.datasets import DEFAULT_DATASET, check_slug
from albumen.errors import InvalidParameter
from albumen.services.datasets import _slug_of


@pytest.mark.parametrize("slug", [DEFAULT_DATASET, "a", "0", "field-day_2", "x" * 63, "a-", "a_"])
def test_allowed_slug_comes_back_as_it_is(slug):
    assert check_slug(slug) == slug


@pytest.mark.parametrize(
    "slug", ["", "-a", "_a", "Main", "a b", "a/b", "..", "дача", "a\n", "x" * 64, "a.b", "a\0", "\uff41", "²"]
)
def test_other_slug_is_refused_with_the_rule(slug):
    with pytest.raises(InvalidParameter, match="1 to 63 of a-z") as refused:
        check_slug(slug)
    assert refused.value.members["parameter"] == "dataset"


@given(st.from_regex(r"[ -~]{0,80}", fullmatch=True).filter(lambda name: any(char.isalnum() for char in name)))
def test_slug_made_from_a_name_with_letters_is_allowed(name):
    assert check_slug(_slug_of(name))


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Field day, 2026!", "field-day-2026"),
        ("x" * 100, "x" * 63),
        ("x" * 62 + " y", "x" * 62),
        ("Отпуск 2026", "otpusk-2026"),
        ("Съёмка: Щука, хвоя и йод — всё", "syomka-shchuka-khvoya-i-yod-vsyo"),
        ("Юность, цирк, эхо, жизнь, Чаща, мышь", "yunost-tsirk-ekho-zhizn-chashcha-mysh"),
        ("и\N{COMBINING BREVE}од", "yod"),
        ("東京", ""),
    ],
)
def test_slug_made_from_a_name_keeps_its_letters_and_digits(name, slug):
    assert _slug_of(name) == slug
