"""Photos and their blobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam

from albumen.domain.names import fold_name
from albumen.domain.photos import Blob, Photo, PhotoHeader
from albumen.domain.times import from_micros, to_micros
from albumen.repository.engine import statement
from albumen.repository.listing import shaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping

    from albumen.repository.engine import Transaction
    from albumen.repository.listing import PageQuery

_COLUMNS = """
    SELECT p.id, p.name, p.link, p.uploaded_at, p.deleted_at, d.slug, b.sha256, b.bytes, b.media_type, b.extension,
           b.width, b.height, b.frames, b.taken_at, b.placeholder
    FROM photo AS p JOIN dataset AS d ON d.id = p.dataset_id JOIN blob AS b ON b.sha256 = p.sha256
"""
_KNOWN = statement("""
    SELECT sha256, id, link FROM photo
    WHERE dataset_id = (SELECT id FROM dataset WHERE slug = :dataset) AND deleted_at IS NULL AND sha256 IN :digests
""").bindparams(bindparam("digests", expanding=True))
_ADD_BLOB = statement("""
    INSERT INTO blob (sha256, bytes, media_type, extension, width, height, frames)
    VALUES (:sha256, :bytes, :media_type, :extension, :width, :height, :frames)
    ON CONFLICT (sha256) DO NOTHING
""")
_ADD_PHOTO = statement("""
    INSERT INTO photo (id, link, name, name_folded, dataset_id, sha256, uploaded_at)
    VALUES (:id, :link, :name, :name_folded, :dataset_id, :sha256, :uploaded_at)
""")
_NEWEST = statement("SELECT id FROM photo ORDER BY id DESC LIMIT 1")
_BY_ID = statement(_COLUMNS + "WHERE p.id = :id AND p.deleted_at IS NULL")
_TRASHED_BY_ID = statement(_COLUMNS + "WHERE p.id = :id AND p.deleted_at IS NOT NULL")
_BY_IDS = statement(_COLUMNS + "WHERE p.id IN :ids AND p.deleted_at IS NULL").bindparams(
    bindparam("ids", expanding=True)
)
_BY_NAME = statement(_COLUMNS + "WHERE p.name = :name AND p.deleted_at IS NULL ORDER BY p.id DESC LIMIT 1")
_RENAME = statement("""
    UPDATE photo SET name = :name, name_folded = :name_folded WHERE id = :id AND deleted_at IS NULL
""")
_REFERENCES = shaped("SELECT p.id, p.name, p.link FROM photo AS p", " ORDER BY p.id DESC LIMIT :limit")
_PAGES = shaped(_COLUMNS, " ORDER BY p.id DESC LIMIT :limit")


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """A photo about to be inserted."""

    id: str
    name: str
    link: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class PhotoReference:
    """The least that names a photo."""

    id: str
    name: str
    link: str


@dataclass(frozen=True, slots=True)
class KnownPhoto:
    """A photo that a dataset holds already, found by its digest."""

    sha256: str
    id: str
    link: str


@dataclass(frozen=True, slots=True)
class ListedPhoto:
    """A photo as lists show it, with when it was taken (local time of the camera) and its placeholder, if known."""

    photo: Photo
    taken_at: datetime | None
    placeholder: str | None


class PhotoRepository:
    """The aggregate of table `photo` and table `blob`."""

    def known(self, tx: Transaction, dataset: str, digests: Sequence[str]) -> Mapping[str, KnownPhoto]:
        """Return those photos of the dataset, not in the trash, whose SHA-256 is among `digests`, by SHA-256."""
        rows = tx.rows(_KNOWN, {"dataset": dataset, "digests": digests})
        return {row["sha256"]: KnownPhoto(row["sha256"], row["id"], row["link"]) for row in rows}

    def add(self, tx: Transaction, dataset_id: int, photos: Sequence[NewPhoto], uploaded_at: datetime) -> None:
        """Insert photos, and their blobs where new."""
        blobs = [_blob_values(photo.blob) for photo in photos]
        tx.run_many(_ADD_BLOB, blobs)
        at = to_micros(uploaded_at)
        tx.run_many(_ADD_PHOTO, [_photo_values(photo, dataset_id, at) for photo in photos])

    def newest(self, tx: Transaction) -> str | None:
        """Return the greatest id that is in use, in the trash too."""
        row = tx.row(_NEWEST, {})
        return row["id"] if row else None

    def find(self, tx: Transaction, photo_id: str) -> ListedPhoto | None:
        """Return the photo of that id unless it is in the trash."""
        row = tx.row(_BY_ID, {"id": photo_id})
        return _listed(row) if row else None

    def find_trashed(self, tx: Transaction, photo_id: str) -> ListedPhoto | None:
        """Return the photo of that id if it is in the trash."""
        row = tx.row(_TRASHED_BY_ID, {"id": photo_id})
        return _listed(row) if row else None

    def find_all(self, tx: Transaction, photo_ids: Sequence[str]) -> Sequence[ListedPhoto]:
        """Return those of the photos that are not in the trash, in no certain order."""
        return [_listed(row) for row in tx.rows(_BY_IDS, {"ids": photo_ids})]

    def find_by_name(self, tx: Transaction, name: str) -> ListedPhoto | None:
        """Return the newest photo of exactly that name."""
        row = tx.row(_BY_NAME, {"name": name})
        return _listed(row) if row else None

    def page(self, tx: Transaction, query: PageQuery) -> Sequence[ListedPhoto]:
        """Return one keyset page, newest first, in one statement whatever the limit."""
        return [_listed(row) for row in tx.rows(_PAGES[query.shape], query.values())]

    def references(self, tx: Transaction, query: PageQuery) -> Sequence[PhotoReference]:
        """Return id, name and link of one keyset page of photos, newest first."""
        rows = tx.rows(_REFERENCES[query.shape], query.values())
        return [PhotoReference(row["id"], row["name"], row["link"]) for row in rows]

    def rename(self, tx: Transaction, photo_id: str, name: str) -> bool:
        """Give a photo another name; tell whether there was one to rename."""
        return tx.run(_RENAME, {"id": photo_id, "name": name, "name_folded": fold_name(name)}) == 1


def _blob_values(blob: Blob) -> Mapping[str, object]:
    header = blob.header
    return {
        "sha256": blob.sha256,
        "bytes": blob.bytes,
        "media_type": header.media_type,
        "extension": header.extension,
        "width": header.width,
        "height": header.height,
        "frames": header.frames,
    }


def _photo_values(photo: NewPhoto, dataset_id: int, uploaded_at: int) -> Mapping[str, object]:
    return {
        "id": photo.id,
        "link": photo.link,
        "name": photo.name,
        "name_folded": fold_name(photo.name),
        "dataset_id": dataset_id,
        "sha256": photo.blob.sha256,
        "uploaded_at": uploaded_at,
    }


def _listed(row: RowMapping) -> ListedPhoto:
    header = PhotoHeader(row["media_type"], row["extension"], row["width"], row["height"], row["frames"])
    deleted_at = None if row["deleted_at"] is None else from_micros(row["deleted_at"])
    photo = Photo(
        id=row["id"],
        name=row["name"],
        link=row["link"],
        dataset=row["slug"],
        blob=Blob(row["sha256"], row["bytes"], header),
        uploaded_at=from_micros(row["uploaded_at"]),
        deleted_at=deleted_at,
    )
    taken_at = None if row["taken_at"] is None else from_micros(row["taken_at"]).replace(tzinfo=None)
    return ListedPhoto(photo, taken_at, row["placeholder"])
