"""Responses per second for one photo and for one ready preview, against nginx that serves the very same bytes.

Beside both stands a function without any work of its own on Albumen's server: no application on it can be faster.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.load import responses_per_second, static_nginx
from harness.peers import bare_function
from harness.photos import fresh, small_scenes
from harness.report import Result, Target, compare
from harness.server import get, put_photo, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.plan import Plan
    from harness.server import Server

NOTE = "`wrk -t2 -c16`; nginx: 2 workers, sendfile, no access log; background work off (`ALBUMEN_DERIVE=false`)"
BARE_NOTE = "the function returns the same bytes from memory, on the same server with as many processes"
LIMIT_NOTE = "what the server can do at all: in Albumen's column stands the function"
TARGET = Target(0.55)


@dataclass(frozen=True, slots=True)
class Round:
    """Responses per second side by side."""

    ours: float
    nginx: float
    bare: float


def measure(plan: Plan) -> Sequence[Result]:
    """Measure the photo and its preview of 256 pixels."""
    root = plan.folder / "static"
    root.mkdir()
    with (
        serving(plan.folder / "download", derive="false") as server,
        static_nginx(root, plan.folder / "nginx") as nginx,
    ):
        target = f"/get/{put_photo(server, fresh(small_scenes()[0]), 'photo.jpg')}"
        photo = _rounds(server, target, nginx, root / "photo.jpg", plan)
        preview = _rounds(server, f"{target}?size=256", nginx, root / "preview.jpg", plan)
    return [*_compared("GET of a photo of 120 KB", photo), *_compared("GET of a ready preview of 256 px", preview)]


def _compared(what: str, rounds: Sequence[Round]) -> Sequence[Result]:
    unit = "responses/s"
    return [
        compare(what, unit, [(each.ours, each.nginx) for each in rounds], TARGET, NOTE),
        compare(f"{what}, against a bare function", unit, [(each.ours, each.bare) for each in rounds], None, BARE_NOTE),
        compare(
            f"{what}, the bare function against nginx",
            unit,
            [(each.bare, each.nginx) for each in rounds],
            None,
            LIMIT_NOTE,
        ),
    ]


def _rounds(server: Server, target: str, nginx: str, copy: Path, plan: Plan) -> list[Round]:
    with closing(server.connect()) as connection:
        copy.write_bytes(get(connection, target))
    with bare_function(copy, plan.folder / "bare.log") as bare:
        urls = (f"{server.address}{target}", f"{nginx}/{copy.name}", bare.address)
        for url in urls:
            responses_per_second(url, 1)  # warms all before the clock
        return [Round(*(responses_per_second(url, plan.load_seconds) for url in urls)) for _ in range(plan.load_rounds)]
