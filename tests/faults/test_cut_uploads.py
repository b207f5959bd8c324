"""An upload cut off anywhere keeps the photos that were complete, and nothing else."""

from __future__ import annotations

import socket
import struct
from functools import partial

import pytest
import traffic

from conftest import running
from forms import BOUNDARY, FORM_TYPE, sha256
from pictures import of_size
from wire import chunk, connected, eventually, head

PHOTOS = [of_size(6_000, seed=number) for number in range(5)]
BODY = traffic.photos_form(PHOTOS)
ENDS = [BODY.index(photo) + len(photo) + len(f"\r\n--{BOUNDARY}") for photo in PHOTOS]
PLACES = [len(BODY) * percent // 100 for percent in range(1, 100)]
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: the connection ends with a reset


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("cut") / "data", ALBUMEN_DERIVE="false") as started:
        yield started


def _send_announced(link, target, body):
    link.sendall(head("POST", target, f"Content-Type: {FORM_TYPE}", f"Content-Length: {len(BODY)}") + body)


def _send_chunked(link, target, body):
    link.sendall(head("POST", target, f"Content-Type: {FORM_TYPE}", "Transfer-Encoding: chunked") + chunk(body))


def _digests(server, dataset):
    """Return what a dataset holds, oldest first."""
    answer = traffic.get(server.url, f"/api/v1/photos?dataset={dataset}").json()
    return [photo["sha256"] for photo in reversed(answer.get("photos", []))]


def _complete(place):
    """Return the digests of the photos whose end had been sent, with the boundary behind it."""
    return [sha256(photo) for photo, end in zip(PHOTOS, ENDS, strict=True) if end <= place]


def _holds(server, dataset, expected):
    return _digests(server, dataset) == expected


@pytest.mark.parametrize("send", [_send_announced, _send_chunked])
def test_an_upload_cut_at_every_percent_keeps_the_photos_that_were_complete(server, send):
    for place in PLACES:
        with connected(server.url) as link:
            send(link, f"/upload?dataset=cut{send.__name__}-{place}".replace("_", "-"), BODY[:place])
    datasets = {f"cut{send.__name__}-{place}".replace("_", "-"): _complete(place) for place in PLACES}
    for dataset, complete in datasets.items():
        eventually(partial(_holds, server, dataset, complete), f"{dataset} lost a photo")
    eventually(lambda: not traffic.received_files(server.data), "a temporary file stayed")
    assert {dataset: _digests(server, dataset) for dataset in datasets} == datasets


def test_an_upload_reset_at_every_percent_keeps_the_first_photos_or_none(server):
    for place in PLACES:
        with connected(server.url) as link:
            _send_announced(link, f"/upload?dataset=reset-{place}", BODY[:place])
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    eventually(lambda: not traffic.received_files(server.data), "a temporary file stayed")
    for place in PLACES:
        kept = _digests(server, f"reset-{place}")
        assert kept == _complete(place)[: len(kept)]


@pytest.mark.parametrize("place", PLACES[::16])
def test_the_same_upload_sent_again_doubles_nothing(server, place):
    dataset = f"again-{place}"
    with connected(server.url) as link:
        _send_announced(link, f"/upload?dataset={dataset}", BODY[:place])
    eventually(partial(_holds, server, dataset, _complete(place)), "the complete photos were lost")
    statuses = [
        line["status"] for line in traffic.json_lines_of_upload(server.url, traffic.photos_form(PHOTOS, dataset))
    ]
    assert statuses == ["duplicate"] * len(_complete(place)) + ["created"] * (len(PHOTOS) - len(_complete(place)))
    assert _digests(server, dataset) == [sha256(photo) for photo in PHOTOS]


def test_cut_uploads_leave_nothing_to_collect(server):
    with connected(server.url) as link:
        _send_announced(link, "/upload?dataset=last", BODY[: PLACES[-1]])
    eventually(partial(_holds, server, "last", _complete(PLACES[-1])), "the complete photos were lost")
    done = traffic.albumen("gc", "--data", server.data)
    assert done.returncode == 0, done.stderr
    assert "0 files moved to quarantine" in done.stdout
    assert traffic.broken_blobs(server.data) == []
