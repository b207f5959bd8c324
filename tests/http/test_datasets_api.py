"""Datasets and totals over HTTP, on a real data directory without a network."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from forms import FORM, form, ids, part, problem
from pictures import of_size


def upload(client, dataset, *sizes):
    body = form(*(part(of_size(size)) for size in sizes))
    return client.post(f"/upload?dataset={dataset}", data=body, headers=FORM).get_json()


def totals(client, slug):
    dataset = client.get(f"/api/v1/datasets/{slug}").get_json()
    return dataset["photos"], dataset["bytes"]


def test_a_fresh_server_has_the_dataset_main(client):
    (main,) = client.get("/api/v1/datasets").get_json()["datasets"]
    assert (main["slug"], main["name"], main["photos"], main["bytes"]) == ("main", "main", 0, 0)
    assert datetime.fromisoformat(main["created_at"]) <= datetime.now(UTC)


def test_a_dataset_is_made_with_a_name_and_a_slug(client):
    made = client.post("/api/v1/datasets", json={"name": "Кошки и собаки", "slug": "cats-and-dogs"})
    assert made.status_code == 201
    assert made.get_json() == client.get("/api/v1/datasets/cats-and-dogs").get_json()
    assert made.get_json()["name"] == "Кошки и собаки"


def test_a_slug_is_made_from_the_name_when_none_is_given(client):
    assert client.post("/api/v1/datasets", json={"name": "Cats & Dogs 2"}).get_json()["slug"] == "cats-dogs-2"
    assert client.post("/api/v1/datasets", json={"name": "Кошки"}).get_json()["slug"] == "koshki"


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"name": ""}, {"name": " "}, {"name": 5}, {"name": "x" * 201}, {"name": "東京"}, {"name": "a\nb"}),
        *({"name": "a", "slug": "A"}, {"name": "a", "slug": 5}, {"name": "a", "slug": "x" * 64}, {"slug": "a"}),
    ],
)
def test_a_dataset_without_a_proper_name_or_slug_is_refused(client, body):
    problem(client.post("/api/v1/datasets", json=body), 400, "invalid_parameter")
    assert len(client.get("/api/v1/datasets").get_json()["datasets"]) == 1


def test_a_slug_is_given_once(client):
    client.post("/api/v1/datasets", json={"name": "Cats"})
    assert problem(client.post("/api/v1/datasets", json={"name": "CATS"}), 409, "dataset_exists")["dataset"] == "cats"


def test_a_dataset_gets_another_name_and_keeps_its_slug(client):
    upload(client, "cats", 2000)
    renamed = client.patch("/api/v1/datasets/cats", json={"name": " Коты и кошки "})
    assert renamed.status_code == 200
    assert renamed.get_json() == client.get("/api/v1/datasets/cats").get_json()
    assert (renamed.get_json()["name"], totals(client, "cats")) == ("Коты и кошки", (1, 2000))


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": " "}, {"name": 5}, {"name": "x" * 201}, {"name": "a\nb"}])
def test_a_dataset_keeps_its_name_when_the_new_one_is_not_allowed(client, body):
    problem(client.patch("/api/v1/datasets/main", json=body), 400, "invalid_parameter")
    assert client.get("/api/v1/datasets/main").get_json()["name"] == "main"


def test_a_dataset_that_is_not_there_cannot_be_renamed(client):
    answer = client.patch("/api/v1/datasets/none", json={"name": "Some"})
    assert problem(answer, 404, "dataset_not_found")["dataset"] == "none"


@pytest.mark.parametrize("slug", ["never-made", "No Slug", "%00", "x" * 300])
def test_an_unknown_dataset_is_not_found(client, slug):
    problem(client.get(f"/api/v1/datasets/{slug}"), 404, "dataset_not_found")


def test_datasets_are_listed_by_slug_with_their_totals(client):
    upload(client, "zebras", 2000, 3000)
    upload(client, "apes", 2000)
    datasets = client.get("/api/v1/datasets").get_json()["datasets"]
    shown = [(dataset["slug"], dataset["photos"], dataset["bytes"]) for dataset in datasets]
    assert shown == [("apes", 1, 2000), ("main", 0, 0), ("zebras", 2, 5000)]


def test_datasets_are_listed_in_pages_that_lead_to_each_other(client):
    for slug in ("apes", "bats", "cats"):
        upload(client, slug, 2000)
    target, slugs = "/api/v1/datasets?limit=2", []
    while target is not None:
        page = client.get(target)
        slugs.append([dataset["slug"] for dataset in page.get_json()["datasets"]])
        assert (page.get_json()["next"] is None) == ("Link" not in page.headers)
        target = page.headers["Link"].partition(">")[0].removeprefix("<") if "Link" in page.headers else None
    assert slugs == [["apes", "bats"], ["cats", "main"]]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=A%20B", "cursor="])
def test_a_page_of_datasets_that_cannot_be_is_refused(client, query):
    parameter = query.partition("=")[0]
    refused = problem(client.get(f"/api/v1/datasets?{query}"), 400, "invalid_parameter")
    assert refused["parameter"] == parameter


def test_a_cursor_of_no_dataset_goes_on_behind_it(client):
    upload(client, "zebras", 2000)
    (zebras,) = client.get("/api/v1/datasets?cursor=mainz").get_json()["datasets"]
    assert zebras["slug"] == "zebras"


def test_duplicates_and_rejected_photos_do_not_count(client):
    for _ in range(2):
        client.post("/upload", data=form(part(of_size(2000)), part(of_size(2000)), part(b"text")), headers=FORM)
    assert totals(client, "main") == (1, 2000)


def test_totals_follow_the_trash_and_back(client):
    first, _ = ids(upload(client, "main", 2000, 3000))
    client.delete(f"/api/v1/photos/{first}")
    assert totals(client, "main") == (1, 3000)
    client.post(f"/api/v1/photos/{first}/restore")
    assert totals(client, "main") == (2, 5000)


def test_statistics_tell_the_totals_whole_and_by_day(client):
    upload(client, "one", 2000)
    upload(client, "two", 3000)
    stats = client.get("/api/v1/stats").get_json()
    assert (stats["photos"], stats["bytes"]) == (2, 5000)
    assert sum(day["photos"] for day in stats["days"]) == 2
    assert sum(day["bytes"] for day in stats["days"]) == 5000
    assert all(datetime.fromisoformat(day["day"]) for day in stats["days"])


def test_statistics_of_an_empty_server_are_zero(client):
    assert client.get("/api/v1/stats").get_json() == {"photos": 0, "bytes": 0, "days": []}


def test_a_deleted_photo_leaves_the_statistics(client):
    (photo,) = ids(upload(client, "main", 2000))
    client.delete(f"/api/v1/photos/{photo}")
    stats = client.get("/api/v1/stats").get_json()
    assert (stats["photos"], stats["bytes"]) == (0, 0)
