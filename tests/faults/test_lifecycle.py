"""The log tells of the start and the stop of a server, each once, however many processes it has."""

from __future__ import annotations

import json
import signal
from urllib.parse import urlsplit

import pytest
import traffic

import albumen
from conftest import running
from forms import FORM_TYPE, form, part
from pictures import of_size
from wire import connected, eventually, head, status_and_json

BODY = form(part(of_size(5_000_000)))  # what is larger than 4 MB goes to the disk as it comes
SENT = 4_600_000
SETTINGS = {"ALBUMEN_LOG_FORMAT": "json", "ALBUMEN_DERIVE": "false"}


def told(server, event):
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def begin_upload(server, link):
    announced = head("POST", "/upload", f"Content-Type: {FORM_TYPE}", f"Content-Length: {len(BODY)}")
    link.sendall(announced + BODY[:SENT])
    eventually(lambda: any(path.stat().st_size for path in traffic.received_files(server.data)), "nothing came")


def test_a_start_is_told_once_with_what_runs_where(tmp_path):
    with running(tmp_path / "data", "--workers", "2", **SETTINGS) as server:
        victim, *_ = traffic.wait_for_workers(server, 2)
        victim.kill()
        eventually(lambda: len(set(traffic.workers(server)) - {victim}) == 2, "the worker was not replaced")
        (line,) = told(server, "server_started")
    assert (line["level"], line["address"], line["workers"]) == ("info", urlsplit(server.url).netloc, 2)
    assert (line["data"], line["version"]) == (str(server.data), albumen.__version__)
    assert line["database"].startswith("SQLite 3.")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_told_with_its_signal(tmp_path, number):
    with running(tmp_path / "data", "--workers", "2", **SETTINGS) as server:
        server.process.send_signal(number)
        assert server.process.wait(60) == 0
    (begun,), (ended,) = told(server, "server_stopping"), told(server, "server_stopped")
    assert (begun["signal"], begun["shutdown_seconds"]) == (number.name, 30)
    assert (ended["signal"], ended["open_requests"], ended["cut_off"]) == (number.name, 0, 0)
    assert 0 <= ended["seconds"] < 30


def test_a_stop_tells_of_a_request_that_it_waited_for(tmp_path):
    with running(tmp_path / "data", "--workers", "2", **SETTINGS) as server, connected(server.url) as link:
        begin_upload(server, link)
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: told(server, "server_stopping"), "the stop is not told")
        link.sendall(BODY[SENT:])
        assert status_and_json(link)[0] == 201
        assert server.process.wait(60) == 0
    (ended,) = told(server, "server_stopped")
    assert (ended["open_requests"], ended["cut_off"]) == (1, 0)


def test_a_stop_tells_of_a_request_that_it_cut_off(tmp_path):
    settings = {**SETTINGS, "ALBUMEN_SHUTDOWN_SECONDS": "1"}
    with running(tmp_path / "data", "--workers", "2", **settings) as server, connected(server.url) as link:
        begin_upload(server, link)
        assert server.stop() == 0
    (ended,) = told(server, "server_stopped")
    assert (ended["open_requests"], ended["cut_off"]) == (1, 1)
    assert ended["seconds"] >= 1


def test_a_stop_does_not_tell_of_what_a_process_cut_off_that_ended_earlier(tmp_path):
    settings = {**SETTINGS, "ALBUMEN_SHUTDOWN_SECONDS": "1"}
    with running(tmp_path / "data", "--workers", "1", **settings) as server:
        (victim,) = traffic.wait_for_workers(server, 1)
        with connected(server.url) as link:
            begin_upload(server, link)
            victim.terminate()
            eventually(lambda: set(traffic.workers(server)) - {victim}, "the worker was not replaced")
        assert server.stop() == 0
    (ended,) = told(server, "server_stopped")
    assert (ended["open_requests"], ended["cut_off"]) == (0, 0)
