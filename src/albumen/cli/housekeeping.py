"""`albumen gc`, `scrub`, `derive`, `migrate` and `info`: what an operator runs, beside a running server if need be."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from albumen import __version__
from albumen.bootstrap import prepare
from albumen.cli.options import config_option, data_option, opened
from albumen.config import load_settings
from albumen.repository.dialect import sqlite_version
from albumen.repository.migrate import schema_version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from albumen.repository.blobs import PhotoPlace
    from albumen.services.housekeeping import Checked

GENTLE = 10


@click.command()
@config_option
@data_option
def gc(config: Path | None, data: Path | None) -> None:
    """Collect garbage: empty the old trash, move bytes that no photo needs to quarantine, empty the old quarantine."""
    with opened(config, data) as services:
        settings = services.settings
        done = services.housekeeping.collect(
            timedelta(days=settings.trash_days), timedelta(days=settings.quarantine_days)
        )
    click.echo(f"{done.purged} photos deleted for good after {settings.trash_days:g} days in the trash")
    click.echo(f"{done.unused + done.orphans} files moved to quarantine that no photo needs")
    click.echo(f"{done.emptied} files deleted after {settings.quarantine_days:g} days in quarantine")
    if done.missing:
        raise click.ClickException(
            f"{done.missing} photos have no bytes. Restore 'blobs' from a backup; 'albumen scrub' names them."
        )


@click.command()
@config_option
@data_option
def scrub(config: Path | None, data: Path | None) -> None:
    """Read every stored photo and compare it with its SHA-256. Damaged ones go to quarantine."""
    with opened(config, data) as services:
        os.nice(GENTLE)
        totals = services.housekeeping.totals()
        bad: list[Checked] = []
        with click.progressbar(length=totals.bytes, label="Scrubbing", file=sys.stderr) as bar:
            for checked in services.housekeeping.scrub():
                bar.update(checked.blob.bytes)
                if not checked.sound:
                    bad.append(checked)
        for checked in bad:
            _show(checked, services.housekeeping.places(checked.blob.key.sha256))
    if any(checked.stuck for checked in bad):
        click.echo("The disk did not let all of them be moved to quarantine: check its file system (fsck).")
    click.echo(f"{totals.blobs} files read, {len(bad)} bad")
    if bad:
        raise click.ClickException("Upload these photos again or restore them from a backup.")


def _show(checked: Checked, places: Sequence[PhotoPlace]) -> None:
    """Name a bad file, and the photos that it is of as a person knows them."""
    click.echo(f"{'missing' if checked.missing else 'damaged'}  {checked.blob.key.sha256}")
    for place in places:
        click.echo(f"         {place.dataset}/{place.name}  {place.id}")


@click.command()
@config_option
@data_option
@click.option("--failed", is_flag=True, help="Try again, too, what failed before: after raising a limit, for example.")
def derive(config: Path | None, data: Path | None, *, failed: bool) -> None:
    """Do the background work that waits, now and here: previews for the grid, placeholders, EXIF."""
    with opened(config, data) as services:
        os.nice(GENTLE)
        if failed:
            click.echo(f"{services.derivation.retry_failed()} photos that failed are tried again")
        done = sum(iter(lambda: services.derivation.work(lambda: False), 0))
    click.echo(f"{done} photos worked on")


@click.command()
@config_option
@data_option
def migrate(config: Path | None, data: Path | None) -> None:
    """Bring the database's schema up to date. `albumen serve` does so by itself."""
    settings = load_settings({"data": data}, config)
    applied = prepare(settings)
    for migration in applied:
        click.echo(f"{migration.version:04} {migration.subject}")
    click.echo(f"{len(applied)} migrations applied; the schema is up to date.")


@click.command()
@config_option
@data_option
def info(config: Path | None, data: Path | None) -> None:
    """Show versions, the data directory, what it holds, and every setting."""
    with opened(config, data) as services:
        totals = services.housekeeping.totals()
        photos = sum(day.photos for day in services.datasets.days())  # without the trash; its files are counted
        click.echo(f"albumen {__version__}, SQLite {sqlite_version()}, schema {schema_version(services.database)}")
        click.echo(
            f"{photos} photos, {totals.blobs} files, {totals.bytes:,} bytes, "
            f"{services.housekeeping.waiting()} wait for previews"
        )
        for name, value in services.settings:
            click.echo(f"{name} = {value}")
