"""Who may do what: roles by route, keys, cookies, foreign pages, unknown hosts, proxies. Through all middleware."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from albumen.domain.access import Role
from albumen.web.auth import COOKIE, needed_role
from conftest import running
from forms import FORM, form, part, problem
from pictures import of_size
from wire import eventually

ID = "0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44"
PUBLIC, VIEWER, CONTRIBUTOR, EDITOR = None, Role.VIEWER, Role.CONTRIBUTOR, Role.EDITOR
ROUTES = {
    ("GET", "/"): PUBLIC,
    ("POST", "/"): CONTRIBUTOR,
    ("POST", "/upload"): CONTRIBUTOR,
    ("GET", "/get/<photo_id>"): VIEWER,
    ("GET", "/get"): VIEWER,
    ("GET", "/display"): VIEWER,
    ("GET", "/get_value"): VIEWER,
    ("GET", "/api/v1/photos"): VIEWER,
    ("PUT", "/api/v1/photos"): CONTRIBUTOR,
    ("POST", "/api/v1/photos/known"): CONTRIBUTOR,
    ("POST", "/api/v1/photos/archive"): VIEWER,
    ("POST", "/api/v1/photos/trash"): EDITOR,
    ("POST", "/api/v1/photos/restore"): EDITOR,
    ("GET", "/api/v1/photos/<photo_id>"): VIEWER,
    ("PATCH", "/api/v1/photos/<photo_id>"): EDITOR,
    ("DELETE", "/api/v1/photos/<photo_id>"): EDITOR,
    ("GET", "/api/v1/photos/<photo_id>/trashed-preview"): EDITOR,
    ("POST", "/api/v1/photos/<photo_id>/restore"): EDITOR,
    ("GET", "/api/v1/timeline"): VIEWER,
    ("GET", "/api/v1/timeline/marks"): VIEWER,
    ("GET", "/api/v1/datasets"): VIEWER,
    ("POST", "/api/v1/datasets"): CONTRIBUTOR,
    ("GET", "/api/v1/datasets/<slug>"): VIEWER,
    ("PATCH", "/api/v1/datasets/<slug>"): EDITOR,
    ("GET", "/api/v1/stats"): VIEWER,
    ("GET", "/api/v1/session"): PUBLIC,
    ("POST", "/api/v1/session"): PUBLIC,
    ("DELETE", "/api/v1/session"): PUBLIC,
    ("GET", "/api/openapi.json"): PUBLIC,
    ("GET", "/api/docs"): PUBLIC,
    ("GET", "/d/<slug>"): PUBLIC,
    ("GET", "/photo/<photo_id>"): PUBLIC,
    ("GET", "/trash"): PUBLIC,
    ("GET", "/uploads"): PUBLIC,
    ("GET", "/client/<path:filename>"): PUBLIC,
    ("GET", "/mobile"): PUBLIC,
    ("GET", "/mobile/"): PUBLIC,
    ("GET", "/mobile/<path:name>"): PUBLIC,
    ("GET", "/static/<path:filename>"): PUBLIC,
    ("GET", "/health/live"): PUBLIC,
    ("GET", "/health/ready"): PUBLIC,
    ("GET", "/metrics"): VIEWER,
}
GUARDED = sorted((method, rule) for (method, rule), role in ROUTES.items() if role is not None)
NOT_ALLOWED = {401, 403}
REVOKED_SECONDS = 1.5  # a revoked key works for at most two


def target(rule):
    return rule.replace("<photo_id>", ID).replace("<slug>", "main").replace("<path:filename>", "docs.css")


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def session_of(client):
    session = client.get("/api/v1/session").get_json()
    return session["mode"], session["role"]


@pytest.fixture
def tokens(services):
    """A key of each role; the first one closes the server."""
    return {role: str(services.access.create(role.label, role)) for role in Role}


@pytest.fixture
def photo(client):
    """A photo that came in while the server was open; every test here takes it before the keys."""
    answer = client.post("/upload", data=form(part(of_size(2000), "secret-name.jpg")), headers=FORM)
    return answer.get_json()["photos"][0]


def test_every_route_is_in_the_table_with_the_role_that_it_needs(app):
    found = {}
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            found[method, rule.rule] = needed_role(app.view_functions[rule.endpoint])
    assert found == ROUTES


def test_a_view_that_says_nothing_of_roles_answers_nobody(app):
    app.add_url_rule("/forgotten", view_func=lambda: "secret", endpoint="forgotten")
    answer = app.test_client().get("/forgotten")
    assert problem(answer, 500, "internal")
    assert b"secret" not in answer.data


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_a_route_opens_to_its_role_and_those_above_it_alone(app, tokens, method, rule):
    client = app.test_client()
    for role, token in tokens.items():
        answer = client.open(target(rule), method=method, headers=bearer(token))
        if role >= ROUTES[method, rule]:
            assert answer.status_code not in NOT_ALLOWED
        else:
            body = problem(answer, 403, "role_too_small")
            assert (body["role"], body["needed"]) == (role.label, ROUTES[method, rule].label)


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_without_a_valid_key_a_guarded_route_asks_for_one(app, tokens, method, rule):
    client = app.test_client()
    token = tokens[Role.ADMIN]
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    for sent in ({}, bearer("nonsense"), bearer(forged), bearer(""), {"Authorization": f"Basic {token}"}):
        answer = client.open(target(rule), method=method, headers=sent)
        problem(answer, 401, "key_required")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="albumen"'


@pytest.mark.parametrize(("method", "rule"), sorted(ROUTES.keys() - set(GUARDED)))
def test_public_routes_ask_for_no_key(app, tokens, method, rule):
    assert tokens
    with app.test_client().open(target(rule), method=method) as answer:
        assert answer.status_code not in NOT_ALLOWED


@pytest.mark.parametrize("path", ["/api/v1/photos", "/api/v1/timeline", "/api/v1/timeline/marks"])
def test_only_editors_see_the_trash(app, tokens, path):
    client = app.test_client()
    for role in (Role.VIEWER, Role.CONTRIBUTOR):
        answer = client.get(f"{path}?trash=true", headers=bearer(tokens[role]))
        assert problem(answer, 403, "role_too_small")["needed"] == "editor"
        assert client.get(f"{path}?trash=false", headers=bearer(tokens[role])).status_code == 200
    assert client.get(f"{path}?trash=true", headers=bearer(tokens[Role.EDITOR])).status_code == 200


def test_an_open_server_lets_everybody_do_everything(client, photo):
    assert client.get(f"/get/{photo['id']}").status_code == 200
    assert client.delete(f"/api/v1/photos/{photo['id']}").status_code == 204
    assert session_of(client) == ("open", "admin")


def test_without_a_key_nothing_is_told_of_what_is_there(app, photo, services):
    services.access.create("first", Role.ADMIN)
    client = app.test_client()
    eventually(lambda: client.get("/metrics").status_code == 401, "the server stayed open")
    answers = [client.open(target(rule), method=method) for method, rule in GUARDED]
    for path in (f"/get/{photo['id']}", f"/get/{photo['id']}?size=256", f"/api/v1/photos/{photo['id']}"):
        answers += [client.get(path), client.get(path, headers={"Range": "bytes=0-9"}), client.head(path)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.data for answer in answers}) == 2  # one and the same problem, and nothing for HEAD
    told = b"".join(answer.data + str(answer.headers).encode() for answer in answers)
    assert not any(word.encode() in told for word in ("secret-name", photo["sha256"], photo["id"], "main"))


def test_an_unknown_photo_looks_the_same_as_a_known_one_without_a_key(app, photo, services):
    services.access.create("first", Role.ADMIN)
    client = app.test_client()
    eventually(lambda: client.get("/metrics").status_code == 401, "the server stayed open")
    known, unknown = client.get(f"/get/{photo['id']}"), client.get(f"/get/{ID}")
    assert (known.data, known.headers) == (unknown.data, unknown.headers)


def test_with_keys_only_the_caller_may_keep_copies(app, photo, services):
    token = services.access.create("first", Role.VIEWER)
    client = app.test_client()
    eventually(lambda: client.get("/metrics").status_code == 401, "the server stayed open")
    for path in (f"/get/{photo['id']}", f"/get/{photo['id']}?size=256"):

        def is_private(path=path):
            answer = client.get(path, headers=bearer(token))
            return answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"

        eventually(is_private, "still public")


def test_a_revoked_key_stops_working_and_its_cookie_with_it(app, services, tokens):
    client = app.test_client()
    client.post("/api/v1/session", json={"key": tokens[Role.EDITOR]})
    other = app.test_client()
    assert client.get("/api/v1/photos").status_code == 200
    services.access.revoke(tokens[Role.EDITOR].split("_")[1])
    time.sleep(REVOKED_SECONDS)
    problem(other.get("/api/v1/photos", headers=bearer(tokens[Role.EDITOR])), 401, "key_required")
    problem(client.get("/api/v1/photos"), 401, "key_required")
    assert other.get("/api/v1/photos", headers=bearer(tokens[Role.VIEWER])).status_code == 200


def test_keys_made_and_revoked_on_the_command_line_count_in_every_process(tmp_path, http):
    data = tmp_path / "data"

    def keys(*words):
        command = [sys.executable, "-m", "albumen", "keys", *words, "--data", str(data)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    token = keys("create", "phone", "--role", "contributor")
    with running(data, "--workers", "2", ALBUMEN_DERIVE="false") as server:
        address = f"{server.url}/api/v1/photos"
        assert {http.get(address).status_code for _ in range(10)} == {401}
        assert {http.get(address, headers=bearer(token)).status_code for _ in range(10)} == {200}
        keys("revoke", token.split("_")[1])
        time.sleep(REVOKED_SECONDS)
        once = {**bearer(token), "Connection": "close"}
        assert {http.get(address, headers=once).status_code for _ in range(10)} == {401}


def test_a_browser_logs_in_by_a_cookie_that_scripts_cannot_read(app, tokens):
    client = app.test_client()
    answer = client.post("/api/v1/session", json={"key": tokens[Role.CONTRIBUTOR]})
    assert answer.status_code == 204
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert session_of(client) == ("keys", "contributor")
    assert client.post("/upload", data=form(part(of_size(2000))), headers=FORM).status_code == 201
    problem(client.delete(f"/api/v1/photos/{ID}"), 403, "role_too_small")


def test_the_cookie_is_for_encrypted_connections_alone_when_it_came_over_one(app, tokens):
    answer = app.test_client().post(
        "/api/v1/session", json={"key": tokens[Role.VIEWER]}, base_url="https://photos.example.org"
    )
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_a_browser_that_logs_out_is_a_stranger_again(app, tokens):
    client = app.test_client()
    client.post("/api/v1/session", json={"key": tokens[Role.VIEWER]})
    assert client.delete("/api/v1/session").status_code == 204
    assert session_of(client) == ("keys", None)
    problem(client.get("/api/v1/photos"), 401, "key_required")


@pytest.mark.parametrize("key", ["", "nonsense", "alb_000000000000_" + "0" * 64])
def test_a_login_without_a_valid_key_sets_no_cookie(app, tokens, key):
    assert tokens
    answer = app.test_client().post("/api/v1/session", json={"key": key})
    problem(answer, 401, "key_required")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("cookie", [f"{COOKIE}=x", f"{COOKIE}=", f"{COOKIE}=\x7f; ;=;", f"a={COOKIE}", f'{COOKIE}="'])
def test_a_broken_cookie_is_no_key(app, tokens, cookie):
    assert tokens
    client = app.test_client(use_cookies=False)
    problem(client.get("/api/v1/photos", headers={"Cookie": cookie}), 401, "key_required")


@pytest.mark.parametrize("others", ['prefs={"dark":1}', "seen", "name=\xff\xfe", '"="', "a=b; c[]=d,e", 'a="'])
def test_the_cookies_of_other_servers_do_not_take_the_key_away(app, tokens, others):
    client = app.test_client(use_cookies=False)
    cookies = f"{others}; {COOKIE}={tokens[Role.VIEWER]}; {others}"
    assert client.get("/api/v1/photos", headers={"Cookie": cookies}).status_code == 200


def test_of_two_cookies_with_a_key_that_of_the_shorter_path_counts(app, tokens):
    client = app.test_client(use_cookies=False)
    cookies = f'{COOKIE}=of-another; {COOKIE}="{tokens[Role.VIEWER]}"'
    assert client.get("/api/v1/photos", headers={"Cookie": cookies}).status_code == 200


def test_a_login_has_a_small_body(app, tokens):
    answer = app.test_client().post("/api/v1/session", json={"key": tokens[Role.VIEWER], "rest": "x" * 5000})
    problem(answer, 413, "request_entity_too_large")
    assert "Set-Cookie" not in answer.headers
