"""Which addresses count as one client where clients are counted."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import fields

import pytest

from albumen.config import load_settings
from albumen.errors import TooManyUploads, Unavailable
from albumen.web.networks import network_of
from albumen.web.places import AllPlaces, lay_out


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unknown", "unknown"),
        ("no:address", "no:address"),
    ],
)
def test_a_client_is_an_address_of_ipv4_or_a_network_of_ipv6(address, network):
    assert network_of(address) == network


def test_one_host_cannot_take_all_places_with_its_many_addresses():
    uploads = lay_out(load_settings({"threads": 16, "uploads": 4, "uploads_per_address": 2})).uploads
    uploads.take("2001:db8::1")
    uploads.take("2001:db8::2")
    with pytest.raises(TooManyUploads):
        uploads.take("2001:db8::3")
    uploads.give_back("2001:db8::4")
    uploads.take("2001:db8::3")
    uploads.take("2001:db8:0:1::1")


def test_threads_are_left_for_short_requests_while_all_places_are_taken():
    places = lay_out(load_settings({"threads": 512, "uploads": 224}))
    kinds = [getattr(places, field.name) for field in fields(AllPlaces)]
    assert 512 - sum(map(_most_taken, kinds)) == 16


def _most_taken(places):
    """Take places for one address after another; return how many there were."""
    addresses = (f"10.0.{number // 250}.{number % 250}" for number in itertools.count())
    taken = 0
    with suppress(Unavailable):
        for taken, address in enumerate(addresses):  # noqa: B007 - the count is what is wanted
            places.take(address)
    return taken
