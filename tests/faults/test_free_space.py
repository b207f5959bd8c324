"""A floor of free space: uploads are refused before the disk is full, and everything else goes on."""

from __future__ import annotations

import pytest
import requests
import traffic
from disks import fill, free_bytes, small_disk

from conftest import running
from forms import problem, sha256
from pictures import noisy_jpeg, of_size
from wire import answer, connected, head

DISK_BYTES = 48_000_000
FLOOR = 20_000_000
PHOTO_BYTES = 1_000_000
SLACK = 8_000_000
PHOTO = noisy_jpeg(800, 600)


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "data", DISK_BYTES) as mounted:
        yield mounted


@pytest.fixture
def server(disk):
    with running(disk, "--workers", "2", ALBUMEN_DERIVE="false", ALBUMEN_MIN_FREE_BYTES=str(FLOOR)) as started:
        yield started


def test_an_upload_stops_at_the_floor_and_what_came_before_is_kept(disk, server):
    photos = [of_size(PHOTO_BYTES, seed=number) for number in range(40)]
    told = problem(traffic.post(server.url, photos), 507, "storage_full")["photos"]
    assert free_bytes(disk) > FLOOR - SLACK
    assert traffic.digests_of(server.url, told) == [sha256(photo) for photo in photos[: len(told)]]
    assert traffic.received_files(disk) == []


def test_a_large_photo_stops_at_the_floor(disk, server):
    problem(traffic.post(server.url, [of_size(40_000_000)]), 507, "storage_full")
    assert traffic.received_files(disk) == []


def test_below_the_floor_uploads_are_refused_before_they_are_sent(disk, server):
    fill(disk, leave=FLOOR - 1_000_000)
    with connected(server.url) as link:
        link.sendall(head("PUT", "/api/v1/photos", "Content-Length: 50000000", "Expect: 100-continue"))
        refused = answer(link)
    assert refused.status == 507
    assert int(refused.headers["Retry-After"]) > 0


def test_below_the_floor_photos_are_read_and_deleted_and_previews_are_not_made(disk, server):
    kept = traffic.post(server.url, [PHOTO]).json()["photos"][0]
    fill(disk, leave=FLOOR - 1_000_000)
    problem(traffic.get_photo(server.url, kept, "?size=256"), 507, "storage_full")
    assert traffic.digests_of(server.url, [kept]) == [sha256(PHOTO)]
    assert requests.delete(f"{server.url}/api/v1/photos/{kept['id']}", timeout=60).status_code == 204


def test_readiness_tells_of_the_floor_and_recovers(disk, server):
    assert traffic.get(server.url, "/health/ready").status_code == 200
    filler = fill(disk, leave=FLOOR - 1_000_000)
    problem(traffic.get(server.url, "/health/ready"), 507, "storage_full")
    assert traffic.get(server.url, "/health/live").status_code == 200
    filler.unlink()
    assert traffic.get(server.url, "/health/ready").status_code == 200
    assert traffic.post(server.url, [PHOTO]).status_code == 201


def test_without_a_setting_a_hundredth_of_the_disk_is_left_alone(disk):
    with running(disk, ALBUMEN_DERIVE="false") as server:
        fill(disk, leave=DISK_BYTES // 100 - 100_000)
        problem(traffic.post(server.url, [PHOTO]), 507, "storage_full")
        (disk / "filler").unlink()
        assert traffic.post(server.url, [PHOTO]).status_code == 201
