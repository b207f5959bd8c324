"""Coroutines in tests: each runs to its end on a loop of its own, in a thread of its own.

Playwright keeps a loop running in the main thread from the first browser test on, and one thread has one loop.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor


def finished(coroutine):
    """Return what a coroutine gives."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
