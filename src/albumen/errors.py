"""Every error that a caller may meet, each with a stable code and a public message.

    AlbumenError
    ├── Refused                what was sent cannot be taken
    │   ├── PhotoRejected      one photo of a batch; the others go on
    │   │   ├── EmptyPhoto · NotAPhoto · TruncatedPhoto · PhotoTooLarge · TooManyPixels · TooManyFrames
    │   ├── NoPhotos · AllRejected · TooManyPhotos · MalformedBody · UnsupportedBody · DatasetTooLate
    │   ├── BodyTooSlow
    │   └── InvalidParameter
    ├── NotFound               PhotoNotFound · DatasetNotFound · KeyNotFound
    ├── Conflict               DatasetExists · AlreadyInDataset
    ├── NotAllowed             KeyRequired · RoleTooSmall · CrossOrigin · UnknownHost · TooManyRequests
    ├── Unavailable            StorageFull · Busy · TooManyUploads · StorageUnavailable
    ├── Damaged                BlobDamaged · PreviewFailed
    └── StartRefused           the program cannot start as it was told to

This module imports nothing of Albumen. HTTP statuses belong to `web.errors`, not here.
"""

from __future__ import annotations

from typing import Any, ClassVar


class AlbumenError(Exception):
    """Base of all our errors.

    `code` is stable and snake_case, `title` is the same for every case of the code, `detail` tells this case and
    what to do; `members` are further JSON values that the code documents.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on the server"

    def __init__(self, detail: str, **members: Any) -> None:  # noqa: ANN401 - JSON values of many types
        super().__init__(detail)
        self.detail = detail
        self.members = members


class Refused(AlbumenError):
    """What was sent cannot be taken."""


class PhotoRejected(Refused):
    """One photo of a batch is refused; the others go on."""


class EmptyPhoto(PhotoRejected):
    """A part of zero bytes."""

    code = "empty"
    title = "Empty file"


class NotAPhoto(PhotoRejected):
    """The bytes are of no format that Albumen takes."""

    code = "not_a_photo"
    title = "Not a photo"


class TruncatedPhoto(PhotoRejected):
    """The file ends before its format says that it may."""

    code = "truncated"
    title = "Cut-off photo"


class PhotoTooLarge(PhotoRejected):
    """More bytes than the limit for one photo."""

    code = "too_large"
    title = "Photo too large"


class TooManyPixels(PhotoRejected):
    """The header announces more pixels than the limit; nothing was decoded."""

    code = "too_many_pixels"
    title = "Too many pixels"


class TooManyFrames(PhotoRejected):
    """The file has more frames than the limit; nothing was decoded."""

    code = "too_many_frames"
    title = "Too many frames"


class NoPhotos(Refused):
    """An upload without a single photo part."""

    code = "no_photos"
    title = "No photos in the request"


class AllRejected(Refused):
    """Every photo of the upload was rejected; members `photos` and the counts tell why."""

    code = "all_rejected"
    title = "No photo was accepted"


class TooManyPhotos(Refused):
    """More parts than one request may carry; what came before is kept and listed."""

    code = "too_many_photos"
    title = "Too many photos in one request"


class MalformedBody(Refused):
    """The body breaks the rules of its type or ends early; complete photos before the break are kept and listed."""

    code = "malformed_body"
    title = "Malformed request body"


class UnsupportedBody(Refused):
    """The body is of a type that the route does not take."""

    code = "unsupported_body"
    title = "Unsupported request body"


class BodyTooSlow(Refused):
    """The body came too slowly, or stopped coming; complete photos before that are kept and listed."""

    code = "body_too_slow"
    title = "Request body too slow"


class DatasetTooLate(Refused):
    """The form field `dataset` came after the first photo."""

    code = "dataset_too_late"
    title = "Dataset named after the first photo"


class InvalidParameter(Refused):
    """A parameter has a value that is not allowed, or none has that name; members `parameter` and `allowed`."""

    code = "invalid_parameter"
    title = "Invalid parameter"

    def __init__(self, parameter: str, allowed: str, detail: str = "") -> None:
        super().__init__(detail or f"'{parameter}' must be {allowed}.", parameter=parameter, allowed=allowed)


class NotFound(AlbumenError):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"
    title = "Not found"


class PhotoNotFound(NotFound):
    """No photo of that id or name that the caller may see."""

    code = "photo_not_found"
    title = "Photo not found"


class DatasetNotFound(NotFound):
    """No dataset of that slug."""

    code = "dataset_not_found"
    title = "Dataset not found"


class KeyNotFound(NotFound):
    """No API key of that id."""

    code = "key_not_found"
    title = "Key not found"


class Conflict(AlbumenError):
    """The wish contradicts what is there."""


class DatasetExists(Conflict):
    """A dataset of that slug is there already."""

    code = "dataset_exists"
    title = "Dataset exists"


class AlreadyInDataset(Conflict):
    """The same photo is in the dataset under another id, so this one cannot be restored; member `id`."""

    code = "already_in_dataset"
    title = "Photo is in the dataset already"


class NotAllowed(AlbumenError):
    """The caller may not do this."""


class KeyRequired(NotAllowed):
    """The server wants a valid API key and got none."""

    code = "key_required"
    title = "A valid key is required"


class RoleTooSmall(NotAllowed):
    """The key is valid but its role does not reach; members `role` and `needed`."""

    code = "role_too_small"
    title = "The key's role does not allow this"


class CrossOrigin(NotAllowed):
    """A page of another origin tried to change something."""

    code = "cross_origin"
    title = "Request from another origin"


class UnknownHost(NotAllowed):
    """The Host header is not one that this server answers to."""

    code = "unknown_host"
    title = "Unknown host name"


class TooManyRequests(NotAllowed):
    """The caller used up a rate limit; member `retry_after` tells for how many seconds."""

    code = "too_many_requests"
    title = "Too many requests"


class Unavailable(AlbumenError):
    """It may work later."""


class StorageFull(Unavailable):
    """No space left; nothing half-written remains.

    `room` tells the operator how many bytes are `available` there, and how many `reserved`; clients do not see it.
    """

    code = "storage_full"
    title = "Storage is full"

    def __init__(self, detail: str, **room: int) -> None:
        super().__init__(detail)
        self.room = room


class Busy(Unavailable):
    """The database, or the store of photos, was locked for too long; try again."""

    code = "busy"
    title = "Busy, try again"


class TooManyUploads(Unavailable):
    """So many uploads are under way, in all or from one address, that no further one is taken now."""

    code = "too_many_uploads"
    title = "Too many uploads at once"


class StorageUnavailable(Unavailable):
    """The data directory or the database cannot be read or written."""

    code = "storage_unavailable"
    title = "Storage is unavailable"


class Damaged(AlbumenError):
    """Stored bytes cannot be used."""


class BlobDamaged(Damaged):
    """The bytes of the photo are missing or no longer match their digest."""

    code = "blob_damaged"
    title = "The stored photo is damaged"


class PreviewFailed(Damaged):
    """No preview can be made of this photo; the original can still be read."""

    code = "preview_failed"
    title = "No preview can be made"


class StartRefused(AlbumenError):
    """The program cannot start as it was told to: a setting, the schema, the address, a directory of backups."""

    code = "start_refused"
    title = "Cannot start"
