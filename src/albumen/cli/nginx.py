"""`albumen nginx-config`: print the nginx configuration that fits the settings."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click

from albumen.cli.nginx_site import Site, render, upstream_of
from albumen.cli.options import config_option, data_option
from albumen.config import Settings, load_settings

PLAIN, TLS = ("80", "[::]:80"), ("443", "[::]:443")
_FOLDER = click.Path(path_type=Path, readable=False)  # nginx reads it, not we


@click.command("nginx-config")
@click.option(
    "--server-name", "names", multiple=True, help="Name of the site; repeatable. Default: that of public_url."
)
@click.option("--listen", multiple=True, help="Port, or address:port; repeatable. Default: 80, with a certificate 443.")
@click.option("--upstream", help="Address of Albumen as nginx reaches it. Default: host and port of the settings.")
@click.option("--certificate", type=_FOLDER, help="TLS certificate with its chain (PEM). Without one: plain HTTP.")
@click.option("--certificate-key", type=_FOLDER, help="Key of the certificate (PEM).")
@click.option("--cache", type=_FOLDER, default=Path("/var/cache/nginx/albumen"), show_default=True)
@click.option("--cache-size", default="1g", show_default=True, help="Most disk that nginx's cache takes.")
@click.option("--previews-per-second", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--previews-burst", type=click.IntRange(0, 100_000), default=500, show_default=True)
@click.option(
    "--standalone", type=_FOLDER, help="Print a whole nginx.conf that keeps pid, logs and more in this folder."
)
@click.option(
    "--log-to-terminal",
    is_flag=True,
    help="With --standalone: log to standard output and error (no sockets).",
)
@click.option("--user", help="User of nginx's workers, with --standalone.")
@data_option
@config_option
def nginx_config(  # noqa: PLR0913 - one parameter for each option
    *,
    names: tuple[str, ...],
    listen: tuple[str, ...],
    upstream: str | None,
    certificate: Path | None,
    certificate_key: Path | None,
    cache: Path,
    cache_size: str,
    previews_per_second: int,
    previews_burst: int,
    standalone: Path | None,
    log_to_terminal: bool,
    user: str | None,
    data: Path | None,
    config: Path | None,
) -> None:
    """Print an nginx configuration for this server.

    Photos go straight through; nginx sends originals from the data directory itself and keeps what everybody may see
    until the second is over. docs/installation.md goes through all of it.

    \b
    albumen nginx-config --server-name photos.example.org > /etc/nginx/sites-available/albumen
    """  # noqa: D301 - click reads the escape
    settings = load_settings({"data": data}, config)
    site = Site(
        upstream=upstream or upstream_of(settings.host, settings.port),
        data=settings.data.absolute(),
        cache=cache.absolute(),
        server_names=names or _names_of(settings),
        listen=listen or (TLS if certificate else PLAIN),
        redirected=PLAIN if certificate and not listen else (),
        certificate=certificate and certificate.absolute(),
        certificate_key=certificate_key and certificate_key.absolute(),
        cache_size=cache_size,
        previews_per_second=previews_per_second,
        previews_burst=previews_burst,
        state=standalone and standalone.absolute(),
        log_to_terminal=log_to_terminal,
        user=user,
    )
    click.echo(render(site), nl=False)
    for hint in _hints(settings):
        click.echo(f"albumen: {hint}", err=True)


def _names_of(settings: Settings) -> tuple[str, ...]:
    name = urlsplit(settings.public_url or "").hostname
    return (f"[{name}]" if ":" in name else name,) if name else ("_",)


def _hints(settings: Settings) -> list[str]:
    """Tell what the settings still lack for this configuration."""
    hints = []
    if settings.proxy_hops == 0:
        hints.append("set 'proxy_hops = 1', or links carry nginx's inner address.")
    if not settings.nginx_accel:
        hints.append("set 'nginx_accel = true', or nginx sends and keeps no photos itself.")
    return hints
