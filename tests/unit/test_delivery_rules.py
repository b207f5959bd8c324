"""What the way out decides from a request: which preview, in which format, under which name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from albumen.domain.previews import FORMATS, PRESETS
from albumen.errors import InvalidParameter
from albumen.web.delivery import Wish, _format, disposition, read_wish

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FIREFOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
OLD_SAFARI = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "jpeg"),
        ("*/*", "jpeg"),
        ("image/*", "jpeg"),
        ("text/html", "jpeg"),
        ("image/png", "jpeg"),
        ("image/jpeg", "jpeg"),
        ("image/webp", "webp"),
        ("image/avif", "avif"),
        ("image/avif,image/webp", "webp"),
        ("image/avif,image/webp;q=0.5", "avif"),
        ("image/webp;q=0.4,image/jpeg;q=0.9", "jpeg"),
        ("image/webp;q=0,*/*", "jpeg"),
        ("image/WEBP", "webp"),
        (CHROME, "webp"),
        (FIREFOX, "webp"),
        (OLD_SAFARI, "jpeg"),
        ("image/webp;q=nonsense", "jpeg"),
    ],
)
def test_format_is_the_best_one_that_accept_names(accept, chosen):
    assert _format(Wish(256), accept) == chosen


@pytest.mark.parametrize("media_format", FORMATS)
def test_wished_format_wins_over_accept(media_format):
    assert _format(Wish(256, media_format), CHROME) == media_format


@given(st.text())
def test_any_accept_gives_a_format_of_ours(accept):
    assert _format(Wish(256), accept) in FORMATS


@pytest.mark.parametrize("size", PRESETS)
def test_preset_is_taken(size):
    assert read_wish({"size": str(size)}) == Wish(size)


def test_original_is_the_default_and_other_parameters_are_ignored():
    assert read_wish({"id": "a", "v": "2"}) == Wish()


def test_download_needs_no_value():
    assert read_wish({"download": ""}).download


@pytest.mark.parametrize("size", ["", "0", "-256", "257", "0256", "256.0", "+256", " 256", "٢٥٦", "1e3", "9" * 5000])
def test_other_size_is_refused_with_the_presets(size):
    with pytest.raises(InvalidParameter, match="256, 512, 1024, 2048"):
        read_wish({"size": size})


@pytest.mark.parametrize("media_format", ["", "png", "JPEG", "../jpeg", "jpg"])
def test_other_format_is_refused_with_the_formats(media_format):
    with pytest.raises(InvalidParameter, match="jpeg, webp, avif"):
        read_wish({"size": "256", "format": media_format})


def test_format_without_a_size_is_refused():
    with pytest.raises(InvalidParameter, match="together with"):
        read_wish({"format": "webp"})


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("cat.jpg", 'inline; filename="cat.jpg"'),
        ("two words.jpg", 'inline; filename="two words.jpg"'),
        ("Дача.jpg", "inline; filename=\"____.jpg\"; filename*=UTF-8''%D0%94%D0%B0%D1%87%D0%B0.jpg"),
        ('say "hi".jpg', "inline; filename=\"say _hi_.jpg\"; filename*=UTF-8''say%20%22hi%22.jpg"),
        ("50%.jpg", "inline; filename=\"50_.jpg\"; filename*=UTF-8''50%25.jpg"),
        ("back\\slash", "inline; filename=\"back_slash\"; filename*=UTF-8''back%5Cslash"),
    ],
)
def test_disposition_has_an_old_and_a_true_name(name, header):
    assert disposition(name, download=False) == header


def test_download_is_an_attachment():
    assert disposition("cat.jpg", download=True) == 'attachment; filename="cat.jpg"'


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_gives_one_header_line_that_reads_back(name):
    header = disposition(name, download=True)
    assert header.isascii()
    assert header.isprintable()
    kind, options = parse_options_header(header)
    assert (kind, options["filename"]) == ("attachment", name)
