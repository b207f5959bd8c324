"""Aware UTC times and their two outside forms: microseconds since 1970 in the database, RFC 3339 in JSON."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def now() -> datetime:
    """Return the present, aware, in UTC. The clock that `bootstrap` injects."""
    return datetime.now(UTC)


def to_micros(time: datetime) -> int:
    """Return microseconds since 1970 of an aware time."""
    return (time - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def to_rfc3339(time: datetime) -> str:
    """Return an aware UTC time as `2026-11-23T10:00:00.000000Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def to_day(number: int) -> str:
    """Return the day that is so many days after 1970-01-01, as `2026-11-23`."""
    return (_EPOCH + timedelta(days=number)).date().isoformat()


def parse_moment(text: str) -> datetime:
    """Return the aware UTC time of an RFC 3339 text, or the first moment of a day such as `2026-11-23`.

    Raises:
        ValueError: The text is neither, or names a time that is not in the calendar.
    """
    if _DAY.fullmatch(text):
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    if not _MOMENT.fullmatch(text):
        raise ValueError("neither a day nor a time of RFC 3339")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as exc:
        raise ValueError("outside the calendar") from exc
