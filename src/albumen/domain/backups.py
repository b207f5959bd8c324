"""What a backup says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}Z", re.ASCII)
_NAME = "%Y-%m-%dT%H-%M-%S.%f"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup in numbers. Sizes are bytes; `missing` are the digests of blobs that had no sound bytes then."""

    albumen: str
    photos: int
    blobs: int
    bytes: int
    database_bytes: int
    database_sha256: str
    missing: tuple[str, ...]


def is_backup_name(name: str) -> bool:
    """Tell whether `name` has the form of a name of ours."""
    return _FORM.fullmatch(name) is not None


def backup_name(now: datetime, last: str | None) -> str:
    """Name a backup by its moment in UTC, such as `2026-11-23T10-00-00.000Z`.

    Names sort as backups were made, even after the clock went back: each is later than the `last` one.
    """
    name = _name(now)
    if last is None or name > last:
        return name
    return _name(datetime.strptime(f"{last[:-1]}+0000", f"{_NAME}%z") + _MILLISECOND)


def _name(moment: datetime) -> str:
    return f"{moment.strftime(_NAME)[:-3]}Z"
