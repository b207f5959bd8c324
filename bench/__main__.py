"""Measure Albumen against the limits of this machine: `make bench`, or `make bench ARGS="upload --quick"`.

Prints a table; a full run writes it to bench/results, and plots to docs/plots. Ends with 1 when a target is missed,
with 2 when a tool is.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.charts import CHARTS, draw_all
from harness.load import missing_tools
from harness.machine import TMPFS, Machine, filesystem
from harness.plan import Plan, quick
from harness.report import Result, table, write
from scenarios import (
    behind_nginx,
    download,
    growth,
    mixed,
    mobile,
    page,
    peers_previews,
    peers_upload,
    previews,
    start,
    upload,
    value_list,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
PLOTS = ROOT / "docs" / "plots"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOTS_BEGIN, PLOTS_END = "<!-- plots: begin -->", "<!-- plots: end -->"
SCENARIOS: dict[str, Callable[[Plan], Sequence[Result]]] = {
    "start": start.measure,
    "upload": upload.measure,
    "download": download.measure,
    "behind_nginx": behind_nginx.measure,
    "previews": previews.measure,
    "page": page.measure,
    "value_list": value_list.measure,
    "mixed": mixed.measure,
    "mobile": mobile.measure,
    "clients": growth.measure_clients,
    "sizes": growth.measure_sizes,
    "peers_upload": peers_upload.measure,
    "peers_previews": peers_previews.measure,
}


def main() -> int:
    """Run the chosen scenarios and report."""
    options = _arguments()
    work = options.folder or ROOT / "build"
    work.mkdir(exist_ok=True)
    if missing := missing_tools():
        print(f"Not installed: {', '.join(missing)}. On Debian and Ubuntu: apt install curl wrk nginx-light")
        return 2
    if filesystem(work) in TMPFS:
        print(f"{work} lies in memory, where durable writes cost nothing; choose a disk with --folder.")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=work))
    try:
        return _run(quick(folder) if options.quick else Plan(folder), options)
    finally:
        shutil.rmtree(folder)


def _run(plan: Plan, options: argparse.Namespace) -> int:
    machine = Machine.describe(plan.folder)
    print(machine, flush=True)
    results: list[Result] = []
    for name in options.scenarios or SCENARIOS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        results += SCENARIOS[name](plan)
    print(table(results))
    if not options.quick and not options.scenarios:
        print(f"Written to {write(RESULTS, results, machine).relative_to(ROOT)}")
        _draw(results)
    return 0 if all(result.is_met for result in results) else 1


def _draw(results: Sequence[Result]) -> None:
    """Write the plots, and their list between the marks of the page about benchmarks."""
    PLOTS.mkdir(exist_ok=True)
    drawn = draw_all(results)
    for name, svg in drawn.items():
        (PLOTS / f"{name}.svg").write_text(svg, "utf-8")
    before, begin, rest = PAGE.read_text("utf-8").partition(PLOTS_BEGIN)
    _, end, after = rest.partition(PLOTS_END)
    shown = "\n".join(f"![{CHARTS[name].title}]({PLOTS.name}/{name}.svg)" for name in drawn)
    PAGE.write_text(f"{before}{begin}\n{shown}\n{end}{after}", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", type=_scenario, metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--quick", action="store_true", help="show that everything works; write no results")
    parser.add_argument("--folder", type=Path, help="where the files of the run go: a directory on a real disk")
    return parser.parse_args()


def _scenario(name: str) -> str:
    if name not in SCENARIOS:
        raise argparse.ArgumentTypeError(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    return name


if __name__ == "__main__":
    sys.exit(main())
