"""Values of ours as JSON: the one place that knows how a photo, an outcome or a dataset looks from outside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from albumen.domain.previews import FORMATS, PRESETS
from albumen.domain.times import to_rfc3339
from albumen.imaging.probe import MEDIA_TYPES
from albumen.services.download import MOST_DOWNLOADED
from albumen.services.listing import MOST_PER_PAGE
from albumen.services.photos import MOST_KNOWN
from albumen.services.trash import MOST_MOVED
from albumen.web.errors import problem

if TYPE_CHECKING:
    from datetime import datetime

    from albumen.domain.datasets import Dataset, Day
    from albumen.domain.outcomes import Accepted, Outcome
    from albumen.domain.photos import Metadata, Photo, PhotoDetails
    from albumen.repository.photos import KnownPhoto, ListedPhoto, PhotoReference
    from albumen.services.ingest import IngestLimits
    from albumen.services.trash import Moved

LINKED_PREVIEW = 512


def as_json(value: object) -> str:
    """Return JSON as UTF-8 text, Cyrillic left readable."""
    return json.dumps(value, ensure_ascii=False)


def outcome(value: Outcome, base: str) -> dict[str, Any]:
    """Present what became of one photo; `base` is the address that links start with."""
    shown: dict[str, Any] = {"index": value.index, "status": value.status.value, "name": value.name}
    if value.accepted is not None:
        return {**shown, **_accepted(value.accepted, base)}
    if value.rejected is not None:
        shown["problem"] = problem(value.rejected)
    return shown


def listed(value: ListedPhoto, base: str) -> dict[str, Any]:
    """Present a photo of a list."""
    return {
        **_photo(value.photo, base),
        "placeholder": value.placeholder,
        "frames": value.photo.blob.header.frames,
        "taken_at": _local_time(value.taken_at),
    }


def details(value: PhotoDetails, base: str) -> dict[str, Any]:
    """Present a photo with everything known of it."""
    return {
        **_photo(value.photo, base),
        "placeholder": value.placeholder,
        "frames": value.photo.blob.header.frames,
        **_metadata(value.metadata),
        "derivation": value.derivation,
    }


def reference(value: PhotoReference, base: str) -> dict[str, str]:
    """Present the least that names a photo."""
    return {"id": value.id, "name": value.name, "link": base + value.link}


def known(value: KnownPhoto, base: str) -> dict[str, str]:
    """Present a photo found by its digest."""
    return {"sha256": value.sha256, "id": value.id, "link": base + value.link}


def moved(value: Moved) -> dict[str, Any]:
    """Present what became of photos that were to move."""
    twins = [{"id": photo_id, "twin": twin} for photo_id, twin in value.twins.items()]
    return {"done": value.done, "missing": value.missing, "twins": twins}


def dataset(value: Dataset) -> dict[str, Any]:
    """Present a dataset with its totals."""
    return {
        "slug": value.slug,
        "name": value.name,
        "photos": value.photos,
        "bytes": value.bytes,
        "created_at": to_rfc3339(value.created_at),
    }


def day(value: Day) -> dict[str, Any]:
    """Present the totals of a day."""
    return {"day": value.day, "photos": value.photos, "bytes": value.bytes}


def limits(value: IngestLimits, trash_days: float) -> dict[str, Any]:
    """Present what a client must know before it sends or asks."""
    return {
        "max_photo_bytes": value.photo.max_bytes,
        "max_pixels": value.photo.max_pixels,
        "max_frames": value.photo.max_frames,
        "max_photos": value.max_photos,
        "media_types": MEDIA_TYPES,
        "preview_sizes": PRESETS,
        "preview_formats": list(FORMATS),
        "max_per_page": MOST_PER_PAGE,
        "max_known": MOST_KNOWN,
        "max_moved": MOST_MOVED,
        "max_downloaded": MOST_DOWNLOADED,
        "trash_days": trash_days,
    }


def _links(link: str, base: str) -> dict[str, str]:
    return {"link": base + link, "preview": f"{base}{link}?size={LINKED_PREVIEW}"}


def _accepted(value: Accepted, base: str) -> dict[str, Any]:
    header = value.blob.header
    return {
        "id": value.id,
        **_links(value.link, base),
        "sha256": value.blob.sha256,
        "bytes": value.blob.bytes,
        "media_type": header.media_type,
        "width": header.width,
        "height": header.height,
    }


def _photo(value: Photo, base: str) -> dict[str, Any]:
    header = value.blob.header
    return {
        "id": value.id,
        "name": value.name,
        **_links(value.link, base),
        "dataset": value.dataset,
        "sha256": value.blob.sha256,
        "bytes": value.blob.bytes,
        "media_type": header.media_type,
        "width": header.width,
        "height": header.height,
        "uploaded_at": to_rfc3339(value.uploaded_at),
        "deleted_at": _optional_time(value.deleted_at),
    }


def _metadata(value: Metadata) -> dict[str, Any]:
    position = value.position
    return {
        "taken_at": _local_time(value.taken_at),
        "camera": value.camera,
        "lens": value.lens,
        "position": None if position is None else {"latitude": position.latitude, "longitude": position.longitude},
    }


def _local_time(time: datetime | None) -> str | None:
    """Present a camera's time, which has no zone."""
    return None if time is None else time.isoformat()


def _optional_time(time: datetime | None) -> str | None:
    return None if time is None else to_rfc3339(time)
