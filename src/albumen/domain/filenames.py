"""Names of photos as names of files that any system can extract: safe, short enough, no two alike. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from albumen.domain.names import UNNAMED, fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_BYTES = 255  # of a name in ext4, APFS and NTFS; UTF-8 is the longest of their forms
_LONGEST_EXTENSION = 16
# Long names that are the same once this is added count together, or n of them would take n² steps.
_LONGEST_SUFFIX = " (00000)"
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)


def unique_filenames(names: Iterable[str]) -> Iterator[str]:
    """Yield a name of a file for each name: `a.jpg`, then `a (2).jpg`, `a (3).jpg` for the same one again.

    Names that differ only in case, or only in how Unicode writes them, are the same: many file systems hold them to be.
    """
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for name in names:
        chosen = plain = _filename(name)
        while fold_name(chosen) in taken:
            kin = fold_name(_filename(plain, _LONGEST_SUFFIX))
            counts[kin] = counts.get(kin, 1) + 1
            chosen = _filename(plain, f" ({counts[kin]})")
        taken.add(fold_name(chosen))
        yield chosen


def _filename(name: str, suffix: str = "") -> str:
    """Return the last path component without what Windows forbids, with `suffix` before the extension."""
    shown = _FORBIDDEN.sub("_", name).strip(" ").rstrip(". ")
    shown = f"_{shown}" if _DEVICE.match(shown) else shown
    stem, dot, extension = shown.rpartition(".")
    if not stem or len(extension.encode()) > _LONGEST_EXTENSION:
        stem, dot, extension = shown, "", ""
    end = suffix + dot + extension
    kept = _cut(stem, LONGEST_BYTES - len(end.encode()))
    return (kept.rstrip(" " if end else " .") or UNNAMED) + end


def _cut(text: str, most_bytes: int) -> str:
    """Return as many whole characters as fit."""
    return text.encode()[:most_bytes].decode("utf-8", "ignore")
