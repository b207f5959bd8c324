"""Names of backups tell their moment and sort as the backups were made."""

from datetime import UTC, datetime, timedelta

from albumen.domain.backups import backup_name

NOON = datetime(2026, 11, 23, 12, 0, 0, 250_900, UTC)


def test_name_is_the_moment_in_utc():
    assert backup_name(NOON, None) == "2026-11-23T12-00-00.250Z"


def test_name_is_later_than_the_last_one_when_the_clock_went_back():
    assert backup_name(NOON, "2027-01-01T00-00-00.999Z") == "2027-01-01T00-00-01.000Z"


def test_names_of_one_millisecond_differ():
    first = backup_name(NOON, None)
    second = backup_name(NOON, first)
    assert second == "2026-11-23T12-00-00.251Z"
    assert backup_name(NOON + timedelta(milliseconds=1), second) == "2026-11-23T12-00-00.252Z"
