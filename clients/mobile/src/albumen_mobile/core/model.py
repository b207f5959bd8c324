"""What the server tells, as frozen values. Each is made from the JSON of one answer and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

ROLES = ("viewer", "contributor", "editor", "admin")


@dataclass(frozen=True, slots=True)
class Session:
    """Who we are to the server: `mode` is open or keys, `role` None without a working key."""

    mode: str
    role: str | None

    @property
    def may_look(self) -> bool:
        """Whether photos may be seen."""
        return self.role in ROLES

    @property
    def may_add(self) -> bool:
        """Whether photos may be uploaded."""
        return self.role in ROLES[1:]

    @property
    def may_change(self) -> bool:
        """Whether photos may be renamed and moved to the trash."""
        return self.role in ROLES[2:]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a list: sizes in bytes and pixels, times in UTC."""

    id: str
    name: str
    link: str
    dataset: str
    bytes: int
    width: int
    height: int
    uploaded_at: datetime

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Photo:
        """Read an entry of a list, or the answer about one photo."""
        taken = {name: value[name] for name in ("id", "name", "link", "dataset", "bytes", "width", "height")}
        return cls(**taken, uploaded_at=datetime.fromisoformat(value["uploaded_at"]))


@dataclass(frozen=True, slots=True)
class Details:
    """All that is shown of one photo; what EXIF does not tell is None."""

    photo: Photo
    media_type: str
    sha256: str
    taken_at: str | None
    camera: str | None
    lens: str | None
    position: tuple[float, float] | None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Details:
        """Read the answer about one photo."""
        position = value.get("position")
        return cls(
            Photo.from_json(value),
            value["media_type"],
            value["sha256"],
            value.get("taken_at"),
            value.get("camera"),
            value.get("lens"),
            (position["latitude"], position["longitude"]) if position else None,
        )


@dataclass(frozen=True, slots=True)
class PhotoPage:
    """One page of a list, and the cursor of the next one."""

    photos: tuple[Photo, ...]
    next: str | None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PhotoPage:
        """Read a page."""
        return cls(tuple(Photo.from_json(entry) for entry in value["photos"]), value["next"])


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset with its totals."""

    slug: str
    name: str
    photos: int
    bytes: int

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Dataset:
        """Read an entry of the list."""
        return cls(value["slug"], value["name"], value["photos"], value["bytes"])


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an uploaded photo: `is_new` is False for one that the dataset held already."""

    id: str
    link: str
    is_new: bool
