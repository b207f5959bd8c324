"""A photo's way in: probe, receive, seal, publish, commit. An outcome exists only after all of these.

Order on disk is always blob, then row. One request is one `Batch`, used by one thread. Memory is bounded by the
group and by what the store holds to be hashed, never by the batch; the commit of a group runs while the next one
comes in.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from albumen.domain.datasets import check_slug
from albumen.domain.names import clean_name
from albumen.domain.outcomes import Accepted, Outcome, Status
from albumen.domain.photos import Blob
from albumen.errors import AlbumenError, PhotoRejected, PhotoTooLarge, StorageFull, TooManyPhotos
from albumen.imaging import probe
from albumen.repository.photos import NewPhoto

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor, Future
    from datetime import datetime

    from albumen.domain.ids import PhotoIds
    from albumen.domain.photos import BlobKey, PhotoHeader
    from albumen.imaging.limits import Limits
    from albumen.repository.blobs import BlobRepository
    from albumen.repository.datasets import DatasetRepository
    from albumen.repository.derivations import DerivationRepository
    from albumen.repository.engine import Database, Transaction
    from albumen.repository.photos import KnownPhoto, PhotoRepository
    from albumen.storage.base import BlobStore, Incoming, Receiver


MOST_GROWTH = 4


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """Limits of one request.

    `group_photos` share one commit, up to `MOST_GROWTH` times as many on a slow disk. They are fewer when they come
    slowly: a photo that ends `group_seconds` after the last commit began is not kept waiting for others.
    """

    photo: Limits
    max_photos: int = 10_000
    group_photos: int = 64
    group_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A photo whose bytes are complete and on their way to the disk."""

    index: int
    name: str
    incoming: Incoming
    size: int
    header: PhotoHeader


@dataclass(frozen=True, slots=True)
class Arrived:
    """A photo whose bytes are durable and whose digest is known."""

    index: int
    name: str
    incoming: Incoming
    blob: Blob


@dataclass(frozen=True, slots=True)
class Refusal:
    """A photo that was refused."""

    index: int
    name: str
    reason: PhotoRejected


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a group: the outcomes that are final, and why others of its photos have none."""

    outcomes: Sequence[Outcome]
    failure: AlbumenError | None = None


class Reception:
    """One photo while its bytes come in. After a refusal further bytes are dropped unread."""

    def __init__(self, index: int, name: str, receiver: Receiver, limits: Limits) -> None:
        self._index = index
        self._name = clean_name(name)
        self._receiver = receiver
        self._limits = limits
        self._head = b""
        self._size = 0
        self._incoming: Incoming | None = None
        self._refusal: Refusal | None = None

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises StorageFull, StorageUnavailable; never for what the bytes are."""
        if self._refusal is None:
            try:
                self._take(chunk)
            except PhotoRejected as exc:
                self._refuse(exc)

    def finish(self) -> Sealed | Refusal:
        """End the photo: look at its header, leave it to the store, which makes it durable while the next comes in."""
        if self._refusal is None:
            try:
                return self._seal()
            except PhotoRejected as exc:
                self._refuse(exc)
        if self._refusal is None:
            raise RuntimeError("neither sealed nor refused")
        return self._refusal

    def discard(self) -> None:
        """Drop what came so far."""
        if self._incoming is not None:
            self._incoming.discard()

    def _take(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._limits.max_bytes:
            detail = f"A photo may have at most {self._limits.max_bytes:,} bytes."
            raise PhotoTooLarge(detail, limit=self._limits.max_bytes)
        if self._incoming is not None:
            self._incoming.write(chunk)
        elif len(self._head) + len(chunk) < probe.HEAD_BYTES:
            self._head += chunk
        else:
            self._begin(chunk)

    def _begin(self, chunk: bytes) -> Incoming:
        """Write the first bytes, unless they are of no photo."""
        head = self._head + chunk if self._head else chunk
        probe.sniff(head[: probe.HEAD_BYTES])
        self._incoming = self._receiver.receive()
        self._incoming.write(head)
        return self._incoming

    def _seal(self) -> Sealed:
        incoming = self._incoming or self._begin(b"")
        with incoming.reader() as file:
            header = probe.inspect(file, self._size, self._limits)
        incoming.seal()
        return Sealed(self._index, self._name, incoming, self._size, header)

    def _refuse(self, reason: PhotoRejected) -> None:
        """Keep why, but not where: the frames of a traceback would keep the bytes of the photo in memory."""
        self.discard()
        reason.__cause__ = reason.__context__ = None
        self._refusal = Refusal(self._index, self._name, reason.with_traceback(None))


class Batch:
    """The photos of one request, in order. Use as a context manager: leaving it drops what was not committed."""

    def __init__(self, ingest: Ingest, dataset: str) -> None:
        self._ingest = ingest
        self._receiver = ingest.receiver()
        self._group: list[Sealed | Refusal] = []
        self._commit: Future[Committed] | None = None
        self._final: list[Outcome] = []
        self._current: Reception | None = None
        self._begun = 0
        self._committed_at = time.monotonic()
        self.dataset = check_slug(dataset)
        self.counts: Counter[Status] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.abandon()

    def choose_dataset(self, slug: str) -> bool:
        """Send the photos to another dataset; False when a photo came already. Raises InvalidParameter."""
        if self._begun:
            return False
        self.dataset = check_slug(slug)
        return True

    def begin(self, name: str) -> Reception:
        """Begin the next photo. Raises TooManyPhotos past the limit."""
        if self._begun >= self._ingest.limits.max_photos:
            most = self._ingest.limits.max_photos
            raise TooManyPhotos(f"One request may carry at most {most:,} photos.", limit=most)
        self._current = Reception(self._begun, name, self._receiver, self._ingest.limits.photo)
        self._begun += 1
        return self._current

    def end(self) -> Sequence[Outcome]:
        """End the photo begun last; return the outcomes that became final meanwhile, in order.

        Waits for the disk only when the group has grown as far as it may.
        """
        if self._current is None:
            raise RuntimeError("no photo was begun")
        self._group.append(self._current.finish())
        self._current = None
        final = self.settled()
        if len(self._group) % self._ingest.limits.group_photos == 0:
            self._receiver.flush()
        if self._is_due():
            self._commit_group()
        return [*final, *self._take_final()]

    def settled(self) -> Sequence[Outcome]:
        """Return the outcomes that became final meanwhile; begin to commit photos that waited long enough.

        Waits for no commit. Raises what kept photos from being stored.
        """
        if self._commit is not None and self._commit.done():
            self._settle()
        if self._group and self._commit is None and self._is_due():
            self._commit_group()
        return self._take_final()

    def finish(self) -> Sequence[Outcome]:
        """Commit what is left and return the remaining outcomes, in order."""
        self._commit_group()
        self._settle()
        return self._take_final()

    def salvage(self) -> Sequence[Outcome]:
        """After an error: commit what came whole and still can be; return the outcomes that nobody was told."""
        for step in (self._settle, self._commit_group, self._settle):
            with suppress(AlbumenError):
                step()
        return self._take_final()

    def abandon(self) -> None:
        """Drop the photo begun last and the group not committed; wait for the commit under way. Harmless at the end."""
        if self._current is not None:
            self._current.discard()
        for item in self._group:
            if isinstance(item, Sealed):
                item.incoming.discard()
        if self._commit is not None:
            self._commit.exception()
        self._current, self._group, self._commit = None, [], None

    def _is_due(self) -> bool:
        """Tell whether the group is to be committed. It grows on while the one before it is, rather than wait."""
        limits = self._ingest.limits
        if self._commit is not None:
            return len(self._group) >= MOST_GROWTH * limits.group_photos
        is_late = time.monotonic() - self._committed_at >= limits.group_seconds
        return is_late or len(self._group) >= limits.group_photos

    def _commit_group(self) -> None:
        """Begin to commit the group, after the group before it: ids grow in the order of the request."""
        if self._group:
            self._receiver.flush()
            self._settle()
            self._commit = self._ingest.commit_later(self.dataset, self._group)
            self._committed_at = time.monotonic()
            self._group = []

    def _settle(self) -> None:
        """Wait for the commit under way. Raises what kept photos of it from being stored."""
        if self._commit is not None:
            commit, self._commit = self._commit, None
            committed = commit.result()
            self._final += committed.outcomes
            if committed.failure is not None:
                raise committed.failure

    def _take_final(self) -> Sequence[Outcome]:
        if not self._final:
            return []
        final, self._final = self._final, []
        self.counts.update(outcome.status for outcome in final)
        return final


class Ingest:
    """Takes photos in."""

    def __init__(  # noqa: PLR0913 - dependencies come in by constructor, keyword only
        self,
        *,
        database: Database,
        photos: PhotoRepository,
        blobs: BlobRepository,
        datasets: DatasetRepository,
        derivations: DerivationRepository,
        store: BlobStore,
        limits: IngestLimits,
        committer: Executor,
        clock: Callable[[], datetime],
        ids: PhotoIds,
    ) -> None:
        self._database = database
        self._photos = photos
        self._blobs = blobs
        self._datasets = datasets
        self._derivations = derivations
        self._store = store
        self._committer = committer
        self._clock = clock
        self._ids = ids
        self.limits = limits

    def batch(self, dataset: str) -> Batch:
        """Begin a request. Raises InvalidParameter for a bad slug, StorageFull before anything is read."""
        batch = Batch(self, dataset)
        self._store.check_space()
        return batch

    def receiver(self) -> Receiver:
        """Begin to take in the bytes of a request."""
        return self._store.receiver()

    def commit_later(self, dataset: str, group: Sequence[Sealed | Refusal]) -> Future[Committed]:
        """Make a group durable in another thread."""
        return self._committer.submit(self._commit, dataset, group)

    def _commit(self, dataset: str, group: Sequence[Sealed | Refusal]) -> Committed:
        """Publish the blobs, insert the rows in one transaction, and only then tell the outcomes.

        A photo that the disk did not take has no outcome; the others of its group have.
        """
        sealed = [item for item in group if isinstance(item, Sealed)]
        try:
            arrived, failure = _await_all(sealed)
            accepted = self._store_group(dataset, arrived) if arrived else {}
        finally:
            for item in sealed:
                item.incoming.discard()
        final = [_outcome(item, accepted) for item in group if isinstance(item, Refusal) or item.index in accepted]
        return Committed(final, failure)

    def _store_group(self, dataset: str, arrived: Sequence[Arrived]) -> Mapping[int, Outcome]:
        try:
            with self._store.holding():
                self._store.publish([(item.incoming, item.blob.key) for item in arrived])
                with self._database.writing() as tx:
                    return self._insert(tx, dataset, arrived)
        except StorageFull:
            self._withdraw([item.blob.key for item in arrived])
            raise

    def _withdraw(self, keys: Sequence[BlobKey]) -> None:
        """Give the space of blobs back that got no row; what cannot be given back now is left to `gc`."""
        with suppress(AlbumenError), self._store.sweeping():
            with self._database.reading() as tx:
                existing = self._blobs.existing(tx, [key.sha256 for key in keys])
            for key in keys:
                if key.sha256 not in existing:
                    self._store.withdraw(key)

    def _insert(self, tx: Transaction, dataset: str, arrived: Sequence[Arrived]) -> Mapping[int, Outcome]:
        now = self._clock()
        self._datasets.add(tx, dataset, dataset, now)
        dataset_id = self._datasets.get_id(tx, dataset)
        known = self._photos.known(tx, dataset, [item.blob.sha256 for item in arrived])
        newest = self._photos.newest(tx)
        if newest is not None:
            self._ids.follow(newest)
        new = self._new_photos(arrived, known)
        self._photos.add(tx, dataset_id, list(new.values()), now)
        self._derivations.ask(tx, {item.blob.sha256 for item in arrived})
        self._count(tx, dataset_id, [photo.blob.bytes for photo in new.values()], now)
        return {item.index: _accepted(item, new, known) for item in arrived}

    def _new_photos(self, arrived: Sequence[Arrived], known: Mapping[str, KnownPhoto]) -> Mapping[int, NewPhoto]:
        """Give ids to the photos that the dataset has not; of equal ones in the group, to the first."""
        first: dict[str, Arrived] = {}
        for item in arrived:
            first.setdefault(item.blob.sha256, item)
        unknown = [item for sha256, item in first.items() if sha256 not in known]
        return {
            item.index: NewPhoto(photo_id, item.name, f"/get/{photo_id}", item.blob)
            for item, photo_id in zip(unknown, self._ids.take(len(unknown)), strict=True)
        }

    def _count(self, tx: Transaction, dataset_id: int, sizes: Sequence[int], now: datetime) -> None:
        if sizes:
            change = {
                "dataset_id": dataset_id,
                "day": now.date().isoformat(),
                "photos": len(sizes),
                "bytes": sum(sizes),
            }
            self._datasets.count(tx, [change])


def _await_all(sealed: Sequence[Sealed]) -> tuple[list[Arrived], AlbumenError | None]:
    """Wait until the bytes are durable; return the photos that are, and what kept others from it."""
    arrived: list[Arrived] = []
    failure: AlbumenError | None = None
    for item in sealed:
        try:
            arrived.append(_arrived(item))
        except AlbumenError as exc:
            failure = failure or exc
    return arrived, failure


def _arrived(item: Sealed) -> Arrived:
    return Arrived(item.index, item.name, item.incoming, Blob(item.incoming.sha256(), item.size, item.header))


def _accepted(item: Arrived, new: Mapping[int, NewPhoto], known: Mapping[str, KnownPhoto]) -> Outcome:
    if item.index in new:
        photo = new[item.index]
        return Outcome(item.index, item.name, Status.CREATED, Accepted(photo.id, photo.link, item.blob))
    twin = known.get(item.blob.sha256) or next(p for p in new.values() if p.blob.sha256 == item.blob.sha256)
    return Outcome(item.index, item.name, Status.DUPLICATE, Accepted(twin.id, twin.link, item.blob))


def _outcome(item: Sealed | Refusal, accepted: Mapping[int, Outcome]) -> Outcome:
    if isinstance(item, Sealed):
        return accepted[item.index]
    return Outcome(item.index, item.name, Status.REJECTED, rejected=item.reason)
