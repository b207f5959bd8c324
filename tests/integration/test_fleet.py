"""The processes of a server, without a server in them."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time

from albumen.server.fleet import Fleet, Member


def sleep():
    time.sleep(60)


def test_a_process_that_cannot_be_started_is_tried_again_and_costs_the_others_nothing(monkeypatch):
    """The first fork fails, as it does when there is no memory or when there are too many processes."""
    fork, failures = os.fork, iter([OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))])

    def fork_later():
        for failure in failures:
            raise failure
        return fork()

    monkeypatch.setattr(os, "fork", fork_later)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    members = [Member("first", sleep, pause_seconds=0.1), Member("second", sleep)]
    started = []

    def look():
        deadline = time.monotonic() + 60
        while None in (member.process for member in members) and time.monotonic() < deadline:
            time.sleep(0.01)
        started.extend(member.process is not None for member in members)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look).start()
    ready, _ = os.pipe()
    try:
        Fleet(members, 5, lambda _signal: None).run(ready, lambda: None)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert started == [True, True]
