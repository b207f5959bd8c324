"""Photos that are in: find, list, rename, trash, restore."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from albumen.domain.ids import is_photo_id
from albumen.domain.names import clean_name
from albumen.domain.photos import PhotoDetails
from albumen.errors import AlreadyInDataset, InvalidParameter, PhotoNotFound
from albumen.services.listing import Listing, check_page, page_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from albumen.domain.photos import Photo
    from albumen.repository.datasets import DatasetRepository
    from albumen.repository.derivations import DerivationRepository
    from albumen.repository.engine import Database
    from albumen.repository.photos import KnownPhoto, ListedPhoto, PhotoReference, PhotoRepository
    from albumen.services.trash import Trash

MOST_KNOWN = 10_000
STREAM_STEP = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Photos, newest first, and the cursor of the next page when there is one."""

    photos: Sequence[ListedPhoto]
    next: str | None


class Photos:
    """Everything about photos but their way in and their pixels."""

    def __init__(
        self,
        *,
        database: Database,
        photos: PhotoRepository,
        datasets: DatasetRepository,
        derivations: DerivationRepository,
        trash: Trash,
    ) -> None:
        self._database = database
        self._photos = photos
        self._datasets = datasets
        self._derivations = derivations
        self._trash = trash

    def get(self, photo_id: str) -> Photo:
        """Return a photo. Raises PhotoNotFound."""
        if not is_photo_id(photo_id):
            raise _no_photo()
        with self._database.reading() as tx:
            return _found(self._photos.find(tx, photo_id)).photo

    def trashed(self, photo_id: str) -> Photo:
        """Return a photo that is in the trash. Raises PhotoNotFound when it is not there."""
        with self._database.reading() as tx:
            return _found(self._photos.find_trashed(tx, photo_id)).photo

    def find(self, id_or_name: str) -> Photo:
        """Return the photo of that id, else the newest of exactly that name. Raises PhotoNotFound."""
        if is_photo_id(id_or_name):
            return self.get(id_or_name)
        with self._database.reading() as tx:
            return _found(self._photos.find_by_name(tx, clean_name(id_or_name))).photo

    def details(self, photo_id: str) -> PhotoDetails:
        """Return a photo with all that was derived from it. Raises PhotoNotFound."""
        with self._database.reading() as tx:
            listed = _found(self._photos.find(tx, photo_id))
            described = self._derivations.describe(tx, listed.photo.blob.sha256)
        return PhotoDetails(listed.photo, described.metadata, listed.placeholder, described.state)

    def page(self, listing: Listing) -> Page:
        """Return one page. Raises InvalidParameter, DatasetNotFound."""
        check_page(listing)
        with self._database.reading() as tx:
            found = self._photos.page(tx, page_query(tx, self._datasets, listing, listing.limit + 1))
        photos = found[: listing.limit]
        return Page(photos, photos[-1].photo.id if len(found) > listing.limit else None)

    def references(self, listing: Listing) -> Sequence[PhotoReference]:
        """Return id, name and link of one page of photos, newest first. Raises InvalidParameter, DatasetNotFound."""
        check_page(listing)
        with self._database.reading() as tx:
            return self._photos.references(tx, page_query(tx, self._datasets, listing, listing.limit))

    def all_references(self, dataset: str | None = None) -> Iterator[Sequence[PhotoReference]]:
        """Return all photos, of one dataset or of all, newest first, in steps; no transaction is open between two.

        Raises:
            DatasetNotFound: At once.
        """
        listing = Listing(dataset=dataset, limit=STREAM_STEP)
        return self._steps(listing, self.references(listing))

    def _steps(self, listing: Listing, step: Sequence[PhotoReference]) -> Iterator[Sequence[PhotoReference]]:
        while step:
            yield step
            step = self.references(replace(listing, cursor=step[-1].id))

    def known(self, dataset: str, digests: Sequence[str]) -> Mapping[str, KnownPhoto]:
        """Return the photos of a dataset with one of these SHA-256, by SHA-256. An unknown dataset has none.

        Raises:
            InvalidParameter: More than 10,000 digests.
        """
        if len(digests) > MOST_KNOWN:
            raise InvalidParameter("sha256", f"at most {MOST_KNOWN:,} digests")
        with self._database.reading() as tx:
            return self._photos.known(tx, dataset, digests)

    def rename(self, photo_id: str, name: str) -> PhotoDetails:
        """Give a photo another name, cleaned as at an upload. Raises PhotoNotFound."""
        with self._database.writing() as tx:
            if not self._photos.rename(tx, photo_id, clean_name(name)):
                raise _no_photo()
        return self.details(photo_id)

    def delete(self, photo_id: str) -> None:
        """Move a photo to the trash. Raises PhotoNotFound."""
        if not self._trash.delete([photo_id]).done:
            raise _no_photo()

    def restore(self, photo_id: str) -> PhotoDetails:
        """Take a photo out of the trash.

        Raises:
            PhotoNotFound: It is not in the trash.
            AlreadyInDataset: The same photo was uploaded again meanwhile; `id` names that one.
        """
        moved = self._trash.restore([photo_id])
        if photo_id in moved.twins:
            raise AlreadyInDataset("The same photo is in the dataset already.", id=moved.twins[photo_id])
        if not moved.done:
            raise _no_photo()
        return self.details(photo_id)


def _found(listed: ListedPhoto | None) -> ListedPhoto:
    if listed is None:
        raise _no_photo()
    return listed


def _no_photo() -> PhotoNotFound:
    return PhotoNotFound("There is no such photo, or you may not see it.")
