"""How long and how much to measure, and where the files of a run lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. `folder` is an empty directory on a real disk; everything in it is thrown away at the end."""

    folder: Path
    rounds: int = 7
    load_rounds: int = 3
    load_seconds: int = 5
    large_photos: int = 100
    mobile_photos: int = 120
    small_photos: int = 400
    preview_photos: int = 64
    rows: int = 1_000_000
    page_rows: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
    clients: tuple[int, ...] = (1, 4, 16, 64)
    client_photos: int = 512
    sizes: tuple[int, ...] = (20_000, 120_000, 2_000_000, 10_000_000, 50_000_000)
    size_bytes: int = 200_000_000
    growth_seconds: int = 2
    mixed_requests: int = 12
    thumbor_photos: int = 48


def quick(folder: Path) -> Plan:
    """Return a plan of under a minute, which shows that the scenarios work; its numbers mean little."""
    return Plan(
        folder,
        rounds=2,
        load_rounds=1,
        load_seconds=1,
        large_photos=20,
        mobile_photos=20,
        small_photos=80,
        preview_photos=8,
        rows=50_000,
        page_rows=(1_000, 20_000),
        clients=(1, 16),
        client_photos=64,
        sizes=(20_000, 2_000_000),
        size_bytes=4_000_000,
        growth_seconds=1,
        mixed_requests=2,
        thumbor_photos=8,
    )
