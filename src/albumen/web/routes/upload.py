"""Photos on their way in: whole batches and single ones."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from albumen.domain.access import Role
from albumen.domain.datasets import DEFAULT_DATASET
from albumen.domain.outcomes import Status
from albumen.errors import AlbumenError, AllRejected, MalformedBody, NoPhotos, UnsupportedBody
from albumen.web import present
from albumen.web.auth import needs
from albumen.web.body import drop_rest, pour_form, pour_photo
from albumen.web.context import base_url, context, services
from albumen.web.ending import at_end
from albumen.web.errors import CLIENT_GONE, log_broken_off, log_client_gone, problem
from albumen.web.observe import BROKEN_OFF, RECEIVED, RECEIVED_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from _typeshed.wsgi import WSGIEnvironment

    from albumen.domain.outcomes import Outcome
    from albumen.services.ingest import Batch
    from albumen.storage.space import Floor

    Pouring = Iterator[Sequence[Outcome]]

upload = Blueprint("upload", __name__)
FEW_PHOTOS = 100  # the system takes the list of so many outcomes at once, though its client does not read yet
NDJSON = "application/x-ndjson"
FORM = "multipart/form-data"


@upload.before_request
def _take_place() -> None:
    """Admit the upload, or refuse it before anything of it is read."""
    uploads, address = context().places.uploads, request.remote_addr or ""
    uploads.take(address)
    at_end(request.environ, lambda: uploads.give_back(address))


@upload.post("/upload")
@upload.post("/")
@needs(Role.CONTRIBUTOR)
def upload_photos() -> Response:
    """Take in every photo of the body, each for itself; answer with one outcome per photo."""
    batch = services().ingest.batch(request.args.get("dataset") or DEFAULT_DATASET)
    pouring = _pouring(batch)
    if request.accept_mimetypes.best == NDJSON:
        lines = _lines(batch, pouring, base_url(), request.environ, services().floor)
        if services().settings.proxy_hops:  # nginx may stop handing on the body once the answer has begun
            return Response(b"".join(lines), mimetype=NDJSON)
        return Response(lines, mimetype=NDJSON)
    with batch:
        return _report(batch, pouring)


@upload.put("/api/v1/photos")
@needs(Role.CONTRIBUTOR)
def put_photo() -> Response:
    """Take in the body as one photo; repeating it gives the same id."""
    with services().ingest.batch(request.args.get("dataset") or DEFAULT_DATASET) as batch, _breaks_counted():
        outcomes = [outcome for some in _pouring_raw(batch) for outcome in some]
    _count(outcomes)
    outcome = outcomes[0]
    if outcome.rejected is not None:
        raise outcome.rejected
    shown = {"dataset": batch.dataset, **present.outcome(outcome, base_url())}
    status = 201 if outcome.status is Status.CREATED else 200
    return Response(present.as_json(shown), status, mimetype="application/json")


def _pouring(batch: Batch) -> Pouring:
    """Choose how to read the body by its type. Raises UnsupportedBody, MalformedBody before anything is read."""
    if request.mimetype == FORM:
        boundary = request.mimetype_params.get("boundary")
        if not boundary:
            raise MalformedBody("The Content-Type of a form must name its boundary.")
        return pour_form(request.environ["wsgi.input"], boundary, batch)
    if request.mimetype.startswith("image/"):
        return _pouring_raw(batch)
    raise UnsupportedBody("Send multipart/form-data, or one photo with its image/… type.")


def _pouring_raw(batch: Batch) -> Pouring:
    name = request.args.get("name", "")
    return pour_photo(request.environ["wsgi.input"], request.content_length, name, batch)


def _report(batch: Batch, pouring: Pouring) -> Response:
    base, photos = base_url(), []
    try:
        with _breaks_counted():
            for some in pouring:
                photos += _shown(some, base)
    except AlbumenError as exc:
        photos += _shown(batch.salvage(), base)
        exc.members.update(_summary(batch, photos))
        if len(photos) > FEW_PHOTOS:
            drop_rest(request.environ["wsgi.input"])
        raise
    _refuse_nothing(batch, photos)
    status = 201 if batch.counts[Status.CREATED] else 200
    return Response(present.as_json(_summary(batch, photos)), status, mimetype="application/json")


def _refuse_nothing(batch: Batch, photos: Sequence[dict[str, Any]]) -> None:
    """An upload without a photo, or without an accepted one, is an error."""
    if not photos:
        raise NoPhotos("Send at least one part with a filename.")
    if batch.counts[Status.REJECTED] == len(photos):
        raise AllRejected("Every photo was rejected; 'photos' tells why.", **_summary(batch, photos))


def _lines(batch: Batch, pouring: Pouring, base: str, environ: WSGIEnvironment, floor: Floor) -> Iterator[bytes]:
    """Yield one line per outcome as soon as it is final; a last line with `problem` alone tells what broke off."""
    with batch:
        try:
            with _breaks_counted():
                yield b""  # lets the head of the answer out before the first line
                for some in pouring:
                    yield from map(_line, _shown(some, base))
                if not batch.counts:
                    yield _line({"problem": problem(NoPhotos("Send at least one part with a filename."))})
        except AlbumenError as exc:
            rest = _shown(batch.salvage(), base)
            batch.abandon()  # so that the log tells the space without what nobody keeps
            log_broken_off(exc, environ, floor)
            yield from map(_line, rest)
            yield _line({"problem": problem(exc)})
        except GeneratorExit:
            log_client_gone(environ)
            raise


@contextmanager
def _breaks_counted() -> Iterator[None]:
    """Count an upload that breaks off in the block."""
    try:
        yield
    except BaseException as exc:
        BROKEN_OFF.labels(_reason(exc)).inc()
        raise


def _reason(exc: BaseException) -> str:
    """Return the code of what ended an upload; the server closes the lines of one whose client is gone."""
    if isinstance(exc, AlbumenError):
        return exc.code
    return CLIENT_GONE if isinstance(exc, GeneratorExit) else AlbumenError.code


def _shown(outcomes: Sequence[Outcome], base: str) -> list[dict[str, Any]]:
    """Count outcomes and present them: now, while the next photos come in, since at the end everybody waits for it."""
    _count(outcomes)
    return [present.outcome(outcome, base) for outcome in outcomes]


def _count(outcomes: Sequence[Outcome]) -> None:
    for status, count in Counter(outcome.status for outcome in outcomes).items():
        RECEIVED.labels(status.value).inc(count)
    accepted = (outcome.accepted for outcome in outcomes if outcome.status is Status.CREATED)
    RECEIVED_BYTES.inc(sum(each.blob.bytes for each in accepted if each is not None))


def _summary(batch: Batch, photos: Sequence[dict[str, Any]]) -> dict[str, Any]:
    counts = {status.value: batch.counts[status] for status in Status}
    return {"dataset": batch.dataset, **counts, "photos": photos}


def _line(value: dict[str, Any]) -> bytes:
    return present.as_json(value).encode() + b"\n"
