"""Settings to services: the only place where things are wired together."""

from __future__ import annotations

import os
import pwd
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import structlog

from albumen.domain import times
from albumen.domain.ids import PhotoIds
from albumen.errors import StartRefused, StorageFull
from albumen.imaging.limits import Limits
from albumen.imaging.pool import DecoderPool
from albumen.repository.blobs import BlobRepository
from albumen.repository.datasets import DatasetRepository
from albumen.repository.derivations import DerivationRepository
from albumen.repository.engine import Database, open_copy, open_database
from albumen.repository.keys import KeyRepository
from albumen.repository.migrate import migrate
from albumen.repository.photos import PhotoRepository
from albumen.repository.timeline import TimelineRepository
from albumen.repository.trash import TrashRepository
from albumen.services.access import Access
from albumen.services.archive import Archive
from albumen.services.backup import Backup
from albumen.services.datasets import Datasets
from albumen.services.derivation import TASKS_PER_CLAIM, Derivation
from albumen.services.download import Downloads
from albumen.services.health import Health
from albumen.services.housekeeping import Housekeeping
from albumen.services.ingest import Ingest, IngestLimits
from albumen.services.key_use import KeyUse
from albumen.services.photos import Photos
from albumen.services.previews import Previews
from albumen.services.timeline import Timeline
from albumen.services.trash import Trash
from albumen.storage.backup import DATABASE, BackupFolder
from albumen.storage.files import Workspace, make_durable_folder
from albumen.storage.local import LocalBlobStore
from albumen.storage.previews import PreviewStore
from albumen.storage.restore import is_unfinished
from albumen.storage.space import Floor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import TextIO

    from albumen.config import Settings
    from albumen.repository.migrate import Migration
    from albumen.storage.base import BlobStore

COMMIT_THREADS = 32
LEASE_SECONDS = 60.0  # beside the time to decode: for the disk, the database, and locks of others
BACKGROUND_NICENESS = 10


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a process of Albumen works with. `close` ends its threads and child processes."""

    settings: Settings
    database: Database
    floor: Floor
    store: BlobStore
    access: Access
    ingest: Ingest
    photos: Photos
    trash: Trash
    downloads: Downloads
    datasets: Datasets
    timeline: Timeline
    previews: Previews
    derivation: Derivation
    housekeeping: Housekeeping
    health: Health
    _workspace: Workspace
    _local_store: LocalBlobStore
    _decoders: DecoderPool
    _committer: ThreadPoolExecutor

    def start(self) -> None:
        """Remove at once what processes that are gone left half-received. A server on a full disk starts, too."""
        with suppress(StorageFull):
            self._workspace.open()

    def close(self) -> None:
        """Finish what is under way and let go of everything."""
        self._committer.shutdown()
        self._decoders.close()
        self._local_store.close()
        self._workspace.close()
        self.database.close()


class _Lines:
    """A file for the lines of a log. One that cannot be written, as on a full disk, is lost; nothing else fails."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()


def configure_logs(settings: Settings) -> None:
    """Let every process log as the settings say: lines for people or JSON for machines, to standard error.

    Tracebacks are logged without local variables: keys and addresses of people are among them.
    """
    is_json, colors = settings.log_format == "json", sys.stderr.isatty()
    console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if is_json else console
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    exceptions = [structlog.processors.ExceptionRenderer(tracebacks)] if is_json else []
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *exceptions,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Lines(sys.stderr))),
        cache_logger_on_first_use=True,
    )


def prepare(settings: Settings) -> Sequence[Migration]:
    """Make the data directory and bring its database up to date; return what was applied.

    Run once, before any worker starts.

    Raises:
        StartRefused: The directory cannot be used, or the schema is newer than this version knows, or a restore into
            the directory has not finished.
    """
    try:
        make_durable_folder(settings.data)
    except OSError as exc:
        raise StartRefused(f"The data directory {settings.data} cannot be made: {exc.strerror}.") from exc
    if not os.access(settings.data, os.W_OK):
        raise StartRefused(f"The data directory {settings.data} cannot be written to.")
    if is_unfinished(settings.data):
        raise StartRefused(f"A restore into {settings.data} has not finished; run it again.")
    database = _open_database(settings)
    with _floor(settings).completing():
        applied = migrate(database)
        Datasets(database, DatasetRepository(), times.now).ensure_default()
    database.close()
    return applied


def build(settings: Settings, *, background: bool = False) -> Services:
    """Wire the services of one process. `background` decodes with fewer processes and at a lower priority."""
    database = _open_database(settings)
    floor = _floor(settings)
    workspace = Workspace(settings.data / "tmp", floor.check)
    store = LocalBlobStore(settings.data, workspace, settings.sync_threads, settings.busy_seconds)
    preview_store = PreviewStore(settings.data, workspace)
    decoders = _decoders(settings, background=background)
    committer = ThreadPoolExecutor(COMMIT_THREADS, "albumen-commit")
    photos, datasets = PhotoRepository(), DatasetRepository()
    access = _access(settings, database, committer)
    trash = Trash(database, TrashRepository(), datasets, times.now)
    previews = Previews(store, preview_store, decoders)
    return Services(
        settings=settings,
        database=database,
        floor=floor,
        store=store,
        access=access,
        ingest=_ingest(settings, database, store, committer),
        photos=Photos(
            database=database, photos=photos, datasets=datasets, derivations=DerivationRepository(), trash=trash
        ),
        trash=trash,
        downloads=Downloads(database, photos, store),
        datasets=Datasets(database, datasets, times.now),
        timeline=Timeline(database, datasets, TimelineRepository()),
        previews=previews,
        derivation=_derivation(settings, database, previews),
        housekeeping=_housekeeping(database, store, preview_store),
        health=Health(database, access, store),
        _workspace=workspace,
        _local_store=store,
        _decoders=decoders,
        _committer=committer,
    )


def database_path(settings: Settings) -> Path:
    """Return the file of the database."""
    return settings.data / DATABASE


def build_backup(services: Services, directory: Path) -> Backup:
    """Wire the backup of a data directory into a directory of backups.

    Raises:
        StartRefused: One of the two directories lies in the other.
    """
    data, target = services.settings.data.resolve(), directory.resolve()
    if target.is_relative_to(data) or data.is_relative_to(target):
        raise StartRefused("The backup and the data directory must not lie in one another.")
    return Backup(
        database=services.database,
        blobs=BlobRepository(),
        datasets=DatasetRepository(),
        store=services.store,
        folder=BackupFolder(directory),
        open_copy=open_copy,
        clock=times.now,
    )


def build_archive(directory: Path) -> Archive:
    """Wire what reads a directory of backups. It needs no data directory."""
    return Archive(BackupFolder(directory), BlobRepository(), open_copy)


def _as_user(number: int) -> str:
    """Return the command that runs another one as a user."""
    try:
        return f"runuser -u {pwd.getpwuid(number).pw_name} -- …"
    except KeyError:
        return f"setpriv --reuid {number} --clear-groups -- …"


def _open_database(settings: Settings) -> Database:
    """Open the database. Raises StartRefused for root in the data of somebody else, who could not use its files."""
    path = database_path(settings)
    owner = (path if path.exists() else settings.data).stat().st_uid
    if owner != os.geteuid() == 0:
        raise StartRefused(
            f"The data in {settings.data} belongs to another user, and files that root makes there would be closed to "
            f"the server. Run this as that user: {_as_user(owner)}"
        )
    return open_database(path, settings.busy_seconds)


def _floor(settings: Settings) -> Floor:
    return Floor(settings.data, settings.min_free_bytes)


def _access(settings: Settings, database: Database, later: ThreadPoolExecutor) -> Access:
    keys = KeyRepository()
    use = KeyUse(database, keys, times.now, later)
    return Access(database, keys, times.now, use, always_open=settings.open, may_be_open=settings.is_local)


def _ingest(settings: Settings, database: Database, store: BlobStore, committer: ThreadPoolExecutor) -> Ingest:
    return Ingest(
        database=database,
        photos=PhotoRepository(),
        blobs=BlobRepository(),
        datasets=DatasetRepository(),
        derivations=DerivationRepository(),
        store=store,
        limits=_ingest_limits(settings),
        committer=committer,
        clock=times.now,
        ids=PhotoIds(),
    )


def _derivation(settings: Settings, database: Database, previews: Previews) -> Derivation:
    return Derivation(
        database=database,
        derivations=DerivationRepository(),
        previews=previews,
        clock=times.now,
        lease=timedelta(seconds=LEASE_SECONDS + TASKS_PER_CLAIM * settings.decode_seconds),
        at_once=settings.derive_processes,
    )


def _housekeeping(database: Database, store: BlobStore, previews: PreviewStore) -> Housekeeping:
    return Housekeeping(
        database=database,
        trash=TrashRepository(),
        blobs=BlobRepository(),
        derivations=DerivationRepository(),
        store=store,
        previews=previews,
        clock=times.now,
    )


def _ingest_limits(settings: Settings) -> IngestLimits:
    photo = Limits(settings.max_photo_bytes, settings.max_pixels, settings.max_frames)
    return IngestLimits(photo, settings.max_photos, settings.group_photos)


def _decoders(settings: Settings, *, background: bool) -> DecoderPool:
    return DecoderPool(
        processes=settings.derive_processes if background else settings.decode_processes,
        seconds=settings.decode_seconds,
        memory_bytes=settings.decode_memory,
        niceness=BACKGROUND_NICENESS if background else 0,
    )
