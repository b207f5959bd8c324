"""Aware UTC times and their two outside forms: microseconds since 1970 in the database, RFC 3339 in JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
