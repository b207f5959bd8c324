"""Many photos as one ZIP file over HTTP: whole or refused, never silently less."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import zipfile
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from albumen.domain.access import Role
from conftest import tool
from forms import FORM, form, ids, part, problem
from pictures import jpeg, of_size
from wire import eventually

UNKNOWN = "0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44"
ARCHIVE = "/api/v1/photos/archive"
FORM_FIELDS = "application/x-www-form-urlencoded"
LARGE = 20_000_000  # more than a server and its client hold of an answer that nobody reads


def upload(client, *photos):
    """Upload (name, bytes) pairs; return their ids."""
    body = form(*(part(data, name) for name, data in photos))
    return ids(client.post("/upload", data=body, headers=FORM).get_json())


def download(client, photo_ids):
    """Download photos; return the archive and its bytes."""
    answer = client.post(ARCHIVE, json={"ids": photo_ids})
    assert (answer.status_code, answer.mimetype) == (200, "application/zip"), answer.data
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    return zipfile.ZipFile(io.BytesIO(answer.data)), answer.data


def test_an_archive_has_the_photos_byte_for_byte_in_the_order_asked_for(client):
    photos = [("b.jpg", jpeg(seed=1)), ("Мишка.jpg", of_size(3_000_000)), ("a.jpg", of_size(1 << 20, seed=2))]
    uploaded = upload(client, *photos)
    archive, _ = download(client, uploaded[::-1])
    assert archive.testzip() is None
    assert archive.namelist() == ["a.jpg", "Мишка.jpg", "b.jpg"]
    assert [archive.read(name) for name, _ in photos] == [data for _, data in photos]


def test_equal_and_dangerous_names_are_made_different_and_safe(client):
    names = ["a.jpg", "A.JPG", "..", "a:b.jpg"]
    uploaded = upload(client, *((name, of_size(2000, seed=seed)) for seed, name in enumerate(names)))
    archive, _ = download(client, uploaded)
    assert archive.namelist() == ["a.jpg", "A (2).JPG", "photo", "a_b.jpg"]


def test_a_photo_named_twice_is_in_the_archive_once(client):
    (photo,) = upload(client, ("a.jpg", of_size(2000)))
    archive, _ = download(client, [photo, photo])
    assert archive.namelist() == ["a.jpg"]


def test_the_same_photos_make_the_same_archive(client):
    uploaded = upload(client, ("a.jpg", of_size(2000)), ("b.jpg", of_size(3000)))
    assert download(client, uploaded)[1] == download(client, uploaded)[1]


def test_other_programs_read_the_archive(client, tmp_path):
    uploaded = upload(client, ("a.jpg", of_size(2000)), ("Ёж.jpg", of_size(2_000_000)))
    path = tmp_path / "photos.zip"
    path.write_bytes(download(client, uploaded)[1])
    tested = subprocess.run([tool("unzip"), "-t", path], capture_output=True, text=True, check=False, timeout=60)
    assert tested.returncode == 0, tested.stdout


def test_a_form_of_a_browser_downloads_too(client):
    first, second = upload(client, ("a.jpg", of_size(2000)), ("b.jpg", of_size(3000)))
    for fields in (
        [("ids", first), ("ids", second)],
        [("ids", f"{first},{second}")],
        [("ids", f"{first}\r\n{second}")],
    ):
        answer = client.post(ARCHIVE, data=urlencode(fields), content_type=FORM_FIELDS)
        assert answer.headers["Content-Disposition"] == 'attachment; filename="photos.zip"'
        assert zipfile.ZipFile(io.BytesIO(answer.data)).namelist() == ["a.jpg", "b.jpg"]


def test_ten_thousand_ids_fit_into_a_form_and_into_json(client):
    many = [f"0197c5a2-8f4e-7c31-9d0a-{number:012x}" for number in range(10_000)]
    answers = [
        client.post(ARCHIVE, json={"ids": many}),
        client.post(ARCHIVE, data=urlencode({"ids": many}, doseq=True), content_type=FORM_FIELDS),
        client.post(ARCHIVE, data={"ids": ",".join(many)}, content_type=FORM_FIELDS),
    ]
    assert [len(problem(answer, 404, "photo_not_found")["ids"]) for answer in answers] == [10_000] * 3


def test_an_archive_is_no_page_and_stays_in_no_cache(client):
    (photo,) = upload(client, ("a.jpg", of_size(2000)))
    headers = client.post(ARCHIVE, json={"ids": [photo]}).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_photos_that_are_not_there_are_named_and_nothing_is_sent(client):
    here, trashed = upload(client, ("a.jpg", of_size(2000)), ("b.jpg", of_size(3000)))
    client.delete(f"/api/v1/photos/{trashed}")
    answer = client.post(ARCHIVE, json={"ids": [here, UNKNOWN, trashed]})
    assert problem(answer, 404, "photo_not_found")["ids"] == [UNKNOWN, trashed]


def test_photos_whose_bytes_are_missing_or_cut_are_named_and_nothing_is_sent(client, services):
    whole, gone, cut = upload(client, *((f"{size}.jpg", of_size(size)) for size in (2000, 3000, 4000)))
    paths = [services.store.locate(services.photos.get(photo).blob.key) for photo in (gone, cut)]
    paths[0].unlink()
    paths[1].chmod(0o644)
    paths[1].write_bytes(b"short")
    answer = client.post(ARCHIVE, json={"ids": [whole, gone, cut]})
    assert problem(answer, 500, "blob_damaged")["ids"] == [gone, cut]


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": UNKNOWN}, {"ids": ["x"]}, {"ids": [5]}, {"ids": [UNKNOWN] * 10_001}]
)
def test_a_list_that_is_none_of_ids_is_refused(client, body):
    assert problem(client.post(ARCHIVE, json=body), 400, "invalid_parameter")["parameter"] == "ids"


@pytest.mark.parametrize("fields", [{}, {"ids": ""}, {"ids": "x"}, {"ids": "../../etc/passwd"}, {"other": UNKNOWN}])
def test_a_form_without_proper_ids_is_refused(client, fields):
    answer = client.post(ARCHIVE, data=urlencode(fields), content_type=FORM_FIELDS)
    assert problem(answer, 400, "invalid_parameter")["parameter"] == "ids"


def test_a_body_of_another_type_is_refused(client):
    problem(client.post(ARCHIVE, data=form(part(b"x")), headers=FORM), 415, "unsupported_body")


def test_a_form_on_a_page_of_another_origin_downloads_nothing(app, client, services):
    (photo,) = upload(client, ("a.jpg", of_size(2000)))
    token = services.access.create("viewer", Role.VIEWER)
    eventually(lambda: app.test_client().get("/api/v1/photos").status_code == 401, "the server stayed open")
    browser = app.test_client()
    browser.post("/api/v1/session", json={"key": str(token)})
    for origin in ("http://evil.example", "null"):
        answer = browser.post(ARCHIVE, data={"ids": photo}, content_type=FORM_FIELDS, headers={"Origin": origin})
        problem(answer, 403, "cross_origin")
    answer = browser.post(
        ARCHIVE, data={"ids": photo}, content_type=FORM_FIELDS, headers={"Origin": "http://localhost"}
    )
    assert answer.status_code == 200


def test_bytes_that_vanish_on_the_way_leave_the_archive_visibly_unfinished(server):
    photo_ids = []
    for seed in range(4):
        sent = requests.put(f"{server.url}/api/v1/photos", data=of_size(LARGE, seed=seed), timeout=60)
        photo_ids.append(sent.json()["id"])
    body = json.dumps({"ids": photo_ids}).encode()
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), 60) as link:
        lines = (f"POST {ARCHIVE} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json")
        link.sendall("\r\n".join((*lines, f"Content-Length: {len(body)}", "", "")).encode() + body)
        received = 0
        while received < 100_000:  # the first photo is open by then
            received += len(link.recv(10_000))
        for path in (server.data / "blobs").rglob("*.jpg"):
            path.unlink()
        while chunk := link.recv(1 << 20):
            received += len(chunk)
    assert LARGE < received < 4 * LARGE
