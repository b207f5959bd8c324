"""The nginx configuration in front of Albumen, rendered from checked values. Prints nothing and reads no settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from albumen.errors import StartRefused
from albumen.web import accel

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = "nginx.conf.jinja"
_ADDRESS = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):)?(?P<port>[0-9]{1,5})", re.ASCII)
_SERVER_NAME = re.compile(r"_|(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9a-fA-F:.]+\]", re.ASCII)
_SIZE = re.compile(r"[1-9][0-9]{0,9}[kmg]?", re.ASCII | re.IGNORECASE)
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)
_HIGHEST_PORT = 65_535
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True)
class Site:
    """What the configuration says. Paths are absolute; `listen` and `redirected` are nginx's addresses.

    With `certificate` and `certificate_key` it speaks TLS, and `redirected` addresses lead there. With `state`, a
    directory for pid, logs and temporary files, it is a whole nginx.conf, whose workers run as `user` if that is given.
    """

    upstream: str
    data: Path
    cache: Path
    server_names: tuple[str, ...] = ("_",)
    listen: tuple[str, ...] = ("80", "[::]:80")
    redirected: tuple[str, ...] = ()
    certificate: Path | None = None
    certificate_key: Path | None = None
    cache_size: str = "1g"
    previews_per_second: int = 50
    previews_burst: int = 500
    state: Path | None = None
    log_to_terminal: bool = False
    user: str | None = None


def render(site: Site) -> str:
    """Return the configuration as text.

    Raises:
        StartRefused: A value that nginx would misread; the detail names it.
    """
    _check(site)
    template = _environment().get_template(TEMPLATE)
    return template.render(
        upstream=site.upstream,
        blobs=_path(site.data, "blobs/"),
        previews=_path(site.data, "previews/"),
        cache=_plain_path(site.cache),
        cache_size=site.cache_size,
        server_names=" ".join(site.server_names),
        listen=site.listen,
        redirected=site.redirected,
        certificate=site.certificate and _plain_path(site.certificate),
        certificate_key=site.certificate_key and _plain_path(site.certificate_key),
        previews_per_second=site.previews_per_second,
        previews_burst=site.previews_burst,
        whole=site.state is not None,
        log_to_terminal=site.log_to_terminal,
        state=lambda name: _plain_path(site.state / name) if site.state else "",
        user=site.user,
        dollar="$" in str(site.data),
        header=accel.HEADER,
        asking=accel.ASKING,
        making=accel.MAKING,
        files=accel.FILES,
        make=accel.MAKE,
    )


def upstream_of(host: str, port: int) -> str:
    """Return where nginx on the same machine finds a server that listens on `host` and `port`."""
    reached = _EVERYWHERE.get(host, host)
    if port == 0:
        raise StartRefused("nginx must know the port of Albumen: set 'port', or give --upstream.")
    return f"{f'[{reached}]' if ':' in reached and not reached.startswith('[') else reached}:{port}"


def _environment() -> Environment:
    return Environment(  # noqa: S701 - this is no HTML; values are quoted for nginx
        loader=PackageLoader("albumen", "cli"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _check(site: Site) -> None:
    _check_address("--upstream", site.upstream)
    for address in (*site.listen, *site.redirected):
        _check_address("--listen", address)
    for name in site.server_names:
        _check_match("--server-name", name, _SERVER_NAME)
    _check_match("--cache-size", site.cache_size, _SIZE)
    if site.user is not None:
        _check_match("--user", site.user, _USER)
    if (site.certificate is None) != (site.certificate_key is None):
        raise StartRefused("--certificate and --certificate-key belong together.")


def _check_match(option: str, value: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(value):
        raise StartRefused(f"{option}: nginx would misread {value!r}.")


def _check_address(option: str, value: str) -> None:
    """Take a port, or a name, an IPv4 address or an IPv6 address in brackets with a port."""
    match = _ADDRESS.fullmatch(value)
    host = match["host"] if match else None
    if match is None or not 0 < int(match["port"]) <= _HIGHEST_PORT or not (host is None or _is_host(host)):
        raise StartRefused(f"{option}: {value!r} is no port and no address such as 127.0.0.1:8080 or [::1]:8080.")
    if host is None and option == "--upstream":
        raise StartRefused("--upstream needs a host, such as 127.0.0.1:5000.")


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return True
    try:
        return isinstance(ip_address(host[1:-1]), IPv6Address)
    except ValueError:
        return False


def _path(folder: Path, below: str = "") -> str:
    """Write a path where nginx looks for variables."""
    return _quoted(f"{folder}/{below}").replace("$", "${albumen_dollar}")


def _plain_path(path: Path) -> str:
    """Write a path where nginx takes every character as it is, or where a variable would cost a lot (TLS keys)."""
    if "$" in str(path):
        raise StartRefused(f"The path {str(path)!r} has a '$', which nginx would take for a variable.")
    return _quoted(str(path))


def _quoted(path: str) -> str:
    """Return a path as nginx's quoted string. Raises StartRefused for one that no configuration can hold."""
    if not path.startswith("/"):
        raise StartRefused(f"The path {path!r} must be absolute.")
    if not path.isprintable():
        raise StartRefused(f"The path {path!r} has characters that cannot stand in a configuration.")
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
