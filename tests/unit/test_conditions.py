"""Which conditions of a request count, in the order of RFC 9110, section 13.2.2."""

import pytest
from werkzeug.exceptions import PreconditionFailed

from albumen.web.conditions import settle

TAG = "abc"
PART = "bytes=1-2"
NEWER = "Sat, 01 Jan 2090 00:00:00 GMT"


def left(method="GET", **conditions):
    """Return what is left of the conditions, without the method."""
    environ = {f"HTTP_{name.upper()}": value for name, value in conditions.items()}
    settled = settle({"REQUEST_METHOD": method, "PATH_INFO": "/", **environ}, TAG)
    assert settled.pop("REQUEST_METHOD") == method
    return settled


@pytest.mark.parametrize("named", ['"x"', 'W/"abc"', "", ",", '"x", W/"abc"', "é", '"'])
@pytest.mark.parametrize("more", [{}, {"range": PART}, {"if_none_match": '"abc"'}])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_if_match_that_names_other_bytes_wins_over_everything(named, more, method):
    with pytest.raises(PreconditionFailed):
        left(method, if_match=named, **more)


@pytest.mark.parametrize("named", ['"abc"', "*", '"x", "abc"'])
def test_if_match_that_names_the_bytes_leaves_the_rest_to_count(named):
    assert left(if_match=named) == {}
    assert left(if_match=named, range=PART) == {"HTTP_RANGE": PART}
    assert left(if_match=named, range=PART, if_range='"x"') == {}
    assert left(if_match=named, if_none_match='"abc"') == {"HTTP_IF_NONE_MATCH": "*"}


@pytest.mark.parametrize("named", ['"abc"', 'W/"abc"', "*", '"x", "abc"'])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_bytes_that_the_client_has_are_not_sent_in_part_either(named, method):
    for more in ({}, {"range": PART}, {"range": PART, "if_range": '"abc"'}, {"if_modified_since": NEWER}):
        assert left(method, if_none_match=named, **more) == {"HTTP_IF_NONE_MATCH": "*"}


@pytest.mark.parametrize("named", ['"x"', "", 'W/"x"'])
def test_other_bytes_that_the_client_has_mean_nothing(named):
    assert left(if_none_match=named) == {}
    assert left(if_none_match=named, range=PART) == {"HTTP_RANGE": PART}


@pytest.mark.parametrize("guard", ['"x"', 'W/"abc"', "abc", "*", "", '"x", "abc"', NEWER])
def test_a_range_for_other_bytes_does_not_count(guard):
    assert left(range=PART, if_range=guard) == {}


def test_a_range_counts_for_get_alone():
    assert left(range=PART, if_range='"abc"') == left(range=PART) == {"HTTP_RANGE": PART}
    assert left("HEAD", range=PART) == {}


def test_dates_do_not_count():
    assert left(if_modified_since=NEWER, if_unmodified_since="Mon, 01 Jan 1990 00:00:00 GMT") == {}
