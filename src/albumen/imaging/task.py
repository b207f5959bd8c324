"""What a decoder and its parent say to each other: one JSON line each way.

Used on both sides of the pipe, so it imports no image library. The parent takes nothing from a reply on trust: a
hostile photo may have taken over the process that wrote it.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from albumen.domain.photos import Metadata, Position

MAX_REPLY_BYTES = 16_384

_MAX_PLACEHOLDER_BYTES = 64
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class PreviewWish:
    """A preview to make: it fits into `size` x `size` pixels and is written to `target`."""

    size: int
    format: str
    target: Path


@dataclass(frozen=True, slots=True)
class Derived:
    """What is known of a photo after it was decoded; `placeholder` is a ThumbHash in base64."""

    metadata: Metadata
    placeholder: str


@dataclass(frozen=True, slots=True)
class Task:
    """One photo for a decoder. `action` is "previews", or "derive" for metadata and placeholder as well."""

    action: str
    source: Path
    media_type: str
    wishes: tuple[PreviewWish, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a decoder gave up: `kind` is "photo", "memory", "full" or "disk"; `reason` is for the log only."""

    kind: str
    reason: str


def task_line(task: Task) -> bytes:
    """Write a task as one line."""
    wishes = [[wish.size, wish.format, str(wish.target)] for wish in task.wishes]
    return _line({"action": task.action, "source": str(task.source), "type": task.media_type, "wishes": wishes})


def read_task(line: bytes) -> Task:
    """Read the line of a task; it comes from our own parent."""
    given = json.loads(line)
    wishes = tuple(PreviewWish(size, name, Path(target)) for size, name, target in given["wishes"])
    return Task(given["action"], Path(given["source"]), given["type"], wishes)


def reply_line(reply: Derived | Failure | None) -> bytes:
    """Write a reply as one line; None says that the previews are written."""
    match reply:
        case None:
            return _line({})
        case Failure(kind, reason):
            return _line({"failed": kind, "reason": reason[:_MAX_TEXT]})
        case Derived(metadata, placeholder):
            return _line({"metadata": _metadata_values(metadata), "placeholder": placeholder})


def read_reply(line: bytes) -> Derived | Failure | None:
    """Read and check the line of a reply.

    Raises:
        ValueError: It is nothing that a sound decoder says.
    """
    try:
        given = json.loads(line)
        if "failed" in given:
            return Failure(_text(given["failed"]) or "photo", _text(given["reason"]) or "")
        if given == {}:
            return None
        return _read_derived(given)
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        raise ValueError("malformed reply") from exc


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _metadata_values(metadata: Metadata) -> dict[str, Any]:
    taken_at, position = metadata.taken_at, metadata.position
    return {
        "taken_at": taken_at.isoformat() if taken_at else None,
        "camera": metadata.camera,
        "lens": metadata.lens,
        "position": [position.latitude, position.longitude] if position else None,
    }


def _read_derived(given: dict[str, Any]) -> Derived:
    values, placeholder = given["metadata"], given["placeholder"]
    if len(base64.b64decode(placeholder, validate=True)) > _MAX_PLACEHOLDER_BYTES:
        raise ValueError("placeholder too long")
    taken_at = values["taken_at"]
    metadata = Metadata(
        taken_at=datetime.fromisoformat(taken_at).replace(tzinfo=None) if taken_at else None,
        camera=_text(values["camera"]),
        lens=_text(values["lens"]),
        position=_position(values["position"]),
    )
    return Derived(metadata, placeholder)


def _text(value: object) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= _MAX_TEXT and value.isprintable()):
        return value
    raise ValueError("not a short text")


def _position(value: list[float] | None) -> Position | None:
    if value is None:
        return None
    latitude, longitude = map(float, value)
    if not (math.fabs(latitude) <= 90 and math.fabs(longitude) <= 180):  # noqa: PLR2004 - degrees of the globe
        raise ValueError("position off the globe")
    return Position(latitude, longitude)
