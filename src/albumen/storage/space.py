"""The floor of free space: photos and previews are refused before the disk is so full that the database suffers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from albumen.errors import StorageFull
from albumen.storage.files import explained

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_SHARE = 0.01
MOST_BY_DEFAULT = 500_000_000


class Floor:
    """Free bytes that are left alone on the disk of a folder; by default a hundredth of it, at most 500 MB."""

    def __init__(self, folder: Path, least_free: int | None = None) -> None:
        self._folder = folder
        self._least_free = least_free

    def check(self) -> None:
        """Raise StorageFull while less than the floor is free. Costs two microseconds."""
        with explained():
            state = os.statvfs(self._folder)
        if state.f_bavail * state.f_frsize < self._least(state.f_blocks * state.f_frsize):
            raise StorageFull("The free space is at its floor ('min_free_bytes'); nothing more is taken in.")

    def _least(self, disk_bytes: int) -> int:
        if self._least_free is not None:
            return self._least_free
        return min(MOST_BY_DEFAULT, int(DEFAULT_SHARE * disk_bytes))
