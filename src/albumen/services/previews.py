"""Previews on request: from disk when ready, else made once, in a decoding process, by whoever comes first."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from albumen.errors import BlobDamaged, Busy, PreviewFailed
from albumen.imaging.pool import DecoderLost, PreviewWish
from albumen.storage.previews import PreviewKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from albumen.domain.photos import Blob
    from albumen.imaging.pool import DecoderPool, Derived, Load
    from albumen.storage.base import BlobStore
    from albumen.storage.previews import PreviewStore


MOST_LOSSES = 3
_LOST = "The decoder was lost while it made the preview. Try again."


class Previews:
    """Finds and makes previews; one maker per photo at a time, whatever the process."""

    def __init__(self, store: BlobStore, previews: PreviewStore, decoders: DecoderPool) -> None:
        self._store = store
        self._previews = previews
        self._decoders = decoders

    def load(self) -> Load:
        """Return how many decoders work, and how many wait. Waits for nothing."""
        return self._decoders.load()

    def original(self, blob: Blob) -> Path:
        """Return where the bytes themselves are; they may be missing."""
        return self._store.locate(blob.key)

    def ready(self, blob: Blob, size: int, media_format: str) -> Path:
        """Return where a preview is if it was made; it may be missing."""
        return self._previews.locate(PreviewKey(blob.sha256, size, media_format))

    def get(self, blob: Blob, size: int, media_format: str) -> Path:
        """Return the file of a preview, making it first when needed.

        Raises:
            BlobDamaged: The photo's bytes are missing.
            PreviewFailed: It cannot be decoded within the limits, or has cost `MOST_LOSSES` decoders.
            Busy: No decoder can be started, or it was lost and may not be another time.
        """
        key = PreviewKey(blob.sha256, size, media_format)
        path = self._previews.locate(key)
        if not path.exists():
            asked = time.time()
            with self._previews.making(blob.sha256):
                if not path.exists():
                    self._refuse_after_loss(blob.sha256, asked)
                    self._make(blob, key)
        return path

    def derive(self, blob: Blob, sizes: Sequence[tuple[int, str]]) -> Derived:
        """Make several previews and read the metadata with one decode.

        Raises:
            BlobDamaged: The photo's bytes are missing.
            PreviewFailed, DecoderLost: It cannot be decoded; after `DecoderLost` it may be another time.
        """
        keys = [PreviewKey(blob.sha256, size, media_format) for size, media_format in sizes]
        source = self._source(blob)
        with self._previews.making(blob.sha256), self._targets(keys) as wishes:
            derived = self._decoders.derive(source, blob.header.media_type, wishes)
            self._adopt(wishes, keys)
        return derived

    def _make(self, blob: Blob, key: PreviewKey) -> None:
        if self._previews.has_failed(blob.sha256):
            raise PreviewFailed("No preview could be made of this photo. The original can still be read.")
        source = self._source(blob)
        with self._targets([key]) as wishes:
            try:
                self._decoders.previews(source, blob.header.media_type, wishes)
            except PreviewFailed as exc:
                self._note_failure(blob.sha256, exc)
                raise
            self._adopt(wishes, [key])

    def _refuse_after_loss(self, sha256: str, asked: float) -> None:
        """Let all who waited for one attempt share what became of it, rather than use up the others. Raises Busy."""
        if self._previews.has_lost_since(sha256, asked):
            raise Busy(_LOST)

    def _note_failure(self, sha256: str, exc: PreviewFailed) -> None:
        """Remember a failure, so that a photo cannot cost one decoder after another; the first losses are forgiven.

        Raises:
            Busy: The decoder was lost; it may have been the machine, not the photo.
        """
        if isinstance(exc, DecoderLost) and self._previews.count_loss(sha256) < MOST_LOSSES:
            raise Busy(_LOST) from exc
        self._previews.remember_failure(sha256)

    @contextmanager
    def _targets(self, keys: Sequence[PreviewKey]) -> Iterator[Sequence[PreviewWish]]:
        """Name a temporary file for each preview; what was not adopted is removed."""
        wishes = [PreviewWish(key.size, key.format, self._previews.new_path(key)) for key in keys]
        try:
            yield wishes
        finally:
            for wish in wishes:
                wish.target.unlink(missing_ok=True)

    def _adopt(self, wishes: Sequence[PreviewWish], keys: Sequence[PreviewKey]) -> None:
        for wish, key in zip(wishes, keys, strict=True):
            self._previews.adopt(wish.target, key)

    def _source(self, blob: Blob) -> Path:
        path = self._store.locate(blob.key)
        if not path.exists():
            raise BlobDamaged("The bytes of this photo are missing; it can be uploaded again.")
        return path
