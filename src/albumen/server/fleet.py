"""The processes of a server: forked from one that has everything loaded, replaced when they die, ended together.

The first process has no threads and opens nothing that its children must not share. So a fork is safe at any time, and
what was loaded before it is in memory once.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.context import ForkProcess

GRACE_SECONDS = 5.0
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})  # the last: a terminal that is closed

log = structlog.get_logger("albumen.server")


@dataclass(slots=True)
class Member:
    """One process of the fleet: what it runs, and how long after its last start it may start again."""

    name: str
    target: Callable[[], None]
    pause_seconds: float = 1.0
    process: ForkProcess | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Fork; there is no process when the system has no room for one.

        Signals wait until the child has left the handlers of its parent, in which they would be lost.
        """
        self.started = time.monotonic()
        process = multiprocessing.get_context("fork").Process(target=self._run, name=self.name)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            process.start()
            self.process = process
        except OSError as exc:  # too many processes, or too little memory, for now: the others work on
            log.warning("process_not_started", process=self.name, reason=exc.strerror)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _run(self) -> None:
        """Begin a child: Ctrl-C reaches every process of a terminal, but only the first one acts on it."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        self.target()


class Fleet:
    """Runs its members until SIGTERM, SIGINT or SIGHUP; each then has `shutdown_seconds` to end by itself.

    `on_stop` is called with the signal before they are told.
    """

    def __init__(
        self, members: Sequence[Member], shutdown_seconds: float, on_stop: Callable[[signal.Signals], None]
    ) -> None:
        self._members = members
        self._shutdown_seconds = shutdown_seconds
        self._on_stop = on_stop
        self._stopped_by: signal.Signals | None = None

    def run(self, ready: int, on_ready: Callable[[], None]) -> None:
        """Start all; call `on_ready` when the first byte can be read from the file `ready`; return after the stop."""
        wake = self._listen_to_signals()
        gc.collect()
        gc.freeze()  # what is loaded now stays, and is not copied for the sake of the collector
        for member in self._members:
            member.start()
        waited_for: list[int] = [wake, ready]
        while self._stopped_by is None:
            happened = wait([*waited_for, *self._sentinels()], self._until_next_start())
            if ready in happened:
                waited_for.remove(ready)
                on_ready()
            self._replace_dead()
        self._stop(self._stopped_by)

    def _listen_to_signals(self) -> int:
        wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

        def stop(number: int, _frame: object) -> None:
            self._stopped_by = self._stopped_by or signal.Signals(number)
            os.eventfd_write(wake, 1)

        for number in _SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, stop)
        return wake

    def _sentinels(self) -> list[int]:
        return [member.process.sentinel for member in self._members if member.process is not None]

    def _until_next_start(self) -> float | None:
        now = time.monotonic()
        waits = [
            max(0.0, member.started + member.pause_seconds - now) for member in self._members if member.process is None
        ]
        return min(waits, default=None)

    def _replace_dead(self) -> None:
        """Start again what ended; one that keeps dying is started with pauses."""
        for member in self._members:
            if member.process is not None and member.process.exitcode is not None:
                log.warning("process_ended", process=member.name, exit_code=member.process.exitcode, restarting=True)
                member.process.close()
                member.process = None
            if member.process is None and time.monotonic() >= member.started + member.pause_seconds:
                member.start()

    def _stop(self, by: signal.Signals) -> None:
        self._on_stop(by)
        running = [member.process for member in self._members if member.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._shutdown_seconds + GRACE_SECONDS
        for process in running:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.exitcode is None:
                process.kill()
                process.join()
