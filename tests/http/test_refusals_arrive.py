"""A refusal reaches the client although it sent a large body that nobody wanted."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest

from conftest import STRICT_PHOTOS, running
from forms import FORM, form, part
from fronts import fronted, settings_behind

BODY_BYTES = 30_000_000
MANY_PHOTOS = 10_000  # the list of so many is more than the system takes at once


@pytest.fixture(scope="module")
def closed_server(tmp_path_factory):
    data = tmp_path_factory.mktemp("closed") / "data"
    with running(data, ALBUMEN_DERIVE="false") as server:
        subprocess.run(
            [sys.executable, "-m", "albumen", "keys", "create", "first", "--data", str(data)],
            check=True,
            capture_output=True,
        )
        yield server


def test_answer_to_a_large_body_without_a_key_is_a_problem(closed_server, http):
    for _ in range(50):
        if http.get(f"{closed_server.url}/api/v1/stats").status_code == 401:
            break
    answer = http.post(f"{closed_server.url}/upload", data=b"x" * BODY_BYTES, headers={"Content-Type": "image/jpeg"})
    assert (answer.status_code, answer.json()["code"]) == (401, "key_required")


def test_lines_of_a_large_form_that_broke_all_arrive(strict_server, http):
    body = form(*(part(b"text") for _ in range(100_000)))
    headers = {**FORM, "Accept": "application/x-ndjson"}
    lines = http.post(f"{strict_server.url}/upload", data=body, headers=headers).text.splitlines()
    assert [json.loads(line)["status"] for line in lines[:-1]] == ["rejected"] * STRICT_PHOTOS
    assert json.loads(lines[-1])["problem"]["code"] == "too_many_photos"


@pytest.mark.parametrize("front", ["direct", "nginx"])
def test_a_long_list_of_a_refusal_arrives_at_clients_that_send_all_before_they_read(tmp_path, front, http):
    settings = {
        "ALBUMEN_DERIVE": "false",
        "ALBUMEN_MAX_PHOTOS": str(MANY_PHOTOS),
        "ALBUMEN_SLOW_SECONDS": "5",
        **settings_behind(front),
    }
    parts = [part(b"text", f"{number} {'long name ' * 20}") for number in range(MANY_PHOTOS)]
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path / "data", **settings))
        reached = stack.enter_context(fronted(server, tmp_path / "state", front))
        answer = http.post(f"{reached.url}/upload", data=form(*parts, part(bytes(BODY_BYTES))), headers=FORM)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_photos")
    assert len(answer.json()["photos"]) == MANY_PHOTOS


def test_refused_clients_that_never_finish_leave_threads_for_others(tmp_path, http):
    head = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n"
    threads = 8
    with running(tmp_path / "data", "--workers", "1", ALBUMEN_DERIVE="false", ALBUMEN_THREADS=str(threads)) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with ExitStack() as stack:
            for _ in range(2 * threads):
                stack.enter_context(socket.create_connection((host, int(port)), timeout=20)).sendall(head)
            assert http.get(f"{server.url}/health/live", timeout=20).status_code == 200


def test_client_that_waits_for_100_continue_is_refused_before_it_sends(closed_server):
    host, port = closed_server.url.removeprefix("http://").split(":")
    head = (
        f"PUT /api/v1/photos HTTP/1.1\r\nHost: {host}\r\nContent-Length: {BODY_BYTES}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode())
        first_line = connection.recv(4096).split(b"\r\n")[0]
    assert first_line == b"HTTP/1.1 401 Unauthorized"
