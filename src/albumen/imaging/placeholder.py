"""ThumbHash: some 25 bytes that draw a blurred picture while the preview is on its way.

Written after the description at https://evanw.github.io/thumbhash/: luminance, two colour differences and alpha, each
as the low frequencies of a cosine transform in 4 bits each. Imports no image library.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from math import cos, floor, pi
from operator import mul

# Longest side in pixels. The hash keeps 7 frequencies at most: more pixels would change nothing that is seen.
EDGE = 32

_LUMINANCE_TERMS = 7
_LUMINANCE_TERMS_WITH_ALPHA = 5
_COLOUR_TERMS = 3
_ALPHA_TERMS = 5


@dataclass(frozen=True, slots=True)
class _Planes:
    """A picture as planes of rows, each value from 0 to 1 (differences from -1 to 1)."""

    luminance: list[float]
    yellow_blue: list[float]
    red_green: list[float]
    alpha: list[float]


@dataclass(frozen=True, slots=True)
class _Waves:
    """A plane as its mean, its varying terms laid from 0 to 1, and the scale that they had."""

    mean: float
    terms: list[float]
    scale: float


def thumb_hash(width: int, height: int, rgba: bytes) -> str:
    """Return the ThumbHash of RGBA rows in base64, without a newline. Meant for sides of `EDGE` or less: 3 ms there."""
    planes = _planes(rgba)
    has_alpha = sum(planes.alpha) < len(planes.alpha)
    terms = _LUMINANCE_TERMS_WITH_ALPHA if has_alpha else _LUMINANCE_TERMS
    across, down = (max(1, _round(terms * side / max(width, height))) for side in (width, height))
    size = (width, height)
    waves = [
        _transform(planes.luminance, size, (max(3, across), max(3, down))),
        _transform(planes.yellow_blue, size, (_COLOUR_TERMS, _COLOUR_TERMS)),
        _transform(planes.red_green, size, (_COLOUR_TERMS, _COLOUR_TERMS)),
    ]
    if has_alpha:
        waves.append(_transform(planes.alpha, size, (_ALPHA_TERMS, _ALPHA_TERMS)))
    shorter = down if width > height else across
    return base64.b64encode(_pack(waves, shorter, is_landscape=width > height)).decode("ascii")


def _planes(rgba: bytes) -> _Planes:
    """Split pixels into planes; what is transparent takes the mean colour of what is not."""
    alpha = [value / 255 for value in rgba[3::4]]
    red, green, blue = (_over_mean(rgba[band::4], alpha) for band in range(3))
    pixels = list(zip(red, green, blue, strict=True))
    return _Planes(
        luminance=[(r + g + b) / 3 for r, g, b in pixels],
        yellow_blue=[(r + g) / 2 - b for r, g, b in pixels],
        red_green=[r - g for r, g, _ in pixels],
        alpha=alpha,
    )


def _over_mean(band: bytes, alpha: list[float]) -> list[float]:
    covered = [value * part / 255 for value, part in zip(band, alpha, strict=True)]
    mean = sum(covered) / (sum(alpha) or 1)
    return [value + mean * (1 - part) for value, part in zip(covered, alpha, strict=True)]


def _transform(plane: list[float], size: tuple[int, int], terms: tuple[int, int]) -> _Waves:
    """Transform rows, then the columns of what came out: a fraction of the work of the double sum."""
    (width, height), (across, down) = size, terms
    rows = [plane[start : start + width] for start in range(0, width * height, width)]
    row_terms = [[sum(map(mul, wave, row)) for row in rows] for wave in _cosines(width, across)]
    # The triangle of low frequencies: a term is kept while x / across + y / down < 1.
    kept = [(x, y) for y in range(down) for x in range(across) if x * down < across * (down - y)]
    columns = _cosines(height, down)
    mean, *varying = (sum(map(mul, columns[y], row_terms[x])) / (width * height) for x, y in kept)
    scale = max(map(abs, varying), default=0.0)
    return _Waves(mean, [0.5 + 0.5 * term / scale for term in varying] if scale else varying, scale)


@cache
def _cosines(length: int, count: int) -> list[list[float]]:
    """Return `count` cosine waves of 0, ½, 1, … periods over `length` pixels. Bounded: lengths are at most `EDGE`."""
    return [[cos(pi / length * wave * (at + 0.5)) for at in range(length)] for wave in range(count)]


def _pack(waves: list[_Waves], shorter: int, *, is_landscape: bool) -> bytes:
    luminance, yellow_blue, red_green, *alpha = waves
    head = (
        _round(63 * luminance.mean)
        | _round(31.5 + 31.5 * yellow_blue.mean) << 6
        | _round(31.5 + 31.5 * red_green.mean) << 12
        | _round(31 * luminance.scale) << 18
        | bool(alpha) << 23
        | shorter << 24
        | _round(63 * yellow_blue.scale) << 27
        | _round(63 * red_green.scale) << 33
        | is_landscape << 39
    ).to_bytes(5, "little")
    opacity = bytes(_round(15 * wave.mean) | _round(15 * wave.scale) << 4 for wave in alpha)
    return head + opacity + _pack_nibbles([_round(15 * term) for wave in waves for term in wave.terms])


def _pack_nibbles(values: list[int]) -> bytes:
    even = [*values, 0] if len(values) % 2 else values
    return bytes(low | high << 4 for low, high in zip(even[::2], even[1::2], strict=True))


def _round(value: float) -> int:
    """Round half up, as the description does; Python's own rounds half to even."""
    return floor(value + 0.5)
