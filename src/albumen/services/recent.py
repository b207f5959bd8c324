"""A small cache of values that may be a little old: bounded in number and in age.

A thread that must never wait for a disk or a database says so once (`never_wait`): it gets what is kept, and `NotKept`
in place of all else.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

V = TypeVar("V")
_thread = threading.local()


class NotKept(LookupError):
    """A value has to be loaded, or a file to be read, and this thread never waits."""


def never_wait() -> None:
    """Let this thread do from now on only what takes no waiting."""
    _thread.never_waits = True


def about_to_wait() -> None:
    """Say that what follows may take a while. Raises NotKept in a thread that never waits."""
    if getattr(_thread, "never_waits", False):
        raise NotKept


class Recent(Generic[V]):
    """Keeps values for `seconds`, at most `most` of them. Thread-safe; two threads may load one value at once."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._values: dict[Hashable, tuple[float, V]] = {}

    def get(self, key: Hashable, load: Callable[[], V]) -> V:
        """Return the kept value, or load and keep it. What `load` raises is not kept. Raises NotKept."""
        kept = self._values.get(key)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        about_to_wait()
        value = load()
        if len(self._values) >= self._most:
            self._values.clear()
        self._values[key] = (self._clock() + self._seconds, value)
        return value
