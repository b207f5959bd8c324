"""What became of each photo of an upload."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from albumen.domain.photos import Blob
    from albumen.errors import PhotoRejected


class Status(enum.StrEnum):
    """The three outcomes."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A photo that is in the dataset, durable: its id, its link, and its bytes."""

    id: str
    link: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the photo at `index` of the request: `accepted`, or `rejected` with the reason."""

    index: int
    name: str
    status: Status
    accepted: Accepted | None = None
    rejected: PhotoRejected | None = None
