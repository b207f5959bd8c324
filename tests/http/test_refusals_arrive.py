"""A refusal reaches the client although it sent a large body that nobody wanted."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from conftest import running

BODY_BYTES = 30_000_000


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


def test_client_that_waits_for_100_continue_is_refused_before_it_sends(closed_server):
    host, port = closed_server.url.removeprefix("http://").split(":")
    head = (
        f"PUT /api/v1/photos HTTP/1.1\r\nHost: {host}\r\nContent-Length: {BODY_BYTES}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode())
        first_line = connection.recv(4096).split(b"\r\n")[0]
    assert first_line == b"HTTP/1.1 401 Unauthorized"
