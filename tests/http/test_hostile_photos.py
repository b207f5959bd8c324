"""Files that are no photos, or that would cost too much: each is refused by its code, and the server goes on."""

from __future__ import annotations

import zlib

import pytest

from forms import codes, part, sha256, statuses
from pictures import PNG_SIGNATURE, gif_bomb, jpeg, of_size, png, png_bomb, png_chunk, tiff_chain, truncate

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><script/></svg>'
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
HTML = b"<!doctype html><script>alert(1)</script>"
ZIP_END = b"PK\x05\x06" + bytes(18)
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42" + b"\x00\x00\x00\x08mdat"


def big_text_chunk():
    """A PNG whose text chunk blows up to 100 MB once inflated."""
    text = png_chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(100_000_000), 9))
    plain = png(seed=77)
    return plain[:33] + text + plain[33:]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(png_bomb(60_000, 60_000), "too_many_pixels", id="PNG of 60,000 x 60,000"),
        pytest.param(png_bomb(2**31 - 1, 1), "too_many_pixels", id="endless PNG line"),
        pytest.param(png_bomb(0, 5), "not_a_photo", id="PNG without area"),
        pytest.param(gif_bomb(10_000), "too_many_frames", id="GIF of 10,000 frames"),
        pytest.param(gif_bomb(1, 65_000, 65_000), "too_many_pixels", id="GIF of 65,000 x 65,000"),
        pytest.param(tiff_chain(10_000), "too_many_frames", id="TIFF of 10,000 pages"),
        pytest.param(tiff_chain(501, big=True), "too_many_frames", id="BigTIFF of 501 pages"),
        pytest.param(tiff_chain(3, cyclic=True), "not_a_photo", id="TIFF that bites its tail"),
        pytest.param(SVG, "not_a_photo", id="SVG"),
        pytest.param(b" \n<!-- x -->" + SVG[21:], "not_a_photo", id="SVG behind a comment"),
        pytest.param(PDF, "not_a_photo", id="PDF"),
        pytest.param(HTML, "not_a_photo", id="HTML"),
        pytest.param(MP4, "not_a_photo", id="video"),
        pytest.param(ZIP_END, "not_a_photo", id="ZIP"),
        pytest.param(HTML + jpeg(), "not_a_photo", id="HTML with a JPEG behind it"),
        pytest.param(PDF + jpeg(), "not_a_photo", id="PDF with a JPEG behind it"),
        pytest.param(PNG_SIGNATURE, "truncated", id="PNG signature alone"),
        pytest.param(b"\xff\xd8\xff", "truncated", id="JPEG start alone"),
        pytest.param(truncate(png(200, 200), 0.6), "truncated", id="PNG cut in its data"),
        pytest.param(bytes(5000), "not_a_photo", id="zeros"),
    ],
)
def test_a_hostile_file_is_rejected_by_its_code_and_the_photo_beside_it_is_taken(uploader, data, code):
    answer = uploader.send(part(data, "IMG_1.jpg"), part(of_size(7000), "IMG_2.jpg")).json()
    assert statuses(answer) == ["rejected", "created"]
    assert codes(answer) == [code]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(of_size(7100) + HTML, id="HTML behind a JPEG"),
        pytest.param(of_size(7200) + ZIP_END, id="ZIP behind a JPEG"),
        pytest.param(b"\xff\xd8\xff\xfe\x00\x2a" + HTML + of_size(7300)[2:], id="HTML in a comment"),
        pytest.param(png(seed=73) + PDF, id="PDF behind a PNG"),
    ],
)
def test_a_polyglot_is_a_photo_to_everybody_who_reads_it_from_us(uploader, data):
    (photo,) = uploader.send(part(data, "index.html")).json()["photos"]
    answer = uploader.http.get(photo["link"])
    assert sha256(answer.content) == sha256(data)
    assert answer.headers["Content-Type"] == photo["media_type"]
    assert photo["media_type"].startswith("image/")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    preview = uploader.http.get(f"{photo['link']}?size=256").content
    assert not any(stowaway in preview for stowaway in (HTML, PDF, ZIP_END))


def test_a_photo_whose_text_blows_up_harms_nobody(uploader):
    (photo,) = uploader.send(part(big_text_chunk(), "text.png")).json()["photos"]
    assert photo["status"] == "created"
    assert uploader.http.get(f"{photo['link']}?size=256").status_code in {200, 422}
    assert uploader.get("/health/ready").status_code == 200


def test_a_chain_within_the_limit_is_one_photo_of_many_frames(uploader):
    (photo,) = uploader.send(part(tiff_chain(500), "scan.tif")).json()["photos"]
    assert uploader.get(f"/api/v1/photos/{photo['id']}").json()["frames"] == 500


def test_a_photo_that_cannot_be_decoded_keeps_its_original_and_has_no_preview(uploader):
    whole = png(300, 200, seed=75)
    damaged = whole[:41] + bytes(byte ^ 0x5A for byte in whole[41:-40]) + whole[-40:]
    (photo,) = uploader.send(part(damaged, "damaged.png")).json()["photos"]
    assert photo["status"] == "created"
    assert uploader.http.get(photo["link"]).content == damaged
    for _ in range(2):
        preview = uploader.http.get(f"{photo['link']}?size=256")
        assert (preview.status_code, preview.json()["code"]) == (422, "preview_failed")
