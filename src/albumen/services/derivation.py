"""Background work on new photos: the grid preview, the placeholder, EXIF. Resumes by itself after a crash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import structlog

from albumen.errors import Damaged
from albumen.imaging.pool import DecoderLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from albumen.repository.derivations import DerivationRepository, Task
    from albumen.repository.engine import Database
    from albumen.services.previews import Previews

GRID_PREVIEWS = ((512, "webp"),)
TASKS_PER_CLAIM = 8
MOST_ATTEMPTS = 3

log = structlog.get_logger()


class Derivation:
    """Takes blobs that wait and works on `at_once` of them. Workers, in any process, never take the same blob.

    A claim is leased for `lease`, which must be longer than the work on all of its blobs may last.
    """

    def __init__(
        self,
        *,
        database: Database,
        derivations: DerivationRepository,
        previews: Previews,
        clock: Callable[[], datetime],
        lease: timedelta,
        at_once: int = 1,
    ) -> None:
        self._database = database
        self._derivations = derivations
        self._previews = previews
        self._clock = clock
        self._lease = lease
        self._at_once = at_once

    def work(self, is_stopping: Callable[[], bool]) -> int:
        """Work on what waits now, up to one claim; return how many blobs were taken.

        Raises:
            Unavailable: No space, no decoder, a busy database. What was not done is taken again when its lease ends;
                so is a photo that lost its decoder, until it has been tried `MOST_ATTEMPTS` times.
        """
        now = self._clock()
        with self._database.writing() as tx:
            tasks = self._derivations.claim(tx, now, now + self._lease, TASKS_PER_CLAIM)
        with ThreadPoolExecutor(self._at_once, "albumen-derive") as pool:
            list(pool.map(partial(self._derive_unless, is_stopping), tasks))
        return len(tasks)

    def retry_failed(self) -> int:
        """Let all that failed wait again, because a limit or a decoder has changed; return how many blobs."""
        with self._database.writing() as tx:
            return self._derivations.retry(tx)

    def has_work(self) -> bool:
        """Tell whether a blob waits, without taking the write lock."""
        with self._database.reading() as tx:
            return self._derivations.is_waiting(tx, self._clock())

    def _derive_unless(self, is_stopping: Callable[[], bool], task: Task) -> None:
        if not is_stopping():
            self._derive(task)

    def _derive(self, task: Task) -> None:
        sha256 = task.blob.sha256
        try:
            derived = self._previews.derive(task.blob, GRID_PREVIEWS)
        except Damaged as exc:
            if not _may_pass(exc, task):
                self._note_failure(task, exc.detail)
        else:
            with self._database.writing() as tx:
                self._derivations.finish(tx, sha256, derived.metadata, derived.placeholder)

    def _note_failure(self, task: Task, reason: str) -> None:
        log.warning("derivation_failed", sha256=task.blob.sha256, reason=reason, attempt=task.attempt)
        with self._database.writing() as tx:
            self._derivations.fail(tx, task.blob.sha256, reason)


def _may_pass(exc: Damaged, task: Task) -> bool:
    """Tell whether the work stays pending, to be taken again when its lease ends: a decoder was lost, not too often."""
    return isinstance(exc, DecoderLost) and task.attempt < MOST_ATTEMPTS
