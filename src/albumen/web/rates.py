"""How often one caller may come: rate limits per key, or per address for callers without one. Off by default.

Every request counts once, whoever answers it; what was used and when it begins anew stands in `RateLimit` headers
(draft-ietf-httpapi-ratelimit-headers). The windows are fixed ones, shared by all processes of a server.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from albumen.errors import TooManyRequests
from albumen.web.networks import network_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from _typeshed.wsgi import WSGIEnvironment
    from limits import RateLimitItem
    from limits.strategies import RateLimiter

    from albumen.config import Settings
    from albumen.domain.access import Caller

REQUESTS = "requests"
UPLOADS = "uploads"
FILE_NAME = "rates"
_QUOTAS = "albumen.quotas"


@dataclass(frozen=True, slots=True)
class Quota:
    """What a caller may still do: `left` of `most` in the window of `window` seconds, which ends in `seconds`."""

    name: str
    most: int
    window: int
    left: int
    seconds: int
    is_exceeded: bool


class Rates:
    """Counts requests against the limits of the settings."""

    def __init__(self, limits: Mapping[str, RateLimitItem], limiter: RateLimiter | None) -> None:
        self._limits = limits
        self._limiter = limiter

    @property
    def are_set(self) -> bool:
        """Tell whether there is anything to count."""
        return bool(self._limits)

    def admit(self, environ: WSGIEnvironment, caller: Caller | None, *names: str) -> None:
        """Count a request, once, against the limits of these names.

        Raises:
            TooManyRequests: The caller used up one of them; `retry_after` tells for how many seconds.
        """
        quotas = environ.setdefault(_QUOTAS, {})
        for name in names:
            if name in self._limits and name not in quotas:
                quotas[name] = self._count(name, _identity(environ, caller))
        exceeded = [quota for quota in quotas.values() if quota.is_exceeded]
        if exceeded:
            longest = max(exceeded, key=lambda quota: quota.seconds)
            detail = f"At most {longest.most} {longest.name} in {longest.window} seconds."
            raise TooManyRequests(detail, retry_after=longest.seconds)

    def _count(self, name: str, identity: str) -> Quota:
        limit, limiter = self._limits[name], self._limiter
        if limiter is None:
            raise RuntimeError("there are limits but nothing counts")
        is_exceeded = not limiter.hit(limit, name, identity)
        ends, left = limiter.get_window_stats(limit, name, identity)
        seconds = max(1, math.ceil(ends - time.monotonic()))
        return Quota(name, limit.amount, limit.get_expiry(), left, seconds, is_exceeded)


def quota_headers(environ: WSGIEnvironment) -> Sequence[tuple[str, str]]:
    """Return the headers that tell what this request left of its limits."""
    quotas = tuple(environ.get(_QUOTAS, {}).values())
    if not quotas:
        return ()
    policy = ", ".join(f'"{quota.name}";q={quota.most};w={quota.window}' for quota in quotas)
    state = ", ".join(f'"{quota.name}";r={quota.left};t={quota.seconds}' for quota in quotas)
    return (("RateLimit-Policy", policy), ("RateLimit", state))


def open_rates(settings: Settings, folder: Path | None) -> Rates:
    """Return the limits of the settings, counted in a file of `folder` for all processes, or for this one alone."""
    wanted = {REQUESTS: settings.rate_requests, UPLOADS: settings.rate_uploads}
    chosen = {name: text for name, text in wanted.items() if text is not None}
    if not chosen:
        return Rates({}, None)
    from limits import parse  # noqa: PLC0415 - takes a tenth of a second, and most servers have no limits
    from limits.strategies import FixedWindowRateLimiter  # noqa: PLC0415 - likewise

    from albumen.web.counters import SharedCounters  # noqa: PLC0415 - likewise

    counters = SharedCounters(folder / FILE_NAME if folder else None)
    return Rates({name: parse(text) for name, text in chosen.items()}, FixedWindowRateLimiter(counters))


def _identity(environ: WSGIEnvironment, caller: Caller | None) -> str:
    if caller is not None and caller.key_id is not None:
        return f"key {caller.key_id}"
    return f"address {network_of(environ.get('REMOTE_ADDR', ''))}"
