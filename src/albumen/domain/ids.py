"""UUIDv7 (RFC 9562, section 5.7), strictly increasing even when the clock jumps back."""

from __future__ import annotations

import os
import re
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from albumen.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Callable

_RANDOM_BITS = 74
_STEP_BITS = 48
_POOL_BITS = 80
MOST_AHEAD_MS = 86_400_000
_LAST_MS = (1 << 48) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class PhotoIds:
    """A source of ids in the 36-character form; every id sorts after the one before it.

    Within one millisecond, or after the clock jumped back, the random tail grows by a random step of up to 2^48
    (RFC 9562, section 6.2, method 2), so that ids stay unguessable.
    """

    def __init__(self, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self._last = 0

    def follow(self, photo_id: str) -> None:
        """Let the next ids sort after this one, which another process may have made, or this one before a restart.

        Not when it lies more than a day ahead: then the clock was wrong at the time, and is right now.
        """
        value = _value(photo_id)
        with self._lock:
            if (value >> _RANDOM_BITS) - self._clock_ms() <= MOST_AHEAD_MS:
                self._last = max(self._last, value)

    def next(self) -> str:
        """Return a new id. Thread-safe."""
        return self.take(1)[0]

    def take(self, count: int) -> list[str]:
        """Return so many new ids, in order. Thread-safe, and one look at the system's randomness for all of them."""
        numbers = _random_numbers(count)
        with self._lock:
            return [self._step(number) for number in numbers]

    def _step(self, random: int) -> str:
        """Return the next id, of a random number of `_POOL_BITS` bits."""
        now = self._clock_ms()
        if now > self._last >> _RANDOM_BITS:
            self._last = now << _RANDOM_BITS | random >> (_POOL_BITS - _RANDOM_BITS + 1)
        else:
            self._last += 1 + (random >> (_POOL_BITS - _STEP_BITS))
        return _format(self._last)


def is_photo_id(text: str) -> bool:
    """Tell whether `text` has the form of an id of ours: UUIDv7, lower case, with hyphens."""
    return _PATTERN.fullmatch(text) is not None


def checked_ids(value: object, most: int) -> list[str]:
    """Return the ids in `value`, each once, in order.

    Raises:
        InvalidParameter: `value` is no list of ids, or has more than `most`.
    """
    if not isinstance(value, list) or len(value) > most:
        raise InvalidParameter("ids", f"a list of at most {most:,} ids")
    if not all(isinstance(item, str) and is_photo_id(item) for item in value):
        raise InvalidParameter("ids", "a list of ids of photos")
    return list(dict.fromkeys(value))


def first_id_at(moment: datetime) -> str:
    """Return the least id of the millisecond that holds an aware time: ids made before it are less."""
    milliseconds = (moment - _EPOCH) // _MILLISECOND
    return _format(min(max(milliseconds, 0), _LAST_MS) << _RANDOM_BITS)


def _random_numbers(count: int) -> list[int]:
    """Return numbers of `_POOL_BITS` random bits."""
    size = _POOL_BITS // 8
    pool = os.urandom(size * count)
    return [int.from_bytes(pool[start : start + size]) for start in range(0, size * count, size)]


def _format(value: int) -> str:
    """Lay 48 bits of time and 74 random bits around the version and variant bits."""
    milliseconds, tail = value >> _RANDOM_BITS, value & ((1 << _RANDOM_BITS) - 1)
    high, low = tail >> 62, tail & ((1 << 62) - 1)
    digits = f"{milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _value(photo_id: str) -> int:
    """Return what `_format` laid out."""
    number = uuid.UUID(photo_id).int
    return number >> 80 << _RANDOM_BITS | (number >> 64 & 0xFFF) << 62 | number & ((1 << 62) - 1)
