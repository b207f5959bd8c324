"""How much is in use and how much there may be, for `/metrics`.

What only one process knows about itself is put where all can read it, a few times a second and at no cost to a request.
What any of them can find out is found out when somebody asks.
"""

from __future__ import annotations

import platform
from contextlib import suppress
from typing import TYPE_CHECKING

from prometheus_client import Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

import albumen
from albumen.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from albumen.imaging.pool import Load
    from albumen.services.previews import Previews
    from albumen.storage.space import Floor

DECODERS = Gauge(
    "albumen_decoders", "Decoding processes for previews on request.", ("state",), multiprocess_mode="livesum"
)
DECODERS_LIMIT = Gauge("albumen_decoders_limit", "Most such processes.", multiprocess_mode="livesum")


class DecoderGauges:
    """The gauges of this process that tell of its decoders."""

    def __init__(self, previews: Previews, most: int) -> None:
        self._previews = previews
        self._told: Load | None = None
        DECODERS_LIMIT.set(most)

    def refresh(self) -> None:
        """Tell how things are, if they have changed."""
        load = self._previews.load()
        if load == self._told:
            return
        DECODERS.labels("idle").set(load.idle)
        DECODERS.labels("busy").set(load.busy)
        self._told = load


class Surroundings(Collector):
    """What is the same for all processes, looked up at every request for it: the version and the disk."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return them; nothing of a disk that cannot be asked."""
        build = GaugeMetricFamily("albumen_build_info", "What runs; always 1.", labels=("version", "python"))
        build.add_metric((albumen.__version__, platform.python_version()), 1)
        yield build
        with suppress(StorageUnavailable):
            yield from self._disk()

    def _disk(self) -> Iterator[GaugeMetricFamily]:
        room = self._floor.measure()
        yield GaugeMetricFamily("albumen_storage_size_bytes", "Size of the disk of the photos.", room.size)
        yield GaugeMetricFamily("albumen_storage_available_bytes", "Free bytes there for this user.", room.available)
        yield GaugeMetricFamily("albumen_storage_reserved_bytes", "Those that uploads leave alone.", room.reserved)
