"""Rate limits: per key or address, over all processes, on every way to an answer; off unless they are set."""

from __future__ import annotations

import re

import pytest
import requests

from albumen.domain.access import Role
from conftest import running
from forms import FORM, form, part, problem
from pictures import of_size

MOST = 5
PHOTO = form(part(of_size(2000)))


@pytest.fixture
def limited(make_app):
    return make_app(rate_requests=f"{MOST}/hour").test_client()


def get(client, target="/api/v1/stats", address="192.0.2.1", **headers):
    return client.get(target, environ_overrides={"REMOTE_ADDR": address}, headers=headers)


def left(answer):
    return int(re.fullmatch(r'"requests";r=(\d+);t=\d+', answer.headers["RateLimit"])[1])


def test_without_a_setting_nothing_is_counted(client):
    for _ in range(3 * MOST):
        answer = get(client)
        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers


def test_answers_tell_what_is_left_and_one_too_many_is_refused_until_the_window_ends(limited):
    assert [left(get(limited)) for _ in range(MOST)] == list(range(MOST))[::-1]
    refused = get(limited)
    body = problem(refused, 429, "too_many_requests")
    assert refused.headers["RateLimit-Policy"] == f'"requests";q={MOST};w=3600'
    assert left(refused) == 0
    assert 0 < int(refused.headers["Retry-After"]) == body["retry_after"] <= 3600


def test_every_address_has_its_own_share(limited):
    for _ in range(MOST + 1):
        get(limited)
    assert left(get(limited, address="192.0.2.2")) == MOST - 1


def test_addresses_of_one_ipv6_network_share_and_those_of_ipv4_do_not(limited):
    for number in range(MOST):
        get(limited, address=f"2001:db8:0:1::{number:x}")
    assert get(limited, address="2001:db8::1:ffff:1:2:3").status_code == 429
    assert left(get(limited, address="2001:db8:0:2::1")) == MOST - 1
    assert left(get(limited, address="::ffff:192.0.2.1")) == MOST - 1
    assert left(get(limited, address="::ffff:192.0.2.2")) == MOST - 1


def test_behind_a_proxy_the_address_is_the_one_that_it_tells(make_app):
    client = make_app(rate_requests=f"{MOST}/hour", proxy_hops=1, open=True).test_client()
    answers = [get(client, **{"X-Forwarded-For": "192.0.2.7"}).status_code for _ in range(MOST + 1)]
    assert answers == [200] * MOST + [429]
    assert get(client, **{"X-Forwarded-For": "192.0.2.8"}).status_code == 200


def test_a_key_has_its_share_wherever_it_comes_from_and_a_wrong_one_costs_its_address(make_app):
    app = make_app(rate_requests=f"{MOST}/hour")
    services = app.extensions["albumen"].services
    tokens = [services.access.create(name, Role.VIEWER) for name in ("a", "b")]
    for number in range(MOST):
        get(app.test_client(), address=f"192.0.2.{number}", Authorization=f"Bearer {tokens[0]}")
    problem(get(app.test_client(), Authorization=f"Bearer {tokens[0]}"), 429, "too_many_requests")
    assert get(app.test_client(), Authorization=f"Bearer {tokens[1]}").status_code == 200
    guesses = [
        get(app.test_client(), address="192.0.2.9", Authorization="Bearer x").status_code for _ in range(MOST + 1)
    ]
    assert guesses == [401] * MOST + [429]


def test_bytes_of_photos_count_once_on_the_fast_path_and_beside_it(make_app):
    client = make_app(rate_requests="100/hour").test_client()
    photo = client.post("/upload", data=PHOTO, headers=FORM).get_json()["photos"][0]["id"]
    answers = [client.get(target) for target in (f"/get/{photo}", f"/get?id={photo}", "/get/none", "/nowhere")]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 404]
    assert [left(answer) for answer in answers] == [98, 97, 96, 95]


def test_the_fast_path_refuses_as_well(limited):
    photo = limited.post("/upload", data=PHOTO, headers=FORM).get_json()["photos"][0]["id"]
    answers = [limited.get(f"/get/{photo}") for _ in range(MOST)]
    assert [answer.status_code for answer in answers] == [200] * (MOST - 1) + [429]
    assert left(answers[0]) == MOST - 2


def test_health_is_not_counted(limited):
    for _ in range(3 * MOST):
        assert get(limited, "/health/live").status_code == 200


def test_uploads_have_a_limit_of_their_own(make_app):
    client = make_app(rate_uploads="2/hour").test_client()
    statuses = [client.post("/upload", data=PHOTO, headers=FORM).status_code for _ in range(3)]
    assert statuses == [201, 200, 429]
    assert client.get("/api/v1/stats").status_code == 200


def test_all_processes_count_together(tmp_path):
    with running(
        tmp_path / "data", "--workers", "2", ALBUMEN_DERIVE="false", ALBUMEN_RATE_REQUESTS="20/hour"
    ) as server:
        statuses = [requests.get(f"{server.url}/api/v1/stats", timeout=60).status_code for _ in range(30)]
    assert statuses == [200] * 20 + [429] * 10


def test_a_window_that_ended_begins_anew(make_app):
    client = make_app(rate_requests="2/second").test_client()
    statuses = {get(client).status_code for _ in range(50)}
    assert 429 in statuses
    while get(client).status_code == 429:
        pass
