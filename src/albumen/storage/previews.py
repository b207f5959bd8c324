"""Previews on a local disk: `previews/v1/ab/cd/<sha256>/<size>.<format>`. All of it can be deleted at any time.

A preview under its final name is whole: it is written elsewhere, synced, then renamed.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from albumen.domain.previews import PREVIEW_VERSION
from albumen.storage.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from albumen.storage.files import Workspace

FAILURE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class PreviewKey:
    """The name of a preview: the SHA-256 of its photo, the box in pixels, the format."""

    sha256: str
    size: int
    format: str


class PreviewStore:
    """Finished previews, one maker at a time across processes, and a memory of failures."""

    def __init__(self, root: Path, workspace: Workspace) -> None:
        self._root = root / "previews" / f"v{PREVIEW_VERSION}"
        self._locks = root / "previews" / "locks"
        self._workspace = workspace
        with explained():
            self._locks.mkdir(parents=True, exist_ok=True)

    def locate(self, key: PreviewKey) -> Path:
        """Return where the preview is, or will be."""
        return self._folder(key.sha256) / f"{key.size}.{key.format}"

    def new_path(self, key: PreviewKey) -> Path:
        """Return a temporary path on the same file system for a preview being made. Raises StorageFull."""
        self._workspace.check_space()
        return Path(self._workspace.new_path(f".{key.format}"))

    def adopt(self, made: Path, key: PreviewKey) -> None:
        """Give a finished file its final name."""
        with explained():
            self._folder(key.sha256).mkdir(parents=True, exist_ok=True)
            made.replace(self.locate(key))
            for memory in (self._failure(key.sha256), self._losses(key.sha256)):
                memory.unlink(missing_ok=True)

    @contextmanager
    def making(self, sha256: str) -> Iterator[None]:
        """Be the only maker of previews of this photo, in any process; others wait. Ends with the process, too."""
        with explained():
            self._locks.mkdir(parents=True, exist_ok=True)  # an operator may have deleted all previews meanwhile
        with explained(), (self._locks / sha256[:2]).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def remember_failure(self, sha256: str) -> None:
        """Note that no preview can be made, so that the next requests do not try again for an hour."""
        with explained():
            self._folder(sha256).mkdir(parents=True, exist_ok=True)
            self._failure(sha256).touch()

    def has_failed(self, sha256: str) -> bool:
        """Tell whether making a preview failed within the last hour."""
        return _is_recent(self._failure(sha256))

    def count_loss(self, sha256: str) -> int:
        """Note that a decoder was lost over this photo; return how many were, none an hour after the one before."""
        with explained():
            self._folder(sha256).mkdir(parents=True, exist_ok=True)
            losses = self._losses(sha256)
            with losses.open("ab" if _is_recent(losses) else "wb") as file:
                file.write(b".")
                return file.tell()

    def has_lost_since(self, sha256: str, moment: float) -> bool:
        """Tell whether a decoder was lost over this photo after a moment, in seconds since 1970."""
        try:
            return self._losses(sha256).stat().st_mtime > moment
        except FileNotFoundError:
            return False

    def digests(self) -> Iterator[str]:
        """Return the SHA-256 of all photos that have previews, in order, lazily."""
        for folder in _folders(self._root):
            for inner in _folders(folder):
                yield from (path.name for path in _folders(inner))

    def delete(self, sha256: str) -> None:
        """Remove all previews of a photo."""
        shutil.rmtree(self._folder(sha256), ignore_errors=True)

    def _folder(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _failure(self, sha256: str) -> Path:
        return self._folder(sha256) / "failed"

    def _losses(self, sha256: str) -> Path:
        """Return the file with a byte for every decoder that was lost."""
        return self._folder(sha256) / "lost"


def _is_recent(memory: Path) -> bool:
    try:
        age = time.time() - memory.stat().st_mtime
    except FileNotFoundError:
        return False
    return abs(age) < FAILURE_SECONDS  # one of tomorrow: the clock has jumped back since


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
