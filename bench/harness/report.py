"""Results: what was measured, beside the limit of the machine in the same run, and how it is written down."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.machine import Machine


@dataclass(frozen=True, slots=True)
class Target:
    """What a score must reach: `limit`, from below or from above. `unit` is x for a ratio."""

    limit: float
    unit: str = "x"
    at_most: bool = False

    def is_met(self, score: float) -> bool:
        """Tell whether a score reaches the target."""
        return score <= self.limit if self.at_most else score >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.limit:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table.

    `ours` and `limit` are in `unit` and are medians over the rounds; `limit` is None where the target is absolute.
    `score` is the median of `rounds`, each of which compares measurements that stood side by side.
    """

    name: str
    unit: str
    ours: float
    limit: float | None
    score: float
    target: Target
    rounds: tuple[float, ...]
    note: str

    @property
    def is_met(self) -> bool:
        """Tell whether the target was reached."""
        return self.target.is_met(self.score)


def compare(name: str, unit: str, pairs: Sequence[tuple[float, float]], target: Target, note: str) -> Result:
    """Make a result of (ours, limit) pairs, one pair per round."""
    rounds = tuple(ours / limit for ours, limit in pairs)
    ours, limit = (median(column) for column in zip(*pairs, strict=True))
    return Result(name, unit, ours, limit, median(rounds), target, rounds, note)


def absolute(name: str, values: Sequence[float], target: Target, note: str) -> Result:
    """Make a result of values that are held against the target themselves."""
    middle = median(values)
    return Result(name, target.unit, middle, None, middle, target, tuple(values), note)


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    head = "| scenario | Albumen | limit of the machine | score | target | met | rounds | remarks |"
    rule = "| --- | ---: | ---: | ---: | ---: | --- | --- | --- |"
    return "\n".join([head, rule, *(_line(result) for result in results)])


def write(folder: Path, results: Sequence[Result], machine: Machine) -> Path:
    """Write `<date>-<cores>-cores.json` and `.md` into `folder`, replacing those of the same day; return the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{machine.date}-{machine.cores}-cores"
    content = {"machine": asdict(machine), "results": [{**asdict(each), "met": each.is_met} for each in results]}
    (folder / f"{stem}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    page = folder / f"{stem}.md"
    page.write_text(f"# Benchmarks of {machine.date}\n\n{machine}\n\n{table(results)}\n", "utf-8")
    return page


def _line(result: Result) -> str:
    limit = "" if result.limit is None else f"{_number(result.limit)} {result.unit}"
    cells = (
        result.name,
        f"{_number(result.ours)} {result.unit}",
        limit,
        f"{result.score:.2f} {result.target.unit}",
        str(result.target),
        "yes" if result.is_met else "**no**",
        f"{min(result.rounds):.2f} to {max(result.rounds):.2f}",
        result.note,
    )
    return "| " + " | ".join(cells) + " |"


def _number(value: float) -> str:
    """Three significant digits, with thousands set apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - where decimals stop to tell
