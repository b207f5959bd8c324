"""Places: how many requests that may last may hold a thread at once, so that threads are always left for the others.

Uploads and large answers last as long as their clients like, previews until a decoder is free. Each kind has so many
places in a process, and one address (of IPv6: one network of /64) may take at most three quarters of them. Who finds
none is refused at once, with `Retry-After`.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from albumen.errors import Busy, TooManyUploads
from albumen.web.closing import Closing
from albumen.web.networks import network_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from albumen.config import Settings
    from albumen.errors import Unavailable

UPLOAD_SHARE = 3 / 8  # of the threads; the rest is for answers, previews that must be made, and everything short
DOWNLOAD_SHARE = 3 / 16
PREVIEW_SHARE = 3 / 16
BODY_SHARE = 1 / 16
LOGIN_SHARE = 1 / 32  # apart from other bodies: strangers send these without a key
FILE_SHARE = 1 / 16  # of a client's own files, which strangers get without a key: photos keep their places
ADDRESS_SHARE = 3 / 4  # of the places
IN_USE = Gauge(
    "albumen_places_in_use", "Requests that may last and are under way.", ("kind",), multiprocess_mode="livesum"
)
LIMIT = Gauge("albumen_places_limit", "Most of these.", ("kind",), multiprocess_mode="livesum")
_NO_UPLOAD = TooManyUploads("Too many uploads at once. Try again.")
_NO_DOWNLOAD = Busy("Too many large answers are on their way at once. Try again.")
_NO_PREVIEW = Busy("Too many previews are being made at once. Try again.")
_NO_FILE = Busy("Too many large files are on their way at once. Try again.")
_NO_BODY = Busy("Too many requests wait for their bodies. Try again.")


class Places:
    """So many at once, and so many of them for one address. Thread-safe."""

    def __init__(self, kind: str, most: int, most_per_address: int, refusal: Unavailable) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._refusal = refusal
        self._in_use = IN_USE.labels(kind)
        self._by_network: Counter[str] = Counter()
        self._lock = threading.Lock()
        LIMIT.labels(kind).set(most)

    def take(self, address: str) -> None:
        """Take a place for a client of that address. Raises the refusal when there is none."""
        network = network_of(address)
        with self._lock:
            if self._by_network.total() >= self._most or self._by_network[network] >= self._most_per_address:
                raise type(self._refusal)(self._refusal.detail)
            self._by_network[network] += 1
        self._in_use.inc()

    def give_back(self, address: str) -> None:
        """Give one place back."""
        network = network_of(address)
        with self._lock:
            self._by_network[network] -= 1
            if self._by_network[network] <= 0:
                del self._by_network[network]
        self._in_use.dec()

    def streamed(self, body: Iterable[bytes], address: str) -> Closing:
        """Take a place for a body until it is closed. Raises the refusal."""
        self.take(address)
        return Closing(body, lambda: self.give_back(address))

    @contextmanager
    def taken(self, address: str) -> Iterator[None]:
        """Hold a place for the length of a block."""
        self.take(address)
        try:
            yield
        finally:
            self.give_back(address)


@dataclass(frozen=True, slots=True)
class AllPlaces:
    """The places of one process; `previews` are those that must be made, `files` large ones of the clients."""

    uploads: Places
    downloads: Places
    previews: Places
    files: Places
    bodies: Places
    logins: Places


def lay_out(settings: Settings) -> AllPlaces:
    """Divide the threads of a process."""
    uploads = settings.uploads or _share(settings.threads, UPLOAD_SHARE)
    downloads = _share(settings.threads, DOWNLOAD_SHARE)
    previews = _share(settings.threads, PREVIEW_SHARE)
    files = _share(settings.threads, FILE_SHARE)
    bodies = _share(settings.threads, BODY_SHARE)
    logins = _share(settings.threads, LOGIN_SHARE)
    return AllPlaces(
        Places("upload", uploads, settings.uploads_per_address or _share(uploads, ADDRESS_SHARE), _NO_UPLOAD),
        Places("download", downloads, _share(downloads, ADDRESS_SHARE), _NO_DOWNLOAD),
        Places("preview", previews, _share(previews, ADDRESS_SHARE), _NO_PREVIEW),
        Places("file", files, _share(files, ADDRESS_SHARE), _NO_FILE),
        Places("body", bodies, _share(bodies, ADDRESS_SHARE), _NO_BODY),
        Places("login", logins, _share(logins, ADDRESS_SHARE), _NO_BODY),
    )


def _share(whole: int, share: float) -> int:
    return max(1, round(whole * share))
