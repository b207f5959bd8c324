"""What a process may hold in memory for its clients together."""

from __future__ import annotations

from threading import Lock


class Budget:
    """So many bytes, for all threads of a process."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = Lock()

    def take(self, count: int, instead_of: int = 0) -> bool:
        """Take some, in place of what was taken before, unless there are not so many left; tell whether it was done."""
        more = count - instead_of
        with self._lock:
            if more > self._left:
                return False
            self._left -= more
            return True

    def give_back(self, count: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._left += count
