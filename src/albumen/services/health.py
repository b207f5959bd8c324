"""Whether a server can do its work now. Quick enough to be asked every second."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from albumen.repository.engine import Database
    from albumen.services.access import Access
    from albumen.storage.base import BlobStore

WRITE_SECONDS = 1.0


class Health:
    """Tries what every request needs."""

    def __init__(self, database: Database, access: Access, store: BlobStore) -> None:
        self._database = database
        self._access = access
        self._store = store

    def check(self) -> None:
        """Read and write where rows and bytes are; nothing of it stays.

        Raises:
            Busy: Others keep the database, or the store.
            StorageFull, StorageUnavailable: Photos cannot be stored or read.
        """
        self._database.probe_write(WRITE_SECONDS)
        self._access.has_keys()
        self._store.check()
