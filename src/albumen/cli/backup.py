"""`albumen backup` and `albumen restore`."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from albumen.bootstrap import build_archive, build_backup
from albumen.cli.options import config_option, data_option, opened_as_it_is
from albumen.config import load_settings
from albumen.storage.backup import BLOB_MODE
from albumen.storage.copies import Cloning, link
from albumen.storage.restore import RestoreFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from albumen.services.archive import BadBlob
    from albumen.services.backup import Progress

GENTLE = 10

directory_argument = click.argument("directory", type=click.Path(path_type=Path))


@click.command()
@directory_argument
@click.option("--keep", type=click.IntRange(min=1), help="Afterwards remove all backups but the newest so many.")
@click.option("--hard-links", is_flag=True, help="Give photos a second name instead of copying them: same disk only.")
@click.option("--verify", is_flag=True, help="Make no backup: read all that is there and compare every SHA-256.")
@config_option
@data_option
def backup(
    directory: Path,
    keep: int | None,
    hard_links: bool,  # noqa: FBT001 - click passes options by name
    verify: bool,  # noqa: FBT001 - likewise
    config: Path | None,
    data: Path | None,
) -> None:
    """Make a backup in DIRECTORY, beside a running server. Only photos that are new there are copied.

    \b
    albumen backup /backup/albumen
    albumen backup /backup/albumen --keep 14
    albumen backup /backup/albumen --verify
    """  # noqa: D301 - click reads the escape
    os.nice(GENTLE)
    if verify:
        _verify(directory)
    else:
        _make(directory, keep, config, data, is_linking=hard_links)


@click.command()
@directory_argument
@click.option("--backup", help="Name of the backup. Default: the newest.")
@config_option
@data_option
def restore(directory: Path, backup: str | None, config: Path | None, data: Path | None) -> None:
    """Restore the newest backup in DIRECTORY into a new data directory, comparing every SHA-256.

    Cut off, the same command goes on from there.

    \b
    albumen restore /backup/albumen --data /srv/photos
    albumen restore /backup/albumen --data /srv/photos --backup 2026-11-23T04-00-00.000Z
    """  # noqa: D301 - click reads the escape
    target = load_settings({"data": data}, config).data
    restored = build_archive(directory).restore(RestoreFolder(target), backup, _bar("Restoring"))
    _show(restored.bad)
    whole = restored.manifest
    click.echo(f"{restored.name}: {whole.photos} photos, {whole.blobs - len(restored.bad)} files restored")
    if restored.bad:
        raise click.ClickException(f"{len(restored.bad)} files are not in the backup. Upload these photos again.")


def _make(directory: Path, keep: int | None, config: Path | None, data: Path | None, *, is_linking: bool) -> None:
    with opened_as_it_is(config, data) as services:
        made_by = build_backup(services, directory)
        made = made_by.make(link if is_linking else Cloning(BLOB_MODE), _bar("Backing up"))
        whole = made.manifest
        click.echo(f"{made.name}: {whole.photos} photos, {whole.blobs} files, {whole.bytes:,} bytes")
        click.echo(f"{made.new} files, {made.new_bytes:,} bytes of them new")
        if whole.missing:
            for sha256 in whole.missing:
                click.echo(f"bad  {sha256}")
            raise click.ClickException(
                f"{len(whole.missing)} files are missing or damaged in {services.settings.data}; see 'albumen scrub'."
            )
        if keep is not None:
            pruned = made_by.prune(keep)
            click.echo(f"{pruned.backups} backups and {pruned.blobs} files removed")


def _verify(directory: Path) -> None:
    found = build_archive(directory).verify(_bar("Reading"))
    for name in found.backups:
        click.echo(f"{name}  {'database damaged' if name in found.damaged else 'sound'}")
    _show(found.bad)
    click.echo(f"{found.blobs} files read, {len(found.bad)} bad")
    if found.damaged or found.bad:
        raise click.ClickException("The next backup takes bad files again, if the data directory has them.")


def _show(bad: Sequence[BadBlob]) -> None:
    for blob in bad:
        click.echo(f"{'missing' if blob.missing else 'damaged'}  {blob.sha256}")


def _bar(label: str) -> Progress:
    """Draw progress on standard error."""

    @contextmanager
    def drawn(total: int) -> Iterator[Callable[[int], None]]:
        with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
            yield bar.update

    return drawn
