"""What several commands share: two options, and the services of the data directory that they name."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from albumen.bootstrap import build, configure_logs, prepare
from albumen.config import load_settings
from albumen.errors import StartRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from albumen.bootstrap import Services

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file (TOML). Default: ./albumen.toml if it is there."
)
data_option = click.option("--data", type=click.Path(path_type=Path), help="Data directory. Default: ./albumen-data.")


@contextmanager
def opened(config: Path | None, data: Path | None) -> Iterator[Services]:
    """Open the data directory as the settings say, its schema brought up to date."""
    settings = load_settings({"data": data}, config)
    configure_logs(settings)
    prepare(settings)
    services = build(settings)
    try:
        yield services
    finally:
        services.close()


@contextmanager
def opened_as_it_is(config: Path | None, data: Path | None) -> Iterator[Services]:
    """Open a data directory that is there, whatever its schema: a backup before an upgrade changes nothing.

    Raises:
        StartRefused: There is no database.
    """
    settings = load_settings({"data": data}, config)
    configure_logs(settings)
    if not (settings.data / "albumen.db").is_file():
        raise StartRefused(f"There is no database in {settings.data}.")
    services = build(settings)
    try:
        yield services
    finally:
        services.close()
