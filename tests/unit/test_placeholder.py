"""ThumbHash, against what the reference encoder (npm thumbhash 0.1.1) makes of the same pixels."""

import base64

import pytest

from albumen.imaging.placeholder import thumb_hash


def _pixels(width, height, *, alpha):
    """Pixels without symmetry, so that no term stands on the edge between two roundings."""
    return bytes(
        value
        for y in range(height)
        for x in range(width)
        for value in (
            (x * 37 + y * 11) % 251,
            (x * x + 3 * y) % 241,
            (y * y * 5 + x) % 239,
            (x * 29 + y * 53) % 256 if alpha else 255,
        )
    )


@pytest.mark.parametrize(
    ("width", "height", "alpha", "reference"),
    [
        (32, 24, False, "2igGHYggY6ljdoiBdmeIcTdp7694"),
        (24, 32, False, "2igGFQgBlVOXSWcYZ4kIZwZX7L96"),
        (32, 32, True, "2iiCDQQHEENkdnQHqBlH37+LhXWVdVA5Gg=="),
        (32, 1, False, "0zomsY52h3eIiAiJd4jAigg="),
        (7, 31, True, "VYiCCQYHgaBWI6UEcY/0eGCUWXQkhkg="),
        (1, 1, False, "AAgCBwAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ],
)
def test_hash_equals_that_of_the_reference_encoder(width, height, alpha, reference):
    assert thumb_hash(width, height, _pixels(width, height, alpha=alpha)) == reference


@pytest.mark.parametrize(
    "pixel", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\0\0\xff", b"\0\0\xff\xff", b"\x80\x80\x80\x01"]
)
def test_flat_picture_has_a_short_hash(pixel):
    text = thumb_hash(32, 24, pixel * (32 * 24))
    assert "\n" not in text
    assert 5 <= len(base64.b64decode(text, validate=True)) <= 30
