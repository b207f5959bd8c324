"""How much memory a program takes with all its children, shared pages counted once."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

SAMPLE_SECONDS = 0.2


class Peak:
    """Watches a process and its children for the length of a block; `bytes` is the most that was seen."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._first = psutil.Process(pid)
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, self._now())
            if self._ended.wait(SAMPLE_SECONDS):
                return

    def _now(self) -> int:
        """Return the proportional set size of the family: pages that several share count once in all."""
        total = 0
        for process in (self._first, *self._first.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss
        return total
