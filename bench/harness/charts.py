"""Plots as SVG: lines over a logarithmic axis, readable on light and on dark pages, without a library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.report import Result

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 72, 116, 44, 52
TICKS = 5
_PREFIXES = ((1e6, "M"), (1e3, "k"))
_STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #24292f }
    .title { font-weight: 600; font-size: 15px }
    .grid { stroke: #d0d7de; stroke-width: 1 }
    .ours { stroke: #0b57d0; fill: #0b57d0 }
    .beside { stroke: #8a4b08; fill: #8a4b08 }
    polyline { fill: none !important; stroke-width: 2.5 }
    polyline.beside { stroke-dasharray: 7 4 }
    text.ours, text.beside { stroke: none; font-weight: 600 }
    @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3 }
        .grid { stroke: #3d444d }
        .ours { stroke: #7cb3ff; fill: #7cb3ff }
        .beside { stroke: #f0b06a; fill: #f0b06a }
    }
"""


@dataclass(frozen=True, slots=True)
class Chart:
    """What a plot says around its lines."""

    title: str
    x: str
    y: str
    beside: str


CHARTS: Mapping[str, Chart] = {
    "clients-upload": Chart("Upload of 120 KB photos", "clients at once", "photos/s", "nginx PUT"),
    "clients-get": Chart("GET of a 120 KB photo", "clients at once", "responses/s", "nginx"),
    "sizes-upload": Chart("Upload by size of the photos", "bytes", "MB/s", "bare loop"),
    "sizes-get": Chart("GET by size of the photo", "bytes", "MB/s", "nginx"),
    "rows-page": Chart("A page of 100 photos", "photos in the dataset", "ms", "among 1,000"),
}


def draw_all(results: Sequence[Result]) -> Mapping[str, str]:
    """Return an SVG for every chart that has at least two points, by name."""
    drawn = {}
    for name, chart in CHARTS.items():
        points = [(result.point.x, result) for result in results if result.point and result.point.chart == name]
        if len(points) > 1:
            drawn[name] = _draw(chart, sorted(points, key=lambda point: point[0]))
    return drawn


def _draw(chart: Chart, points: Sequence[tuple[float, Result]]) -> str:
    xs = [x for x, _ in points]
    ours = [median(result.ours) for _, result in points]
    beside = [median(result.limit) for _, result in points]
    top = _round_up(max(*ours, *beside))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(chart.title)}</title><style>{_STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="22">{escape(chart.title)}, {escape(chart.y)}</text>',
        *_grid(top),
        *(f'<text x="{_x(x, xs):.1f}" y="{HEIGHT - 30}" text-anchor="middle">{_short(x)}</text>' for x in xs),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(chart.x)}</text>',
        *_line("beside", chart.beside, xs, beside, top, _label_shift(ours[-1], beside[-1], top)),
        *_line("ours", "Albumen", xs, ours, top, _label_shift(beside[-1], ours[-1], top)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _grid(top: float) -> Sequence[str]:
    values = [top * number / TICKS for number in range(TICKS + 1)]
    return [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(value, top):.1f}" y2="{_y(value, top):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{_y(value, top) + 4:.1f}" text-anchor="end">{_short(value)}</text>'
        for value in values
    ]


def _line(kind: str, label: str, xs: Sequence[float], ys: Sequence[float], top: float, shift: float) -> Sequence[str]:
    places = [(_x(x, xs), _y(y, top)) for x, y in zip(xs, ys, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    end_x, end_y = places[-1]
    return [
        f'<polyline class="{kind}" points="{path}"/>',
        *(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places),
        f'<text class="{kind}" x="{end_x + 10:.1f}" y="{end_y + 4 + shift:.1f}">{escape(label)}</text>',
    ]


def _label_shift(other: float, own: float, top: float) -> float:
    """Return how far to move the label of a line whose end lies close to that of the other."""
    distance = _y(own, top) - _y(other, top)
    if abs(distance) >= 18:  # noqa: PLR2004 - the height of a label
        return 0
    return 9 if distance > 0 else -9


def _x(value: float, values: Sequence[float]) -> float:
    """Place a value on the logarithmic axis."""
    share = math.log(value / values[0]) / math.log(values[-1] / values[0])
    return LEFT + 16 + share * (WIDTH - LEFT - RIGHT - 16)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 2.5, 5, 10 … above a value."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value)


def _short(value: float) -> str:
    for size, prefix in _PREFIXES:
        if value >= size:
            return f"{value / size:g}{prefix}"
    return f"{value:g}"
