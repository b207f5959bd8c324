"""What is done to many photos at once, over HTTP: the trash and back."""

from __future__ import annotations

import pytest

from forms import FORM, form, ids, part, problem
from pictures import of_size

UNKNOWN = "0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44"


def upload(client, *sizes, dataset="main"):
    """Upload a photo of each size; return their ids in order."""
    body = form(*(part(of_size(size)) for size in sizes))
    return ids(client.post(f"/upload?dataset={dataset}", data=body, headers=FORM).get_json())


def move(client, where, photo_ids):
    answer = client.post(f"/api/v1/photos/{where}", json={"ids": photo_ids})
    assert answer.status_code == 200, answer.data
    return answer.get_json()


def listed(client, query=""):
    return [photo["id"] for photo in client.get(f"/api/v1/photos?{query}").get_json()["photos"]]


def totals(client):
    stats = client.get("/api/v1/stats").get_json()
    return stats["photos"], stats["bytes"]


def test_many_photos_go_to_the_trash_and_come_back(client):
    photos = upload(client, 2000, 3000, dataset="one") + upload(client, 4000, dataset="two")
    assert move(client, "trash", photos) == {"done": photos, "missing": [], "twins": []}
    assert (listed(client), sorted(listed(client, "trash=true")), totals(client)) == ([], sorted(photos), (0, 0))
    assert move(client, "restore", photos[1:]) == {"done": photos[1:], "missing": [], "twins": []}
    assert (sorted(listed(client)), totals(client)) == (sorted(photos[1:]), (2, 7000))


def test_photos_that_are_not_there_are_told_and_the_others_move(client):
    first, second = upload(client, 2000, 3000)
    client.delete(f"/api/v1/photos/{first}")
    assert move(client, "trash", [UNKNOWN, second, first]) == {
        "done": [second],
        "missing": [UNKNOWN, first],
        "twins": [],
    }
    assert move(client, "restore", [first, UNKNOWN, first]) == {"done": [first], "missing": [UNKNOWN], "twins": []}
    assert move(client, "restore", [first]) == {"done": [], "missing": [first], "twins": []}
    assert totals(client) == (1, 2000)


def test_a_photo_that_is_named_twice_counts_once(client):
    (photo,) = upload(client, 2000)
    assert move(client, "trash", [photo, photo])["done"] == [photo]
    assert totals(client) == (0, 0)


def test_a_photo_that_was_uploaded_again_meanwhile_stays_in_the_trash(client):
    old, other = upload(client, 2000, 3000)
    move(client, "trash", [old, other])
    (again,) = upload(client, 2000)
    answer = move(client, "restore", [old, other])
    assert answer == {"done": [other], "missing": [], "twins": [{"id": old, "twin": again}]}
    assert (sorted(listed(client)), totals(client)) == (sorted([other, again]), (2, 5000))


def test_of_equal_photos_in_the_trash_only_the_newest_comes_back(client):
    equal = []
    for _ in range(3):
        equal += upload(client, 2000)
        move(client, "trash", equal)
    answer = move(client, "restore", equal)
    assert answer["done"] == equal[2:]
    assert {twin["id"]: twin["twin"] for twin in answer["twins"]} == dict.fromkeys(equal[:2], equal[2])
    assert totals(client) == (1, 2000)


def test_nothing_to_move_is_fine(client):
    assert move(client, "trash", []) == move(client, "restore", []) == {"done": [], "missing": [], "twins": []}


@pytest.mark.parametrize("where", ["trash", "restore"])
@pytest.mark.parametrize(
    "body", [{}, {"ids": None}, {"ids": UNKNOWN}, {"ids": [5]}, {"ids": ["x"]}, {"ids": [UNKNOWN] * 1001}]
)
def test_a_list_that_is_none_of_ids_is_refused(client, where, body):
    answer = client.post(f"/api/v1/photos/{where}", json=body)
    assert problem(answer, 400, "invalid_parameter")["parameter"] == "ids"


def test_a_thousand_photos_are_taken_at_once(client):
    photos = [f"0197c5a2-8f4e-7c31-9d0a-{number:012x}" for number in range(1000)]
    assert move(client, "trash", photos)["missing"] == photos
