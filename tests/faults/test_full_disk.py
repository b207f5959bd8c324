"""A disk that fills up costs the photos that do not fit, and nothing else."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
import requests
import traffic
from disks import fill, free_bytes, small_disk
from PIL import Image

from conftest import running
from forms import FORM_TYPE, problem, sha256
from pictures import noisy_jpeg, of_size

DISK_BYTES = 24_000_000
PHOTO_BYTES = 1_000_000
TOO_MANY = 40
GROUP = 4
SHARED_MEMORY_OF_DATABASE = 65_536
TOO_LITTLE_FOR_A_ROW = 40_960
SMALL = of_size(2_000, seed=900)


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "data", DISK_BYTES) as mounted:
        yield mounted


@pytest.fixture
def server(disk):
    with running(disk, "--workers", "2", ALBUMEN_DERIVE="false", ALBUMEN_GROUP_PHOTOS=str(GROUP)) as started:
        yield started


@pytest.fixture
def overfilled(server):
    """The photos of a request that was too large for the disk, and the answer to it."""
    photos = [of_size(PHOTO_BYTES, seed=number) for number in range(TOO_MANY)]
    return photos, traffic.post(server.url, photos)


def _listed(server):
    return traffic.get(server.url, "/api/v1/photos?limit=1000").json()["photos"]


def _blobs(server):
    """Count the files of photos."""
    return sum(path.is_file() for path in (server.data / "blobs").rglob("*"))


def _quarantined(server):
    return list((server.data / "quarantine").iterdir())


def _free_space(server):
    """Delete the newest photo for good."""
    newest = _listed(server)[0]
    assert requests.delete(f"{server.url}/api/v1/photos/{newest['id']}", timeout=60).status_code == 204
    done = traffic.albumen("gc", "--data", server.data, ALBUMEN_TRASH_DAYS="0", ALBUMEN_QUARANTINE_DAYS="0")
    assert done.returncode == 0, done.stderr


def test_what_fitted_is_in_the_answer_and_is_kept(server, overfilled):
    photos, answer = overfilled
    told = problem(answer, 507, "storage_full")["photos"]
    assert len(told) >= GROUP
    assert [outcome["status"] for outcome in told] == ["created"] * len(told)
    assert [outcome["index"] for outcome in told] == sorted(outcome["index"] for outcome in told)
    assert traffic.digests_of(server.url, told) == [sha256(photos[outcome["index"]]) for outcome in told]
    assert {photo["id"] for photo in _listed(server)} == {outcome["id"] for outcome in told}


def test_nothing_half_written_remains(server, overfilled):
    _, answer = overfilled
    assert answer.status_code == 507
    assert traffic.received_files(server.data) == []
    assert traffic.broken_blobs(server.data) == []
    assert _blobs(server) == len(_listed(server))


def test_earlier_photos_stay_and_new_ones_fit_again_after_deleting(server):
    earlier = traffic.post(server.url, [SMALL]).json()["photos"]
    problem(traffic.post(server.url, [of_size(DISK_BYTES + 1_000_000)]), 507, "storage_full")
    filler = [of_size(PHOTO_BYTES, seed=100 + number) for number in range(TOO_MANY)]
    problem(traffic.post(server.url, filler), 507, "storage_full")
    _free_space(server)
    assert free_bytes(server.data) >= PHOTO_BYTES
    assert traffic.post(server.url, [of_size(PHOTO_BYTES // 2, seed=200)]).status_code == 201
    assert traffic.digests_of(server.url, earlier) == [sha256(SMALL)]


def test_lines_of_a_streamed_answer_are_kept_and_the_last_one_tells_why(server):
    photos = [of_size(PHOTO_BYTES, seed=number) for number in range(TOO_MANY)]
    *told, last = traffic.json_lines_of_upload(server.url, traffic.photos_form(photos))
    assert (last["problem"]["status"], last["problem"]["code"]) == (507, "storage_full")
    assert len(told) >= GROUP
    assert traffic.digests_of(server.url, told) == [sha256(photos[outcome["index"]]) for outcome in told]


def test_a_streamed_answer_that_breaks_off_is_in_the_log_and_in_the_metrics(server):
    photos = [of_size(PHOTO_BYTES, seed=number) for number in range(TOO_MANY)]
    traffic.json_lines_of_upload(server.url, traffic.photos_form(photos))
    (line,) = [line for line in server.log.read_text().splitlines() if "request_failed" in line]
    assert all(field in line for field in ("code=storage_full", "method=POST", "path=/upload", "client=127.0.0.1"))
    assert 'albumen_uploads_broken_off_total{code="storage_full"} 1.0' in traffic.get(server.url, "/metrics").text


def _numbers(line):
    """Return the bytes that a line tells, by what they are."""
    return {name: int(count) for name, count in re.findall(r"(available|reserved|wanted)=(\d+)", line)}


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_the_log_of_a_full_disk_tells_how_much_there_is_and_was_wanted_and_the_client_gets_no_number(server, accept):
    body = traffic.photos_form([of_size(DISK_BYTES + 1_000_000)])
    headers = {"Content-Type": FORM_TYPE, "Accept": accept}
    answer = requests.post(f"{server.url}/upload", data=body, headers=headers, timeout=60)
    (line,) = [line for line in server.log.read_text().splitlines() if "request_failed" in line]
    told = _numbers(line)
    assert told["wanted"] == len(body)
    assert told["reserved"] == pytest.approx(DISK_BYTES / 100, rel=0.01)
    assert 0 < told["available"] < DISK_BYTES
    assert not any(word in answer.text for word in ("available", "reserved", "wanted", str(server.data)))


def test_a_command_tells_how_full_a_full_disk_is(disk, server):
    server.stop()
    fill(disk, leave=TOO_LITTLE_FOR_A_ROW)
    done = traffic.albumen("keys", "create", "phone", "--data", disk)
    assert done.returncode == 1
    assert re.search(r"albumen: No space is left .* \[[\d,]+ bytes available, [\d,]+ bytes reserved\]", done.stderr)


def test_a_backup_tells_how_full_its_disk_is(tmp_path, server):
    traffic.post(server.url, [of_size(PHOTO_BYTES)])
    with small_disk(tmp_path / "backups", PHOTO_BYTES // 2) as target:
        done = traffic.albumen("backup", target / "here", "--data", server.data)
    assert done.returncode == 1
    assert re.search(r"No space is left for .*here\. .* \[[\d,]+ bytes available\]", done.stderr)


def test_a_backup_tells_so_when_there_is_no_room_for_its_directory(tmp_path, server):
    with small_disk(tmp_path / "backups", DISK_BYTES, files=1) as target:
        done = traffic.albumen("backup", target / "here", "--data", server.data)
    assert done.returncode == 1
    told = r"albumen: No space is left for .*here\. .* \[24,\d{3},\d{3} bytes available\]\n"
    assert re.fullmatch(told, done.stderr)


@pytest.mark.parametrize("left", [0, 4_096, 8_192, 16_384, 32_768])
def test_without_room_for_the_row_a_photo_is_refused_and_accepted_later(disk, server, left):
    earlier = traffic.post(server.url, [of_size(PHOTO_BYTES)]).json()["photos"]
    filler = fill(disk, leave=left)
    problem(traffic.post(server.url, [SMALL]), 507, "storage_full")
    assert traffic.digests_of(server.url, earlier) == [sha256(of_size(PHOTO_BYTES))]
    assert len(_listed(server)) == _blobs(server) == 1
    assert _quarantined(server) == []
    filler.unlink()
    assert traffic.post(server.url, [SMALL]).status_code == 201
    assert traffic.received_files(server.data) == []


def test_without_room_for_a_preview_the_original_is_still_served_and_the_preview_comes_later(disk, server):
    photo = noisy_jpeg(1600, 1200)
    outcome = traffic.post(server.url, [photo]).json()["photos"][0]
    filler = fill(disk)
    problem(traffic.get_photo(server.url, outcome, "?size=1024&format=jpeg"), 507, "storage_full")
    assert traffic.digests_of(server.url, [outcome]) == [sha256(photo)]
    filler.unlink()
    answer = traffic.get_photo(server.url, outcome, "?size=1024&format=jpeg")
    assert answer.status_code == 200
    assert Image.open(BytesIO(answer.content)).size == (1024, 768)


def test_readiness_tells_of_a_full_disk_and_recovers(disk, server):
    assert traffic.get(server.url, "/health/ready").status_code == 200
    filler = fill(disk)
    problem(traffic.get(server.url, "/health/ready"), 507, "storage_full")
    assert traffic.get(server.url, "/health/live").status_code == 200
    filler.unlink()
    assert traffic.get(server.url, "/health/ready").status_code == 200


def test_a_server_starts_and_serves_on_a_disk_that_is_as_good_as_full(disk):
    with running(disk, ALBUMEN_DERIVE="false") as first:
        outcomes = traffic.post(first.url, [SMALL]).json()["photos"]
        assert first.stop() == 0
    fill(disk, leave=SHARED_MEMORY_OF_DATABASE)
    with running(disk, ALBUMEN_DERIVE="false") as second:
        assert traffic.digests_of(second.url, outcomes) == [sha256(SMALL)]


def test_a_command_that_cannot_use_the_database_says_what_the_system_said(disk):
    assert traffic.albumen("migrate", "--data", disk).returncode == 0
    fill(disk)
    done = traffic.albumen("info", "--data", disk)
    assert done.returncode == 1
    assert "disk I/O error" in done.stderr
    assert "Traceback" not in done.stderr
