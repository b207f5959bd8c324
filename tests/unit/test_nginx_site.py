"""The nginx configuration as text: what it takes, what it refuses, and how it writes paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from albumen.cli.nginx_site import Site, render, upstream_of
from albumen.errors import StartRefused

SITE = Site(upstream="127.0.0.1:5000", data=Path("/srv/photos"), cache=Path("/var/cache/nginx/albumen"))


def directives(text, name):
    """Return what stands after a directive, once for each time it is used."""
    lines = [line.strip().partition("  #")[0] for line in text.splitlines()]
    return [line.removeprefix(name).strip(" ;") for line in lines if line.startswith(f"{name} ")]


@pytest.mark.parametrize(
    ("folder", "written"),
    [
        ("/srv/photos", '"/srv/photos/blobs/"'),
        ("/srv/my photos", '"/srv/my photos/blobs/"'),
        ('/srv/say "hi"', '"/srv/say \\"hi\\"/blobs/"'),
        ("/srv/back\\slash", '"/srv/back\\\\slash/blobs/"'),
        ("/srv/{a};b#c", '"/srv/{a};b#c/blobs/"'),
        ("/srv/фото", '"/srv/фото/blobs/"'),
        ("/srv/$uri", '"/srv/${albumen_dollar}uri/blobs/"'),
    ],
)
def test_a_data_directory_is_written_so_that_nginx_reads_it_as_it_is(folder, written):
    assert directives(render(replace(SITE, data=Path(folder))), "alias")[0] == written


def test_the_character_that_nginx_cannot_write_is_defined_only_when_it_is_needed():
    assert "geo $albumen_dollar" not in render(SITE)
    assert "geo $albumen_dollar" in render(replace(SITE, data=Path("/srv/$")))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"data": Path("relative")}, "absolute"),
        ({"data": Path("/srv/a\nb")}, "characters"),
        ({"data": Path("/srv/\x00")}, "characters"),
        ({"data": Path("/srv/\udcff")}, "characters"),
        ({"cache": Path("/var/$cache")}, "variable"),
        ({"server_names": ("photos.example.org; return 200",)}, "--server-name"),
        ({"server_names": ("$host",)}, "--server-name"),
        ({"server_names": ("",)}, "--server-name"),
        ({"server_names": ("a.example\n",)}, "--server-name"),
        ({"listen": ("80; }",)}, "--listen"),
        ({"listen": ("0",)}, "--listen"),
        ({"listen": ("65536",)}, "--listen"),
        ({"listen": ("::1:80",)}, "--listen"),
        ({"listen": ("[::g]:80",)}, "--listen"),
        ({"listen": ("[127.0.0.1]:80",)}, "--listen"),
        ({"upstream": "5000"}, "--upstream"),
        ({"upstream": "127.0.0.1:5000 weight=2"}, "--upstream"),
        ({"cache_size": "1g inactive=1y"}, "--cache-size"),
        ({"cache_size": "0"}, "--cache-size"),
        ({"user": "root; daemon on"}, "--user"),
        ({"certificate": Path("/etc/c.pem")}, "--certificate-key"),
        ({"certificate_key": Path("/etc/k.pem")}, "--certificate-key"),
        ({"certificate": Path("/etc/$c.pem"), "certificate_key": Path("/etc/k.pem")}, "variable"),
        ({"state": Path("/run/$x")}, "variable"),
    ],
)
def test_a_value_that_nginx_would_misread_is_refused_naming_it(change, named):
    with pytest.raises(StartRefused, match=named):
        render(replace(SITE, **change))


@pytest.mark.parametrize("address", ["80", "127.0.0.1:8080", "localhost:80", "[::1]:8080", "[::]:65535"])
def test_ports_names_and_addresses_of_both_families_are_taken(address):
    assert directives(render(replace(SITE, listen=(address,))), "listen") == [address]


@pytest.mark.parametrize(
    "name", ["_", "photos.example.org", "*.example.org", "10.0.0.1", "[::1]", "xn--e1afmkfd.xn--p1ai"]
)
def test_names_of_sites_are_taken(name):
    assert directives(render(replace(SITE, server_names=(name, "b.example"))), "server_name") == [f"{name} b.example"]


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("127.0.0.1", "127.0.0.1:5000"),
        ("0.0.0.0", "127.0.0.1:5000"),  # noqa: S104 - rendered, not bound
        ("::", "[::1]:5000"),
        ("::1", "[::1]:5000"),
        ("localhost", "localhost:5000"),
    ],
)
def test_nginx_finds_a_server_wherever_it_listens(host, written):
    assert upstream_of(host, 5000) == written
    assert directives(render(replace(SITE, upstream=written)), "server")[0].startswith(f"{written} ")


def test_a_server_on_any_free_port_cannot_be_found():
    with pytest.raises(StartRefused, match="port"):
        upstream_of("127.0.0.1", 0)


def test_with_a_certificate_every_address_speaks_tls_and_plain_ones_lead_there():
    paths = {"certificate": Path("/etc/c.pem"), "certificate_key": Path("/etc/k.pem")}
    text = render(replace(SITE, listen=("443", "[::]:443"), redirected=("80", "[::]:80"), **paths))
    assert directives(text, "listen") == ["80", "[::]:80", "443 ssl http2", "[::]:443 ssl http2"]
    assert "return 308 https://$host$request_uri;" in text


def test_limits_of_size_are_left_to_albumen():
    assert directives(render(SITE), "client_max_body_size") == ["0"]


def test_every_location_of_our_own_is_internal():
    _, *own = render(SITE).split("location /_albumen/")
    assert len(own) == 3
    assert all("internal;" in part.partition("}")[0] for part in own)
