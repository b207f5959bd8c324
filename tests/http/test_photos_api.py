"""The resources under /api/v1 and the list of all names, on a real data directory without a network."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from forms import FORM, field, form, ids, part, problem, sha256, statuses
from pictures import jpeg, of_size

UNKNOWN = "0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44"
NEXT = re.compile(r'<http://localhost([^>]+)>; rel="next"')


def upload(client, *photos, dataset="main"):
    """Upload (name, bytes) pairs; return the answer."""
    parts = [part(data, name) for name, data in photos]
    return client.post(f"/upload?dataset={dataset}", data=form(*parts), headers=FORM).get_json()


def some(count, start=0):
    return [(f"IMG_{number}.jpg", of_size(2000, seed=number)) for number in range(start, start + count)]


def listed(client, query=""):
    return client.get(f"/api/v1/photos?{query}").get_json()["photos"]


def names(client, query=""):
    return [photo["name"] for photo in listed(client, query)]


def walk(client, target):
    """Follow the links from page to page; return the answers."""
    answers = []
    while target:
        answers.append(client.get(target))
        link = NEXT.fullmatch(answers[-1].headers.get("Link", ""))
        target = link and link[1]
    return answers


def test_pages_lead_through_all_photos_newest_first(client):
    uploaded = ids(upload(client, *some(10)))
    pages = walk(client, "/api/v1/photos?limit=3")
    assert [len(page.get_json()["photos"]) for page in pages] == [3, 3, 3, 1]
    assert [photo["id"] for page in pages for photo in page.get_json()["photos"]] == uploaded[::-1]
    assert [page.get_json()["next"] for page in pages][-1] is None


def test_the_last_full_page_has_no_next_one(client):
    upload(client, *some(6))
    pages = walk(client, "/api/v1/photos?limit=3")
    assert [len(page.get_json()["photos"]) for page in pages] == [3, 3]
    assert "Link" not in pages[-1].headers


def test_photos_that_arrive_meanwhile_do_not_disturb_the_pages(client):
    uploaded = ids(upload(client, *some(4)))
    first = client.get("/api/v1/photos?limit=2").get_json()
    upload(client, *some(3, start=50))
    second = listed(client, f"limit=2&cursor={first['next']}")
    assert [photo["id"] for photo in first["photos"] + second] == uploaded[::-1]


def test_the_link_to_the_next_page_keeps_the_filters(client):
    upload(client, *((f"Кот {number}.jpg", of_size(2000, seed=number)) for number in range(5)), dataset="cats")
    upload(client, *some(5, start=10), dataset="cats")
    pages = walk(client, "/api/v1/photos?limit=2&dataset=cats&name=%D0%9A%D0%9E%D0%A2")
    assert [len(page.get_json()["photos"]) for page in pages] == [2, 2, 1]


def test_a_list_is_of_one_dataset_or_of_all(client):
    upload(client, *some(2), dataset="one")
    upload(client, *some(3), dataset="two")
    assert len(listed(client)) == 5
    assert {photo["dataset"] for photo in listed(client, "dataset=two")} == {"two"}
    assert len(listed(client, "dataset=")) == 5
    problem(client.get("/api/v1/photos?dataset=three"), 404, "dataset_not_found")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("img", ["IMG_1.jpg"]),
        ("севере", ["Мишка на Севере.jpg"]),
        ("МИШКА", ["Мишка на Севере.jpg"]),
        ("ё", ["Ёлка.jpg"]),
        ("100%", ["100% sure!.jpg"]),
        ("_", ["IMG_1.jpg"]),
        ("%", ["100% sure!.jpg"]),
        ("!", ["100% sure!.jpg"]),
        ("STRASSE", ["Straße.jpg"]),
        (".JPG", ["Straße.jpg", "100% sure!.jpg", "Ёлка.jpg", "Мишка на Севере.jpg", "IMG_1.jpg"]),
        ("nothing like that", []),
        ("' OR 1=1 --", []),
    ],
)
def test_a_name_is_found_by_any_part_of_it_in_any_case(client, wanted, found):
    given = ("IMG_1.jpg", "Мишка на Севере.jpg", "Ёлка.jpg", "100% sure!.jpg", "Straße.jpg")
    upload(client, *((name, of_size(2000, seed=number)) for number, name in enumerate(given)))
    answer = client.get("/api/v1/photos", query_string={"name": wanted}).get_json()
    assert [photo["name"] for photo in answer["photos"]] == found


def test_a_listed_photo_tells_what_it_is(client):
    before = datetime.now(UTC)
    data = jpeg(80, 60, seed=3)
    (photo,) = upload(client, ("a.jpg", data))["photos"]
    (shown,) = listed(client)
    uploaded_at = datetime.fromisoformat(shown.pop("uploaded_at"))
    assert before - timedelta(seconds=1) <= uploaded_at <= datetime.now(UTC)
    expected = {key: value for key, value in photo.items() if key not in {"index", "status"}}
    assert shown == {
        **expected,
        "dataset": "main",
        "deleted_at": None,
        "placeholder": None,
        "frames": 1,
        "taken_at": None,
    }


def photo_with_exif():
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Nikon", "D850"
    exif.get_ifd(0x8769).update({0x9003: "2024:05:06 07:08:09", 0xA434: "50mm f/1.8"})
    exif.get_ifd(0x8825).update({1: "N", 2: (55.0, 45.0, 0.0), 3: "E", 4: (37.0, 30.0, 0.0)})
    return jpeg(320, 200, seed=4, exif=exif)


def test_details_are_silent_until_the_background_work_is_done(client):
    (photo,) = upload(client, ("exif.jpg", photo_with_exif()))["photos"]
    details = client.get(f"/api/v1/photos/{photo['id']}").get_json()
    assert details["derivation"] == "pending"
    assert [details[key] for key in ("taken_at", "camera", "lens", "position", "placeholder")] == [None] * 5


def test_details_tell_what_the_camera_wrote_once_the_background_work_is_done(client, services):
    (photo,) = upload(client, ("exif.jpg", photo_with_exif()))["photos"]
    assert services.derivation.work(lambda: False) == 1
    details = client.get(f"/api/v1/photos/{photo['id']}").get_json()
    assert details["derivation"] == "done"
    assert details["taken_at"] == "2024-05-06T07:08:09"
    assert (details["camera"], details["lens"]) == ("Nikon D850", "50mm f/1.8")
    assert details["position"] == {"latitude": pytest.approx(55.75), "longitude": pytest.approx(37.5)}
    assert details["frames"] == 1
    (shown,) = listed(client)
    assert shown["placeholder"] is not None
    assert {key: details[key] for key in shown} == shown


def test_a_photo_gets_another_name(client):
    (photo,) = upload(client, ("old.jpg", of_size(2000)))["photos"]
    answer = client.patch(f"/api/v1/photos/{photo['id']}", json={"name": "dir/Новое имя.jpg"})
    assert answer.get_json()["name"] == "Новое имя.jpg"
    assert names(client, "name=%D0%B8%D0%BC%D1%8F") == ["Новое имя.jpg"]
    assert client.get("/display", query_string={"id": "Новое имя.jpg"}).status_code == 200
    problem(client.get("/display?id=old.jpg"), 404, "photo_not_found")


def test_a_search_for_more_than_a_name_can_hold_is_refused(client):
    assert names(client, f"name={'_' * 255}") == []
    body = problem(client.get(f"/api/v1/photos?name={'_' * 256}"), 400, "invalid_parameter")
    assert body["parameter"] == "name"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "  "}, {"name": 5}, {"name": None}, {"name": "a\x00b"}])
def test_a_bad_name_is_refused(client, body):
    (photo,) = upload(client, ("a.jpg", of_size(2000)))["photos"]
    problem(client.patch(f"/api/v1/photos/{photo['id']}", json=body), 400, "invalid_parameter")
    assert names(client) == ["a.jpg"]


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b'{"name": "x"}', "text/plain", 415, "unsupported_body"),
        (b'{"name": ', "application/json", 400, "malformed_body"),
        (b"", "application/json", 400, "malformed_body"),
        (b"[]", "application/json", 400, "malformed_body"),
        (b'{"a":' + b"[" * 100_000, "application/json", 400, "malformed_body"),
        (b'{"name":' + b"9" * 5000 + b"}", "application/json", 400, "malformed_body"),
        (b'{"name": "' + b"x" * 2_000_001 + b'"}', "application/json", 413, "request_entity_too_large"),
        (b'{"name": "\xff"}', "application/json", 400, "malformed_body"),
        (b'{"name": "\\ud800"}', "application/json", 400, "invalid_parameter"),
    ],
)
def test_a_body_that_is_no_proper_json_is_refused(client, data, content_type, status, code):
    target = f"/api/v1/photos/{UNKNOWN}"
    problem(client.patch(target, data=data, headers={"Content-Type": content_type}), status, code)


def test_a_deleted_photo_is_in_the_trash_and_nowhere_else(client):
    first, second = ids(upload(client, *some(2)))
    assert client.delete(f"/api/v1/photos/{first}").status_code == 204
    assert [photo["id"] for photo in listed(client)] == [second]
    (trashed,) = listed(client, "trash=true")
    assert trashed["id"] == first
    assert trashed["deleted_at"] is not None
    problem(client.get(f"/api/v1/photos/{first}"), 404, "photo_not_found")
    assert [photo["id"] for photo in client.get("/get_value").get_json()] == [second]


def test_a_deleted_photo_can_be_restored(client):
    (photo,) = ids(upload(client, *some(1)))
    client.delete(f"/api/v1/photos/{photo}")
    restored = client.post(f"/api/v1/photos/{photo}/restore")
    assert (restored.status_code, restored.get_json()["deleted_at"]) == (200, None)
    assert [shown["id"] for shown in listed(client)] == [photo]
    assert listed(client, "trash=true") == []


def test_what_was_uploaded_again_meanwhile_cannot_be_restored(client):
    (old,) = ids(upload(client, *some(1)))
    client.delete(f"/api/v1/photos/{old}")
    again = upload(client, *some(1))
    assert statuses(again) == ["created"]
    body = problem(client.post(f"/api/v1/photos/{old}/restore"), 409, "already_in_dataset")
    assert [body["id"]] == ids(again)


@pytest.mark.parametrize("photo_id", [UNKNOWN, "x", "%00"])
def test_a_photo_that_is_not_there_cannot_be_changed(client, photo_id):
    target = f"/api/v1/photos/{photo_id}"
    for answer in (client.delete(target), client.patch(target, json={"name": "x"}), client.post(f"{target}/restore")):
        problem(answer, 404, "photo_not_found")


def test_a_photo_cannot_be_deleted_twice_nor_restored_when_it_is_not_in_the_trash(client):
    (photo,) = ids(upload(client, *some(1)))
    problem(client.post(f"/api/v1/photos/{photo}/restore"), 404, "photo_not_found")
    client.delete(f"/api/v1/photos/{photo}")
    problem(client.delete(f"/api/v1/photos/{photo}"), 404, "photo_not_found")
    problem(client.patch(f"/api/v1/photos/{photo}", json={"name": "x"}), 404, "photo_not_found")


def test_trash_is_true_or_false(client):
    assert problem(client.get("/api/v1/photos?trash=yes"), 400, "invalid_parameter")["parameter"] == "trash"


def test_known_tells_which_photos_a_dataset_holds_already(client):
    held, other = some(2)
    answer = upload(client, held, dataset="one")
    asked = {"dataset": "one", "sha256": [sha256(held[1]), sha256(other[1])]}
    (known,) = client.post("/api/v1/photos/known", json=asked).get_json()["known"]
    (photo,) = answer["photos"]
    assert known == {"sha256": sha256(held[1]), "id": photo["id"], "link": photo["link"]}


def test_known_is_about_one_dataset_and_not_about_the_trash(client):
    (data,) = some(1)
    digests = [sha256(data[1])]
    (photo,) = ids(upload(client, data))
    for dataset in ("other", "never-heard-of"):
        assert ask_known(client, {"dataset": dataset, "sha256": digests}) == []
    assert len(ask_known(client, {"sha256": digests})) == 1
    client.delete(f"/api/v1/photos/{photo}")
    assert ask_known(client, {"sha256": digests}) == []


def ask_known(client, body):
    return client.post("/api/v1/photos/known", json=body).get_json()["known"]


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"sha256": None}, {"sha256": "ab"}, {"sha256": ["A" * 64]}, {"sha256": [5]}, {"sha256": ["a" * 63]}),
        *({"sha256": ["a" * 64] * 10_001}, {"sha256": [], "dataset": "No Slug"}, {"sha256": [], "dataset": 5}),
    ],
)
def test_known_refuses_what_it_cannot_look_up(client, body):
    problem(client.post("/api/v1/photos/known", json=body), 400, "invalid_parameter")


def test_the_list_of_names_tells_id_name_and_link_of_all_photos(client):
    photos = upload(client, *some(3), dataset="one")["photos"] + upload(client, ("ё.jpg", of_size(3000)))["photos"]
    expected = [{key: photo[key] for key in ("id", "name", "link")} for photo in reversed(photos)]
    assert client.get("/get_value").get_json() == expected


def test_the_list_of_names_of_an_empty_server_is_an_empty_list(client):
    assert client.get("/get_value").get_json() == []


def test_the_list_of_names_is_streamed_in_steps(client):
    upload(client, *((f"{number}.jpg", of_size(1500, seed=number)) for number in range(1100)))
    answer = client.get("/get_value")
    steps = list(answer.response)
    assert len(steps) == 3
    assert len(json.loads(b"".join(steps))) == 1100
    assert answer.content_length is None


def test_the_list_of_names_can_be_read_in_pages(client):
    uploaded = ids(upload(client, *some(7)))
    pages = walk(client, "/get_value?limit=3")
    assert [photo["id"] for page in pages for photo in page.get_json()] == uploaded[::-1]
    assert [len(page.get_json()) for page in pages] == [3, 3, 1]


def test_the_list_of_names_of_a_dataset_holds_no_others(client, monkeypatch):
    monkeypatch.setattr("albumen.services.photos.STREAM_STEP", 2)
    cats = ids(upload(client, *some(3), dataset="cats"))
    upload(client, *some(3), dataset="dogs")
    assert [photo["id"] for photo in client.get("/get_value?dataset=cats").get_json()] == cats[::-1]
    pages = walk(client, "/get_value?dataset=cats&limit=2")
    assert [len(page.get_json()) for page in pages] == [2, 1]
    problem(client.get("/get_value?dataset=none"), 404, "dataset_not_found")
    problem(client.get("/get_value?dataset=none&limit=2"), 404, "dataset_not_found")


def test_a_dataset_field_and_the_query_lead_to_the_same_dataset(client):
    body = form(field("dataset", "named"), part(of_size(2000)))
    client.post("/upload", data=body, headers=FORM)
    assert len(listed(client, "dataset=named")) == 1
