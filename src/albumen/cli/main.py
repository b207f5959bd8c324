"""The command line: its groups, and how an error of ours ends a command."""

from __future__ import annotations

import sys

import click

import albumen
from albumen.cli.backup import backup, restore
from albumen.cli.housekeeping import derive, gc, info, migrate, scrub
from albumen.cli.keys import keys
from albumen.cli.nginx import nginx_config
from albumen.cli.serve import serve
from albumen.errors import AlbumenError, StorageFull, Unavailable


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(albumen.__version__, prog_name="albumen")
def cli() -> None:
    """Albumen, a photo dataset server.

    \b
    albumen serve                          serve photos from ./albumen-data on this machine
    albumen keys create phone --role contributor
    curl -F file=@a.jpg -F file=@b.jpg http://127.0.0.1:5000/upload

    Settings come from albumen.toml, then from the environment (ALBUMEN_PORT=8000), then from options; the later wins.
    docs/configuration.md lists them all.
    """  # noqa: D301 - click reads the escape


for command in (serve, keys, backup, restore, gc, scrub, derive, migrate, info, nginx_config):
    cli.add_command(command)


def main() -> None:
    """Run the command; an error of ours ends it with one line, or one for each bad setting, and status 1."""
    try:
        cli()
    except AlbumenError as exc:
        for line in f"{exc.detail}{_cause(exc)}{_room(exc)}".splitlines():
            click.echo(f"albumen: {line}", err=True)
        sys.exit(1)


def _cause(exc: AlbumenError) -> str:
    """Say what the system said when something is unavailable: there is no log to look into."""
    cause = exc.__cause__
    if not isinstance(exc, Unavailable) or cause is None:
        return ""
    return f" ({getattr(cause, 'orig', cause)})"


def _room(exc: AlbumenError) -> str:
    """Say in numbers how full a full disk is."""
    if not isinstance(exc, StorageFull) or not exc.room:
        return ""
    return f" [{', '.join(f'{count:,} bytes {name}' for name, count in exc.room.items())}]"
