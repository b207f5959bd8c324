"""Request bodies to photos: streamed from the WSGI input, never held as a whole.

Flask's own form parser is never touched: it buffers, is many times slower, and stops at 1,000 parts.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from multipart import MultipartError, MultipartSegment, PushMultipartParser
from werkzeug.http import parse_options_header

from albumen.errors import BodyTooSlow, DatasetTooLate, MalformedBody

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from albumen.domain.outcomes import Outcome
    from albumen.services.ingest import Batch, Reception

CHUNK_BYTES = 512 * 1024
MOST_DROPPED_BYTES = 256 << 20
MOST_HEADER_BYTES = 16 * 1024  # folded lines cost the parser the square of this
MOST_HEADERS = 32
MOST_FIELD_BYTES = 1024
HEADER_CHARSET = "latin-1"  # any bytes can be read so; one name in another encoding must not break the whole form


class Input(Protocol):
    """A request body. That of our own server tells by `is_cut` that it ended too early, and does not wait for ever."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end. Raises BodyTooSlow."""


class FormReader:
    """Feeds the parts of one multipart form to a batch: every part with a filename is a photo."""

    def __init__(self, batch: Batch, boundary: str) -> None:
        self._batch = batch
        self._parser = PushMultipartParser(
            boundary, max_header_size=MOST_HEADER_BYTES, max_header_count=MOST_HEADERS, header_charset=HEADER_CHARSET
        )
        self._photo: Reception | None = None
        self._field: bytearray | None = None
        self._is_unnamed_file = False

    def feed(self, chunk: bytes) -> Iterator[Sequence[Outcome]]:
        """Take a chunk of the body, an empty one for its end; yield outcomes that became final.

        Raises:
            MalformedBody: The form breaks the rules of RFC 7578 or ends before its closing boundary.
            DatasetTooLate, InvalidParameter: The field `dataset` is misplaced or not a slug.
            TooManyPhotos, StorageFull, StorageUnavailable, Busy: As `Batch` raises them.
        """
        try:
            for event in self._parser.parse(chunk):
                if event is None:
                    yield self._end_part()
                elif isinstance(event, MultipartSegment):
                    self._begin_part(event)
                else:
                    self._take(bytes(event))
        except MultipartError as exc:
            raise MalformedBody(f"The form is broken or ends early: {exc}.") from exc

    def _begin_part(self, part: MultipartSegment) -> None:
        self._photo, self._field, self._is_unnamed_file = None, None, False
        name = _file_name(part)
        if name:
            self._photo = self._batch.begin(name)
        elif name is not None:
            self._is_unnamed_file = True
        elif part.name == "dataset":
            self._field = bytearray()

    def _take(self, data: bytes) -> None:
        if self._is_unnamed_file and self._photo is None:
            self._photo = self._batch.begin("")
        if self._photo is not None:
            self._photo.write(data)
        elif self._field is not None and len(self._field) <= MOST_FIELD_BYTES:
            self._field += data

    def _end_part(self) -> Sequence[Outcome]:
        if self._photo is not None:
            return self._batch.end()
        if self._field is not None:
            self._choose_dataset(bytes(self._field))
        return ()

    def _choose_dataset(self, value: bytes) -> None:
        slug = value.decode("utf-8", "replace").strip()
        if slug and not self._batch.choose_dataset(slug):
            raise DatasetTooLate("Send the field 'dataset' before the first photo, or as '?dataset='.")


def pour_form(stream: Input, boundary: str, batch: Batch) -> Iterator[Sequence[Outcome]]:
    """Read a multipart form to its end; yield outcomes as groups become final. Raises as `FormReader.feed`."""
    try:
        reader = FormReader(batch, boundary)
    except MultipartError as exc:
        raise MalformedBody(f"The boundary of the form is not usable: {exc}.") from exc
    while chunk := stream.read(CHUNK_BYTES):
        yield from reader.feed(chunk)
        yield batch.settled()
    yield from reader.feed(b"")
    yield batch.finish()


def pour_photo(stream: Input, length: int | None, name: str, batch: Batch) -> Iterator[Sequence[Outcome]]:
    """Read a raw body as one photo of that name.

    Raises:
        MalformedBody: Fewer bytes came than Content-Length announced, or no last chunk.
        BodyTooSlow: As `Input.read` raises it.
    """
    photo = batch.begin(name)
    received = 0
    while chunk := stream.read(CHUNK_BYTES):
        received += len(chunk)
        photo.write(chunk)
    if length is not None and received < length:
        raise MalformedBody(f"The body ended after {received:,} of {length:,} bytes.")
    if getattr(stream, "is_cut", False):
        raise MalformedBody("The body ended before its last chunk.")
    yield batch.end()
    yield batch.finish()


def drop_rest(stream: Input) -> None:
    """Read what is left of a body that nobody wants, up to a bound: many clients read a long answer only afterwards."""
    left = MOST_DROPPED_BYTES
    with suppress(BodyTooSlow):
        while left > 0 and (chunk := stream.read(CHUNK_BYTES)):
            left -= len(chunk)


def _file_name(part: MultipartSegment) -> str | None:
    """Return the name of a file part, None for a field. `filename*` (RFC 8187) wins when it can be read."""
    header = part.header("Content-Disposition", "")
    if "filename*" in header.lower():
        options = parse_options_header(_as_utf8(header))[1]
        return options.get("filename", _as_utf8(part.filename or ""))
    return None if part.filename is None else _as_utf8(part.filename)


def _as_utf8(text: str) -> str:
    """Read header bytes as UTF-8; what is no UTF-8 becomes U+FFFD."""
    return text.encode(HEADER_CHARSET).decode("utf-8", "replace")
