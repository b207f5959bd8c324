"""The OpenAPI document says what the server does, and the readable page says what the document does."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

import albumen
from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.errors import AlbumenError
from albumen.web import openapi
from albumen.web.app import create_app
from albumen.web.auth import needed_role
from albumen.web.errors import status_of
from pictures import jpeg

# Schemas cannot say "the bytes of a photo" or "a cursor from an earlier page".
UNSAYABLE = [positive_data_acceptance]
FEW = settings(max_examples=10, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
OPERATIONS = [
    pytest.param(path, method.upper(), id=f"{method.upper()} {path}")
    for path, item in openapi.document()["paths"].items()
    for method in item
]
WITH_INPUT = [
    pytest.param(path, method.upper(), id=f"{method.upper()} {path}")
    for path, item in openapi.document()["paths"].items()
    for method, operation in item.items()
    if "parameters" in operation or "requestBody" in operation
]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """The document as a schema whose calls reach an application of its own."""
    chosen = load_settings({"data": tmp_path_factory.mktemp("openapi") / "data", "decode_processes": 1})
    prepare(chosen)
    services = build(chosen)
    yield schemathesis.openapi.from_wsgi("/api/openapi.json", create_app(services))
    services.close()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_to_allowed_requests_are_as_documented(api, path, method):
    _try_many(api[path][method], GenerationMode.POSITIVE)


@pytest.mark.parametrize(("path", "method"), WITH_INPUT)
def test_requests_that_the_document_forbids_are_refused_as_documented(api, path, method):
    _try_many(api[path][method], GenerationMode.NEGATIVE)


def test_answers_through_the_life_of_a_photo_are_as_documented(api):
    first, second = jpeg(seed=71), jpeg(seed=72)
    report = _call(api, "POST", "/upload", 201, body={"file": [first, b"text"]}, media_type="multipart/form-data")
    _call(api, "POST", "/", 200, body={"file": [first]}, media_type="multipart/form-data")
    _call(api, "POST", "/upload", 422, body={"file": [b"text"]}, media_type="multipart/form-data")
    raw = {"body": second, "media_type": "application/octet-stream", "query": {"name": "b.jpg"}}
    _call(api, "PUT", "/api/v1/photos", 201, **raw)
    _call(api, "PUT", "/api/v1/photos", 200, **raw)
    photo = report["photos"][0]
    one = {"path_parameters": {"id": photo["id"]}}
    _call(api, "GET", "/api/v1/photos", 200, query={"limit": 1})
    _call(api, "GET", "/api/v1/photos", 200, query={"since": "2026-01-01", "before": "2126-01-01T00:00:00+03:00"})
    _call(api, "GET", "/api/v1/timeline", 200)
    _call(api, "GET", "/api/v1/timeline", 200, query={"name": "jpg"})
    _call(api, "GET", "/api/v1/timeline/marks", 200, query={"every": 100})
    _call(api, "GET", "/api/v1/photos/{id}", 200, **one)
    _call(api, "GET", "/get/{id}", 200, **one)
    _call(api, "GET", "/get/{id}", 200, **one, query={"size": 256, "format": "webp"})
    _call(api, "HEAD", "/get/{id}", 200, **one)
    _call(api, "GET", "/display", 200, query={"id": "b.jpg"})
    _call(api, "GET", "/get_value", 200)
    question = {"sha256": [photo["sha256"]]}
    known = _call(api, "POST", "/api/v1/photos/known", 200, body=question, media_type="application/json")
    assert [each["id"] for each in known["known"]] == [photo["id"]]
    _call(api, "PATCH", "/api/v1/photos/{id}", 200, **one, body={"name": "мост.jpg"}, media_type="application/json")
    _call(api, "DELETE", "/api/v1/photos/{id}", 204, **one)
    _call(api, "GET", "/api/v1/photos/{id}", 404, **one)
    _call(api, "GET", "/api/v1/photos", 200, query={"trash": "true"})
    _call(api, "POST", "/api/v1/photos/{id}/restore", 200, **one)
    _call(api, "POST", "/api/v1/photos/archive", 200, body={"ids": [photo["id"]]}, media_type="application/json")
    many = {"body": {"ids": [photo["id"]]}, "media_type": "application/json"}
    assert _call(api, "POST", "/api/v1/photos/trash", 200, **many)["done"] == [photo["id"]]
    assert _call(api, "POST", "/api/v1/photos/restore", 200, **many)["done"] == [photo["id"]]
    _call(api, "GET", "/api/v1/stats", 200)
    named = {"path_parameters": {"slug": "main"}, "body": {"name": "Main"}, "media_type": "application/json"}
    _call(api, "PATCH", "/api/v1/datasets/{slug}", 200, **named)
    _call(api, "GET", "/metrics", 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Range": "bytes=0-9"}, 206),
        ({"Range": "bytes=999999-"}, 416),
        ({"If-None-Match": "*"}, 304),
        ({"If-Match": '"another"'}, 412),
    ],
)
def test_answers_to_ranges_and_conditions_are_as_documented(api, headers, status):
    raw = {"body": jpeg(seed=74), "media_type": "application/octet-stream", "query": {"name": "c.jpg"}}
    photo_id = _call(api, "PUT", "/api/v1/photos", None, **raw)["id"]
    with api.app.test_client().get(f"/get/{photo_id}", headers=headers) as answer:
        assert answer.status_code == status
        api["/get/{id}"]["GET"].validate_response(answer)


@pytest.mark.parametrize("headers", [{"Range": "bytes=999999-"}, {"If-Match": '"another"'}])
def test_refused_ranges_and_conditions_name_documented_codes(api, headers):
    raw = {"body": jpeg(seed=75), "media_type": "application/octet-stream", "query": {"name": "d.jpg"}}
    photo_id = _call(api, "PUT", "/api/v1/photos", None, **raw)["id"]
    with api.app.test_client().get(f"/get/{photo_id}", headers=headers) as answer:
        assert openapi.document()["x-problems"][answer.json["code"]]["status"] == answer.status_code


def test_a_twin_in_the_dataset_is_a_documented_conflict(api):
    body = {"body": jpeg(seed=73), "media_type": "application/octet-stream", "query": {"name": "twin.jpg"}}
    trashed = _call(api, "PUT", "/api/v1/photos", 201, **body)["id"]
    _call(api, "DELETE", "/api/v1/photos/{id}", 204, path_parameters={"id": trashed})
    twin = _call(api, "PUT", "/api/v1/photos", 201, **body)["id"]
    conflict = _call(api, "POST", "/api/v1/photos/{id}/restore", 409, path_parameters={"id": trashed})
    assert (conflict["code"], conflict["id"]) == ("already_in_dataset", twin)


def test_every_route_is_documented_and_every_documented_route_is_there(api):
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", "{}", rule.rule))
        for rule in api.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint not in {"pages.static", "client.file", "mobile.file"}
        if rule.endpoint != "client.page" or rule.rule == "/"
    }
    documented = {
        (method.upper(), re.sub(r"{\w+}", "{}", path))
        for path, item in openapi.document()["paths"].items()
        for method in item
        if method != "head"
    }
    assert documented == served


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_documented_role_is_the_one_that_the_route_asks_for(api, path, method):
    endpoint, _ = api.app.url_map.bind("localhost").match(path.replace("{", "").replace("}", ""), method)
    needed = needed_role(api.app.view_functions[endpoint])
    operation = openapi.document()["paths"][path][method.lower()]
    assert operation.get("x-role") == (needed.label if needed else None)
    assert ("security" in operation) == (needed is None)


def test_every_code_is_documented_with_the_status_that_it_has():
    told = openapi.document()["x-problems"]
    ours = {error.code: int(status_of(error)) for error in _errors(AlbumenError) if error.code != "start_refused"}
    assert {code: told[code].get("status") for code in ours} == ours
    assert all(each["advice"] for each in told.values())


def test_answers_name_only_codes_of_their_own_status():
    told = openapi.document()["x-problems"]
    for path, item in openapi.document()["paths"].items():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                codes = _resolved(answer).get("x-codes", ())
                assert {told[code]["status"] for code in codes} <= {int(status)}, (path, status)


def test_the_readable_page_explains_every_code_under_its_anchor(client):
    page = _Page(client.get("/api/docs").text)
    assert {error.code for error in _errors(AlbumenError)} <= page.ids


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/get_value", 405)])
def test_refusals_of_the_framework_lead_to_the_readable_page_too(client, path, status):
    answer = client.delete(path)
    page = _Page(client.get("/api/docs").text)
    assert answer.status_code == status
    assert answer.json["type"].removeprefix("/api/docs#") in page.ids


def test_every_link_within_the_readable_page_leads_somewhere(client):
    page = _Page(client.get("/api/docs").text)
    assert page.ids == set(page.all_ids)
    assert len(page.ids) == len(page.all_ids)
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids


def test_the_readable_page_shows_examples_for_the_address_that_links_have(make_app):
    page = make_app(public_url="https://photos.example.org").test_client().get("/api/docs").text
    assert "https://photos.example.org/upload" in page
    assert "{server}" not in page


def test_the_document_carries_the_version_of_the_server(client):
    assert client.get("/api/openapi.json").json["info"]["version"] == albumen.__version__


def _try_many(operation, mode):
    @FEW
    @given(case=operation.as_strategy(generation_mode=mode))
    def answer_fits(case):
        case.call_and_validate(excluded_checks=UNSAYABLE)

    answer_fits()


def _call(api, method, path, status, **request):
    """Call, compare the answer with the document, and return its JSON, if it is any. A status of None is any one."""
    case = api[path][method].Case(**request)
    answer = case.call()
    assert status in {None, answer.status_code}, answer.content[:500]
    case.validate_response(answer, excluded_checks=UNSAYABLE)
    is_json = "json" in answer.headers.get("content-type", [""])[0]
    return answer.json() if is_json else None


def _errors(error):
    own = [error] if "code" in vars(error) else []
    return own + [deeper for child in error.__subclasses__() for deeper in _errors(child)]


def _resolved(answer):
    if "$ref" not in answer:
        return answer
    return openapi.document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]


class _Page(HTMLParser):
    """The ids and the links of a page."""

    def __init__(self, html):
        super().__init__()
        self.all_ids, self.links = [], []
        self.feed(html)
        self.ids = set(self.all_ids)

    def handle_starttag(self, _tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.all_ids.append(value)
            elif name == "href":
                self.links.append(value)
