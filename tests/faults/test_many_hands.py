"""Two servers on one data directory and `albumen gc` beside them: nothing is lost, nothing is there twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import traffic

from conftest import running
from forms import sha256
from pictures import of_size

CLIENTS = 4
ROUNDS = 3
COLLECTING = {"ALBUMEN_TRASH_DAYS": "0", "ALBUMEN_QUARANTINE_DAYS": "0"}
PHOTOS = [of_size(4_000, seed=number) for number in range(12)]


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    data = tmp_path_factory.mktemp("hands") / "data"
    with running(data, ALBUMEN_DERIVE="false") as first, running(data, ALBUMEN_DERIVE="false") as second:
        yield first, second


@pytest.fixture
def collecting(servers):
    """`albumen gc`, again and again as long as the test runs; each must end well."""
    stop, ended = threading.Event(), []

    def collect():
        while not stop.is_set():
            ended.append(traffic.albumen("gc", "--data", servers[0].data, **COLLECTING))

    thread = threading.Thread(target=collect)
    thread.start()
    yield
    stop.set()
    thread.join()
    assert ended
    assert [done.stderr for done in ended if done.returncode] == []


def _upload(server, dataset, photos=PHOTOS):
    outcomes = traffic.json_lines_of_upload(server.url, traffic.photos_form(photos, dataset))
    assert [outcome["sha256"] for outcome in outcomes] == [sha256(photo) for photo in photos]
    return outcomes


def _ids(outcomes):
    return [outcome["id"] for outcome in outcomes]


def _each_on_a_server(servers, work):
    """Let every client do its work, one half on each server; return what each returns."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda number: work(servers[number % 2], number), range(CLIENTS)))


@pytest.mark.usefixtures("collecting")
def test_the_same_photos_uploaded_through_both_at_once_get_one_id_each(servers):
    for number in range(ROUNDS):
        told = _each_on_a_server(servers, lambda server, _, number=number: _upload(server, f"same-{number}"))
        assert len({tuple(_ids(outcomes)) for outcomes in told}) == 1
        assert sum(outcome["status"] == "created" for outcomes in told for outcome in outcomes) == len(PHOTOS)
        for server in servers:
            assert traffic.digests_of(server.url, told[0]) == [sha256(photo) for photo in PHOTOS]


@pytest.mark.usefixtures("collecting")
def test_photos_deleted_and_uploaded_again_while_garbage_is_collected_keep_their_bytes(servers):
    """All clients share the bytes, so each deletes what another is about to upload."""

    def upload_and_delete(server, client):
        for _ in range(ROUNDS):
            for outcome in _upload(server, f"own-{client}"):
                assert requests.delete(f"{server.url}/api/v1/photos/{outcome['id']}", timeout=60).status_code == 204
        return _upload(server, f"own-{client}")

    for outcomes in _each_on_a_server(servers, upload_and_delete):
        assert {outcome["status"] for outcome in outcomes} == {"created"}
        for server in servers:
            assert traffic.digests_of(server.url, outcomes) == [sha256(photo) for photo in PHOTOS]


@pytest.mark.usefixtures("collecting")
def test_new_photos_are_kept_while_garbage_is_collected(servers):
    def upload(server, client):
        numbers = range(1_000 * client, 1_000 * client + 40)
        return _upload(server, f"new-{client}", [traffic.marked(PHOTOS[0], number) for number in numbers])

    for outcomes in _each_on_a_server(servers, upload):
        for server in servers:
            assert traffic.digests_of(server.url, outcomes) == [outcome["sha256"] for outcome in outcomes]


def test_ids_grow_in_the_order_of_uploads_whichever_server_takes_them(servers):
    told = [_upload(servers[number % 2], f"turn-{number}", PHOTOS[:2]) for number in range(20)]
    ids = [photo_id for outcomes in told for photo_id in _ids(outcomes)]
    assert ids == sorted(set(ids))
