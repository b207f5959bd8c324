"""The tree of errors: stable codes, public messages, and an HTTP status for each of them."""

import inspect
import re

import pytest

from albumen import errors
from albumen.web.errors import problem, status_of

TREE = [cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, errors.AlbumenError)]
CODED = [cls for cls in TREE if "code" in vars(cls)]
STATUSES = {
    "internal": 500,
    "empty": 422,
    "not_a_photo": 415,
    "truncated": 422,
    "too_large": 413,
    "too_many_pixels": 422,
    "too_many_frames": 422,
    "no_photos": 400,
    "all_rejected": 422,
    "too_many_photos": 413,
    "malformed_body": 400,
    "unsupported_body": 415,
    "dataset_too_late": 400,
    "invalid_parameter": 400,
    "not_found": 404,
    "photo_not_found": 404,
    "dataset_not_found": 404,
    "key_not_found": 404,
    "dataset_exists": 409,
    "already_in_dataset": 409,
    "key_required": 401,
    "role_too_small": 403,
    "cross_origin": 403,
    "unknown_host": 421,
    "storage_full": 507,
    "busy": 503,
    "storage_unavailable": 503,
    "blob_damaged": 500,
    "preview_failed": 422,
    "start_refused": 500,
    "body_too_slow": 408,
    "too_many_requests": 429,
    "too_many_uploads": 503,
}


def test_codes_are_unique():
    codes = [cls.code for cls in CODED]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("cls", CODED, ids=lambda cls: cls.__name__)
def test_code_is_snake_case_and_title_is_a_phrase(cls):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", cls.code)
    assert "title" in vars(cls)
    assert re.fullmatch(r"[A-Z].*[^.]", cls.title)


def test_every_error_that_is_raised_has_a_code_of_its_own():
    leaves = [cls for cls in TREE if not cls.__subclasses__()]
    assert [cls.__name__ for cls in leaves if "code" not in vars(cls)] == []


def test_every_code_answers_with_its_status():
    assert {cls.code: int(status_of(cls)) for cls in CODED} == STATUSES


def test_every_error_stands_in_the_drawing_of_the_tree():
    drawn = set(re.findall(r"[A-Z]\w+", errors.__doc__))
    assert {cls.__name__ for cls in TREE} <= drawn


def test_problem_has_the_members_of_the_error():
    told = problem(errors.InvalidParameter("size", "one of 256, 512"))
    assert told == {
        "type": "/api/docs#invalid_parameter",
        "title": "Invalid parameter",
        "status": 400,
        "detail": "'size' must be one of 256, 512.",
        "code": "invalid_parameter",
        "parameter": "size",
        "allowed": "one of 256, 512",
    }
