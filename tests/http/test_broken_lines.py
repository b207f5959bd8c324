"""Uploads that ask for NDJSON and break off: their status was 200 already, so the log and the metrics tell."""

from __future__ import annotations

import json
import signal
import socket
import struct

import pytest
import requests

from conftest import running
from forms import FORM, FORM_TYPE, form, form_begun, part
from pictures import of_size
from wire import answer, connected, connected_tightly, eventually, head

NDJSON = "application/x-ndjson"
LINES = {**FORM, "Accept": NDJSON}
MANY = 10_000  # their lines are more than the system takes for a client that does not read
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: the connection ends with a reset
JSON_LOG = {"ALBUMEN_LOG_FORMAT": "json", "ALBUMEN_DERIVE": "false"}


@pytest.fixture
def server(tmp_path):
    with running(tmp_path / "data", "--workers", "2", ALBUMEN_SHUTDOWN_SECONDS="1", **JSON_LOG) as started:
        yield started


def logged(server, event):
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def the_one_logged(server):
    (line,) = eventually(lambda: logged(server, "upload_broken_off"), "the log does not tell")
    assert line["level"] == "info"
    return [line[name] for name in ("method", "path", "client", "code")]


def counted(server):
    text = requests.get(f"{server.url}/metrics", timeout=30).text
    return [line for line in text.splitlines() if line.startswith("albumen_uploads_broken_off_total")]


def begin(link, length, body):
    announced = head("POST", "/upload", f"Content-Type: {FORM_TYPE}", f"Accept: {NDJSON}", f"Content-Length: {length}")
    link.sendall(announced + body)


def test_a_form_that_breaks_off_is_told(server, http):
    broken = form_begun(part(of_size(3000)))
    lines = http.post(f"{server.url}/upload", data=broken, headers=LINES).text.splitlines()
    assert json.loads(lines[-1])["problem"]["code"] == "malformed_body"
    assert the_one_logged(server) == ["POST", "/upload", "127.0.0.1", "malformed_body"]
    assert counted(server) == ['albumen_uploads_broken_off_total{code="malformed_body"} 1.0']


def test_a_client_that_leaves_while_it_sends_is_told(server):
    with connected(server.url) as link:
        begin(link, 1_000_000, form_begun(part(of_size(3000))))
        answer(link)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    assert the_one_logged(server) == ["POST", "/upload", "127.0.0.1", "malformed_body"]


def test_a_client_that_leaves_before_it_has_its_lines_is_told(server):
    body = form(*(part(b"text", f"{number} {'long name ' * 30}") for number in range(MANY)))
    with connected_tightly(server.url) as link:
        begin(link, len(body), body)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    assert the_one_logged(server) == ["POST", "/upload", "127.0.0.1", "client_gone"]
    assert counted(server) == ['albumen_uploads_broken_off_total{code="client_gone"} 1.0']


def test_an_upload_that_a_stop_cuts_off_is_told(server):
    with connected(server.url) as link:
        begin(link, 1_000_000, form_begun(part(of_size(3000))))
        answer(link)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
    assert the_one_logged(server) == ["POST", "/upload", "127.0.0.1", "malformed_body"]


def test_an_upload_that_breaks_off_is_counted_however_it_is_answered(server, http):
    assert http.post(f"{server.url}/upload", data=form_begun(part(of_size(3000))), headers=FORM).status_code == 400
    with connected(server.url) as link:
        link.sendall(head("PUT", "/api/v1/photos", "Content-Length: 6000") + of_size(5000))
    expected = ['albumen_uploads_broken_off_total{code="malformed_body"} 2.0']
    eventually(lambda: counted(server) == expected, "an upload was not counted")
    assert logged(server, "upload_broken_off") == []


def test_an_upload_that_ends_well_is_not_told(server, http):
    assert http.post(f"{server.url}/upload", data=form(part(of_size(3000))), headers=LINES).status_code == 200
    assert http.post(f"{server.url}/upload", data=form(), headers=LINES).status_code == 200
    assert (logged(server, "upload_broken_off"), counted(server)) == ([], [])
