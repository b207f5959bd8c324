"""On which day a key was last used: written beside the requests, so that none waits for it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from albumen.errors import AlbumenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from datetime import date, datetime

    from albumen.domain.access import Key
    from albumen.repository.engine import Database
    from albumen.repository.keys import KeyRepository

AGAIN = timedelta(hours=1)  # until a use is noted another time on the same day, should that have failed


class KeyUse:
    """Notes uses of keys. A process writes each key once a day, and in one transaction all keys that came meanwhile.

    What cannot be written waits for the next use of any key.
    """

    def __init__(self, database: Database, keys: KeyRepository, clock: Callable[[], datetime], later: Executor) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._later = later
        self._noted: dict[str, datetime] = {}
        self._waiting: dict[str, date] = {}
        self._is_writing = False
        self._turn = threading.Lock()

    def note(self, key: Key) -> None:
        """Have the day of a use written, unless it is there, or this process noted it within the hour."""
        now = self._clock()
        if key.used_on is not None and key.used_on >= now.date():
            return
        with self._turn:
            if not self._is_new(key.id, now):
                return
            self._noted[key.id], self._waiting[key.id] = now, now.date()
            if self._is_writing:
                return
            self._is_writing = True
        try:
            self._later.submit(self._write)
        except RuntimeError:  # no thread can be started for it now
            self._is_writing = False

    def _is_new(self, key_id: str, now: datetime) -> bool:
        noted = self._noted.get(key_id)
        return noted is None or noted.date() != now.date() or now - noted >= AGAIN

    def _write(self) -> None:
        unwritten: dict[str, date] = {}
        try:
            while uses := self._take():
                if not self._try_to_write(uses):
                    unwritten.update(uses)
        finally:  # whatever happened: nothing would be written any more
            with self._turn:
                self._waiting = {**unwritten, **self._waiting}
                self._is_writing = False

    def _try_to_write(self, uses: Mapping[str, date]) -> bool:
        try:
            with self._database.writing() as tx:
                self._keys.note_uses(tx, uses)
        except AlbumenError:  # a full disk, for one: others tell of it
            return False
        return True

    def _take(self) -> Mapping[str, date]:
        with self._turn:
            uses, self._waiting = self._waiting, {}
            self._is_writing = bool(uses)
            return uses
