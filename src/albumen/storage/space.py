"""The floor of free space: photos and previews are refused before the disk is so full that the database suffers."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.errors import StorageFull, StorageUnavailable
from albumen.storage.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFAULT_SHARE = 0.01
MOST_BY_DEFAULT = 500_000_000


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of a disk: all, those that this user may still take, and those of them that are left alone."""

    size: int
    available: int
    reserved: int


class Floor:
    """Free bytes that are left alone on the disk of a folder; by default a hundredth of it, at most 500 MB."""

    def __init__(self, folder: Path, least_free: int | None = None) -> None:
        self._folder = folder
        self._least_free = least_free

    def check(self) -> None:
        """Raise StorageFull while less than the floor is free. Costs a few microseconds."""
        room = self.measure()
        if room.available < room.reserved:
            detail = "The free space is at its floor ('min_free_bytes'); nothing more is taken in."
            raise StorageFull(detail, available=room.available, reserved=room.reserved)

    def measure(self) -> Room:
        """Return how things are now. Raises StorageUnavailable."""
        with explained():
            state = os.statvfs(self._folder)
        size = state.f_blocks * state.f_frsize
        return Room(size, state.f_bavail * state.f_frsize, self._least(size))

    def complete(self, error: StorageFull) -> None:
        """Let an error tell how much room there is now, unless it tells already or the disk cannot be asked."""
        if not error.room:
            with suppress(StorageUnavailable):
                room = self.measure()
                error.room.update(available=room.available, reserved=room.reserved)

    @contextmanager
    def completing(self) -> Iterator[None]:
        """Do so with what comes out of a block."""
        try:
            yield
        except StorageFull as exc:
            self.complete(exc)
            raise

    def _least(self, disk_bytes: int) -> int:
        if self._least_free is not None:
            return self._least_free
        return min(MOST_BY_DEFAULT, int(DEFAULT_SHARE * disk_bytes))
