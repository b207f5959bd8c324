"""Which addresses count as one client."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Network

_MAPPED = "::ffff:"
_HOST_BITS = 64


def plain_address(address: str) -> str:
    """Return an address in the form of its own family: an IPv4 client of an IPv6 listener counts as IPv4."""
    return address.removeprefix(_MAPPED)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or an IPv6 network of /64.

    One host has all addresses of such a network. What is no address stands for itself.
    """
    plain = plain_address(address)
    if ":" not in plain:
        return plain
    try:
        return str(IPv6Network((plain.partition("%")[0], _HOST_BITS), strict=False))
    except ValueError:
        return plain
