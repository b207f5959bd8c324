"""Datasets: named sets of photos, and how many they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.errors import InvalidParameter

if TYPE_CHECKING:
    from datetime import datetime

DEFAULT_DATASET = "main"
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_SLUG_RULE = "1 to 63 of a-z, 0-9, '-' and '_', starting with a letter or a digit"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A named set of photos. `photos` and `bytes` leave the trash out."""

    slug: str
    name: str
    created_at: datetime
    photos: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """How much was uploaded on one day (UTC); `bytes` is None where only photos were counted."""

    day: str
    photos: int
    bytes: int | None = None


def check_slug(slug: str, parameter: str = "dataset") -> str:
    """Return `slug`, which came in `parameter`, when it may name a dataset.

    Raises:
        InvalidParameter: It may not; the message tells the rule.
    """
    if not SLUG.fullmatch(slug):
        raise InvalidParameter(parameter, _SLUG_RULE)
    return slug
