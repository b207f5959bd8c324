"""What an answer says to nginx: when to keep it and for how long, which file to send, and when to say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from albumen.web.accel import ASKING, MAKING, Accel

HEADERS = [("Content-Type", "image/jpeg"), ("Content-Length", "9"), ("ETag", '"x"'), ("Accept-Ranges", "bytes")]
PATH = "/srv/photos/blobs/a/abcd.jpg"


@pytest.fixture
def accel():
    return Accel(Path("/srv/photos"), clock=lambda: 1_800_000_000.9)


def from_nginx(**more):
    return {"HTTP_X_ALBUMEN_ACCEL": ASKING, **more}


def test_an_answer_is_kept_until_the_second_is_over_and_no_longer(accel):
    assert accel.kept(HEADERS)[-1] == ("X-Accel-Expires", "@1800000000")


def test_a_file_is_named_below_the_data_directory_and_its_size_is_left_to_nginx(accel):
    assert accel.sent(PATH, HEADERS) == [
        ("Content-Type", "image/jpeg"),
        ("ETag", '"x"'),
        ("Content-Length", "0"),
        ("X-Accel-Redirect", "/_albumen/files/blobs/a/abcd.jpg"),
    ]


def test_a_photo_is_kept_when_it_is_asked_for_a_second_time(accel):
    asked = [accel.may_keep(from_nginx(), PATH) for _ in range(3)]
    assert asked == [False, True, True]
    assert not accel.may_keep(from_nginx(), f"{PATH}2")


def test_a_photo_that_nginx_keeps_already_may_be_kept_on(accel):
    assert accel.may_keep(from_nginx(HTTP_IF_NONE_MATCH='"x"'), PATH)


@pytest.mark.parametrize("condition", ["HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_IF_RANGE", "HTTP_IF_MODIFIED_SINCE"])
def test_an_answer_to_a_condition_is_never_kept(accel, condition):
    assert not any(accel.may_keep(from_nginx(**{condition: "x"}), PATH) for _ in range(3))


def test_a_request_that_came_another_way_gets_no_word_for_nginx(accel):
    assert not any(accel.may_keep({}, PATH) for _ in range(3))
    assert not accel.may_send({})
    assert not accel.may_not_make({})


def test_only_the_maker_makes_previews(accel):
    assert accel.may_not_make(from_nginx())
    assert not accel.may_not_make({"HTTP_X_ALBUMEN_ACCEL": MAKING})


def test_the_same_question_is_asked_once_more_with_its_query(accel):
    environ = from_nginx(PATH_INFO="/display", QUERY_STRING="id=%D1%91&size=256")
    assert accel.asked_again(environ)[-1] == ("X-Accel-Redirect", "/_albumen/make/display?id=%D1%91&size=256")
