"""Another program holds the database or the store: uploads are refused for now, reading goes on, nothing is lost."""

from __future__ import annotations

import fcntl
from contextlib import closing, contextmanager

import pysqlite3
import pytest
import requests
import traffic

from conftest import running
from forms import problem, sha256
from pictures import of_size

EARLIER = of_size(3_000, seed=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("locked")
    with running(folder / "data", ALBUMEN_DERIVE="false", ALBUMEN_BUSY_SECONDS="0.3") as started:
        yield started


@pytest.fixture
def outcome(server):
    return traffic.post(server.url, [EARLIER]).json()["photos"][0]


@contextmanager
def _locked(server):
    """Hold the write lock of the database, as a person with the command `sqlite3` may."""
    with closing(pysqlite3.connect(server.data / "albumen.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def _assert_busy(answer):
    problem(answer, 503, "busy")
    assert int(answer.headers["Retry-After"]) > 0


def _listed(server):
    return [photo["id"] for photo in traffic.get(server.url, "/get_value").json()]


def test_an_upload_is_told_to_come_again_and_then_is_taken(server, outcome):
    new = of_size(3_000, seed=2)
    with _locked(server):
        _assert_busy(traffic.post(server.url, [new]))
        _assert_busy(traffic.post(server.url, [EARLIER]))
    assert traffic.post(server.url, [new]).status_code == 201
    assert traffic.post(server.url, [EARLIER]).json()["photos"][0]["id"] == outcome["id"]
    assert traffic.received_files(server.data) == []


def test_a_streamed_answer_ends_with_the_reason(server, outcome):
    before, body = _listed(server), traffic.photos_form([of_size(3_000, seed=3)])
    with _locked(server):
        lines = traffic.json_lines_of_upload(server.url, body)
    assert [(line["problem"]["status"], line["problem"]["code"]) for line in lines] == [(503, "busy")]
    assert _listed(server) == before
    assert outcome["id"] in before
    assert [line["status"] for line in traffic.json_lines_of_upload(server.url, body)] == ["created"]


def test_changes_wait_likewise(server, outcome):
    address = f"{server.url}/api/v1/photos/{outcome['id']}"
    with _locked(server):
        _assert_busy(requests.patch(address, json={"name": "other.jpg"}, timeout=60))
        _assert_busy(requests.delete(address, timeout=60))
    assert requests.patch(address, json={"name": "other.jpg"}, timeout=60).status_code == 200
    assert requests.delete(address, timeout=60).status_code == 204


def test_reading_goes_on(server, outcome):
    with _locked(server):
        assert traffic.digests_of(server.url, [outcome]) == [sha256(EARLIER)]
        assert outcome["id"] in _listed(server)
        assert traffic.get(server.url, "/health/live").status_code == 200


def test_bytes_whose_row_could_not_be_written_are_collected_when_nobody_comes_again(server, outcome):
    with _locked(server):
        _assert_busy(traffic.post(server.url, [of_size(3_000, seed=4)]))
    done = traffic.albumen("gc", "--data", server.data)
    assert done.returncode == 0, done.stderr
    assert "1 files moved to quarantine" in done.stdout
    assert traffic.digests_of(server.url, [outcome]) == [sha256(EARLIER)]


def test_readiness_does_not_wait_for_the_database(tmp_path):
    patient = {"ALBUMEN_BUSY_SECONDS": "600"}
    with running(tmp_path / "data", "--workers", "1", ALBUMEN_DERIVE="false", **patient) as server:
        assert traffic.get(server.url, "/health/ready").status_code == 200
        with _locked(server):
            _assert_busy(traffic.get(server.url, "/health/ready"))
            assert traffic.get(server.url, "/health/live").status_code == 200
        assert traffic.get(server.url, "/health/ready").status_code == 200


def test_a_sweep_that_was_suspended_holds_up_uploads_for_a_time_only(server, outcome):
    new = of_size(3_000, seed=4)
    with (server.data / "sweep.lock").open("ab") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        _assert_busy(traffic.post(server.url, [new]))
        _assert_busy(traffic.get(server.url, "/health/ready"))
        assert traffic.get(server.url, f"/get/{outcome['id']}").content == EARLIER
    assert traffic.get(server.url, "/health/ready").status_code == 200
    assert traffic.post(server.url, [new]).status_code == 201
    assert traffic.received_files(server.data) == []
