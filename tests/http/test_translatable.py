"""What a client needs to tell a refusal in its own language: stable words and numbers beside the English detail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from albumen.imaging.formats import strangers
from forms import FORM, form, part, problem
from pictures import gif_bomb, heic, jpeg, of_size, png_bomb, tiff_chain, truncate

DOCUMENTED = {"type", "title", "status", "detail", "code"}
PAGE = Path(__file__).parents[2] / "docs" / "http-api.md"


def members(client, data):
    """Upload one photo that is refused; return the members of its problem that belong to its code alone."""
    (entry,) = client.post("/upload", data=form(part(data)), headers=FORM).get_json()["photos"]
    return {key: value for key, value in entry["problem"].items() if key not in DOCUMENTED}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", {}, id="empty"),
        pytest.param(b"%PDF-1.7", {"kind": "pdf"}, id="PDF"),
        pytest.param(b"notes\n", {"kind": "text"}, id="text"),
        pytest.param(b"\x80\x81\x00\x01", {"kind": None}, id="unknown"),
        pytest.param(png_bomb(0, 5), {"kind": None, "media_type": "image/png"}, id="PNG without area"),
        pytest.param(tiff_chain(3, cyclic=True), {"kind": None, "media_type": "image/tiff"}, id="broken TIFF"),
        pytest.param(truncate(heic(), 0.5), {"bytes": len(heic()) // 2, "media_type": "image/heic"}, id="cut HEIC"),
        pytest.param(
            png_bomb(60_000, 60_000),
            {"limit": 200_000_000, "pixels": 3_600_000_000, "width": 60_000, "height": 60_000},
            id="many pixels",
        ),
        pytest.param(gif_bomb(600), {"limit": 500}, id="many frames"),
    ],
)
def test_a_rejected_photo_tells_why_in_numbers_and_stable_words(client, data, expected):
    assert members(client, data) == expected


def test_limits_of_a_request_are_told_in_numbers(make_app):
    client = make_app(max_photo_bytes=1000, max_photos=2).test_client()
    assert members(client, of_size(1500)) == {"limit": 1000}
    answer = client.post("/upload", data=form(*(part(jpeg(8, 8, seed=seed)) for seed in range(3))), headers=FORM)
    assert problem(answer, 413, "too_many_photos")["limit"] == 2


def test_every_kind_of_stranger_is_documented():
    (listed,) = re.findall(
        r"^- `kind` \(`not_a_photo`\): what it is instead: (.*?);", PAGE.read_text("utf-8"), re.MULTILINE
    )
    source = Path(strangers.__file__).read_text("utf-8")
    assert set(re.findall(r"`(\w+)`", listed)) == set(re.findall(r'Stranger\("(\w+)"', source))


def test_the_session_tells_what_the_server_takes(make_app):
    limits = make_app(max_photo_bytes=1000, max_photos=2, max_pixels=3, max_frames=4, trash_days=5).test_client()
    told = limits.get("/api/v1/session").get_json()["limits"]
    assert [told[key] for key in ("max_photo_bytes", "max_photos", "max_pixels", "max_frames")] == [1000, 2, 3, 4]
    assert set(told["media_types"]) >= {"image/jpeg", "image/heic", "image/avif"}
    assert told["preview_sizes"] == [256, 512, 1024, 2048]
    assert told["trash_days"] == 5


def test_what_the_session_promises_can_be_asked_for(client):
    told = client.get("/api/v1/session").get_json()["limits"]
    many = [f"0197c5a2-8f4e-7c31-9d0a-{number:012x}" for number in range(told["max_downloaded"] + 1)]
    assert client.get(f"/api/v1/photos?limit={told['max_per_page']}").status_code == 200
    assert client.get(f"/api/v1/photos?limit={told['max_per_page'] + 1}").status_code == 400
    for path, most in (("trash", told["max_moved"]), ("restore", told["max_moved"])):
        assert client.post(f"/api/v1/photos/{path}", json={"ids": many[:most]}).status_code == 200
        assert client.post(f"/api/v1/photos/{path}", json={"ids": many[: most + 1]}).status_code == 400
    assert client.post("/api/v1/photos/archive", json={"ids": many[:-1]}).status_code == 404
    assert client.post("/api/v1/photos/archive", json={"ids": many}).status_code == 400
