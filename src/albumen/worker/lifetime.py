"""Children that do not outlive their parent, even when it is killed (Linux: prctl(2), PR_SET_PDEATHSIG)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 1.0


def die_with(parent: int) -> None:
    """Ask the kernel for SIGTERM when the thread that made this process ends; end now if `parent` is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def give_up_after(parent: int, seconds: float) -> None:
    """Let this process end by force `seconds` after `parent` is gone: a client that stalls would keep it for ever."""
    threading.Thread(target=_give_up_after, args=(parent, seconds), name="albumen-lifetime", daemon=True).start()


def _give_up_after(parent: int, seconds: float) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    time.sleep(seconds)
    os._exit(1)
