"""A parameter that a list does not have is refused; links to photos open whatever others append to them."""

from __future__ import annotations

import pytest

from albumen.web import openapi
from forms import FORM, form, part, problem
from pictures import jpeg

LISTS = ["/api/v1/photos", "/api/v1/timeline", "/api/v1/timeline/marks", "/api/v1/datasets"]
VALUES = {
    "dataset": "main",
    "name": "cat",
    "trash": "false",
    "since": "2026-11-23",
    "before": "2026-11-24",
    "limit": "10",
    "every": "1000",
    "cursor": "0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44",
}


@pytest.fixture
def photo(client):
    return client.post("/upload", data=form(part(jpeg(), "cat.jpg")), headers=FORM).get_json()["photos"][0]["id"]


def specified(path):
    document = openapi.document()
    named = document["components"]["parameters"]
    own = document["paths"][path]["get"].get("parameters", [])
    return [(named[each["$ref"].rpartition("/")[2]] if "$ref" in each else each)["name"] for each in own]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_refuses_a_parameter_that_it_has_not_and_names_those_that_it_has(client, path):
    body = problem(client.get(f"{path}?datset=cats"), 400, "invalid_parameter")
    assert body["parameter"] == "datset"
    assert body["allowed"] == f"one of {', '.join(specified(path))}"
    assert "'datset'" in body["detail"]
    assert all(name in body["detail"] for name in specified(path))


@pytest.mark.usefixtures("photo")
@pytest.mark.parametrize("path", LISTS)
def test_a_list_takes_every_parameter_that_is_specified_for_it(client, path):
    query = {name: VALUES[name] for name in specified(path)}
    assert client.get(path, query_string=query).status_code == 200


def test_a_misspelt_parameter_is_refused_among_right_ones_and_without_a_value(client):
    problem(client.get("/api/v1/photos?dataset=main&Limit=10"), 400, "invalid_parameter")
    problem(client.get("/api/v1/photos?datset"), 400, "invalid_parameter")


def test_the_next_page_of_a_list_can_be_asked_for_as_it_is_named(client):
    body = form(*(part(jpeg(seed=seed)) for seed in range(3)))
    client.post("/upload", data=body, headers=FORM)
    link = client.get("/api/v1/photos?dataset=main&limit=2").headers["Link"]
    assert len(client.get(link[1 : link.index(">")]).get_json()["photos"]) == 1


def test_a_long_parameter_is_not_sent_back_whole(client):
    body = problem(client.get(f"/api/v1/photos?{'x' * 10_000}=1"), 400, "invalid_parameter")
    assert len(body["detail"]) < 300


@pytest.mark.parametrize(
    "target", ["/get/{}", "/get/{}?size=256", "/get?id={}", "/display?id={}", "/photo/{}", "/d/main"]
)
def test_a_link_opens_with_what_others_append_to_it(client, photo, target):
    address = target.format(photo)
    address += "&" if "?" in address else "?"
    assert client.get(f"{address}utm_source=mail&fbclid=1").status_code == 200


@pytest.mark.parametrize(
    "target", ["/", "/get_value", "/api/v1/stats", "/api/v1/session", "/api/v1/photos/{}", "/uploads"]
)
def test_other_routes_ignore_what_they_do_not_know(client, photo, target):
    assert client.get(f"{target.format(photo)}?datset=cats").status_code == 200
