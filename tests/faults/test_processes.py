"""The processes of a server: how they start, stop, die and come back."""

from __future__ import annotations

import os
import signal
import socket
import struct
import zlib
from contextlib import closing
from functools import partial
from urllib.parse import urlsplit

import pysqlite3
import pytest
import requests
import traffic

from conftest import running
from forms import FORM_TYPE, form, part, problem, sha256
from pictures import PNG_SIGNATURE, noisy_jpeg, of_size, png_chunk
from wire import connected, eventually, head, status_and_json

PHOTO = of_size(5_000_000, seed=1)  # what is larger than 4 MB goes to the disk as it comes
HALF = 4_600_000
# Column and row where each pass of an interlaced PNG begins, and its steps (PNG, third edition, 8.1).
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _refused_start(*arguments, **environment):
    """Run `albumen serve` that must not come up; return what it said."""
    done = traffic.albumen("serve", *arguments, **environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr


def _details(server, outcome):
    return traffic.get(server.url, f"/api/v1/photos/{outcome['id']}").json()


def _is_derived(server, outcome):
    return _details(server, outcome)["derivation"] == "done"


def _leases(data):
    """Count the photos that a background worker took and has not finished."""
    query = "SELECT COUNT(*) FROM derivation WHERE state = 'pending' AND leased_until > 0"
    with closing(pysqlite3.connect(data / "albumen.db", timeout=30)) as database:
        return database.execute(query).fetchone()[0]


def _let_leases_run_out(data):
    with closing(pysqlite3.connect(data / "albumen.db", timeout=30)) as database, database:
        database.execute("UPDATE derivation SET leased_until = 1 WHERE state = 'pending' AND leased_until > 0")


class SlowUpload:
    """A request whose first half was sent; the server is busy with it."""

    def __init__(self, server, link):
        self._body = form(part(PHOTO))
        self._link = link
        announced = head("POST", "/upload", f"Content-Type: {FORM_TYPE}", f"Content-Length: {len(self._body)}")
        link.sendall(announced + self._body[:HALF])
        eventually(lambda: any(path.stat().st_size for path in traffic.received_files(server.data)), "nothing came")

    def finish(self):
        self._link.sendall(self._body[HALF:])
        return status_and_json(self._link)


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def test_the_ready_line_names_an_address_that_answers_and_the_data_directory(data):
    with running(data, ALBUMEN_DERIVE="false") as server:
        line = next(line for line in server.log.read_text().splitlines() if "ready" in line)
        assert server.url in line
        assert str(data) in line
        assert "open to this machine" in line
        assert traffic.get(server.url, "/health/ready").json() == {"status": "ready"}


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_the_manager_of_services_is_told_that_the_server_is_ready(data, tmp_path, kind):
    name = f"albumen-test-{os.getpid()}" if kind == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}" if kind == "abstract" else name)
        manager.settimeout(60)
        with running(data, NOTIFY_SOCKET=f"@{name}" if kind == "abstract" else name) as server:
            assert manager.recv(100) == b"READY=1"
            assert traffic.get(server.url, "/health/ready").status_code == 200


def test_a_server_that_was_started_to_outlive_its_terminal_does(data):
    with running(data, prefix=("nohup",), ALBUMEN_DERIVE="false") as server:
        os.killpg(server.process.pid, signal.SIGHUP)
        assert traffic.post(server.url, [noisy_jpeg(800, 600)]).status_code == 201


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_makes_no_files_in_the_data_of_somebody_else(data):
    with running(data, ALBUMEN_DERIVE="false"):
        pass
    (data / "sweep.lock").unlink(missing_ok=True)
    os.chown(data / "albumen.db", 65534, 65534)
    for command in (["serve", "--port", "0"], ["gc"], ["keys", "list"], ["backup", data.parent / "backup"]):
        done = traffic.albumen(*command, "--data", data)
        assert done.returncode == 1
        assert "Run this as that user: runuser -u nobody" in done.stderr
    assert not (data / "sweep.lock").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_makes_no_database_in_the_directory_of_somebody_else(data):
    data.mkdir()
    os.chown(data, 12345, 12345)
    done = traffic.albumen("keys", "create", "mine", "--data", data)
    assert done.returncode == 1
    assert "setpriv --reuid 12345" in done.stderr
    assert list(data.iterdir()) == []


def test_an_interrupt_ends_a_server_in_the_background_of_a_shell_that_ignores_it(data):
    with running(data, prefix=("env", "--ignore-signal=INT"), ALBUMEN_DERIVE="false") as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_ends_every_process_with_status_0_and_cleans_up(data, number):
    with running(data, prefix=("env", "--default-signal=HUP")) as server:  # tests may run under nohup themselves
        outcome = traffic.post(server.url, [noisy_jpeg(800, 600)]).json()["photos"][0]
        assert traffic.get_photo(server.url, outcome, "?size=256").status_code == 200
        family = server.family()
        server.process.send_signal(number)
        assert server.process.wait(60) == 0
        eventually(lambda: not traffic.alive(family), "processes outlive the server")
    assert list((data / "tmp").iterdir()) == []
    assert "Traceback" not in server.log.read_text()


def test_an_interrupt_from_the_keyboard_reaches_all_processes_and_ends_them(data):
    with running(data) as server:
        outcome = traffic.post(server.url, [noisy_jpeg(800, 600)]).json()["photos"][0]
        assert traffic.get_photo(server.url, outcome, "?size=256").status_code == 200
        family = server.family()
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(60) == 0
        eventually(lambda: not traffic.alive(family), "processes outlive the server")
    assert "Traceback" not in server.log.read_text()


def test_an_upload_in_flight_finishes_after_the_stop_was_asked_for(data):
    with running(data, ALBUMEN_DERIVE="false") as server, connected(server.url) as link:
        upload = SlowUpload(server, link)
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: not _accepts(server.url), "the server still takes new connections")
        status, answer = upload.finish()
        assert (status, answer["created"]) == (201, 1)
        assert server.process.wait(60) == 0
    with running(data, ALBUMEN_DERIVE="false") as again:
        assert traffic.digests_of(again.url, answer["photos"]) == [sha256(PHOTO)]


def test_a_stop_does_not_wait_longer_than_it_may_for_a_client_that_never_finishes(data):
    settings = {"ALBUMEN_DERIVE": "false", "ALBUMEN_SHUTDOWN_SECONDS": "1"}
    with running(data, **settings) as server, connected(server.url) as link:
        SlowUpload(server, link)
        family = server.family()
        assert server.stop() == 0
        eventually(lambda: not traffic.alive(family), "processes outlive the server")


def test_a_killed_worker_is_replaced_and_the_service_goes_on(data):
    with running(data, "--workers", "2", ALBUMEN_DERIVE="false") as server:
        earlier = traffic.post(server.url, [PHOTO]).json()["photos"]
        victim, *_ = traffic.wait_for_workers(server, 2)
        victim.kill()
        eventually(lambda: _if_all(set(traffic.workers(server)) - {victim}, 2), "the worker was not replaced")
        assert traffic.post(server.url, [of_size(5_000, seed=2)]).status_code == 201
        assert traffic.digests_of(server.url, earlier) == [sha256(PHOTO)]


def _metric(server, name):
    lines = traffic.get(server.url, "/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_a_worker_in_the_place_of_a_killed_one_goes_on_with_its_counters_in_the_same_files(data, tmp_path):
    counter, places = 'albumen_http_requests_total{method="GET",route="datasets.read_stats"', "albumen_places_in_use"
    with running(data, "--workers", "1", ALBUMEN_DERIVE="false", TMPDIR=str(tmp_path)) as server:
        for number in range(1, 4):
            with connected(server.url) as link:
                SlowUpload(server, link)
                assert traffic.get(server.url, "/api/v1/stats").status_code == 200
                assert (_metric(server, counter), _metric(server, places)) == (number, 1)
                files = sorted(tmp_path.glob("albumen-metrics-*/*.db"))
                (victim,) = traffic.workers(server)
                victim.kill()
                victim.wait(60)
            assert (_metric(server, counter), _metric(server, places)) == (number, 0), "the next one does not go on"
            assert sorted(tmp_path.glob("albumen-metrics-*/*.db")) == files


def test_a_killed_background_worker_is_replaced_and_its_work_goes_on(data):
    with running(data, "--workers", "1") as server:
        first, *_ = eventually(lambda: traffic.background(server), "there is no background worker")
        first.kill()
        outcomes = traffic.post(server.url, [noisy_jpeg(640, 480, seed=number) for number in range(4)]).json()["photos"]
        eventually(lambda: set(traffic.background(server)) - {first}, "the background worker was not replaced")
        for outcome in outcomes:
            eventually(partial(_is_derived, server, outcome), "work remains")


def test_what_a_killed_background_worker_had_begun_is_taken_up_when_its_lease_ran_out(data):
    photos = [noisy_jpeg(2000, 1500, seed=number) for number in range(8)]
    with running(data, "--workers", "1") as server:
        outcomes = traffic.post(server.url, photos).json()["photos"]
        eventually(lambda: _leases(data), "the background worker took nothing")
        for process in traffic.background(server):
            process.kill()
        assert _leases(data), "everything was done before the kill"
        _let_leases_run_out(data)
        for outcome in outcomes:
            eventually(partial(_is_derived, server, outcome), "work remains")


def test_no_process_outlives_a_main_process_that_was_killed(data):
    settings = {"ALBUMEN_SHUTDOWN_SECONDS": "1"}
    with running(data, "--workers", "2", **settings) as server, connected(server.url) as link:
        outcome = traffic.post(server.url, [noisy_jpeg(640, 480)]).json()["photos"][0]
        assert traffic.get_photo(server.url, outcome, "?size=256").status_code == 200
        eventually(lambda: traffic.background(server), "there is no background worker")
        SlowUpload(server, link)
        family = server.family()
        assert traffic.decoders(server)
        server.process.kill()
        server.process.wait(60)
        eventually(lambda: not traffic.alive(family), "processes outlive the main process")


def test_two_servers_on_one_data_directory_work_together(data):
    with running(data, ALBUMEN_DERIVE="false") as first, connected(first.url) as link:
        upload = SlowUpload(first, link)
        with running(data, ALBUMEN_DERIVE="false") as second:
            new = traffic.post(second.url, [of_size(4_000, seed=number) for number in range(10)]).json()["photos"]
            status, answer = upload.finish()
            assert status == 201
            both = [*new, *answer["photos"]]
            assert traffic.digests_of(first.url, both) == traffic.digests_of(second.url, both)
            assert traffic.digests_of(first.url, both) == [outcome["sha256"] for outcome in both]
            assert second.stop() == 0
        assert traffic.post(first.url, [of_size(4_100)]).status_code == 201


def test_a_port_that_is_taken_is_refused_by_name(data):
    with running(data, ALBUMEN_DERIVE="false") as server:
        port = urlsplit(server.url).port
        said = _refused_start("--port", port, "--data", data)
        assert f"port {port}" in said
        assert "in use" in said


def test_without_keys_a_server_for_others_is_refused_and_with_a_key_it_starts(data):
    said = _refused_start("--host", "0.0.0.0", "--port", "0", "--data", data)  # noqa: S104 - what is refused here
    assert "--open" in said
    assert "albumen keys create" in said
    created = traffic.albumen("keys", "create", "operator", "--role", "admin", "--data", data)
    key = created.stdout.strip()
    with running(data, "--host", "0.0.0.0", ALBUMEN_DERIVE="false") as server:  # noqa: S104 - loopback is part of it
        assert "keys are needed" in server.log.read_text()
        problem(traffic.get(server.url, "/get_value"), 401, "key_required")
        listed = requests.get(f"{server.url}/get_value", headers={"Authorization": f"Bearer {key}"}, timeout=60)
        assert listed.json() == []


@pytest.mark.parametrize("setting", [{"ALBUMEN_PROXY_HOPS": "1"}, {"ALBUMEN_NGINX_ACCEL": "true"}])
def test_without_keys_a_server_behind_a_proxy_is_refused_whatever_lies_in_its_directory(data, setting):
    said = _refused_start("--port", "0", "--data", data, **setting)
    assert "albumen keys create" in said
    assert str(data) in said


def test_a_server_for_others_starts_when_it_is_told_to_be_open(data):
    with running(data, "--host", "0.0.0.0", "--open", ALBUMEN_DERIVE="false") as server:  # noqa: S104 - as above
        assert "open to all" in server.log.read_text()
        assert traffic.post(server.url, [PHOTO]).status_code == 201


def test_a_decoder_that_dies_costs_at_most_its_preview(data):
    with running(data, "--workers", "1", ALBUMEN_DERIVE="false", ALBUMEN_DECODE_PROCESSES="1") as server:
        photos = [noisy_jpeg(640, 480, seed=number) for number in range(2)]
        first, second = traffic.post(server.url, photos).json()["photos"]
        assert traffic.get_photo(server.url, first, "?size=256").status_code == 200
        (decoder,) = traffic.decoders(server)
        decoder.kill()
        assert traffic.get_photo(server.url, second, "?size=256").status_code == 200
        assert traffic.digests_of(server.url, [first, second]) == [sha256(photo) for photo in photos]


def test_a_photo_that_needs_more_memory_than_allowed_has_no_preview_and_harms_nobody(data):
    limits = {"ALBUMEN_DECODE_MEMORY": "100000000", "ALBUMEN_DERIVE": "true"}
    with running(data, "--workers", "1", **limits) as server:
        bomb, photo = traffic.post(server.url, [_interlaced_bomb(), noisy_jpeg(640, 480)]).json()["photos"]
        workers = traffic.workers(server)
        problem(traffic.get_photo(server.url, bomb, "?size=256"), 422, "preview_failed")
        assert traffic.get_photo(server.url, photo, "?size=256").status_code == 200
        assert traffic.get_photo(server.url, bomb).status_code == 200
        eventually(lambda: _details(server, bomb)["derivation"] == "failed", "the bomb was not noticed")
        eventually(lambda: _details(server, photo)["derivation"] == "done", "the photo after the bomb was not derived")
        assert traffic.workers(server) == workers


def _interlaced_bomb(width=8_000, height=8_000):
    """A black PNG of a few hundred KB whose seven passes must be unpacked as a whole, here to 128 MB."""
    header = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 1)
    rows = [(len(range(y, height, dy)), len(range(x, width, dx))) for x, y, dx, dy in ADAM7]
    pixels = zlib.compress(bytes(sum(count * (1 + 2 * length) for count, length in rows)), 1)
    return PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND")


def _if_all(processes, number):
    return processes if len(processes) == number else None


def _accepts(url):
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname, address.port), 5):
            return True
    except OSError:
        return False
