"""Times: aware UTC inside, microseconds in the database, RFC 3339 in JSON."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albumen.domain.times import from_micros, now, parse_moment, to_day, to_micros, to_rfc3339


def test_now_is_aware_and_utc():
    assert now().utcoffset() == timedelta(0)


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_survive_the_round_trip(time):
    assert from_micros(to_micros(time)) == time


def test_microseconds_count_from_1970():
    assert to_micros(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005
    assert to_micros(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == -1_000_000


def test_time_of_another_zone_is_the_same_moment():
    moscow = datetime(2026, 11, 23, 13, tzinfo=timezone(timedelta(hours=3)))
    assert from_micros(to_micros(moscow)) == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert to_rfc3339(moscow) == "2026-11-23T10:00:00.000000Z"


def test_time_without_a_zone_is_refused():
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 11, 23))  # noqa: DTZ001 - a time without a zone is what the test is about


def test_rfc3339_reads_back_to_the_same_time():
    time = datetime(2026, 11, 23, 10, 0, 0, 42, tzinfo=UTC)
    assert datetime.fromisoformat(to_rfc3339(time)) == time


def test_rfc3339_sorts_as_the_times_do():
    times = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=step * 999_999) for step in range(5)]
    assert [to_rfc3339(time) for time in times] == sorted(to_rfc3339(time) for time in times)


def test_day_is_told_by_its_number():
    assert [to_day(0), to_day(20_780)] == ["1970-01-01", "2026-11-23"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23t10:00:00.25z", datetime(2026, 11, 23, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-11-23T10:00:00.123456789+03:00", datetime(2026, 11, 23, 7, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_moment_is_read_from_a_day_and_from_a_time(text, moment):
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "20261123", "2026-11", "2026-W48-1", "2026-11-23T10:00:00", "2026-11-23 10:00:00Z", "2026-11-23T10Z"),
        *(
            "2026-02-30",
            "2026-11-23T25:00:00Z",
            "2026-11-23T10:00:00+25:00",
            "0001-01-01T00:00:00+01:00",
            "\u0662026-11-23",
        ),
    ],
)
def test_text_that_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_moment(text)
