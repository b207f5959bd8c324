"""What a decoder says to its parent: whatever a photo that took it over may write, the parent reads or refuses it."""

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albumen.domain.photos import Metadata, Position
from albumen.imaging.task import Derived, Failure, read_reply, reply_line

METADATA = {"taken_at": None, "camera": None, "lens": None, "position": None}


def derived(placeholder="", **metadata):
    return json.dumps({"metadata": {**METADATA, **metadata}, "placeholder": placeholder}).encode()


@pytest.mark.parametrize(
    "reply",
    [
        None,
        Failure("memory", "out of memory"),
        Derived(Metadata(), "aGFzaA=="),
        Derived(
            Metadata(datetime.fromisoformat("2026-11-23T10:00:01"), "Nikon D90", "50 mm", Position(55.75, -37.6)), ""
        ),
    ],
)
def test_what_is_written_is_read(reply):
    assert read_reply(reply_line(reply)) == reply


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"\xff", b"[]", b"5", b"null", b'"failed"', b'{"failed": []}', b"[" * 100_000),
        *(derived(camera=5), derived(lens="a" * 201), derived(camera="a\nb"), derived(taken_at="today")),
        *(derived(position=[91, 0]), derived(position=[float("nan"), 0]), derived(position=[10**400, 0])),
        *(derived(placeholder="?"), derived(placeholder="a" * 400), derived(placeholder=None)),
    ],
    ids=lambda line: line[:40].decode("latin-1"),
)
def test_a_reply_of_no_sound_decoder_is_refused(line):
    with pytest.raises(ValueError):  # noqa: PT011 - in whatever words
        read_reply(line)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*METADATA, "metadata", "placeholder", "failed", "reason"]), inner)
    ),
)


@given(VALUES)
def test_any_reply_is_read_or_refused(value):
    try:
        read_reply(json.dumps(value).encode())
    except ValueError:
        return
