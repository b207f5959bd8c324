"""The loop of the background worker. It may be killed at any time: what it leased is taken again later."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import structlog

from albumen.bootstrap import BACKGROUND_NICENESS, build, configure_logs
from albumen.errors import AlbumenError, StorageFull
from albumen.worker.lifetime import die_with

if TYPE_CHECKING:
    from albumen.config import Settings
    from albumen.services.derivation import Derivation
    from albumen.storage.space import Floor

PAUSE_SECONDS = 1.0
PAUSE_AFTER_ERROR_SECONDS = 5.0

log = structlog.get_logger()


def run_worker(settings: Settings, parent: int) -> None:
    """Work at a low priority until SIGTERM or the end of the process `parent`."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    die_with(parent)
    os.nice(BACKGROUND_NICENESS)
    configure_logs(settings)
    services = build(settings, background=True)
    try:
        while not stop.is_set():
            stop.wait(_work(services.derivation, services.floor, stop))
    finally:
        services.close()


def _work(derivation: Derivation, floor: Floor, stop: threading.Event) -> float:
    """Work on what waits; return how many seconds to pause before looking again."""
    try:
        with floor.completing():
            while not stop.is_set() and derivation.has_work():
                derivation.work(stop.is_set)
    except AlbumenError as exc:
        room = exc.room if isinstance(exc, StorageFull) else {}
        log.warning("derivation_paused", code=exc.code, detail=exc.detail, **room)
        return PAUSE_AFTER_ERROR_SECONDS
    return PAUSE_SECONDS
