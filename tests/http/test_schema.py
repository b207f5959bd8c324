"""The OpenAPI document as a contract: what it allows and what it forbids is answered as it says, never by a 5xx."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.domain.datasets import DEFAULT_DATASET
from albumen.web.app import create_app
from albumen.web.openapi import document
from pictures import jpeg, png

ALLOWED, FORBIDDEN = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
METHODS = ("get", "head", "post", "put", "patch", "delete")
OPERATIONS = {
    (path, method.upper()): item[method]
    for path, item in document()["paths"].items()
    for method in METHODS
    if method in item
}
WITH_INPUT = [key for key, operation in OPERATIONS.items() if {"parameters", "requestBody"} & operation.keys()]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 15
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
BODIES = st.one_of(st.just(jpeg()), st.just(png()), st.binary(max_size=200))


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    """The document as an application serves it, and that application."""
    chosen = load_settings({"data": tmp_path_factory.mktemp("schema") / "data", "decode_processes": 1})
    prepare(chosen)
    services = build(chosen)
    for media_type in ("image/*", "application/octet-stream"):
        schemathesis.openapi.media_type(media_type, BODIES)
    yield schemathesis.openapi.from_wsgi("/api/openapi.json", create_app(services))
    services.close()


@pytest.fixture
def target(contract, path):
    """The id of a photo that the operation can work on."""
    client = contract.app.test_client()
    photo = client.put("/api/v1/photos?name=a.jpg", data=jpeg()).get_json()["id"]
    if path.endswith(("/restore", "/trashed-preview")):
        client.delete(f"/api/v1/photos/{photo}")
    return photo


def aim(case, target):
    """Let a case ask for a photo, or a dataset, that is there, where it asks for one at all."""
    there = {"id": target, "slug": DEFAULT_DATASET}
    for parameters in (case.path_parameters, case.query):
        if parameters:
            parameters.update({name: there[name] for name in there.keys() & parameters.keys()})


def statuses(operation, mode, target):
    """Send cases of one operation and hold each answer against the document; return the statuses that came."""
    seen = set()

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode), is_aimed=st.booleans())
    def check(case, is_aimed):
        if is_aimed:
            aim(case, target)
        response = case.call()
        seen.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    check()
    return seen


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_the_document_allows_is_answered_as_it_says(contract, target, path, method):
    seen = statuses(contract[path][method], ALLOWED, target)
    is_optional = path == "/mobile/"  # the client there is a distribution of its own
    may_be_all_bad = is_optional or "requestBody" in OPERATIONS[path, method]  # random bytes are no photo
    assert may_be_all_bad or any(status < 400 for status in seen), seen


@pytest.mark.parametrize(("path", "method"), WITH_INPUT)
def test_what_the_document_forbids_is_answered_as_it_says(contract, target, path, method):
    seen = statuses(contract[path][method], FORBIDDEN, target)
    assert any(400 <= status < 500 for status in seen), seen
