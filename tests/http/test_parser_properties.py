"""However a form is cut into chunks on its way, the outcomes are the same as for the whole in one piece."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from albumen.domain.names import clean_name
from albumen.domain.outcomes import Status
from albumen.errors import AlbumenError
from albumen.web.body import FormReader
from forms import BOUNDARY, form, form_begun, part, part_extended, part_with, sha256
from forms import field as form_field
from pictures import gif, jpeg, of_size, png, png_bomb, truncate

PHOTOS = (jpeg(32, 24, seed=1), png(16, 16, seed=2), gif(8, 8, seed=3), of_size(2000, seed=4))
NO_PHOTOS = (b"", b"text", png_bomb(), truncate(PHOTOS[0], 0.7), b"\xff\xd8\xff", b"\r\n", b"--" + BOUNDARY.encode())
LINE = f"\r\n--{BOUNDARY}".encode()
FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
slugs = (f"set-{number}" for number in itertools.count())

tails = st.one_of(st.just(b""), st.binary(max_size=40), st.integers(0, len(LINE) - 1).map(lambda end: LINE[:end]))
photos = st.builds(lambda photo, tail: photo + tail, st.sampled_from(PHOTOS), tails)
contents = st.one_of(photos, photos, st.sampled_from(NO_PHOTOS), st.binary(max_size=3000)).filter(
    lambda data: LINE not in b"\r\n" + data
)
names = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=30), st.sampled_from(["a.jpg", "ё.jpg", '"', "../x", ""])
)
safe_names = names.map(lambda name: name.replace("\\", "_").replace("%", "_"))
fields = st.builds(form_field, st.sampled_from(["comment", "user"]), st.text("abc \r\n-", max_size=60))


@dataclass
class Outcomes:
    """What came of a form: its outcomes without their ids, which differ by nature, and how it ended."""

    seen: list = field(default_factory=list)
    error: str | None = None


@st.composite
def files(draw):
    """A file part and what it holds: (part, name, data)."""
    data, name = draw(contents), draw(safe_names)
    write = draw(st.sampled_from([part, part_extended])) if name else part
    return write(data, name), name, data


@st.composite
def cuts(draw, body):
    """The body in chunks: cut at random places, or all of one small size."""
    if draw(st.booleans()):
        step = draw(st.integers(1, 80))
        return [body[start : start + step] for start in range(0, len(body), step)]
    places = sorted(draw(st.sets(st.integers(1, max(len(body) - 1, 1)), max_size=30)))
    return [chunk for chunk in map(body.__getitem__, map(slice, [0, *places], [*places, None])) if chunk]


def read(services, chunks):
    """Read a form that arrives in these chunks into a dataset of its own."""
    found = Outcomes()
    with services.ingest.batch(next(slugs)) as batch:
        reader = FormReader(batch, BOUNDARY)
        try:
            for chunk in [*chunks, b""]:
                found.seen += itertools.chain.from_iterable(reader.feed(chunk))
        except AlbumenError as exc:
            found.error = exc.code
        found.seen += batch.finish()
    return Outcomes([shown(outcome) for outcome in found.seen], found.error)


def shown(outcome):
    digest = outcome.accepted and outcome.accepted.blob.sha256
    code = outcome.rejected and outcome.rejected.code
    return outcome.index, outcome.name, outcome.status, digest, code


@pytest.fixture
def reading(services):
    """A reader of forms on a real data directory."""
    return lambda chunks: read(services, chunks)


@FEW
@given(data=st.data(), parts=st.lists(st.one_of(files(), files(), fields), max_size=6))
def test_any_cutting_of_a_form_gives_the_same_outcomes(reading, data, parts):
    body = form(*(each[0] if isinstance(each, tuple) else each for each in parts))
    whole = reading([body])
    assert whole.error is None
    assert reading(data.draw(cuts(body))) == whole


@FEW
@given(data=st.data(), parts=st.lists(files(), min_size=1, max_size=5))
def test_every_file_of_a_form_has_its_outcome_with_its_name_and_its_bytes(reading, data, parts):
    outcomes = reading(data.draw(cuts(form(*(each[0] for each in parts)))))
    expected = [(name, content) for _, name, content in parts if name or content]
    assert [outcome[0] for outcome in outcomes.seen] == list(range(len(expected)))
    assert [outcome[1] for outcome in outcomes.seen] == [clean_name(name) for name, _ in expected]
    for (_, _, status, digest, _), (_, content) in zip(outcomes.seen, expected, strict=True):
        assert digest == (None if status is Status.REJECTED else sha256(content))


@FEW
@given(data=st.data(), parts=st.lists(files(), min_size=1, max_size=4), kept=st.floats(0, 0.999))
def test_any_cutting_of_a_form_that_breaks_off_gives_the_same_outcomes(reading, data, parts, kept):
    body = form(*(each[0] for each in parts))
    body = body[: int((len(body) - 6) * kept)]
    whole = reading([body] if body else [])
    assert whole.error == "malformed_body"
    assert reading(data.draw(cuts(body))) == whole


@FEW
@given(data=st.data(), junk=st.binary(max_size=300))
def test_any_cutting_of_a_form_with_junk_in_it_keeps_the_photos_before_the_junk(reading, data, junk):
    body = form_begun(part(PHOTOS[0]), part(PHOTOS[1])) + f"--{BOUNDARY}\r\n".encode() + junk
    outcomes = reading(data.draw(cuts(body)))
    assert [outcome[2] for outcome in outcomes.seen][:2] == [Status.CREATED, Status.CREATED]
    assert outcomes.error == "malformed_body"


@FEW
@given(data=st.data(), disposition=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60))
def test_any_disposition_is_taken_or_malformed_and_never_a_crash(reading, data, disposition):
    body = form(part_with(f"form-data; {disposition}", PHOTOS[0]))
    assert reading(data.draw(cuts(body))) == reading([body])
