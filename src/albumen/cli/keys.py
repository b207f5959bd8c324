"""`albumen keys`: make, list and revoke API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from albumen.cli.options import config_option, data_option, opened, opened_or_made
from albumen.domain.access import Role
from albumen.domain.times import to_rfc3339

if TYPE_CHECKING:
    from pathlib import Path

ROLES = [role.label for role in Role]


@click.group()
def keys() -> None:
    """Make, list and revoke API keys.

    The first key closes the server: from then on every request needs one.
    """


@keys.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What the key may do.")
@config_option
@data_option
def create(name: str, role: str, config: Path | None, data: Path | None) -> None:
    """Make a key called NAME and print it. It is shown this once.

    \b
    viewer       looks at photos and takes them out
    contributor  adds photos, too
    editor       renames and deletes, too
    admin        may do everything
    """  # noqa: D301 - click reads the escape
    with opened_or_made(config, data) as services:
        token = services.access.create(name, Role[role.upper()])
    click.echo(str(token))
    click.echo("Keep it: it is not stored and cannot be shown again.", err=True)


@keys.command(name="list")
@config_option
@data_option
def list_keys(config: Path | None, data: Path | None) -> None:
    """List all keys, the oldest first: id, role, when it was made and last used (a day, in UTC), state, name."""
    with opened(config, data) as services:
        found = services.access.keys()
    for key in found:
        state = f"revoked {to_rfc3339(key.revoked_at)}" if key.revoked_at else "active"
        used = f"used {key.used_on}" if key.used_on else "never used"
        click.echo(f"{key.id}  {key.role.label:<11}  {to_rfc3339(key.created_at)}  {used:<15}  {state}  {key.name}")
    if not found:
        click.echo("No keys yet. 'albumen keys create NAME --role contributor' makes one.")


@keys.command()
@click.argument("key_id", metavar="ID")
@config_option
@data_option
def revoke(key_id: str, config: Path | None, data: Path | None) -> None:
    """Revoke the key ID for good; it stops working within a second."""
    with opened(config, data) as services:
        services.access.revoke(key_id)
    click.echo(f"Key {key_id} is revoked.")
