"""A small cache of values that may be a little old: bounded in number and in age."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

V = TypeVar("V")


class Recent(Generic[V]):
    """Keeps values for `seconds`, at most `most` of them. Thread-safe; two threads may load one value at once."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._values: dict[Hashable, tuple[float, V]] = {}

    def get(self, key: Hashable, load: Callable[[], V]) -> V:
        """Return the kept value, or load and keep it. What `load` raises is not kept."""
        kept = self._values.get(key)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        value = load()
        if len(self._values) >= self._most:
            self._values.clear()
        self._values[key] = (self._clock() + self._seconds, value)
        return value
