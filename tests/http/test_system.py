"""Health, metrics, the access log, and errors that nobody planned for."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import structlog

from albumen.bootstrap import configure_logs
from albumen.web import errors
from albumen.web.auth import public
from conftest import running
from forms import FORM, form, part, problem
from pictures import of_size
from wire import eventually

ID = "0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44"
CONNECTIONS = 12
REQUESTS_EACH = 5


@pytest.fixture
def logging_server(tmp_path):
    """A server of two processes that logs every request as JSON."""
    log = {"ALBUMEN_ACCESS_LOG": "true", "ALBUMEN_LOG_FORMAT": "json", "ALBUMEN_DERIVE": "false"}
    with running(tmp_path / "data", "--workers", "2", **log) as server:
        yield server


def test_a_server_that_works_is_live_and_ready(client):
    assert client.get("/health/live").get_json() == {"status": "live"}
    assert client.get("/health/ready").get_json() == {"status": "ready"}


def test_a_server_whose_storage_cannot_be_used_is_live_but_not_ready(client, settings):
    tmp = settings.data / "tmp"
    shutil.rmtree(tmp, ignore_errors=True)
    tmp.write_text("in the way")
    answer = client.get("/health/ready")
    problem(answer, 503, "storage_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert client.get("/health/live").status_code == 200


def test_a_server_is_ready_again_once_its_storage_can_be_used(client, settings):
    tmp = settings.data / "tmp"
    shutil.rmtree(tmp, ignore_errors=True)
    tmp.write_text("in the way")
    assert client.get("/health/ready").status_code == 503
    tmp.unlink()
    assert client.get("/health/ready").status_code == 200
    assert client.post("/upload", data=form(part(of_size(2000))), headers=FORM).status_code == 201


def test_a_server_without_the_folder_of_its_photos_is_not_ready(client, settings):
    (settings.data / "blobs").rename(settings.data / "elsewhere")
    problem(client.get("/health/ready"), 503, "storage_unavailable")


def test_a_server_without_its_database_is_not_ready(client, services):
    with services.database.writing() as tx:
        tx.script("ALTER TABLE api_key RENAME TO lost")
    problem(client.get("/health/ready"), 503, "storage_unavailable")


def counter(text, name, **labels):
    """Return the sum of a counter over all label values but the given ones."""
    found = 0.0
    for line in text.splitlines():
        match = re.fullmatch(rf"{name}(?:{{(.*)}})? (\S+)", line)
        if match and all(f'{key}="{value}"' in (match[1] or "") for key, value in labels.items()):
            found += float(match[2])
    return found


def test_metrics_count_requests_of_all_processes(logging_server):
    def some(_number):
        with requests.Session() as session:
            session.trust_env = False
            return [session.get(f"{logging_server.url}/api/v1/stats").status_code for _ in range(REQUESTS_EACH)]

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        assert {status for statuses in pool.map(some, range(CONNECTIONS)) for status in statuses} == {200}
    total = CONNECTIONS * REQUESTS_EACH
    labels = {"method": "GET", "route": "datasets.read_stats", "status": "200"}

    def is_right():
        text = requests.get(f"{logging_server.url}/metrics", timeout=30).text
        return counter(text, "albumen_http_requests_total", **labels) == total

    eventually(is_right, "the counters of the processes do not add up")


def test_metrics_count_photos_by_outcome_and_their_bytes(logging_server, http):
    parts = (part(of_size(2000)), part(of_size(3000)), part(of_size(2000)), part(b"text"))
    http.post(f"{logging_server.url}/upload", data=form(*parts), headers=FORM)
    text = http.get(f"{logging_server.url}/metrics").text
    counted = [
        counter(text, "albumen_photos_received_total", outcome=name) for name in ("created", "duplicate", "rejected")
    ]
    assert counted == [2, 1, 1]
    assert counter(text, "albumen_photo_bytes_received_total") == 5000


def test_metrics_have_no_labels_that_strangers_choose(client):
    for number in range(20):
        client.get(f"/never-made-{number}")
        client.get(f"/get/never-made-{number}")
        client.open("/upload", method=f"BREW{number}")
    text = client.get("/metrics").get_data(as_text=True)
    assert "never-made" not in text
    assert "BREW" not in text


def log_lines(server):
    """Return what the access log tells."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "request"]


def test_the_access_log_has_a_line_of_json_for_every_request(logging_server, http):
    photo = http.post(f"{logging_server.url}/upload", data=form(part(of_size(2000))), headers=FORM).json()["photos"][0]
    http.get(photo["link"])
    http.get(f"{logging_server.url}/never-made?secret=1")

    def lines():
        return [line for line in log_lines(logging_server) if line["path"] != "/health/live"]

    eventually(lambda: len(lines()) >= 3, "lines are missing")
    shown = [(line["event"], line["method"], line["path"], line["status"]) for line in lines()]
    assert sorted(shown) == [
        ("request", "GET", photo["link"].removeprefix(logging_server.url), 200),
        ("request", "GET", "/never-made", 404),
        ("request", "POST", "/upload", 201),
    ]
    assert all(0 < line["seconds"] < 60 and line["client"] == "127.0.0.1" for line in lines())


def test_the_log_tells_no_secrets(tmp_path, http):
    log = {"ALBUMEN_ACCESS_LOG": "true", "ALBUMEN_LOG_FORMAT": "json", "ALBUMEN_DERIVE": "false"}
    secret = "alb_0123456789ab_" + "5" * 64
    with running(tmp_path / "data", "--workers", "1", **log) as server:
        http.get(f"{server.url}/api/v1/photos?key={secret}", headers={"Authorization": f"Bearer {secret}"})
        http.post(f"{server.url}/api/v1/session", json={"key": secret})
        eventually(lambda: len(log_lines(server)) >= 2, "lines are missing")
        assert secret not in server.log.read_text()


@pytest.mark.parametrize("target", ["/never-made", "/api/v1/never", "/upload/", "/static/none.js", "/static/../app.py"])
def test_an_unknown_route_is_a_problem(client, target):
    problem(client.get(target), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("GET", "/upload", {"POST", "OPTIONS"}),
        ("DELETE", "/", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("POST", f"/get/{ID}", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", f"/api/v1/photos/{ID}", {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}),
        ("BREW", "/get_value", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_a_problem_that_names_the_right_ones(client, method, target, allowed):
    answer = client.open(target, method=method)
    problem(answer, 405, "method_not_allowed")
    assert set(re.split(", *", answer.headers["Allow"])) == allowed


def test_a_crash_is_a_problem_that_tells_nothing_of_our_inside(app, capsys, monkeypatch):
    structlog.reset_defaults()
    monkeypatch.setattr(errors, "log", structlog.get_logger())  # one that was used before keeps the file of that time

    def crash():
        password = "hunter2"  # noqa: S105 - a secret in a local variable, which must not come out
        raise RuntimeError(f"cannot connect with {password}")

    app.add_url_rule("/crash", view_func=public(crash))
    answer = app.test_client().get("/crash")
    problem(answer, 500, "internal")
    assert not any(word in answer.data for word in (b"hunter2", b"Runtime", b"Traceback", b".py"))
    assert "request_crashed" in "".join(capsys.readouterr())


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_the_log_of_a_crash_has_no_local_variables(settings, log_format, capsys):
    def crash():
        secret = bytes.fromhex("68756e74657232").decode()
        raise RuntimeError(len(secret))

    configure_logs(settings.model_copy(update={"log_format": log_format}))
    try:
        crash()
    except RuntimeError as exc:
        structlog.get_logger().error("request_crashed", exc_info=exc)
    structlog.reset_defaults()
    logged = "".join(capsys.readouterr())
    assert "RuntimeError" in logged
    assert "hunter2" not in logged


class FullDisk(io.StringIO):
    """A log that can take no line more."""

    def write(self, _text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_log_that_cannot_be_written_costs_only_its_lines(settings, monkeypatch):
    monkeypatch.setattr("sys.stderr", FullDisk())
    configure_logs(settings)
    structlog.get_logger().warning("process_ended")
    structlog.reset_defaults()


def test_a_broken_database_tells_nothing_of_its_inside(client, services):
    with services.database.writing() as tx:
        tx.script("ALTER TABLE photo RENAME TO lost")
    for target in ("/api/v1/photos", "/get_value?limit=5", f"/get/{ID}", f"/api/v1/photos/{ID}"):
        answer = client.get(target)
        body = problem(answer, 503, "storage_unavailable")
        assert not any(word in json.dumps(body) for word in ("photo AS", "SELECT", "sqlite", "no such table"))


def test_an_upload_into_a_broken_database_acknowledges_nothing(client, services, settings):
    with services.database.writing() as tx:
        tx.script("ALTER TABLE photo RENAME TO lost")
    body = problem(client.post("/upload", data=form(part(of_size(2000))), headers=FORM), 503, "storage_unavailable")
    assert body["photos"] == []
    assert [path for path in (settings.data / "tmp").rglob("*") if path.is_file()] == []


def test_a_blob_that_cannot_be_opened_is_a_problem_on_both_ways_to_the_bytes(client, services):
    photo = client.post("/upload", data=form(part(of_size(2000))), headers=FORM).get_json()["photos"][0]
    path = services.previews.original(services.photos.get(photo["id"]).blob)
    path.unlink()
    path.mkdir()
    for target in (f"/get/{photo['id']}", f"/get?id={photo['id']}"):
        answer = client.get(target)
        assert answer.status_code == 500
        assert answer.get_json()["code"] in {"internal", "blob_damaged"}
        assert str(path).encode() not in answer.data
