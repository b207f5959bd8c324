"""What the log tells of the life of a server, once for all its processes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import structlog

import albumen
from albumen.repository.dialect import sqlite_version

if TYPE_CHECKING:
    import signal

    from albumen.config import Settings

log = structlog.get_logger("albumen.server")


class Tally:
    """A number to which all processes add, for the first one to take. It is made before they are forked."""

    def __init__(self) -> None:
        self.file = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        """Can be read as soon as the number is not 0."""

    def add(self, count: int) -> None:
        """Add to the number."""
        os.eventfd_write(self.file, count)

    def take(self) -> int:
        """Return the number, which is 0 afterwards."""
        try:
            return os.eventfd_read(self.file)
        except BlockingIOError:
            return 0


class Lifecycle:
    """Tells when the server has started, begins to stop, and has stopped.

    Its processes add to `ready` when they answer, and at the end to `open_requests` how many they worked on when the
    stop began, and to `cut_off` how many of these had not ended in time.
    """

    def __init__(self, settings: Settings, address: str) -> None:
        self._settings = settings
        self._address = address
        self._signal = ""
        self._began = 0.0
        self.ready = Tally()
        self.open_requests = Tally()
        self.cut_off = Tally()

    def started(self) -> None:
        """Tell that the server answers."""
        log.info(
            "server_started",
            address=self._address,
            workers=self._settings.workers,
            data=str(self._settings.data.absolute()),
            database=f"SQLite {sqlite_version()}",
            version=albumen.__version__,
        )

    def stopping(self, by: signal.Signals) -> None:
        """Tell that the server takes nothing new from now on."""
        self._signal, self._began = by.name, time.monotonic()
        for number in (self.open_requests, self.cut_off):
            number.take()  # what a process added that somebody ended by itself, and that was replaced
        log.info("server_stopping", signal=self._signal, shutdown_seconds=self._settings.shutdown_seconds)

    def stopped(self) -> None:
        """Tell that all processes have ended."""
        log.info(
            "server_stopped",
            signal=self._signal,
            seconds=round(time.monotonic() - self._began, 3),
            open_requests=self.open_requests.take(),
            cut_off=self.cut_off.take(),
        )
