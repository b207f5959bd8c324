"""What is left of a refused body is read to its end, up to a bound; nothing else is read."""

from __future__ import annotations

import pytest

from albumen.web.drain import CHUNK_BYTES, MOST_BYTES, Drained


class Body:
    """A request body of any length that takes no memory."""

    def __init__(self, size):
        self.left = size

    def read(self, size):
        taken = min(size, self.left)
        self.left -= taken
        return bytes(taken)


def left_after(status, method="POST", size=3 * CHUNK_BYTES + 1, **environ):
    body = Body(size)

    def application(_environ, start_response):
        start_response(status, [])
        return [b"answer"]

    answer = Drained(application)({"REQUEST_METHOD": method, "wsgi.input": body, **environ}, lambda *_: None)
    assert list(answer) == [b"answer"]
    return body.left


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "413 Too Large", "507 Full"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_body_of_a_refusal_is_read_to_its_end(status, method):
    assert left_after(status, method) == 0


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "304 Not Modified"])
def test_body_of_an_accepted_request_is_left_to_the_application(status):
    assert left_after(status) == 3 * CHUNK_BYTES + 1


def test_request_without_a_body_by_its_method_is_not_read():
    assert left_after("404 Not Found", "GET") == 3 * CHUNK_BYTES + 1


def test_client_that_waits_for_100_continue_is_not_asked_for_its_body():
    assert left_after("401 Unauthorized", HTTP_EXPECT="100-Continue") == 3 * CHUNK_BYTES + 1


def test_endless_body_is_given_up_at_the_bound():
    assert left_after("401 Unauthorized", size=MOST_BYTES + 5 * CHUNK_BYTES) == 5 * CHUNK_BYTES


def test_the_answer_is_out_before_the_rest_of_the_body_is_read():
    body = Body(CHUNK_BYTES)

    def application(_environ, start_response):
        start_response("503 Service Unavailable", [])
        return [b"answer"]

    answer = iter(Drained(application)({"REQUEST_METHOD": "POST", "wsgi.input": body}, lambda *_: None))
    assert next(answer) == b"answer"
    assert body.left == CHUNK_BYTES
    assert list(answer) == []
    assert body.left == 0
