"""`albumen serve`: check what was asked for, prepare the data directory, run the server."""

from __future__ import annotations

import os
from multiprocessing import current_process
from typing import TYPE_CHECKING

import click

from albumen.bootstrap import configure_logs, prepare
from albumen.cli.options import config_option, data_option
from albumen.config import load_settings
from albumen.storage.temporary import locked_folder

if TYPE_CHECKING:
    from pathlib import Path

METRICS_PREFIX = "albumen-metrics-"
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@click.command()
@click.option("--host", help="Address to listen on. Default: 127.0.0.1, this machine only.")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one. Default: 5000.")
@data_option
@click.option("--workers", type=int, help="Server processes. Default: one per core.")
@click.option("--open", "open_", is_flag=True, default=None, help="Let anyone who reaches the server do everything.")
@click.option("--public-url", help="Address that links start with, such as https://photos.example.org.")
@config_option
def serve(
    host: str | None,
    port: int | None,
    data: Path | None,
    workers: int | None,
    open_: bool | None,  # noqa: FBT001 - click passes options by name
    public_url: str | None,
    config: Path | None,
) -> None:
    """Serve photos.

    On a loopback address anyone on this machine may do everything until the first key is made. On any other address
    the server starts only with keys ('albumen keys create') or with --open.

    \b
    albumen serve
    albumen serve --host 0.0.0.0 --data /srv/photos
    """  # noqa: D301 - click reads the escape
    flags = {"host": host, "port": port, "data": data, "workers": workers, "open": open_, "public_url": public_url}
    settings = load_settings(flags, config)
    configure_logs(settings)
    prepare(settings)
    with locked_folder(METRICS_PREFIX) as folder:
        _share_metrics(folder)
        from albumen.cli.server import run_server  # noqa: PLC0415 - reads the variable when imported

        run_server(settings)


def _share_metrics(folder: Path) -> None:
    """Let the processes of this server keep their metrics in a folder, each under its name.

    Under its number in the system, each that replaces another would add files, and all are read for ever.
    """
    os.environ[METRICS_VARIABLE] = str(folder)
    from prometheus_client import values  # noqa: PLC0415 - reads the variable when imported

    values.ValueClass = values.MultiProcessValue(lambda: current_process().name)  # type: ignore[no-untyped-call]
