"""What several commands share: two options, and the services of the data directory that they name."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from albumen.bootstrap import build, configure_logs, database_path, prepare
from albumen.config import load_settings
from albumen.errors import StartRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from albumen.bootstrap import Services
    from albumen.config import Settings

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file (TOML). Default: ./albumen.toml if it is there."
)
data_option = click.option("--data", type=click.Path(path_type=Path), help="Data directory. Default: ./albumen-data.")


@contextmanager
def opened(config: Path | None, data: Path | None) -> Iterator[Services]:
    """Open a data directory that is there, its schema brought up to date.

    Raises:
        StartRefused: There is no database: a mistyped directory would look like one that holds nothing.
    """
    settings = _settings(config, data)
    _refuse_nothing(settings)
    prepare(settings)
    with _built(settings) as services:
        yield services


@contextmanager
def opened_or_made(config: Path | None, data: Path | None) -> Iterator[Services]:
    """Open a data directory, which is made and told if there is none."""
    settings = _settings(config, data)
    if not _has_database(settings):
        click.echo(f"A new data directory: {settings.data.absolute()}", err=True)
    prepare(settings)
    with _built(settings) as services:
        yield services


@contextmanager
def opened_as_it_is(config: Path | None, data: Path | None) -> Iterator[Services]:
    """Open a data directory that is there, whatever its schema: a backup before an upgrade changes nothing.

    Raises:
        StartRefused: There is no database.
    """
    settings = _settings(config, data)
    _refuse_nothing(settings)
    with _built(settings) as services:
        yield services


def _settings(config: Path | None, data: Path | None) -> Settings:
    settings = load_settings({"data": data}, config)
    configure_logs(settings)
    return settings


def _has_database(settings: Settings) -> bool:
    """Tell whether there is one. Raises StartRefused where nobody can look, or this user may not."""
    try:
        return database_path(settings).exists()
    except OSError as exc:
        raise StartRefused(f"The data directory {settings.data} cannot be read: {exc.strerror}.") from exc


def _refuse_nothing(settings: Settings) -> None:
    if not _has_database(settings):
        raise StartRefused(f"There is no database in {settings.data.absolute()}. Name the data directory by --data.")


@contextmanager
def _built(settings: Settings) -> Iterator[Services]:
    services = build(settings)
    try:
        with services.floor.completing():
            yield services
    finally:
        services.close()
