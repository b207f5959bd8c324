"""How many SQL statements a request may cost: the same number for one photo and for many."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from werkzeug.test import EnvironBuilder

from albumen.services.recent import never_wait
from albumen.web.context import context_of
from forms import FORM, form, ids, part
from pictures import of_size

GROUP = 64


@pytest.fixture
def budget(services):
    """A counter of the statements that run in a block.

    Those that begin a transaction do not count, nor those that look whether the server is open: four times a second,
    whatever the request does.
    """
    engine = services.database.engine

    @contextmanager
    def counting():
        statements = []

        def note(_connection, _cursor, statement, *_rest):
            if not statement.startswith("BEGIN") and "api_key" not in statement:
                statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting


@pytest.fixture
def cost(budget):
    """How many statements a call costs when its caches are warm."""

    def measure(call):
        with budget() as statements:
            answer = call()
            assert answer.status_code < 300
            answer.get_data()
        return len(statements)

    return measure


@pytest.fixture
def upload(client):
    """A function that uploads new photos, as many as asked for."""
    sizes = iter(range(2000, 10_000))

    def send(count):
        return client.post("/upload", data=form(*(part(of_size(next(sizes))) for _ in range(count))), headers=FORM)

    return send


def test_the_counter_sees_statements(cost, upload, client):
    upload(1)
    assert cost(lambda: client.get("/api/v1/photos")) >= 1


@pytest.mark.parametrize("target", ["/api/v1/photos", "/api/v1/photos?name=photo", "/api/v1/photos?dataset=main"])
def test_a_page_of_1_and_of_100_photos_cost_the_same(cost, upload, client, target):
    upload(1)
    one = cost(lambda: client.get(target))
    upload(120)
    hundred = cost(lambda: client.get(target))
    assert len(client.get(target).get_json()["photos"]) == 100
    assert hundred == one <= 3


def test_uploads_of_1_and_of_64_photos_cost_the_same(cost, upload):
    upload(1)
    one = cost(lambda: upload(1))
    assert cost(lambda: upload(GROUP)) == one <= 12


def test_every_further_group_of_64_costs_a_constant_or_shares_a_commit(cost, upload):
    one_group = cost(lambda: upload(GROUP))
    two_groups = cost(lambda: upload(GROUP + 1))
    five_groups = cost(lambda: upload(5 * GROUP))
    assert two_groups == 2 * one_group
    assert five_groups % one_group == 0
    assert 2 * one_group <= five_groups <= 5 * one_group


def test_uploading_duplicates_costs_no_more_than_uploading_photos(cost, client):
    body = form(*(part(of_size(2000 + number)) for number in range(GROUP)))
    first = cost(lambda: client.post("/upload", data=body, headers=FORM))
    assert cost(lambda: client.post("/upload", data=body, headers=FORM)) <= first


def test_asking_for_1_and_for_1000_known_photos_cost_the_same(cost, client):
    def ask(count):
        return cost(lambda: client.post("/api/v1/photos/known", json={"sha256": [f"{n:064x}" for n in range(count)]}))

    assert ask(1000) == ask(1) <= 2


@pytest.mark.parametrize("count", [1, 100])
def test_moving_1_and_100_photos_to_the_trash_and_back_cost_the_same(cost, upload, client, count):
    body = {"ids": ids(upload(count).get_json())}
    assert cost(lambda: client.post("/api/v1/photos/trash", json=body)) == 3
    assert cost(lambda: client.post("/api/v1/photos/restore", json=body)) == 4


@pytest.mark.parametrize("count", [1, 100])
def test_downloading_1_and_100_photos_cost_one_statement(cost, upload, client, count):
    body = {"ids": ids(upload(count).get_json())}
    assert cost(lambda: client.post("/api/v1/photos/archive", json=body)) == 1


def test_listing_1_and_20_datasets_cost_the_same(cost, client):
    one = cost(lambda: client.get("/api/v1/datasets"))
    for number in range(20):
        client.post("/api/v1/datasets", json={"name": f"set {number}"})
    assert cost(lambda: client.get("/api/v1/datasets")) == one == 1


def test_statistics_of_1_and_of_100_photos_cost_the_same(cost, upload, client):
    upload(1)
    one = cost(lambda: client.get("/api/v1/stats"))
    upload(100)
    assert cost(lambda: client.get("/api/v1/stats")) == one == 1


@pytest.mark.parametrize("query", ["", "?dataset=main", "?name=photo", "?dataset=main&name=photo&trash=true"])
def test_a_timeline_of_1_and_of_100_photos_cost_the_same(cost, upload, client, query):
    upload(1)
    one = cost(lambda: client.get(f"/api/v1/timeline{query}"))
    upload(100)
    assert cost(lambda: client.get(f"/api/v1/timeline{query}")) == one <= 2


def test_marks_cost_as_much_as_a_page(cost, upload, client):
    upload(101)
    assert cost(lambda: client.get("/api/v1/timeline/marks?dataset=main&every=100")) == 2


def test_a_page_of_names_costs_one_statement(cost, upload, client):
    upload(100)
    assert cost(lambda: client.get("/get_value?limit=100")) == 1
    assert cost(lambda: client.get("/get_value?limit=1")) == 1


def test_bytes_asked_for_again_at_once_cost_no_statement(cost, upload, client):
    (photo,) = ids(upload(1).get_json())
    client.get(f"/get/{photo}")
    assert cost(lambda: client.get(f"/get/{photo}")) == 0


@pytest.mark.parametrize("query", ["", f"x={'x' * 2000}"])
def test_a_thread_that_never_waits_asks_the_database_nothing(app, upload, budget, query):
    photo = upload(1).get_json()["photos"][0]["id"]
    environ = EnvironBuilder(f"/get/{photo}", query_string=query).get_environ()
    told = []

    def ask():
        never_wait([].append)
        told.append(context_of(app).instant(environ, lambda *_: None))

    with budget() as statements:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert (told, statements) == ([None], [])
