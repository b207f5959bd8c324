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
class Point:
    """A place in a plot: the name of the plot (see `charts`), and how much there was of what it grows with."""

    chart: str
    x: float


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table: the same work by Albumen (`ours`) and by the bare machine or a peer (`limit`), per round.

    Both are in `unit`, and those of one round were measured side by side. `limit` is empty where the
    target is absolute. Without a target the line only informs.
    """

    name: str
    unit: str
    ours: tuple[float, ...]
    limit: tuple[float, ...]
    target: Target | None
    note: str
    point: Point | None = None

    @property
    def scores(self) -> tuple[float, ...]:
        """What each round is worth: the ratio, or the value itself where there is no limit."""
        if not self.limit:
            return self.ours
        return tuple(ours / limit for ours, limit in zip(self.ours, self.limit, strict=True))

    @property
    def score(self) -> float:
        """The median over the rounds."""
        return median(self.scores)

    @property
    def is_met(self) -> bool:
        """Tell whether the target was reached; always, where there is none."""
        return self.target is None or self.target.is_met(self.score)


def compare(
    name: str,
    unit: str,
    pairs: Sequence[tuple[float, float]],
    target: Target | None,
    note: str,
    point: Point | None = None,
) -> Result:
    """Make a result of (ours, limit) pairs, one pair per round."""
    ours, limit = zip(*pairs, strict=True)
    return Result(name, unit, ours, limit, target, note, point)


def absolute(name: str, values: Sequence[float], target: Target, note: str) -> Result:
    """Make a result of values that are held against the target themselves."""
    return Result(name, target.unit, tuple(values), (), target, note)


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    head = "| scenario | Albumen | beside it | score | target | met | rounds | remarks |"
    rule = "| --- | ---: | ---: | ---: | ---: | --- | --- | --- |"
    return "\n".join([head, rule, *(_line(result) for result in results)])


def write(folder: Path, results: Sequence[Result], machine: Machine) -> Path:
    """Write `<date>-<cores>-cores.json` and `.md` into `folder`, replacing those of the same day; return the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{machine.date}-{machine.cores}-cores"
    content = {"machine": asdict(machine), "results": [_record(result) for result in results]}
    (folder / f"{stem}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    page = folder / f"{stem}.md"
    page.write_text(f"# Benchmarks of {machine.date}\n\n{machine}\n\n{table(results)}\n", "utf-8")
    return page


def _record(result: Result) -> dict[str, object]:
    return {**asdict(result), "score": result.score, "met": result.is_met}


def _line(result: Result) -> str:
    cells = (
        result.name,
        _middle(result.ours, result.unit),
        _middle(result.limit, result.unit),
        f"{result.score:.2f} {result.target.unit if result.target else 'x'}",
        str(result.target or ""),
        _verdict(result),
        f"{min(result.scores):.2f} to {max(result.scores):.2f}",
        result.note,
    )
    return "| " + " | ".join(cells) + " |"


def _verdict(result: Result) -> str:
    if result.target is None:
        return ""
    return "yes" if result.is_met else "**no**"


def _middle(values: Sequence[float], unit: str) -> str:
    return f"{_number(median(values))} {unit}" if values else ""


def _number(value: float) -> str:
    """Three significant digits, with thousands set apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - where decimals stop to tell
