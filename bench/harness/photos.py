"""Photos to upload: real JPEGs, of which any number of different ones is made without encoding again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pictures import noisy_jpeg

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SCENES = 6
_APP0 = b"\xff\xe0"
_COMMENT = b"\xff\xfe"
_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class Batch:
    """Photos that no server has seen: as bytes, and as files with the same content."""

    contents: tuple[bytes, ...]
    paths: tuple[Path, ...]

    def remove(self) -> None:
        """Delete the files."""
        for path in self.paths:
            path.unlink()


@cache
def large_scenes() -> tuple[bytes, ...]:
    """Return a few different photos of 12 megapixels, about 2 MB each."""
    return tuple(noisy_jpeg(4000, 3000, seed=number) for number in range(SCENES))


@cache
def tiny_scenes() -> tuple[bytes, ...]:
    """Return a few different photos of 0.12 megapixels, about 20 KB each."""
    return tuple(noisy_jpeg(400, 300, seed=number, quality=80) for number in range(SCENES))


@cache
def small_scenes() -> tuple[bytes, ...]:
    """Return a few different photos of 0.8 megapixels, about 120 KB each."""
    return tuple(noisy_jpeg(1024, 768, seed=number, quality=80) for number in range(SCENES))


def scenes_of(size: int) -> tuple[bytes, ...]:
    """Return photos of about `size` bytes; those over 2 MB carry a film behind the picture, as phones store it."""
    for limit, scenes in ((60_000, tiny_scenes), (1_000_000, small_scenes)):
        if size <= limit:
            return scenes()
    return tuple(scene + os.urandom(max(size - len(scene), 0)) for scene in large_scenes()[:2])


def fresh(scene: bytes) -> bytes:
    """Return the same photo with a new comment of random bytes in its header, hence with another digest."""
    if scene[2:4] != _APP0:
        raise ValueError("the photo does not start with the APP0 segment of JFIF")
    end = 4 + int.from_bytes(scene[4:6])
    comment = _COMMENT + (2 + _RANDOM_BYTES).to_bytes(2) + os.urandom(_RANDOM_BYTES)
    return scene[:end] + comment + scene[end:]


def fresh_batch(scenes: Sequence[bytes], count: int, folder: Path) -> Batch:
    """Write `count` new photos into `folder`, flushed to the disk so that no later timing pays for them."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = tuple(fresh(scenes[number % len(scenes)]) for number in range(count))
    paths = tuple(folder / f"photo-{number:04}.jpg" for number in range(count))
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    os.sync()
    return Batch(contents, paths)
