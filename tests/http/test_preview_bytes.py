"""Previews over HTTP: formats, sizes, the right way up, and nothing of the original's metadata. On a real server."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from forms import part, problem
from pictures import jpeg, of_size, oriented

BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
OLD_BROWSER = "image/png,image/*;q=0.8,*/*;q=0.5"


@pytest.fixture
def photo(uploader):
    return put(uploader, of_size(20_000, seed=8), "preview.jpg")


def put(uploader, data, name):
    (photo,) = uploader.send(part(data, name)).json()["photos"]
    return photo


def opened(response):
    return Image.open(BytesIO(response.content))


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "image/jpeg"),
        ("*/*", "image/jpeg"),
        ("image/*", "image/jpeg"),
        ("text/html", "image/jpeg"),
        ("image/webp", "image/webp"),
        ("image/avif", "image/avif"),
        ("image/jpeg;q=0.5, image/webp;q=0.4", "image/jpeg"),
        ("image/webp;q=0, */*", "image/jpeg"),
        (BROWSER, "image/webp"),
        (OLD_BROWSER, "image/jpeg"),
        ("image/;;q=x,,,", "image/jpeg"),
        ("image/webp," + "x" * 5000, "image/webp"),
    ],
)
def test_the_format_of_a_preview_follows_accept(photo, http, accept, media_type):
    answer = http.get(f"{photo['link']}?size=256", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == media_type
    assert f"image/{opened(answer).format.lower()}" == media_type
    assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize("media_format", ["jpeg", "webp", "avif"])
def test_a_format_that_is_asked_for_wins_over_accept(photo, http, media_format):
    answer = http.get(f"{photo['link']}?size=256&format={media_format}", headers={"Accept": "image/png"})
    assert answer.headers["Content-Type"] == f"image/{media_format}"
    assert "Vary" not in answer.headers


def test_every_preview_has_a_tag_of_its_own(photo, http):
    links = [photo["link"], *(f"{photo['link']}?size={size}&format=jpeg" for size in (256, 512))]
    links.append(f"{photo['link']}?size=256&format=webp")
    assert len({http.get(link).headers["ETag"] for link in links}) == 4


@pytest.mark.parametrize(
    ("size", "shape"), [(256, (256, 171)), (512, (512, 341)), (1024, (600, 400)), (2048, (600, 400))]
)
def test_a_preview_fits_into_its_box_and_is_never_enlarged(uploader, http, size, shape):
    photo = put(uploader, jpeg(600, 400, seed=91), "wide.jpg")
    assert opened(http.get(f"{photo['link']}?size={size}")).size == shape


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_told_and_shown_upright(uploader, http, orientation):
    photo = put(uploader, oriented(orientation), "turned.jpg")
    assert (photo["width"], photo["height"]) == (96, 64)
    assert opened(http.get(f"{photo['link']}?size=256")).size == (96, 64)


def photo_with_position():
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (55.0, 45.0, 7.0), 3: "E", 4: (37.0, 36.0, 56.0)})
    return jpeg(300, 200, seed=92, exif=exif)


@pytest.mark.parametrize("media_format", ["jpeg", "webp", "avif"])
def test_a_preview_carries_no_metadata(uploader, http, media_format):
    data = photo_with_position()
    assert Image.open(BytesIO(data)).getexif().get_ifd(0x8825)
    photo = put(uploader, data, "home.jpg")
    answer = http.get(f"{photo['link']}?size=256&format={media_format}")
    preview = opened(answer)
    assert not preview.getexif()
    assert not {"exif", "xmp", "comment", "photoshop"} & set(preview.info)
    assert b"Secret" not in answer.content
    assert b"Exif" not in answer.content


def test_a_photo_in_the_trash_is_previewed_there_alone_and_nobody_may_keep_it(uploader, http):
    photo = put(uploader, jpeg(640, 480, seed=9), "gone.jpg")["id"]
    target = f"/api/v1/photos/{photo}/trashed-preview"
    problem(uploader.get(target), 404, "photo_not_found")
    http.delete(f"{uploader.url}/api/v1/photos/{photo}", timeout=60).raise_for_status()
    for query, size in (("", (256, 192)), ("?size=512", (512, 384)), ("?size=512", (512, 384))):
        answer = uploader.get(target + query)
        assert (opened(answer).size, answer.headers["Content-Type"]) == (size, "image/jpeg")
        assert answer.headers["Cache-Control"] == "private, no-store"
    problem(uploader.get(f"{target}?size=640"), 400, "invalid_parameter")
    http.post(f"{uploader.url}/api/v1/photos/{photo}/restore", timeout=60).raise_for_status()
    problem(uploader.get(target), 404, "photo_not_found")
