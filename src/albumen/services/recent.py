"""A small cache of values that may be a little old: bounded in number and in age.

A thread that must never wait for a disk or a database says so once (`never_wait`): it gets what is kept, and `NotKept`
in place of all else. What it asks for is loaded anew elsewhere before it is too old, so that what is in demand stays.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

V = TypeVar("V")
AHEAD_SHARE = 0.5  # of its life: a value that is asked for in this last part of it is loaded anew
_thread = threading.local()


class NotKept(LookupError):
    """A value has to be loaded, or a file to be read, and this thread never waits."""


def never_wait(elsewhere: Callable[[Callable[[], None]], object]) -> None:
    """Let this thread do from now on only what takes no waiting; `elsewhere` runs a function in another thread."""
    _thread.elsewhere = elsewhere


def about_to_wait() -> None:
    """Say that what follows may take a while. Raises NotKept in a thread that never waits."""
    if _elsewhere() is not None:
        raise NotKept


def _elsewhere() -> Callable[[Callable[[], None]], object] | None:
    return getattr(_thread, "elsewhere", None)


class Recent(Generic[V]):
    """Keeps values for `seconds`, at most `most` of them. Thread-safe; two threads may load one value at once."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._values: dict[Hashable, tuple[float, V]] = {}
        self._coming: set[Hashable] = set()

    def get(self, key: Hashable, load: Callable[[], V]) -> V:
        """Return the kept value, or load and keep it. What `load` raises is not kept. Raises NotKept."""
        kept = self._values.get(key)
        left = 0.0 if kept is None else kept[0] - self._clock()
        if kept is not None and left > 0:
            if left < self._seconds * AHEAD_SHARE and key not in self._coming:
                self._load_ahead(key, load)
            return kept[1]
        about_to_wait()
        return self._load(key, load)

    def _load(self, key: Hashable, load: Callable[[], V]) -> V:
        """Load and keep a value; its age counts from before it was loaded, however long that takes."""
        began = self._clock()
        value = load()
        if len(self._values) >= self._most and key not in self._values:
            self._values.clear()
        self._values[key] = (began + self._seconds, value)
        return value

    def _load_ahead(self, key: Hashable, load: Callable[[], V]) -> None:
        """Let another thread load the value anew, for a thread that never waits; the others load when they have to."""
        elsewhere = _elsewhere()
        if elsewhere is None or len(self._coming) >= self._most:
            return
        self._coming.add(key)

        def come() -> None:
            try:
                self._load(key, load)
            finally:
                self._coming.discard(key)

        try:
            elsewhere(come)
        except RuntimeError:  # no thread can be started for it now
            self._coming.discard(key)
