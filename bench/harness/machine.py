"""What machine was measured, and how quiet it was. Names no host."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

import albumen

if TYPE_CHECKING:
    from typing import Self

TMPFS = {"tmpfs", "ramfs"}


@dataclass(frozen=True, slots=True)
class Machine:
    """`busy_percent` is the processor time that others used in the moments before the run."""

    date: str
    albumen: str
    python: str
    processor: str
    cores: int
    memory_gib: int
    filesystem: str
    busy_percent: float

    @classmethod
    def describe(cls, folder: Path) -> Self:
        """Look at this machine and at the filesystem under `folder`; takes two seconds."""
        return cls(
            date=datetime.now(UTC).date().isoformat(),
            albumen=albumen.__version__,
            python=platform.python_version(),
            processor=_processor(),
            cores=psutil.cpu_count() or 1,
            memory_gib=round(psutil.virtual_memory().total / 2**30),
            filesystem=filesystem(folder),
            busy_percent=busy_percent(2.0),
        )

    def __str__(self) -> str:
        return (
            f"Albumen {self.albumen}, Python {self.python}, {self.cores} cores ({self.processor}), "
            f"{self.memory_gib} GiB, {self.filesystem}; {self.busy_percent:.0f} % busy with other work before the run."
        )


def filesystem(folder: Path) -> str:
    """Return the type of the filesystem that `folder` lies on."""
    resolved = folder.resolve()
    inside = [part for part in psutil.disk_partitions(all=True) if resolved.is_relative_to(part.mountpoint)]
    return max(inside, key=lambda part: len(part.mountpoint)).fstype if inside else "unknown"


def busy_percent(seconds: float) -> float:
    """Return the share of processor time in use, stolen time included, over the next `seconds`."""
    before = psutil.cpu_times()
    time.sleep(seconds)
    after = psutil.cpu_times()
    spent = {name: getattr(after, name) - getattr(before, name) for name in before._fields}
    spent.pop("guest", None)
    spent.pop("guest_nice", None)
    total = sum(spent.values())
    idle = spent["idle"] + spent.get("iowait", 0.0)
    return 100 * (total - idle) / total if total else 0.0


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
