"""Bytes that the disk lost or changed: found, never served as if they were sound, healed by another upload."""

from __future__ import annotations

from functools import partial

import pytest
import requests
import traffic
from disks import read_only

from conftest import running
from forms import problem, sha256
from pictures import noisy_jpeg, of_size
from wire import eventually

PHOTO = of_size(40_000, seed=31)
OTHER = of_size(50_000, seed=32)
RANGES = ("bytes=0-99", "bytes=-100", "bytes=20000-20099", "bytes=0-")


@pytest.fixture
def server(tmp_path):
    with running(tmp_path / "data", "--workers", "1", ALBUMEN_DERIVE="false") as started:
        yield started


@pytest.fixture
def outcome(server):
    """The outcome of `PHOTO`, beside which `OTHER` is stored."""
    return traffic.post(server.url, [PHOTO, OTHER]).json()["photos"][0]


@pytest.fixture
def blob(server, outcome):
    return traffic.blob_path(server.data, outcome["sha256"])


def _flip(blob):
    """Change one bit in the middle, as a failing disk does."""
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    _overwrite(blob, bytes(data))


def _cut(blob):
    """Leave the first half."""
    _overwrite(blob, blob.read_bytes()[: len(PHOTO) // 2])


def _empty(blob):
    """Leave nothing but the name, as some file systems do after a power cut."""
    _overwrite(blob, b"")


def _lose(blob):
    blob.unlink()


def _overwrite(blob, data):
    blob.chmod(0o644)
    blob.write_bytes(data)


def _scrub(server):
    return traffic.albumen("scrub", "--data", server.data)


def _upload_again(server):
    (outcome,) = traffic.post(server.url, [PHOTO]).json()["photos"]
    return outcome


def _assert_served(server, outcome):
    eventually(lambda: traffic.digests_of(server.url, [outcome]) == [sha256(PHOTO)], "the photo is not healed")


def test_a_sound_store_passes(server, outcome):
    done = _scrub(server)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 files read, 0 bad\n"
    assert traffic.digests_of(server.url, [outcome]) == [sha256(PHOTO)]


@pytest.mark.parametrize("damage", [_flip, _cut, _empty])
def test_damaged_bytes_are_found_and_kept_in_quarantine(server, outcome, blob, damage):
    damage(blob)
    damaged = blob.read_bytes()
    done = _scrub(server)
    assert done.returncode == 1
    assert done.stdout == f"damaged  {_named(outcome)}\n2 files read, 1 bad\n"
    assert not blob.exists()
    assert (server.data / "quarantine" / blob.name).read_bytes() == damaged
    _assert_refused(server, outcome)


def _named(outcome):
    return f"{outcome['sha256']}\n         main/{outcome['name']}  {outcome['id']}"


def test_missing_bytes_are_told_of_by_every_command(server, outcome, blob):
    _lose(blob)
    done = _scrub(server)
    assert done.returncode == 1
    assert done.stdout == f"missing  {_named(outcome)}\n2 files read, 1 bad\n"
    collected = traffic.albumen("gc", "--data", server.data)
    assert collected.returncode == 1
    assert "1 photos have no bytes" in collected.stderr
    _assert_refused(server, outcome)


def test_the_log_tells_which_request_met_damage(server, outcome, blob):
    _lose(blob)
    traffic.get(server.url, f"/get/{outcome['id']}")
    told = eventually(
        lambda: [line for line in server.log.read_text().splitlines() if "request_failed" in line], "no log"
    )
    assert all(word in told[0] for word in ("blob_damaged", f"/get/{outcome['id']}", "127.0.0.1", "GET"))


@pytest.mark.parametrize("damage", [_cut, _empty, _lose])
def test_bytes_of_another_size_are_not_served_even_before_a_scrub(server, outcome, blob, damage):
    damage(blob)
    _assert_refused(server, outcome)


@pytest.mark.parametrize("damage", [_cut, _empty, _lose])
def test_ranges_of_damaged_bytes_are_right_or_refused(server, outcome, blob, damage):
    for asked in RANGES:
        _assert_right(_ask(server, outcome, Range=asked), asked)
    damage(blob)
    for asked in RANGES:
        eventually(partial(_is_refused, server, outcome, asked), "a range is served without its bytes")
        problem(_ask(server, outcome, Range=asked), 500, "blob_damaged")


def test_after_a_scrub_no_request_gets_the_damaged_bytes_that_were_served_before(server, outcome, blob):
    _flip(blob)
    assert _ask(server, outcome).ok
    assert _scrub(server).returncode == 1
    eventually(lambda: not _ask(server, outcome).ok, "damaged bytes are served after a scrub")
    for headers in ({}, {"Range": "bytes=0-99"}, {"If-None-Match": '"of-another"'}):
        problem(_ask(server, outcome, **headers), 500, "blob_damaged")


def test_a_head_request_tells_of_damage_as_a_get_does(server, outcome, blob):
    _lose(blob)
    _assert_refused(server, outcome)
    assert requests.head(f"{server.url}/get/{outcome['id']}", timeout=60).status_code == 500


def test_bytes_kept_in_memory_are_right_until_they_are_refused(server, outcome, blob):
    for damage in (_flip, _cut):
        assert traffic.get_photo(server.url, outcome).content == PHOTO
        damage(blob)
        assert traffic.get_photo(server.url, outcome).content == PHOTO
        _upload_again(server)
    _lose(blob)
    _assert_refused(server, outcome)


@pytest.mark.parametrize("damage", [_flip, _cut, _empty, _lose])
def test_uploading_the_photo_again_heals_it_under_the_same_id(server, outcome, blob, damage):
    damage(blob)
    again = _upload_again(server)
    assert (again["status"], again["id"]) == ("duplicate", outcome["id"])
    _assert_served(server, outcome)
    assert _scrub(server).returncode == 0


def test_uploading_the_photo_again_after_a_scrub_heals_it_under_the_same_id(server, outcome, blob):
    _flip(blob)
    assert _scrub(server).returncode == 1
    again = _upload_again(server)
    assert (again["status"], again["id"]) == ("duplicate", outcome["id"])
    _assert_served(server, outcome)
    assert _scrub(server).returncode == 0
    assert traffic.albumen("gc", "--data", server.data).returncode == 0


def test_damage_of_one_photo_leaves_the_others_and_the_lists_alone(server, outcome, blob):
    _lose(blob)
    listed = traffic.get(server.url, "/api/v1/photos").json()["photos"]
    other = next(photo for photo in listed if photo["id"] != outcome["id"])
    assert traffic.digests_of(server.url, [other]) == [sha256(OTHER)]
    problem(traffic.get_photo(server.url, outcome, "?size=256"), 500, "blob_damaged")


def test_a_preview_that_was_deleted_is_made_again(server):
    photo = traffic.post(server.url, [noisy_jpeg(640, 480)]).json()["photos"][0]
    first = traffic.get_photo(server.url, photo, "?size=256&format=jpeg")
    (made,) = (server.data / "previews").rglob("256.jpeg")
    made.unlink()
    again = eventually(lambda: _if_ok(traffic.get_photo(server.url, photo, "?size=256&format=jpeg")), "no preview")
    assert again.content == first.content


def test_a_data_directory_that_turns_read_only_still_serves_and_refuses_uploads_clearly(server, outcome):
    with read_only(server.data):
        problem(traffic.post(server.url, [of_size(30_000, seed=33)]), 503, "storage_unavailable")
        problem(traffic.get(server.url, "/health/ready"), 503, "storage_unavailable")
        assert traffic.get(server.url, "/health/live").status_code == 200
        assert traffic.digests_of(server.url, [outcome]) == [sha256(PHOTO)]
    assert traffic.post(server.url, [of_size(30_000, seed=33)]).status_code == 201


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("gc",), ("info",)], ids=lambda command: command[0])
def test_no_command_runs_on_a_read_only_data_directory_and_each_says_why(tmp_path, command):
    data = tmp_path / "data"
    assert traffic.albumen("migrate", "--data", data).returncode == 0
    with read_only(data):
        done = traffic.albumen(*command, "--data", data)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr == f"albumen: The data directory {data} cannot be written to.\n"


def _assert_refused(server, outcome):
    """What was prepared for an answer a moment ago is kept for a second; wrong bytes are never served."""
    eventually(lambda: not _is_served(server, outcome), "the photo is served without its bytes")
    problem(traffic.get_photo(server.url, outcome), 500, "blob_damaged")


def _ask(server, outcome, **headers):
    return requests.get(f"{server.url}/get/{outcome['id']}", headers=headers, timeout=60)


def _is_refused(server, outcome, asked):
    """A file that became shorter a moment ago may end an answer early; its client notices."""
    try:
        answer = _ask(server, outcome, Range=asked)
    except requests.RequestException:
        return False
    if answer.ok:
        _assert_right(answer, asked)
    return not answer.ok


def _assert_right(answer, asked):
    first, last = asked.removeprefix("bytes=").split("-")
    start = int(first) if first else len(PHOTO) - int(last)
    end = int(last) + 1 if first and last else len(PHOTO)
    assert answer.status_code == 206
    assert answer.content == PHOTO[start:end]


def _is_served(server, outcome):
    answer = traffic.get_photo(server.url, outcome)
    assert answer.content == PHOTO or not answer.ok, "wrong bytes are served"
    return answer.ok


def _if_ok(answer):
    return answer if answer.ok else None
