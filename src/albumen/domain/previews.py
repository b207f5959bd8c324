"""Which previews exist. Lengths are pixels."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Part of every stored preview's name: raise it when the same photo would give another picture.
PREVIEW_VERSION = 1

# An open size parameter would let anyone fill the disk.
PRESETS = (256, 512, 1024, 2048)

FORMATS: Mapping[str, str] = MappingProxyType({"jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"})
