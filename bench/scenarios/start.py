"""From starting `albumen serve` to its first answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report import Result, Target, absolute
from harness.server import serving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.plan import Plan

TARGET = Target(1.5, "s", at_most=True)


def measure(plan: Plan) -> Sequence[Result]:
    """Start on a new data directory each time; the first start, which may write bytecode, does not count."""
    seconds = []
    for number in range(plan.rounds + 1):
        with serving(plan.folder / f"start-{number}") as server:
            seconds.append(server.start_seconds)
    note = "new data directory, until `GET /health/live` answers"
    return [absolute("start of `albumen serve`", seconds[1:], TARGET, note)]
