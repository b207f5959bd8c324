"""The day on which a key was last used is written once a day, beside the requests."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pysqlite3
import pytest
from sqlalchemy import event

from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.domain.access import Role, Token
from albumen.errors import KeyRequired
from albumen.repository.keys import KeyRepository
from albumen.services.access import CACHE_SECONDS, Access
from albumen.services.key_use import KeyUse
from albumen.web.app import create_app
from commands import invoke
from conftest import running
from forms import FORM, form, ids, part
from pictures import of_size
from wire import eventually

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
AGED = CACHE_SECONDS + 0.1
REQUESTS = 50
MANY = 20


@contextmanager
def noting(services):
    """The statements that write uses of keys in a block, and all others.

    Those do not count that look whether the server is open: four times a second, whatever the request does.
    """
    changes, queries = [], []

    def note(_connection, _cursor, statement, *_rest):
        if "api_key LIMIT 1" not in statement:
            (changes if statement.startswith("UPDATE api_key") else queries).append(statement)

    event.listen(services.database.engine, "before_cursor_execute", note)
    try:
        yield changes, queries
    finally:
        event.remove(services.database.engine, "before_cursor_execute", note)


@pytest.fixture
def begin(services):
    """A maker of what recognises keys, as each process has its own; its clock can be set."""
    pools = []

    def make(now=NOON):
        clock = [now]
        pools.append(ThreadPoolExecutor(1))
        use = KeyUse(services.database, KeyRepository(), lambda: clock[0], pools[-1])
        access = Access(services.database, KeyRepository(), lambda: clock[0], use, always_open=False, may_be_open=False)
        return access, clock, lambda: pools[-1].submit(int).result()

    yield make
    for pool in pools:
        pool.shutdown()


def used_on(access):
    (key,) = access.keys()
    return key.used_on and key.used_on.isoformat()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_a_key_that_was_not_used_has_no_day(begin):
    access, _, _ = begin()
    access.create("phone", Role.VIEWER)
    assert used_on(access) is None


def test_many_uses_on_a_day_are_one_write(begin, services):
    access, clock, settle = begin()
    token = str(access.create("phone", Role.VIEWER))
    with noting(services) as (changes, _):
        for hour in range(3):
            clock[0] = NOON + timedelta(hours=2 * hour)
            for _ in range(REQUESTS):
                access.require(token, Role.VIEWER)
            time.sleep(AGED)
        settle()
    assert (len(changes), used_on(access)) == (1, "2026-11-28")


def test_each_day_is_a_write_even_right_after_midnight(begin, services):
    access, clock, settle = begin(NOON.replace(hour=23, minute=59))
    token = str(access.create("phone", Role.VIEWER))
    with noting(services) as (changes, _):
        access.require(token, Role.VIEWER)
        settle()
        clock[0] += timedelta(minutes=2)
        time.sleep(AGED)
        access.require(token, Role.VIEWER)
        settle()
    assert (len(changes), used_on(access)) == (2, "2026-11-29")


def test_keys_that_come_while_one_is_written_share_a_write(begin, services):
    access, _, settle = begin()
    tokens = [str(access.create(f"phone {number}", Role.VIEWER)) for number in range(MANY)]
    with noting(services) as (changes, _):
        with services.database.writing():
            for token in tokens:
                access.require(token, Role.VIEWER)
        settle()
    assert len(changes) <= 2
    listed = access.keys()
    assert {key.used_on for key in listed} == {NOON.date()}


def test_another_process_writes_no_day_that_is_there(begin, services):
    first, _, settle_first = begin()
    token = str(first.create("phone", Role.VIEWER))
    first.require(token, Role.VIEWER)
    settle_first()
    with noting(services) as (changes, _):
        second, _, settle = begin()
        second.require(token, Role.VIEWER)
        settle()
    assert changes == []


def test_a_clock_that_was_put_back_takes_no_day_back(begin):
    access, clock, settle = begin()
    token = str(access.create("phone", Role.VIEWER))
    access.require(token, Role.VIEWER)
    settle()
    late, _, settle_late = begin(clock[0] - timedelta(days=3))
    late.require(token, Role.VIEWER)
    settle_late()
    assert used_on(access) == "2026-11-28"


def test_a_use_that_could_not_be_written_is_written_with_the_next_one_of_any_key(tmp_path):
    chosen = load_settings({"data": tmp_path / "data", "busy_seconds": 0.1})
    prepare(chosen)
    with closing(build(chosen)) as services:
        first, second = (str(services.access.create(name, Role.VIEWER)) for name in ("nightly", "phone"))
        with ThreadPoolExecutor(1) as pool:
            use = KeyUse(services.database, KeyRepository(), lambda: NOON, pool)
            access = Access(services.database, KeyRepository(), lambda: NOON, use, always_open=False, may_be_open=False)
            with closing(pysqlite3.connect(chosen.data / "albumen.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                access.require(first, Role.VIEWER)
                pool.submit(int).result()
                other.execute("ROLLBACK")
            access.require(second, Role.VIEWER)
        listed = access.keys()
    assert [key.used_on for key in listed] == [NOON.date(), NOON.date()]


def test_a_wrong_secret_is_no_use(begin):
    access, _, settle = begin()
    token = access.create("phone", Role.VIEWER)
    with pytest.raises(KeyRequired):
        access.require(str(Token(token.key_id, "0" * 64)), Role.VIEWER)
    settle()
    assert used_on(access) is None


def test_a_revoked_key_is_not_used(begin):
    access, _, settle = begin()
    token = access.create("phone", Role.VIEWER)
    access.revoke(token.key_id)
    with pytest.raises(KeyRequired):
        access.require(str(token), Role.VIEWER)
    settle()
    assert used_on(access) is None


def test_requests_with_a_key_cost_one_write_and_photos_no_statement(client, services):
    (photo,) = ids(client.post("/upload", data=form(part(of_size(2000))), headers=FORM).get_json())
    token = services.access.create("phone", Role.VIEWER)
    eventually(lambda: client.get("/api/v1/stats").status_code == 401, "the server stays open")
    with noting(services) as (changes, _):
        for _ in range(REQUESTS):
            assert client.get("/api/v1/stats", headers=bearer(token)).status_code == 200
        eventually(lambda: changes, "the use was not written")
    time.sleep(AGED)
    client.get(f"/get/{photo}", headers=bearer(token))
    with noting(services) as warm:
        assert client.get(f"/get/{photo}", headers=bearer(token)).status_code == 200
    assert (len(changes), warm) == (1, ([], []))


def test_a_use_that_cannot_be_written_keeps_no_request_waiting(tmp_path):
    chosen = load_settings({"data": tmp_path / "data", "decode_processes": 1, "busy_seconds": 5})
    prepare(chosen)
    with closing(build(chosen)) as services:
        token = services.access.create("phone", Role.VIEWER)
        with closing(pysqlite3.connect(chosen.data / "albumen.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            assert create_app(services).test_client().get("/api/v1/stats", headers=bearer(token)).status_code == 200
            assert time.monotonic() - began < 2
            other.execute("ROLLBACK")


def test_the_list_of_keys_tells_the_day_of_the_last_use(tmp_path, http):
    data = tmp_path / "data"
    used, _unused = (invoke("keys", "create", name, "--data", data).stdout.strip() for name in ("phone", "desk"))
    with running(data, "--workers", "2", ALBUMEN_DERIVE="false") as server:
        before = datetime.now(UTC).date()
        assert http.get(f"{server.url}/api/v1/stats", headers=bearer(used)).status_code == 200

        def listed():
            return invoke("keys", "list", "--data", data).stdout.splitlines()

        eventually(lambda: any("never used" not in line for line in listed()), "the use is not told")
        phone, desk = listed()
    assert any(f"used {day}" in phone for day in {before, datetime.now(UTC).date()})
    assert phone.endswith("phone")
    assert "never used" in desk
