"""The time of a page of 100 photos among up to ten million, against the same page among a thousand."""

from __future__ import annotations

import json
import time
from contextlib import closing
from statistics import median
from typing import TYPE_CHECKING

from harness.report import Point, Result, Target, compare
from harness.rows import data_of
from harness.server import get, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http.client import HTTPConnection

    from harness.plan import Plan

LIMIT = 100
PAGES = 8
WALKS = 10
FIRST_PAGE = f"/api/v1/photos?dataset=main&limit={LIMIT}"
TARGET = Target(1.3, at_most=True)


def measure(plan: Plan) -> Sequence[Result]:
    """Measure each number of rows against the smallest; the largest has the target."""
    few, *more = plan.page_rows
    return [_against(few, rows, TARGET if rows == more[-1] else None, plan) for rows in more]


def _against(few_rows: int, rows: int, target: Target | None, plan: Plan) -> Result:
    """Walk through the newest pages of both databases in turns, one server for each."""
    many, few = data_of(plan.folder, rows), data_of(plan.folder, few_rows)
    with (
        serving(many, derive="false") as large,
        serving(few, derive="false") as small,
        closing(large.connect()) as to_large,
        closing(small.connect()) as to_small,
    ):
        _round(to_large, to_small)  # warms both
        pairs = [_round(to_large, to_small) for _ in range(plan.rounds)]
    note = f"median of {WALKS} walks through {PAGES} pages each; beside it: among {few_rows:,} photos"
    return compare(f"page of {LIMIT} among {rows:,} photos", "ms", pairs, target, note, Point("rows-page", rows))


def _round(to_large: HTTPConnection, to_small: HTTPConnection) -> tuple[float, float]:
    """Return milliseconds per page among (many, few), from walks that alternate."""
    pairs = [(_walk(to_large), _walk(to_small)) for _ in range(WALKS)]
    large, small = zip(*pairs, strict=True)
    return median(large), median(small)


def _walk(connection: HTTPConnection) -> float:
    """Follow `next` from the newest page; return the milliseconds per page until its last byte."""
    target, spent = FIRST_PAGE, 0.0
    for _ in range(PAGES):
        started = time.perf_counter()
        body = get(connection, target)
        spent += time.perf_counter() - started
        target = _next_target(body)
    return 1000 * spent / PAGES


def _next_target(body: bytes) -> str:
    page = json.loads(body)
    if len(page["photos"]) != LIMIT:
        raise ValueError(f"a page has {len(page['photos'])} photos, not {LIMIT}")
    return f"{FIRST_PAGE}&cursor={page['next']}"
